package dns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
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

// podResolution tells of pods that ask for another domain than the DNS servers have, or ask where there is none of them. It returns the
// end of names that the DNS servers therefore can't know, if there is one.
func podResolution(x *index, f *findings) (foreign string) {
	foreign = domainDiffers(x, f)
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

func domainDiffers(x *index, f *findings) (foreign string) {
	pods, object, who := domainOf(x.Vantage.Search), "pod/"+x.Vantage.Pod, "resolv.conf of pod "+x.Vantage.Pod
	if p := x.Vantage.Pods; p != nil {
		pods = p.Domain
		object, who = source(p)
		if pods == "" && len(p.Nameservers) > 0 {
			f.add(v1alpha1.CodeDNSDomainDiffers, v1alpha1.SeverityError, []string{object}, "",
				"pods have no domain of the cluster in their search path (%s): they find no name that is not written in full", who)
			return ""
		}
	}
	served := x.Vantage.ServedDomain
	if pods == "" || served == "" || strings.EqualFold(pods, served) {
		return ""
	}
	f.add(v1alpha1.CodeDNSDomainDiffers, v1alpha1.SeverityError, []string{object}, "kubectl get configmap -n "+x.DNSService.Namespace+" -o yaml",
		"pods ask for names in the domain %s (%s), and the DNS servers have the domain %s: pods find no name of the cluster", pods, who, served)
	return "." + strings.ToLower(pods) + "."
}

// asksNoServer judges the first of the name servers: the others are asked only after seconds without an answer.
func asksNoServer(x *index, p *v1alpha1.PodResolution, f *findings) {
	object, who := source(p)
	tell := func(severity v1alpha1.Severity, format string, args ...any) {
		f.add(v1alpha1.CodeDNSAsksElsewhere, severity, []string{object}, "", "%s", fmt.Sprintf(format, args...))
	}
	if len(p.Nameservers) == 0 {
		tell(v1alpha1.SeverityError, "%s has no name servers for pods (clusterDNS): they have those of the node, and find no name of the cluster", who)
		return
	}
	address := p.Nameservers[0]
	here := slices.ContainsFunc(x.Vantage.Servers, func(s v1alpha1.DNSServer) bool { return s.Address == address })
	if x.DNSService == nil || !x.PodsServiceRead || here || x.isNode(address) {
		return // it is what pods are to ask, or what is there is unknown
	}
	is := fmt.Sprintf("the DNS Service %s has %s", x.DNSServiceName, x.DNSService.Spec.ClusterIP)
	switch ready := slices.ContainsFunc(x.PodsServers, func(s v1alpha1.DNSServer) bool { return s.Ready }); {
	case x.PodsService != nil && (!ready || !answersDNS(x.PodsService)):
		tell(v1alpha1.SeverityError, "pods ask %s (%s), the address of Service %s, behind which no DNS server is ready: %s", address, who, p.Service, is)
	case x.PodsService == nil && nearby(address, x.DNSService.Spec.ClusterIP):
		tell(v1alpha1.SeverityError, "pods ask %s (%s), an address that no Service has: %s", address, who, is)
	case x.PodsService == nil:
		tell(v1alpha1.SeverityWarning, "pods ask %s (%s), which is no Service: unless that is a DNS server beside the cluster, they find nothing; %s", address, who, is)
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
