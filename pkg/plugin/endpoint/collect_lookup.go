package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// resolveOnWorkstation looks a name up as clients on this machine do: with its hosts file, its search path, its DNS servers.
func resolveOnWorkstation(ctx context.Context, name string, timeout time.Duration) v1alpha1.Resolution {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	started := time.Now() //nolint:forbidigo // the time that a lookup takes
	found, err := net.DefaultResolver.LookupNetIP(limited, "ip", name)
	r := v1alpha1.Resolution{
		From: v1alpha1.FromWorkstation, Name: name, Addresses: addresses(found),
		Milliseconds: new(time.Since(started).Milliseconds()), //nolint:forbidigo // as above
	}
	var dns *net.DNSError
	switch known := errors.As(err, &dns); {
	case len(found) > 0:
		r.Result = v1alpha1.ResolutionAnswered
	case ctx.Err() != nil:
		r.Result, r.Message = v1alpha1.ResolutionTimeout, outOfTime
	case limited.Err() != nil, known && dns.IsTimeout:
		r.Result, r.Message = v1alpha1.ResolutionTimeout, withinTime(timeout)
	case known && dns.IsNotFound, err == nil:
		r.Result = v1alpha1.ResolutionNotFound
	case known:
		r.Result, r.Message = v1alpha1.ResolutionFailed, dns.Err
	default:
		r.Result, r.Message = v1alpha1.ResolutionFailed, err.Error()
	}
	return r
}

// askResolver queries one DNS server, and nothing else: no hosts file, no search path.
func askResolver(ctx context.Context, server, name string, timeout time.Duration) v1alpha1.Resolution {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r := resolution(resolve.AskOverUDP(limited, server, addressQuestions(name)))
	r.From, r.Server, r.Name = v1alpha1.FromResolver, server, name
	switch {
	case r.Result != v1alpha1.ResolutionTimeout:
	case ctx.Err() != nil:
		r.Message = outOfTime
	default:
		r.Message = withinTime(timeout)
	}
	return r
}

// outOfTime is why a lookup ended before its own time did.
const outOfTime = "time ran out (--timeout)"

func withinTime(timeout time.Duration) string {
	return fmt.Sprintf("no answer within %s", timeout)
}

// addressQuestions ask for a name's addresses of both families. The dot at its end keeps search paths out.
func addressQuestions(name string) []resolve.Question {
	full := strings.TrimSuffix(name, ".") + "."
	return []resolve.Question{{Name: full, Type: resolve.TypeA}, {Name: full, Type: resolve.TypeAAAA}}
}

// resolution joins the answers for both families: addresses if there are any, else the worse of the reasons why there are none.
func resolution(answers []resolve.Answer) v1alpha1.Resolution {
	var r v1alpha1.Resolution
	var found []netip.Addr
	worst := -1
	for i := range answers {
		a := &answers[i]
		for _, record := range a.Records {
			if address, err := netip.ParseAddr(record.Data); err == nil && (record.Type == resolve.TypeA || record.Type == resolve.TypeAAAA) {
				found = append(found, address)
			}
		}
		if a.Microseconds != nil && (r.Milliseconds == nil || *a.Microseconds/1000 > *r.Milliseconds) {
			r.Milliseconds = new(*a.Microseconds / 1000) // they were asked at the same time
		}
		if r.Server == "" {
			r.Server = a.Server
		}
		if rank, result, message := reason(a); rank > worst {
			worst, r.Result, r.Message = rank, result, message
		}
	}
	if r.Addresses = addresses(found); len(found) > 0 {
		r.Result, r.Message = v1alpha1.ResolutionAnswered, ""
	}
	return r
}

// reason is why an answer has no address, and how bad that is.
func reason(a *resolve.Answer) (int, v1alpha1.ResolutionResult, string) {
	switch a.Status {
	case resolve.StatusNoError, resolve.StatusNXDomain:
		return 0, v1alpha1.ResolutionNotFound, ""
	case resolve.StatusNotFound:
		return 1, v1alpha1.ResolutionFailed, "getent found no address and gives no reason"
	case resolve.StatusTimeout:
		return 3, v1alpha1.ResolutionTimeout, "the DNS server did not answer"
	}
	message := string(a.Status)
	if a.Detail != "" {
		message = a.Detail
	}
	return 2, v1alpha1.ResolutionFailed, message
}
