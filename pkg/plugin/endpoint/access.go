package endpoint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// seen is what a vantage point sees behind the server's name.
type seen int

const (
	seenUnasked  seen = iota // nothing was queried there
	seenFailed               // there was no answer
	seenNothing              // the name does not exist, or has no address
	seenPublic               // addresses that the internet routes
	seenPrivate              // addresses that it does not
	seenMixed                // both
	seenLoopback             // the machine itself
	seenSpecial              // special-purpose addresses
)

// view is everything that the verdict on an endpoint is concluded from.
type view struct {
	workstation, resolver, cluster *v1alpha1.Resolution
	// servers are the addresses of the API servers in the EndpointSlice kubernetes.
	servers map[string]bool
	eks     bool
	// privateName says that the name is one of a private DNS zone.
	privateName bool
}

// verdict is from where an endpoint can be reached, judged by what its name leads to outside and inside of the cluster.
func verdict(v view) v1alpha1.EndpointAccess {
	a := v1alpha1.EndpointAccess{Mode: v1alpha1.AccessUnknown, Confidence: v1alpha1.ConfidenceLow, Evidence: []v1alpha1.EndpointEvidence{}}
	for _, r := range []*v1alpha1.Resolution{v.workstation, v.resolver, v.cluster} {
		if r != nil {
			a.Evidence = append(a.Evidence, v1alpha1.EndpointEvidence{Source: source(r), Message: observation(v, r)})
		}
	}
	conclude := func(mode v1alpha1.AccessMode, c v1alpha1.Confidence, why string) v1alpha1.EndpointAccess {
		a.Mode, a.Confidence = mode, c
		a.PublicAccess, a.PrivateAccess = facets(mode)
		a.Evidence = append(a.Evidence, v1alpha1.EndpointEvidence{Source: "conclusion", Message: why})
		return a
	}
	if v.workstation != nil && v.workstation.Result == v1alpha1.ResolutionLiteral {
		return literal(v, conclude)
	}
	// A resolver that was asked for is better placed to see what the internet sees, if it knows. Of this machine's own names it
	// does not.
	outside, asked := v.see(v.workstation), v.workstation
	if r := v.see(v.resolver); r != seenUnasked && r != seenFailed && (r != seenNothing || outside != seenLoopback) {
		outside, asked = r, v.resolver
	}
	inside := v.see(v.cluster)
	switch outside {
	case seenPublic:
		return outsidePublic(v, inside, conclude)
	case seenPrivate:
		return outsidePrivate(v, asked, inside, conclude)
	case seenNothing:
		return outsideNothing(v, inside, conclude)
	case seenLoopback:
		if inside != seenPublic && inside != seenPrivate {
			return conclude(v1alpha1.AccessLocal, v1alpha1.ConfidenceMedium, leadsHere)
		}
		return outsideFailed(v, inside, conclude)
	case seenMixed:
		return conclude(v1alpha1.AccessUnknown, v1alpha1.ConfidenceLow, "public and private addresses in one answer: custom DNS, not the provider's")
	case seenSpecial:
		return conclude(v1alpha1.AccessUnknown, v1alpha1.ConfidenceLow, "reserved addresses: custom DNS, or a proxy that makes addresses up")
	}
	return outsideFailed(v, inside, conclude)
}

// leadsHere is what a loopback address means.
const leadsHere = "the server is this machine: a local cluster, or the local end of a tunnel; how else it can be reached is not visible from here"

// conclusion ends a verdict.
type conclusion func(v1alpha1.AccessMode, v1alpha1.Confidence, string) v1alpha1.EndpointAccess

// literal judges a server that the kubeconfig names by its address.
func literal(v view, conclude conclusion) v1alpha1.EndpointAccess {
	switch v.see(v.workstation) {
	case seenPublic:
		return conclude(v1alpha1.AccessPublicAtLeast, v1alpha1.ConfidenceMedium, "a public address; whether nodes use a different one is unknown")
	case seenPrivate:
		return conclude(v1alpha1.AccessPrivateAtLeast, v1alpha1.ConfidenceMedium, "a private address; whether there is also a public one is unknown")
	case seenLoopback:
		return conclude(v1alpha1.AccessLocal, v1alpha1.ConfidenceMedium, leadsHere)
	}
	return conclude(v1alpha1.AccessUnknown, v1alpha1.ConfidenceLow, "a reserved address")
}

