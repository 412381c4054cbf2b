package endpoint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

const (
	// expiringWithin is the time before a certificate's end from which on it is a finding.
	expiringWithin = 30 * 24 * time.Hour
	// fewServers is the number of API servers below which the control plane is not highly available.
	fewServers = 2
)

// findings are what is wrong with an endpoint, or informational, worst first.
func findings(s *Snapshot, e *v1alpha1.ClusterEndpoint, v view, now time.Time) []v1alpha1.Finding {
	f := &list{object: "clusterendpoint/" + e.Metadata.Name}
	reachability(f, s, e, v)
	certificate(f, e, now)
	resolutions(f, e, v)
	servers(f, e)
	versions(f, e)
	finding.Sort(f.items)
	return f.items
}

// list collects findings about one object.
type list struct {
	object string
	items  []v1alpha1.Finding
}

func (f *list) add(code v1alpha1.Code, severity v1alpha1.Severity, message, remedy string) {
	f.items = append(f.items, finding.New(code, severity, []string{f.object}, remedy, "%s", message))
}

func reachability(f *list, s *Snapshot, e *v1alpha1.ClusterEndpoint, v view) {
	// A name without an address and a certificate that does not verify are findings of their own, and say more.
	if s.Unreachable != "" && !s.unverified() && (!unresolved(v) || !neededHere(e, v)) {
		why, command := whyUnreachable(e)
		f.add(v1alpha1.CodeServerUnreachable, v1alpha1.SeverityError, s.Unreachable+why, command)
	}
	if p := e.Server.Proxy; p != nil {
		f.add(v1alpha1.CodeProxyInTheWay, v1alpha1.SeverityInfo,
			fmt.Sprintf("requests go through the proxy %s (%s), which looks the server's name up itself", p.URL, p.Source), "")
	}
	switch {
	case strings.HasPrefix(e.Server.URL, "http:"):
		f.add(v1alpha1.CodeVerificationOff, v1alpha1.SeverityWarning, "the server is reached without TLS: anyone on the path can read the credentials", "")
	case e.Server.InsecureSkipTLSVerify:
		f.add(v1alpha1.CodeVerificationOff, v1alpha1.SeverityWarning, "insecure-skip-tls-verify is set: anyone on the path can intercept the credentials", "")
	}
	if name := e.Server.TLSServerName; name != "" && e.Access.Mode != v1alpha1.AccessUnknown && s.Name == name && isThisMachine(s.Server.Host) {
		f.add(v1alpha1.CodeKubeconfigLeadsHere, v1alpha1.SeverityInfo,
			fmt.Sprintf("the server %s is the local end of a tunnel: the access verdict is for %s (tls-server-name)", e.Server.Host, name), "")
	}
}

// whyUnreachable is what may be the reason, by the verdict, and a command that tells.
func whyUnreachable(e *v1alpha1.ClusterEndpoint) (why, command string) {
	switch {
	case e.Server.Proxy != nil:
		return "; is the proxy correct? It is set by " + e.Server.Proxy.Source, ""
	case e.Access.Mode == v1alpha1.AccessPrivate, e.Access.Mode == v1alpha1.AccessPrivateAtLeast:
		return "; the addresses are private: is a VPN missing?", ""
	case e.Provider.Name == providerEKS && (e.Access.Mode == v1alpha1.AccessPublic || e.Access.Mode == v1alpha1.AccessPublicAtLeast || e.Access.Mode == v1alpha1.AccessPublicAndPrivate):
		return "; is this workstation's address in publicAccessCidrs?", describeCluster(e)
	}
	return "", ""
}

