package dbserver

import (
	"context"
	"fmt"
	"sync"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Connector knows the ways to servers and their passwords. It sends nothing to a server; engines do, by its ways.
type Connector struct {
	Cluster *kube.Cluster
	Access  Access

	mu      sync.Mutex
	secrets map[string]secretAnswer // by namespace/name: read once for all pods
}

type secretAnswer struct {
	data map[string][]byte
	err  error
}

// NewConnector makes a connector; it reads nothing yet.
func NewConnector(cluster *kube.Cluster, access Access) *Connector {
	return &Connector{Cluster: cluster, Access: access, secrets: map[string]secretAnswer{}}
}

// Way is one try to log in.
type Way struct {
	Via Via
	// Credentials are for the port-forward, and for the client where the user has given an account; their password is empty until Prepare.
	Credentials Credentials
	// Login is for the client where the container knows the password; else nil.
	Login *Login
}

// Open tries the ways to a server that the access allows, the next where one fails. An error is a *LoginError or a *NotRunningError.
func Open[S any](ctx context.Context, c *Connector, s Server, try func(context.Context, Way) (S, error)) (session S, err error) {
	if err := s.CheckRunning(); err != nil {
		return session, err
	}
	failed := &LoginError{}
	ways := c.ways(s)
	if len(ways) == 0 {
		failed.Reason = []error{&noAccountError{flavour: s.Flavour.Name, via: c.Access.Via}}
		return session, failed
	}
	for _, w := range ways {
		session, err := try(ctx, w)
		if err == nil {
			return session, nil
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		failed.Reason = append(failed.Reason, fmt.Errorf("%s: %w", w.Via, err))
		if ctx.Err() != nil {
			break
		}
	}
	return session, failed
}

// ways are in the order in which they are tried.
func (c *Connector) ways(s Server) []Way {
	var network, inside, bySecret []Way
	if c.Access.User != "" {
		credentials := Credentials{User: c.Access.User}
		network = append(network, Way{Via: ViaPortForward, Credentials: credentials})
		// Who wants certificates verified is not served by a container that has none to show.
		if c.Access.Via == ViaExec || c.Access.TLS.Mode != TLSVerifyCA || !c.Access.PasswordFrom.IsOwn() {
			inside = append(inside, Way{Via: ViaExec, Credentials: credentials})
		}
	} else {
		for i := range s.Flavour.Logins {
			l := &s.Flavour.Logins[i]
			if l.knownInside() {
				inside = append(inside, Way{Via: ViaExec, Login: l})
			}
			if credentials, free, ok := l.OverNetwork(s); ok && free {
				network = append(network, Way{Via: ViaPortForward, Credentials: credentials})
			} else if ok {
				bySecret = append(bySecret, Way{Via: ViaPortForward, Credentials: credentials})
			}
		}
	}
	switch c.Access.Via {
	case ViaPortForward:
		return append(network, bySecret...)
	case ViaExec:
		return inside
	}
	return append(append(network, inside...), bySecret...)
}

// Prepare reads the password of a way's credentials, if the server may be given it on that way, and says how the connection has to be
// encrypted.
func (c *Connector) Prepare(ctx context.Context, s Server, w Way) (Credentials, TLS, error) {
	credentials, mode := w.Credentials, c.Access.TLS
	var err error
	switch {
	case c.Access.User != "":
		credentials.Password, err = c.Password(ctx, s, w.Via)
		if c.Access.PasswordFrom.IsOwn() {
			mode = mode.insisting()
		}
	case credentials.Secret != "":
		credentials.Password, err = c.secret(ctx, s.Pod.Namespace, credentials.Secret, credentials.Key)
	}
	return credentials, mode, err
}

// Password is that of --user, for a server that it is given to on a way; else an error is a *RefusedError.
func (c *Connector) Password(ctx context.Context, s Server, via Via) (string, error) {
	from := c.Access.PasswordFrom
	if from.kind == fromSecret {
		return c.secret(ctx, s.Pod.Namespace, from.name, from.key)
	}
	if from.IsOwn() {
		if err := c.Access.handing(via).Check(); err != nil {
			return "", err
		}
	}
	return from.value, nil
}

// secret reads a key of a Secret of the server's own namespace, each Secret once.
func (c *Connector) secret(ctx context.Context, namespace, name, key string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := namespace + "/" + name
	answer, known := c.secrets[id]
	if !known {
		object, err := c.Cluster.Secret(ctx, namespace, name)
		if err == nil {
			answer.data = object.Data
		}
		answer.err = err
		c.secrets[id] = answer
	}
	if answer.err != nil {
		return "", fmt.Errorf("reading Secret %s: %w", name, answer.err)
	}
	value, ok := answer.data[key]
	if !ok {
		return "", fmt.Errorf("reading Secret %s: it has no key %s", name, key)
	}
	return string(value), nil
}
