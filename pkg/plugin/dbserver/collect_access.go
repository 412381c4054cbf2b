package dbserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// Via is the way to a server.
type Via string

const (
	// ViaAuto takes the port-forward where no Secret has to be read for it, then the client in the container, then the
	// port-forward with a password from a Secret.
	ViaAuto Via = "auto"
	// ViaPortForward is a connection to the pod's port through the API server.
	ViaPortForward Via = "port-forward"
	// ViaExec is the client inside the server's container, which knows its password.
	ViaExec Via = "exec"
)

// Access is how to log in.
type Access struct {
	Via Via
	// User is empty for the account that the server's flavour has.
	User string
	// PasswordFrom is where the password of User is; the zero value is none.
	PasswordFrom PasswordSource
	// SendToAll lets a password of the user's own go to servers that are not named, too.
	SendToAll bool
	TLS       TLS
	// named is true if the servers' sets stand on the command line, see Naming.
	named bool
	// ServerTimeout is the time that each server has to let the plugin in and to answer. Who asks keeps to it, with a context.
	ServerTimeout time.Duration
}

// TLS says how connections through the port-forward are encrypted, in the words of MySQL's --ssl-mode. All of it runs inside the
// API server's own TLS up to the node.
type TLS struct {
	Mode TLSMode
	// CA is that of VERIFY_CA, in PEM.
	CA []byte
}

// TLSMode is one of MySQL's.
type TLSMode string

// The modes of MySQL's clients; VERIFY_IDENTITY is not among them: a port-forward has no host name to verify.
const (
	TLSPreferred TLSMode = "PREFERRED"
	TLSDisabled  TLSMode = "DISABLED"
	TLSRequired  TLSMode = "REQUIRED"
	TLSVerifyCA  TLSMode = "VERIFY_CA"
)

// insisting is the mode for a password that must not go in clear.
func (t TLS) insisting() TLS {
	if t.Mode == TLSPreferred || t.Mode == "" {
		t.Mode = TLSRequired
	}
	return t
}

// Naming says whether the servers' sets, their pods or their Service stand on the command line. It is an error if no server could be
// given the password then.
func (a Access) Naming(named bool) (Access, error) {
	a.named = named
	if !a.PasswordFrom.IsOwn() {
		return a, nil
	}
	var refused *RefusedError
	for _, via := range []Via{ViaPortForward, ViaExec} {
		if a.Via != ViaAuto && a.Via != via {
			continue
		}
		err := a.handing(via).Check()
		if err == nil {
			return a, nil
		}
		if refused == nil {
			errors.As(err, &refused)
		}
	}
	return a, fmt.Errorf("--password-from: %s: %s", refused.Reason, refused.Remedy)
}

// Resolve reads the password where it is not in a Secret: it may ask for it.
func (a Access) Resolve(ctx context.Context, streams genericiooptions.IOStreams) (Access, error) {
	from, err := a.PasswordFrom.Resolve(ctx, a.User, streams.In, streams.ErrOut)
	a.PasswordFrom = from
	return a, err
}

// handing is a password of the user's own on a way to a server.
func (a Access) handing(via Via) Handing {
	h := Handing{Origin: OfUser, Named: a.named, ToAll: a.SendToAll}
	switch {
	case via == ViaExec:
		h.Channel = Inside
	case a.TLS.Mode == TLSVerifyCA:
		h.Channel = Verified
	case a.TLS.insisting().Mode == TLSRequired:
		h.Channel = Encrypted
	}
	return h
}
