package dns

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// recordFindings are what the comparison found, as far as nothing else explains it. Short names have a finding of their own.
func recordFindings(x *index, subject Subject, item *v1alpha1.HeadlessDNS, cluster []v1alpha1.Finding, f *findings) {
	names := map[v1alpha1.DNSVerdict][]string{}
	reasons := map[v1alpha1.DNSVerdict]string{}
	pending := map[bool][]string{} // by whether something is missing
	var cached []string
	kept := int64(0)
	again := false
	ttl := int64(-1)
	for _, r := range item.Records {
		if r.Search {
			continue
		}
		name := string(r.Type) + " " + r.Name
		if r.TCP {
			name = string(r.Type) + "/TCP " + r.Name
		}
		if foundLater(&r) {
			cached = append(cached, name)
		}
		switch {
		case r.Verdict == v1alpha1.VerdictOK:
			continue
		case r.Verdict == v1alpha1.VerdictPending && r.Reason == justChanged:
			missing := len(difference(r.Expected, r.Observed)) > 0
			pending[missing] = append(pending[missing], name)
			continue
		}
		names[r.Verdict] = append(names[r.Verdict], name)
		reasons[r.Verdict] = cmp.Or(reasons[r.Verdict], r.Reason)
		for _, a := range r.Answers {
			again = again || a.Again
			if a.NegativeTTLSeconds != nil {
				kept = max(kept, *a.NegativeTTLSeconds)
			}
			if r.Verdict == v1alpha1.VerdictStale && a.TTLSeconds != nil {
				ttl = max(ttl, *a.TTLSeconds)
			}
		}
	}
	object := []string{"service/" + item.Metadata.Name}
	if len(cached) > 0 {
		f.add(v1alpha1.CodeDNSNegativeCache, v1alpha1.SeverityWarning, object, "",
			"a negative answer was cached for %s: it resolves once that expires, and lookups that come too early wait that long", finding.Some(cached))
	}
	changed, _ := x.settling(subject)
	if list := pending[true]; len(list) > 0 {
		f.progress(v1alpha1.CodeDNSMissing, object, "", "not there yet: %s; endpoints changed %s ago, and DNS servers catch up within %s", finding.Some(list), x.ago(changed), x.settleTime())
	}
	if list := pending[false]; len(list) > 0 {
		f.progress(v1alpha1.CodeDNSStale, object, "", "still served: %s; endpoints changed %s ago, and DNS servers catch up within %s", finding.Some(list), x.ago(changed), x.settleTime())
	}
	if x.outside || len(x.wrong) > 0 || explained(cluster) {
		return
	}
	if list := names[v1alpha1.VerdictMissing]; len(list) > 0 {
		hint, remedy := "", ""
		switch {
		case again:
			hint = "; still missing after the caches had expired, so it is not a cached answer"
		case kept > 0:
			hint = fmt.Sprintf("; it may be a negative answer, cached for another %d s", kept)
			remedy = "kubectl doik dns svc/" + item.Metadata.Name + " -n " + item.Metadata.Namespace + " --retry-negative"
		}
		f.add(v1alpha1.CodeDNSMissing, v1alpha1.SeverityError, object, remedy, "missing: %s (%s)%s", finding.Some(list), reasons[v1alpha1.VerdictMissing], hint)
	}
	if list := names[v1alpha1.VerdictStale]; len(list) > 0 {
		hint := ""
		if ttl >= 0 {
			hint = fmt.Sprintf("; caches keep it for another %d s", ttl)
		}
		f.add(v1alpha1.CodeDNSStale, v1alpha1.SeverityWarning, object, "", "still served: %s (%s)%s", finding.Some(list), reasons[v1alpha1.VerdictStale], hint)
	}
	if list := names[v1alpha1.VerdictExtra]; len(list) > 0 {
		f.add(v1alpha1.CodeDNSExtra, v1alpha1.SeverityWarning, object, "kubectl get configmap coredns -n kube-system -o yaml",
			"DNS also returns records that nothing in the API accounts for: %s (%s)", finding.Some(list), reasons[v1alpha1.VerdictExtra])
	}
}

// foundLater reports whether a record was missing first and there when it was asked for again.
func foundLater(r *v1alpha1.DNSRecord) bool {
	missedFirst := slices.ContainsFunc(r.Answers, func(a v1alpha1.DNSAnswer) bool { return !a.Again && len(a.Data) == 0 })
	return missedFirst && len(r.Expected) > 0 && r.Verdict == v1alpha1.VerdictOK &&
		slices.ContainsFunc(r.Answers, func(a v1alpha1.DNSAnswer) bool { return a.Again && len(a.Data) > 0 })
}

// explained reports whether a finding about DNS itself accounts for records that differ.
func explained(cluster []v1alpha1.Finding) bool {
	return slices.ContainsFunc(cluster, func(f v1alpha1.Finding) bool {
		return f.Code == v1alpha1.CodeDNSNoServer && f.Severity == v1alpha1.SeverityCritical || f.Code == v1alpha1.CodeDNSDomainDiffers
	})
}
