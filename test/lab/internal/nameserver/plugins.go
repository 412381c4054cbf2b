package nameserver

import (
	"context"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	_ "github.com/coredns/coredns/plugin/bind"        // for the loopback address
	_ "github.com/coredns/coredns/plugin/cache"       // as in every cluster
	_ "github.com/coredns/coredns/plugin/errors"      // for the log
	_ "github.com/coredns/coredns/plugin/loadbalance" // the order of answers
	_ "github.com/coredns/coredns/plugin/template"    // for servers that are to say something else than they should
)

const (
	// kubernetesDirective stands in for the directive kubernetes, whose own setup would take the log of all of Kubernetes'
	// components in this process, and looks for the API server in the environment of a pod.
	kubernetesDirective = "kubernetes-of-the-lab"
	// userDirective says who asks the API server.
	userDirective = "user-of-the-lab"
)

// register makes CoreDNS know its plugins, in the order in which they see a query.
func register(config *rest.Config) {
	dnsserver.Quiet = true // not on stdout
	dnsserver.Directives = []string{userDirective, "bind", "errors", "loadbalance", "cache", "template", kubernetesDirective}
	plugin.Register(userDirective, func(c *caddy.Controller) error {
		c.NextArg()
		c.NextArg()
		c.Set(userDirective, c.Val())
		return nil
	})
	plugin.Register(kubernetesDirective, func(c *caddy.Controller) error {
		user, _ := c.Get(userDirective).(string)
		return setUpKubernetes(c, config, user)
	})
}

// setUpKubernetes does what the plugin's own setup does.
func setUpKubernetes(c *caddy.Controller, config *rest.Config, user string) error {
	c.Next()
	k, err := kubernetes.ParseStanza(c)
	if err != nil {
		return err
	}
	config = rest.CopyConfig(config)
	config.Impersonate.UserName = user
	k.ClientConfig = &knownConfig{config: config}
	start, shut, err := k.InitKubeCache(context.Background())
	if err != nil {
		return err
	}
	c.OnStartup(start)
	c.OnShutdown(shut)
	dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler {
		k.Next = next
		return k
	})
	return nil
}

// configured is a part of an interface, under a name that isn't that of its method.
type configured = clientcmd.ClientConfig

// knownConfig is a configuration that need not be looked for.
type knownConfig struct {
	configured
	config *rest.Config
}

func (k *knownConfig) ClientConfig() (*rest.Config, error) { return k.config, nil }
