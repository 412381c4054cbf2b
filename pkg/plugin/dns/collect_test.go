package dns

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
)

// TestServedDomain takes the domain of pods for the servers' too if they know the DNS Service's own address in it, and no other.
func TestServedDomain(t *testing.T) {
	named := []resolve.Answer{{Records: []resolve.Record{{Type: resolve.TypePTR, Data: "kube-dns.kube-system.svc.prod.example."}}}}
	for name, c := range map[string]struct {
		second []resolve.Record
		want   string
	}{
		"both":                                {[]resolve.Record{{Type: resolve.TypeA, Data: "10.96.0.10"}}, "cluster.local"},
		"one":                                 {nil, "prod.example"},
		"an address that is given for a name": {[]resolve.Record{{Type: resolve.TypeA, Data: "192.0.2.7"}}, "prod.example"},
	} {
		s := db(time.Hour)
		s.served(named, "cluster.local", func([]resolve.Question) []resolve.Answer { return []resolve.Answer{{Records: c.second}} })
		if s.Vantage.ServedDomain != c.want {
			t.Errorf("%s: %s", name, s.Vantage.ServedDomain)
		}
	}
}

// TestOutOfTime is an error where nothing was asked, with the flag; what has been answered is worth showing.
func TestOutOfTime(t *testing.T) {
	over, cancel := kube.WithTimeout(context.Background(), "--timeout", 5*time.Millisecond)
	defer cancel()
	<-over.Done()
	earlier := errors.New("earlier")
	late := func(statuses ...resolve.Status) *Snapshot {
		s := db(time.Hour)
		for i, status := range statuses {
			s.Answers[i].Status = status
		}
		return s
	}
	for name, c := range map[string]struct {
		ctx  context.Context
		s    *Snapshot
		want string
	}{
		"nothing was asked":       {over, late(resolve.StatusNotAsked, resolve.StatusNotAsked), "time ran out (--timeout=5ms) before any name was looked up: raise the limit"},
		"one was":                 {over, late(resolve.StatusNoError, resolve.StatusNotAsked), "earlier"},
		"one was not answered":    {over, late(resolve.StatusTimeout, resolve.StatusNotAsked), "earlier"},
		"there is time":           {context.Background(), late(resolve.StatusNotAsked, resolve.StatusNotAsked), "earlier"},
		"there was nothing to do": {over, &Snapshot{}, "earlier"},
	} {
		err := c.s.outOfTime(c.ctx, earlier)
		if got := kube.Explain(err).Error(); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
		if words := c.s.fewWords(err); strings.HasPrefix(c.want, "time") != (words == resolve.TimeRanOut) {
			t.Errorf("%s: %s", name, words)
		}
	}
}

// TestOtherFamilyQuestions asks for the family that a Service has not, once for each that has a name, and for nothing that does not exist.
func TestOtherFamilyQuestions(t *testing.T) {
	s := dbSet()
	if list := s.otherFamily(); len(list) != 1 || list[0] != (resolve.Question{Name: "db.x.svc.cluster.local.", Type: resolve.TypeAAAA}) {
		t.Errorf("%+v", list)
	}
	s.TooEarly = []string{"db.x.svc.cluster.local."}
	if list := s.otherFamily(); len(list) != 0 {
		t.Errorf("too early: %+v", list)
	}
	s = dbSet()
	s.Services[0].Spec.IPFamilies = append(s.Services[0].Spec.IPFamilies, "IPv6")
	if list := s.otherFamily(); len(list) != 0 {
		t.Errorf("both families: %+v", list)
	}
	s = dbSet()
	s.EndpointSlices = nil
	if list := s.otherFamily(); len(list) != 0 {
		t.Errorf("a name that does not exist: %+v", list)
	}
}
