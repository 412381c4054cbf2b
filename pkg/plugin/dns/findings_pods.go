package dns

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// cloudResolver reports whether an address is that of a cloud's own name server: of Google's, which Cloud DNS for GKE has, Amazon's and
// Azure's.
func cloudResolver(address string) bool {
	known := [...]string{"169.254.169.254", "fd20:ce::254", "169.254.169.253", "fd00:ec2::253", "168.63.129.16"}
	return slices.Contains(known[:], address)
}

func linkLocal(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && address.IsLinkLocalUnicast()
}

// podResolution reports pods that ask for another domain than the DNS servers have, or ask where there is none of them. It returns the
// end of names that the DNS servers therefore can't know, if there is one.
func podResolution(x *index, items []v1alpha1.HeadlessDNS, f *findings) (foreign string) {
	foreign = domainDiffers(x, items, f)
	if x.Vantage.Pods != nil {
		asksNoServer(x, x.Vantage.Pods, f)
	}
	return foreign
}

// source says in a sentence where something about pods was read.
func source(p *v1alpha1.PodResolution) (object, words string) {
	kind, name, _ := strings.Cut(p.Source, "/")
	if kind == "node" {
		return p.Source, "the kubelet of node " + name
	}
	return p.Source, "resolv.conf of pod " + name
}

func domainDiffers(x *index, items []v1alpha1.HeadlessDNS, f *findings) (foreign string) {
	pods, object, who := domainOf(x.Vantage.Search), "pod/"+x.Vantage.Pod, "resolv.conf of pod "+x.Vantage.Pod
	if p := x.Vantage.Pods; p != nil {
		pods = p.Domain
		object, who = source(p)
		if pods == "" && len(p.Nameservers) > 0 {
			f.add(v1alpha1.CodeDNSDomainDiffers, v1alpha1.SeverityError, []string{object}, "",
				"pods have no cluster domain in their search path (%s): only fully qualified names resolve", who)
			return ""
		}
	}
	served := cmp.Or(x.Vantage.ServedDomain, x.reversedDomain(items))
	if pods == "" || served == "" || strings.EqualFold(pods, served) {
		return ""
	}
	namespace := systemSpace
	if x.DNSService != nil {
		namespace = x.DNSService.Namespace
	}
	f.add(v1alpha1.CodeDNSDomainDiffers, v1alpha1.SeverityError, []string{object}, "kubectl get configmap -n "+namespace+" -o yaml",
		"pods look up names in the domain %s (%s), but the DNS servers serve the domain %s: pods can't resolve cluster names", pods, who, served)
	return "." + strings.ToLower(pods) + "."
}

// reversedDomain is the domain in which the servers give pods' addresses their names, where it is another one than that in which the names were
// looked up, and none of these was found: who may not read the DNS Service can't ask for the name of its address. It is empty otherwise.
func (x *index) reversedDomain(items []v1alpha1.HeadlessDNS) string {
	domain := ""
	for i := range items {
		for _, r := range items[i].Records {
			if len(r.Expected) == 0 || r.Search {
				continue
			}
			if len(difference(r.Expected, r.Observed)) == 0 {
				return ""
			}
			for _, name := range r.Observed {
				ours, _, _ := strings.Cut(r.Expected[0], ".svc.")
				theirs, rest, ok := strings.Cut(name, ".svc.")
				if r.Type == v1alpha1.RecordPTR && ok && ours == theirs {
					domain = strings.TrimSuffix(rest, ".")
				}
			}
		}
	}
	return domain
}

// asksOutside reports whether the pod that asks has other name servers than the cluster's, as its spec says.
func (x *index) asksOutside() bool {
	return x.OwnResolver != "" && !slices.ContainsFunc(x.Vantage.Nameservers, func(nameserver string) bool {
		ofServer := slices.ContainsFunc(x.Vantage.Servers, func(s v1alpha1.DNSServer) bool { return s.Address == nameserver })
		return ofServer || x.DNSService != nil && objects.HasClusterIP(x.DNSService, nameserver) || linkLocal(nameserver) && !cloudResolver(nameserver)
	})
}