func outsidePublic(v view, inside seen, conclude conclusion) v1alpha1.EndpointAccess {
	// Outside of EKS there is no guarantee that nodes look the same name up.
	sure := v1alpha1.ConfidenceMedium
	if v.eks {
		sure = v1alpha1.ConfidenceHigh
	}
	switch inside {
	case seenPublic:
		return conclude(v1alpha1.AccessPublic, sure, "public addresses outside and in the cluster: private access is off")
	case seenPrivate:
		return conclude(v1alpha1.AccessPublicAndPrivate, sure, "public addresses outside, private ones in the cluster: both are on")
	case seenUnasked:
		return conclude(v1alpha1.AccessPublicAtLeast, v1alpha1.ConfidenceMedium, "public addresses outside; not looked up in the cluster, so private access may be on as well")
	case seenFailed:
		return conclude(v1alpha1.AccessPublicAtLeast, v1alpha1.ConfidenceMedium, "public addresses outside; no answer in the cluster, so private access may be on as well")
	case seenNothing:
		return conclude(v1alpha1.AccessPublicAtLeast, v1alpha1.ConfidenceLow, "public addresses outside; the cluster's DNS does not know the name: it is not the provider's")
	}
	return conclude(v1alpha1.AccessPublicAtLeast, v1alpha1.ConfidenceLow, "public addresses outside; the cluster's DNS answer is not the provider's")
}

func outsidePrivate(v view, asked *v1alpha1.Resolution, inside seen, conclude conclusion) v1alpha1.EndpointAccess {
	onInternet := asked == v.resolver && resolverIsPublic(asked)
	switch {
	case inside == seenPublic:
		return conclude(v1alpha1.AccessUnknown, v1alpha1.ConfidenceLow, "private addresses outside and public ones in the cluster: custom DNS, or a proxy")
	case v.privateName:
		return conclude(v1alpha1.AccessPrivate, v1alpha1.ConfidenceMedium, zoneIsPrivate)
	case onInternet && v.see(v.workstation) == seenPublic:
		return conclude(v1alpha1.AccessUnknown, v1alpha1.ConfidenceLow, "the workstation and the resolver contradict each other: custom DNS, or a proxy")
	case onInternet && inside == seenPrivate && v.eks:
		return conclude(v1alpha1.AccessPrivate, v1alpha1.ConfidenceHigh, "a resolver on the internet returns only private addresses: public access is off")
	case onInternet:
		return conclude(v1alpha1.AccessPrivate, v1alpha1.ConfidenceMedium, "a resolver on the internet returns only private addresses: public access is off")
	}
	return conclude(v1alpha1.AccessPrivateAtLeast, v1alpha1.ConfidenceLow,
		"either a private endpoint, or the workstation is in the cluster's network or on its VPN, where a public name also resolves to private addresses: query a resolver on the internet to find out (--resolver)")
}

// zoneIsPrivate is what a name of a private DNS zone means.
const zoneIsPrivate = "the name is of a private DNS zone: only the networks that the zone is linked to resolve it, to private addresses"

func outsideNothing(v view, inside seen, conclude conclusion) v1alpha1.EndpointAccess {
	switch {
	case inside == seenPrivate:
		return conclude(v1alpha1.AccessPrivate, v1alpha1.ConfidenceMedium, "the name exists in the cluster's network only")
	case inside == seenPublic:
		return conclude(v1alpha1.AccessPublicAtLeast, v1alpha1.ConfidenceLow, "the cluster resolves a name that does not exist outside to public addresses: custom DNS")
	case v.privateName:
		return conclude(v1alpha1.AccessPrivate, v1alpha1.ConfidenceMedium, zoneIsPrivate)
	case v.see(v.workstation) == seenPrivate: // a resolver that was asked for does not know it
		return conclude(v1alpha1.AccessPrivate, v1alpha1.ConfidenceMedium, "the name exists in the workstation's network, and not outside of it")
	}
	return conclude(v1alpha1.AccessUnknown, v1alpha1.ConfidenceLow, "the name does not exist: the cluster has been deleted, or it is the wrong context")
}

func outsideFailed(v view, inside seen, conclude conclusion) v1alpha1.EndpointAccess {
	switch {
	case inside == seenPublic:
		return conclude(v1alpha1.AccessPublic, v1alpha1.ConfidenceMedium, "public addresses in the cluster: private access is off")
	case v.privateName:
		return conclude(v1alpha1.AccessPrivate, v1alpha1.ConfidenceMedium, zoneIsPrivate)
	case inside == seenPrivate:
		return conclude(v1alpha1.AccessPrivateAtLeast, v1alpha1.ConfidenceMedium, "private addresses in the cluster; no answer outside, so public access may be on as well")
	}
	return conclude(v1alpha1.AccessUnknown, v1alpha1.ConfidenceLow, "no lookup returned an address")
}

