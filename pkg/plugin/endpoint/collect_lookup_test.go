package endpoint

import (
	"context"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
	"github.com/kubectl-doik/kubectl-doik/test/nameserver"
)

// TestResolution joins the answers for both families.
func TestResolution(t *testing.T) {
	answer := func(status resolve.Status, detail string, micros int64, data ...string) resolve.Answer {
		a := resolve.Answer{Status: status, Detail: detail, Microseconds: &micros, Server: "10.96.0.10"}
		for _, d := range data {
			kind := resolve.TypeA
			if len(d) > 0 && d[len(d)-1] == '.' {
				kind = resolve.TypeCNAME
			}
			a.Records = append(a.Records, resolve.Record{Type: kind, Data: d})
		}
		return a
	}
	none := answer(resolve.StatusNoError, "", 1000)
	for _, test := range []struct {
		name   string
		v4, v6 resolve.Answer
		result v1alpha1.ResolutionResult
		want   string // addresses and message
	}{
		{"IPv4 only", answer(resolve.StatusNoError, "", 9000, "10.0.2.7", "10.0.1.5"), none, v1alpha1.ResolutionAnswered, "10.0.1.5, 10.0.2.7 (private)"},
		{"an alias", answer(resolve.StatusNoError, "", 9000, "other.example.", "10.0.1.5"), answer(resolve.StatusNoError, "", 9000, "other.example."), v1alpha1.ResolutionAnswered, "10.0.1.5 (private)"},
		{"addresses of one family, none of the other's answers", answer(resolve.StatusNoError, "", 9000, "10.0.1.5"), answer(resolve.StatusTimeout, "", 9000), v1alpha1.ResolutionAnswered, "10.0.1.5 (private)"},
		{"no address", answer(resolve.StatusNoError, "", 9000), none, v1alpha1.ResolutionNotFound, ""},
		{"no such name", answer(resolve.StatusNXDomain, "", 9000), answer(resolve.StatusNXDomain, "", 1000), v1alpha1.ResolutionNotFound, ""},
		{"only one of two fails", answer(resolve.StatusNoError, "", 9000), answer(resolve.StatusServFail, "", 1000), v1alpha1.ResolutionFailed, "SERVFAIL"},
		{"silence", answer(resolve.StatusTimeout, "", 9000), answer(resolve.StatusTimeout, "", 9000), v1alpha1.ResolutionTimeout, "the DNS server did not answer"},
		{"nothing there", answer(resolve.StatusUnreachable, "connection refused", 9000), answer(resolve.StatusUnreachable, "connection refused", 9000), v1alpha1.ResolutionFailed, "connection refused"},
		{"getent", answer(resolve.StatusNotFound, "", 9000), answer(resolve.StatusNotFound, "", 9000), v1alpha1.ResolutionFailed, "getent found no address and gives no reason"},
		{"not asked", answer(resolve.StatusNotAsked, "", 9000), answer(resolve.StatusNotAsked, "", 9000), v1alpha1.ResolutionFailed, "NOTASKED"},
	} {
		r := resolution([]resolve.Answer{test.v4, test.v6})
		if got := addressWords(r.Addresses) + r.Message; r.Result != test.result || got != test.want || *r.Milliseconds != 9 || r.Server != "10.96.0.10" {
			t.Errorf("%s: got %s %q, want %s %q: %+v", test.name, r.Result, got, test.result, test.want, r)
		}
	}
}

// TestLookUpsEnd looks names up that get no answer, within the lookup's own time and within the command's.
func TestLookUpsEnd(t *testing.T) {
	silent := nameserver.Serve(t, "127.0.0.1:0", nameserver.Silence)
	started := time.Now()
	if r := askResolver(t.Context(), silent, "v4.example", 200*time.Millisecond); r.Result != v1alpha1.ResolutionTimeout || r.Message != "no answer within 200ms" {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if r := askResolver(ctx, silent, "v4.example", time.Minute); r.Result != v1alpha1.ResolutionTimeout || r.Message != "time ran out (--timeout)" {
		t.Errorf("%+v", r)
	}
	if r := resolveOnWorkstation(ctx, "api.invalid", time.Minute); r.Result != v1alpha1.ResolutionTimeout || r.Message != "time ran out (--timeout)" {
		t.Errorf("%+v", r)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestLookUps(t *testing.T) {
	r := resolveOnWorkstation(t.Context(), "localhost", 5*time.Second)
	if r.Result != v1alpha1.ResolutionAnswered || r.Addresses[0].Scope != v1alpha1.ScopeLoopback || r.From != v1alpha1.FromWorkstation {
		t.Errorf("%+v", r)
	}
	server := nameserver.Serve(t, "127.0.0.1:0", nameserver.Refusal(dnsmessage.RCodeRefused))
	r = askResolver(t.Context(), server, "localhost", 5*time.Second) // the hosts file is not read for it
	if r.Result != v1alpha1.ResolutionFailed || r.Message != "REFUSED" || r.From != v1alpha1.FromResolver || r.Server != server {
		t.Errorf("%+v", r)
	}
}
