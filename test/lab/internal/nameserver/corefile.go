package nameserver

import (
	"encoding/json"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"
)

// loopback is the only address the lab listens on.
const loopback = "127.0.0.1"

// simulated rewrites a Corefile so that its server can run beside others in this process: it listens on free ports of the
// loopback address and on no others, asks no servers outside the lab, and speaks to the lab's API server as a user.
func simulated(corefile, user string) ([]byte, error) {
	encoded, err := caddyfile.ToJSON([]byte(corefile))
	if err != nil {
		return nil, err
	}
	var blocks caddyfile.EncodedCaddyfile
	if err := json.Unmarshal(encoded, &blocks); err != nil {
		return nil, err
	}
	for i := range blocks {
		block := &blocks[i]
		for j, key := range block.Keys {
			if block.Keys[j], err = onFreePort(key); err != nil {
				return nil, err
			}
		}
		body := [][]any{{"bind", loopback}, {userDirective, user}}
		for _, line := range block.Body {
			switch line[0] {
			case "bind", "health", "ready", "prometheus", "reload", "forward", "loop":
				continue
			case "kubernetes":
				line[0] = kubernetesDirective
			}
			body = append(body, line)
		}
		block.Body = body
	}
	if encoded, err = json.Marshal(blocks); err != nil {
		return nil, err
	}
	return caddyfile.FromJSON(encoded)
}

// onFreePort is a server block's key, such as "cluster.local:53", with a port that is free.
func onFreePort(key string) (string, error) {
	transport, address := parse.Transport(key)
	_, port, err := plugin.SplitHostPort(address)
	if port != "" {
		address = strings.TrimSuffix(address, ":"+port)
	}
	return transport + "://" + address + ":0", err
}