func certificate(f *list, e *v1alpha1.ClusterEndpoint, now time.Time) {
	c := e.Certificate
	if c == nil {
		return
	}
	severity := v1alpha1.SeverityError
	if e.Server.InsecureSkipTLSVerify { // then clients do not check
		severity = v1alpha1.SeverityWarning
	}
	left := c.NotAfter.Sub(now)
	valid := left > 0 && !c.NotBefore.After(now)
	switch {
	case left <= 0:
		f.add(v1alpha1.CodeCertificateExpiring, severity, fmt.Sprintf("the server's certificate expired %s ago (%s)", duration.HumanDuration(-left), day(c.NotAfter.Time)), "")
	case !valid:
		f.add(v1alpha1.CodeCertificateExpiring, severity, fmt.Sprintf("the server's certificate is not valid before %s: is a clock wrong?", c.NotBefore.UTC().Format(time.RFC3339)), "")
	case left < expiringWithin:
		f.add(v1alpha1.CodeCertificateExpiring, v1alpha1.SeverityWarning, fmt.Sprintf("the server's certificate expires in %s (%s)", duration.HumanDuration(left), day(c.NotAfter.Time)), "")
	}
	if !c.CoversName {
		f.add(v1alpha1.CodeNameNotCovered, severity, fmt.Sprintf("the server's certificate is not for %s: it is for %s", c.Name, certified(c)), "")
	}
	if !c.Trusted && valid {
		f.add(v1alpha1.CodeCertificateUntrusted, severity, "the server's certificate is not trusted: "+c.Untrusted, "")
	}
}

func resolutions(f *list, e *v1alpha1.ClusterEndpoint, v view) {
	workstation, resolver, cluster := v.see(v.workstation), v.see(v.resolver), v.see(v.cluster)
	if unresolved(v) {
		severity, remedy, why := v1alpha1.SeverityError, "kubectl config get-contexts", ""
		switch {
		case !neededHere(e, v):
			severity, remedy = v1alpha1.SeverityInfo, ""
		case v.privateName:
			remedy, why = "", "; it is a private cluster's name, which only its own network and those linked to its DNS zone resolve: is a VPN, or its DNS, missing?"
		}
		f.add(v1alpha1.CodeNameUnresolved, severity, fmt.Sprintf("the workstation can't resolve %s: %s%s", v.workstation.Name, failure(v.workstation), why), remedy)
	}
	if none := cluster == seenNothing || cluster == seenFailed && v.cluster.Result != v1alpha1.ResolutionNotAsked; none && (workstation == seenPublic || workstation == seenPrivate || resolver == seenPublic || resolver == seenPrivate) {
		f.add(v1alpha1.CodeClusterLookupFailed, v1alpha1.SeverityWarning, fmt.Sprintf("the cluster can't resolve %s: %s", v.cluster.Name, failure(v.cluster)), "")
	}
	for _, r := range []*v1alpha1.Resolution{v.workstation, v.resolver, v.cluster} {
		if v.see(r) == seenMixed {
			f.add(v1alpha1.CodeUnusualAddresses, v1alpha1.SeverityWarning, fmt.Sprintf("%s: public and private addresses in one answer for %s", source(r), r.Name), "")
		}
	}
	differ := func(severity v1alpha1.Severity, why string) {
		f.add(v1alpha1.CodeResolvesDifferently, severity, "the name resolves to different networks: "+why, "")
	}
	outside, who := workstation, "the workstation"
	if resolver == seenPublic || resolver == seenPrivate {
		outside, who = resolver, "the "+source(v.resolver)
	}
	switch {
	case outside == seenPublic && cluster == seenPrivate && e.Provider.Name == providerEKS:
		differ(v1alpha1.SeverityInfo, who+" sees public addresses, the cluster private ones, as expected with private access")
	case outside == seenPublic && cluster == seenPrivate:
		differ(v1alpha1.SeverityInfo, who+" sees public addresses, the cluster private ones")
	case outside == seenPrivate && cluster == seenPublic:
		differ(v1alpha1.SeverityWarning, who+" sees private addresses, the cluster public ones: custom DNS, or a proxy")
	}
	switch {
	case resolver == seenPublic && workstation == seenPrivate:
		differ(v1alpha1.SeverityInfo, "the workstation sees private addresses, "+source(v.resolver)+" public ones: this machine is in the cluster's network or on its VPN")
	case resolver == seenPrivate && workstation == seenPublic:
		differ(v1alpha1.SeverityWarning, "the workstation sees public addresses, "+source(v.resolver)+" private ones: one of them uses custom DNS")
	}
	if workstation == seenPrivate && cluster == seenPrivate && v.workstation.Result != v1alpha1.ResolutionLiteral && !v.privateName && !resolverIsPublic(v.resolver) {
		f.add(v1alpha1.CodeAccessAmbiguous, v1alpha1.SeverityInfo,
			"private addresses both here and in the cluster: either a private endpoint, or this workstation is in the cluster's network or on its VPN", "kubectl doik endpoint --resolver=1.1.1.1")
	}
	if public := e.Access.PublicAccess; public != nil && *public {
		message, remedy := "the endpoint has public addresses: which clients a firewall lets through is not visible from here", ""
		if e.Provider.Name == providerEKS {
			message, remedy = "the endpoint has public addresses: seeing which clients publicAccessCidrs allows requires AWS credentials", describeCluster(e)
		}
		f.add(v1alpha1.CodePublicEndpoint, v1alpha1.SeverityInfo, message, remedy)
	}
}

