package endpoint

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// lookupScript looks the name in its first argument up with whatever the image has, and tells which DNS server the pod asks. dig
// tells most: a name that does not exist from a server that fails.
const lookupScript = `
while read -r key value rest; do [ "$key" != nameserver ] || echo "doik server $value"; done </etc/resolv.conf
has() { command -v "$1" >/dev/null 2>&1; }
if has dig; then echo "doik tool dig"; dig +time=2 +tries=2 +noall +comments +answer "$1" A "$1" AAAA 2>&1
elif has nslookup; then echo "doik tool nslookup"; nslookup "$1" 2>&1
elif has getent; then echo "doik tool getent"; getent ahosts "$1" 2>&1
else echo "doik tool none"; fi
echo "doik end"
`

// The words of DNS servers and tools for an answer without addresses.
var (
	digStatus   = regexp.MustCompile(`status: ([A-Z]+)`)
	toolTimeout = regexp.MustCompile(`(?i)no servers could be reached|timed out|no response from`)
	// nslookup's Address: 10.0.0.1, Address 1: 10.0.0.1 name, Address: 10.0.0.1#53, Address: 10.0.0.1:53
	addressLine = regexp.MustCompile(`^Address(?: \d+)?:\s+(\S+)`)
)

// parseLookup reads what lookupScript printed. The text comes from a container: whatever it says, the result has only addresses
// and messages.
func parseLookup(text string) (r v1alpha1.Resolution) {
	var found []netip.Addr
	tool, ended, named := "", false, false
	failure, timedOut, missing := "", false, false
	add := func(field string) {
		if a, err := netip.ParseAddr(field); err == nil {
			found = append(found, a)
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
			named = false
			continue
		case fields[0] == "doik" && len(fields) >= 2:
			switch {
			case fields[1] == "server" && len(fields) == 3 && r.Server == "":
				if a, err := netip.ParseAddr(fields[2]); err == nil {
					r.Server = a.WithZone("").String()
				}
			case fields[1] == "tool" && len(fields) == 3:
				tool = fields[2]
			case fields[1] == "end":
				ended = true
			}
			continue
		}
		if toolTimeout.MatchString(line) {
			timedOut = true
		}
		switch tool {
		case "dig":
			if m := digStatus.FindStringSubmatch(line); m != nil {
				missing = missing || m[1] == "NXDOMAIN" || m[1] == "NOERROR"
				if m[1] != "NXDOMAIN" && m[1] != "NOERROR" {
					failure = m[1]
				}
			}
			if len(fields) == 5 && (fields[3] == "A" || fields[3] == "AAAA") && !strings.HasPrefix(line, ";") {
				add(fields[4])
			}
		case "nslookup":
			named = named || strings.HasPrefix(line, "Name:")
			if m := addressLine.FindStringSubmatch(line); m != nil && named {
				add(m[1])
			}
			switch {
			case strings.Contains(line, "NXDOMAIN"), strings.Contains(line, "No answer"), strings.Contains(line, "can't resolve"):
				missing = true
			case strings.Contains(line, "SERVFAIL"):
				failure = "SERVFAIL"
			case strings.Contains(line, "REFUSED"):
				failure = "REFUSED"
			}
		case "getent":
			add(fields[0])
		}
	}
	r.Addresses = addresses(found)
	switch {
	case len(found) > 0:
		r.Result = v1alpha1.ResolutionAnswered
	case timedOut:
		r.Result, r.Message = v1alpha1.ResolutionTimeout, "the cluster's DNS did not answer "+tool
	case failure != "":
		r.Result, r.Message = v1alpha1.ResolutionFailed, failure
	case missing:
		r.Result = v1alpha1.ResolutionNotFound
	case tool == "none":
		r.Result, r.Message = v1alpha1.ResolutionFailed, "the image has none of dig, nslookup, getent"
	case tool == "getent":
		r.Result, r.Message = v1alpha1.ResolutionFailed, "getent found no address, and does not tell why"
	case !ended:
		r.Result, r.Message = v1alpha1.ResolutionFailed, "the look-up did not end"
	default:
		r.Result, r.Message = v1alpha1.ResolutionFailed, "the answer of "+tool+" can't be read"
	}
	return r
}
