// Package dbserver is what holds for database servers of every engine: now, who is given which password.
package dbserver

import "fmt"

// Origin is where a password comes from, and with it who may know it.
type Origin int

const (
	// OfPod is a password that stands in the pod's own specification: the pod knows it.
	OfPod Origin = iota
	// OfNamespace is one from a Secret: anyone who may make pods in its namespace can mount it there.
	OfNamespace
	// OfUser is one that only the user of this program has: from a file, from the environment, typed in.
	OfUser
)

// Channel is the way on which a server is given a password.
type Channel int

const (
	// Clear is a connection that is not encrypted, or would do without.
	Clear Channel = iota
	// Encrypted is TLS with a server whose certificate is not verified.
	Encrypted
	// Verified is TLS with a server whose certificate is signed by an authority that the user has given.
	Verified
	// Inside is the input of a client in the server's container: the pod reads it.
	Inside
)

// Handing is a password on its way to a server.
type Handing struct {
	Origin  Origin
	Channel Channel
	// Named is true if the server's set, its pod or its Service stands on the command line. Others have only been found: by -A, by
	// -l, or because they are in the namespace. Anyone who may make a pod can make one that is found.
	Named bool
	// ToAll is true if the user wants it to go to those as well.
	ToAll bool
	// SecretNamespace is that of an OfNamespace, PodNamespace the server's.
	SecretNamespace, PodNamespace string
}

// RefusedError says why a server is not given a password.
type RefusedError struct {
	Reason, Remedy string
}

func (e *RefusedError) Error() string { return e.Reason }

// Texts of refusals that commands repeat before anything is asked.
const (
	notNamed       = "the password of --user is only sent to servers named on the command line"
	notNamedRemedy = "name the set (sts/NAME), verify the servers' certificates (--ssl-mode=VERIFY_CA --ssl-ca=FILE), or use --send-password-to-all"
	notClear       = "the password of --user is not sent without TLS"
	notClearRemedy = "enable TLS on the server, or use --via=exec"
)

// Check returns a *RefusedError if the password must not go that way. It is the one rule for every engine:
//   - a pod's own password goes to that pod;
//   - a Secret's goes to pods of the Secret's namespace;
//   - the user's own goes to servers that are named, encrypted or into the container, and to those whose certificate is verified;
//     to others if the user says so; never in clear.
func (h Handing) Check() error {
	switch h.Origin {
	case OfPod:
		return nil
	case OfNamespace:
		if h.SecretNamespace == "" || h.SecretNamespace != h.PodNamespace {
			return &RefusedError{
				Reason: fmt.Sprintf("a Secret of namespace %s is not sent to pods of namespace %s", h.SecretNamespace, h.PodNamespace),
				Remedy: "use a Secret of the pod's namespace",
			}
		}
		return nil
	}
	switch {
	case h.Channel == Clear:
		return &RefusedError{Reason: notClear, Remedy: notClearRemedy}
	case h.Channel == Verified, h.Named, h.ToAll:
		return nil
	}
	return &RefusedError{Reason: notNamed, Remedy: notNamedRemedy}
}