// facets are what a mode says of public and of private access.
func facets(mode v1alpha1.AccessMode) (public, private *bool) {
	switch mode {
	case v1alpha1.AccessPublic:
		return new(true), new(false)
	case v1alpha1.AccessPublicAndPrivate:
		return new(true), new(true)
	case v1alpha1.AccessPrivate:
		return new(false), new(true)
	case v1alpha1.AccessPublicAtLeast:
		return new(true), nil
	case v1alpha1.AccessPrivateAtLeast:
		return nil, new(true)
	}
	return nil, nil
}

// see tells what a lookup shows.
func (v view) see(r *v1alpha1.Resolution) seen {
	switch {
	case r == nil:
		return seenUnasked
	case r.Result == v1alpha1.ResolutionNotFound:
		return seenNothing
	case r.Result == v1alpha1.ResolutionTimeout, r.Result == v1alpha1.ResolutionFailed, r.Result == v1alpha1.ResolutionNotAsked, len(r.Addresses) == 0:
		return seenFailed
	}
	what := seenUnasked
	for _, a := range v.deciding(r) {
		next := seenSpecial
		switch {
		case v.inside(a), a.Scope == v1alpha1.ScopePrivate, a.Scope == v1alpha1.ScopeShared, a.Scope == v1alpha1.ScopeLinkLocal:
			next = seenPrivate
		case a.Scope == v1alpha1.ScopePublic:
			next = seenPublic
		case a.Scope == v1alpha1.ScopeLoopback:
			next = seenLoopback
		}
		if what != seenUnasked && what != next {
			return seenMixed
		}
		what = next
	}
	return what
}

// inside reports whether an address is that of an API server's interface in a VPC of EKS, whatever its range: a VPC may have public
// ranges, and its IPv6 addresses are global ones.
func (v view) inside(a v1alpha1.EndpointAddress) bool { return v.eks && v.servers[a.IP] }

// deciding are the addresses that count. In a VPC of EKS those of IPv6 say nothing by their range, if there are others.
func (v view) deciding(r *v1alpha1.Resolution) []v1alpha1.EndpointAddress {
	isIPv6 := func(a v1alpha1.EndpointAddress) bool { return strings.Contains(a.IP, ":") }
	if !v.eks || !slices.ContainsFunc(r.Addresses, func(a v1alpha1.EndpointAddress) bool { return !isIPv6(a) }) {
		return r.Addresses
	}
	return slices.DeleteFunc(slices.Clone(r.Addresses), isIPv6)
}

// resolverIsPublic reports whether a resolver has an address on the internet: one that has not may be in the cluster's network.
func resolverIsPublic(r *v1alpha1.Resolution) bool {
	if r == nil {
		return false
	}
	server, err := netip.ParseAddrPort(r.Server)
	return err == nil && addressOf(server.Addr()).Scope == v1alpha1.ScopePublic
}

// source names who was asked.
func source(r *v1alpha1.Resolution) string {
	if r.From == v1alpha1.FromResolver {
		return "resolver " + resolverName(r.Server)
	}
	return string(r.From)
}

// resolverName leaves the port out that DNS servers have anyway.
func resolverName(server string) string {
	if a, err := netip.ParseAddrPort(server); err == nil && a.Port() == dnsPort {
		return a.Addr().String()
	}
	return server
}

// observation is what a lookup shows, in a sentence.
func observation(v view, r *v1alpha1.Resolution) string {
	what := ""
	switch v.see(r) {
	case seenNothing:
		what = r.Name + " does not exist"
	case seenFailed:
		what = "no answer"
	case seenPublic:
		what = "public addresses"
	case seenPrivate:
		what = "private addresses"
		if r.From != v1alpha1.FromResolver && v.eks && slices.ContainsFunc(r.Addresses, v.inside) {
			what += ", those of the control plane's network interfaces"
		}
	case seenMixed:
		what = "public and private addresses in one answer"
	case seenLoopback:
		what = "a loopback address"
	case seenSpecial:
		what = "reserved addresses"
	}
	switch r.Result {
	case v1alpha1.ResolutionNotAsked:
		what = "not asked"
	case v1alpha1.ResolutionLiteral:
		what = "the kubeconfig uses an IP address: no lookup needed"
	}
	if n := len(r.Addresses) - len(v.deciding(r)); n > 0 {
		what += " (judged by the IPv4 addresses: in a VPC every IPv6 address is global)"
	}
	if r.From == v1alpha1.FromResolver && !resolverIsPublic(r) {
		what += fmt.Sprintf("; %s is not a public resolver, so its answers may differ from those on the internet", resolverName(r.Server))
	}
	return what
}
