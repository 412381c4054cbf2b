// Package controlplane runs etcd and Kubernetes' own components in this process, on 127.0.0.1 only.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// loopback is the only address the lab listens on.
const loopback = "127.0.0.1"

// Etcd is a running etcd.
type Etcd struct {
	URL    string
	server *embed.Etcd
}

// StartEtcd starts etcd with its data in the working folder. It listens on sockets there and not on ports, because it
// does not authenticate: only who may enter the folder can speak to it. The sockets' names are relative, because
// the whole path of a socket must not be longer than about a hundred characters.
func StartEtcd(ctx context.Context) (*Etcd, error) {
	// etcd insists on something like a port; it is part of the names.
	client, peer := url.URL{Scheme: "unix", Host: "etcd-client:0"}, url.URL{Scheme: "unix", Host: "etcd-peer:0"}
	config := embed.NewConfig()
	config.Dir = "etcd"
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.UnsafeNoFsync = true // the cluster is thrown away; writes are ten times as fast
	config.QuotaBackendBytes = 8 << 30
	config.AutoCompactionMode, config.AutoCompactionRetention = "revision", "10000"
	config.LogLevel = "error"
	config.LogOutputs = []string{"etcd.log"}
	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-server.Server.ReadyNotify():
		return &Etcd{URL: client.String(), server: server}, nil
	case err := <-server.Err():
		return nil, err
	case <-ctx.Done():
		server.Close()
		return nil, ctx.Err()
	}
}

// Err delivers the error that ended etcd.
func (e *Etcd) Err() <-chan error { return e.server.Err() }

// Close stops etcd, or gives up after the time given.
func (e *Etcd) Close(patience time.Duration) error {
	done := make(chan struct{})
	go func() {
		e.server.Close()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(patience):
		return errors.New("etcd takes too long to stop")
	}
}

// freePort returns a free port.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, fmt.Errorf("no free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