// outsider reports a pod that asks other name servers than the cluster's: what they answer says nothing about the cluster's DNS.
func outsider(x *index, items []v1alpha1.HeadlessDNS, f *findings) {
	if !x.outside {
		return
	}
	found := slices.ContainsFunc(items, func(h v1alpha1.HeadlessDNS) bool {
		return slices.ContainsFunc(h.Records, func(r v1alpha1.DNSRecord) bool { return len(r.Expected) > 0 && r.Verdict == v1alpha1.VerdictOK })
	})
	message := fmt.Sprintf("pod %s does not use the cluster's DNS (%s): it asks %s", x.Vantage.Pod, x.OwnResolver, cmp.Or(strings.Join(x.Vantage.Nameservers, ", "), "no name server"))
	about, remedy := []string{"pod/" + x.Vantage.Namespace + "/" + x.Vantage.Pod}, "kubectl doik dns -n "+x.Vantage.Namespace
	if found {
		f.add(v1alpha1.CodeDNSPodPolicy, v1alpha1.SeverityInfo, about, remedy, "%s, where names of the cluster resolve too", message)
		return
	}
	f.add(v1alpha1.CodeDNSPodPolicy, v1alpha1.SeverityWarning, about, remedy, "%s, where no name of the cluster resolves; that says nothing about the cluster's DNS servers, which other pods ask", message)
}

// asksNoServer judges the first of the name servers: the others are asked only after seconds without an answer.
func asksNoServer(x *index, p *v1alpha1.PodResolution, f *findings) {
	object, who := source(p)
	tell := func(severity v1alpha1.Severity, format string, args ...any) {
		f.add(v1alpha1.CodeDNSAsksElsewhere, severity, []string{object}, "", "%s", fmt.Sprintf(format, args...))
	}
	if len(p.Nameservers) == 0 {
		tell(v1alpha1.SeverityError, "%s gives pods no name servers (clusterDNS): they use those of the node and can't resolve cluster names", who)
		return
	}
	address := p.Nameservers[0]
	here := slices.ContainsFunc(x.Vantage.Servers, func(s v1alpha1.DNSServer) bool { return s.Address == address })
	if x.DNSService == nil || !x.PodsServiceRead || here || x.isNode(address) {
		return // it is what pods are to ask, or what is there is unknown
	}
	is := fmt.Sprintf("the DNS Service %s is at %s", x.DNSServiceName, x.DNSService.Spec.ClusterIP)
	switch ready := slices.ContainsFunc(x.PodsServers, func(s v1alpha1.DNSServer) bool { return s.Ready }); {
	case x.PodsService != nil && (!ready || !answersDNS(x.PodsService)):
		tell(v1alpha1.SeverityError, "pods query %s (%s), the address of Service %s, which has no ready DNS server: %s", address, who, p.Service, is)
	case x.PodsService == nil && nearby(address, x.DNSService.Spec.ClusterIP):
		tell(v1alpha1.SeverityError, "pods query %s (%s), which is not the address of any Service: %s", address, who, is)
	case x.PodsService == nil:
		tell(v1alpha1.SeverityWarning, "pods query %s (%s), which is not the address of any Service: unless a DNS server outside the cluster listens there, nothing resolves; %s", address, who, is)
	}
}

// isNode reports whether an address is that of a node on which pods of the sets run: a cache may listen there.
func (x *index) isNode(address string) bool {
	for i := range x.Pods {
		if x.Pods[i].Status.HostIP == address {
			return true
		}
	}
	return false
}

// nearby reports whether an address is so close to a Service's that it is of the range that is for Services: the smallest that clusters
// have by default has twelve bits.
func nearby(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX != nil || errY != nil || x.Is4() != y.Is4() {
		return false
	}
	prefix, err := y.Prefix(y.BitLen() - 12)
	return err == nil && prefix.Contains(x)
}