// unresolved reports whether the workstation knows no address.
func unresolved(v view) bool {
	seen := v.see(v.workstation)
	return seen == seenNothing || seen == seenFailed
}

// neededHere reports whether the workstation needs the address: behind a proxy, and at the near end of a tunnel, it does not.
func neededHere(e *v1alpha1.ClusterEndpoint, v view) bool {
	return e.Server.Proxy == nil && e.Server.Host == v.workstation.Name
}

// failure says why a lookup has no addresses.
func failure(r *v1alpha1.Resolution) string {
	if r.Result == v1alpha1.ResolutionNotFound {
		return cmp.Or(r.Message, "no such name")
	}
	return cmp.Or(r.Message, "no answer")
}

// describeCluster is the command that tells what can't be seen without AWS credentials.
func describeCluster(e *v1alpha1.ClusterEndpoint) string {
	return fmt.Sprintf("aws eks describe-cluster --name %s --region %s --query cluster.resourcesVpcConfig",
		cmp.Or(e.Provider.ClusterName, "NAME"), cmp.Or(e.Provider.Region, "REGION"))
}

func servers(f *list, e *v1alpha1.ClusterEndpoint) {
	if e.APIServersUnknown != "" || len(e.APIServers) >= fewServers {
		return
	}
	count := "one API server is"
	if len(e.APIServers) == 0 {
		count = "no API server is"
	}
	f.add(v1alpha1.CodeFewServers, v1alpha1.SeverityInfo, count+" behind the Service kubernetes: without a second one, or a load balancer in front of others, the control plane is not highly available", "")
}

func versions(f *list, e *v1alpha1.ClusterEndpoint) {
	v := e.Version
	if v == nil {
		return
	}
	if v.Skew != nil && !v.Skew.Supported {
		f.add(v1alpha1.CodeClientSkew, v1alpha1.SeverityWarning, fmt.Sprintf("the client libraries are from Kubernetes %s, the API server is %s: %s", v.Client, v.Version, minors(v.Skew.Minor)), "")
	}
	for _, k := range v.Kubelets {
		if k.Skew == nil || k.Skew.Supported {
			continue
		}
		f.add(v1alpha1.CodeKubeletSkew, v1alpha1.SeverityWarning, fmt.Sprintf("%s %s, the API server is %s: %s", kubelets(k.Nodes), k.Version, v.Version, minors(k.Skew.Minor)), "")
	}
}

func kubelets(n int32) string {
	if n == 1 {
		return "1 kubelet is"
	}
	return fmt.Sprintf("%d kubelets are", n)
}

// minors says a difference of minor versions in words.
func minors(n int32) string {
	word, noun := "older", "minor versions"
	if n > 0 {
		word = "newer"
	}
	if n = max(n, -n); n == 1 {
		noun = "minor version"
	}
	return fmt.Sprintf("%d %s %s", n, noun, word)
}

// certified is everything that a certificate is for, or the first few names.
func certified(c *v1alpha1.ServingCertificate) string {
	return cmp.Or(finding.Some(slices.Concat(c.DNSNames, c.IPAddresses)), "no name at all")
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
