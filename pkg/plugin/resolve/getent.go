package resolve

import (
	"net/netip"
	"strings"
)

// Exit codes: getent's for what it does not find, timeout's for a program that it ended, and ask.sh's for what a tool can't ask.
const (
	getentNotFound  = 2
	timeoutCode     = 124
	unsupportedCode = 69
)

// parseGetent reads what getent ahostsv4, ahostsv6 or hosts printed: lines of an address and, some of them, a name. It goes the way
// that the programs of its image go, through nsswitch.conf, and tells neither why nothing was found nor TTL nor server.
func parseGetent(q Question, text string, code int) Answer {
	a := Answer{Question: q, Status: StatusNoError}
	switch code {
	case 0:
	case timeoutCode:
		a.Status = StatusTimeout
		return a
	case getentNotFound:
		a.Status, a.Detail = StatusNotFound, "getent gives no reason"
		return a
	default:
		a.Status, a.Detail = StatusNotFound, strings.Join(strings.Fields(text), " ")
		return a
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		address, err := netip.ParseAddr(fields[0])
		if err != nil {
			return Answer{Question: q, Status: StatusInvalid, Detail: "getent printed " + strings.Join(fields, " ")}
		}
		switch {
		case q.Type == TypePTR:
			for _, name := range fields[1:] {
				if strings.Contains(name, ".") { // the short name beside it is of /etc/hosts
					a.add(TypePTR, name, nil)
				}
			}
		case address.Is4In6(): // ahostsv6 of a name that has IPv4 addresses only
		default:
			a.add(q.Type, fields[0], nil)
			if len(fields) > 2 && a.FullName == "" {
				a.FullName = absolute(fields[2])
			}
		}
	}
	a.finish()
	return a
}
