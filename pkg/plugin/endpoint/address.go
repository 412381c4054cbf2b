package endpoint

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// dnsPort is where DNS servers listen.
const dnsPort = 53

// Networks with a scope that netip has no word for.
var (
	shared = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598
	nat64  = netip.MustParsePrefix("64:ff9b::/96")  // RFC 6052: an IPv4 address in its last 32 bits

	// special are special-purpose blocks (RFC 6890 and what came after it).
	special = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"), // documentation
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
		netip.MustParsePrefix("100::/64"),        // discard
		netip.MustParsePrefix("2001:db8::/32"),   // documentation
		netip.MustParsePrefix("3fff::/20"),       // documentation
	}
)

// addressOf gives an address its scope.
func addressOf(a netip.Addr) v1alpha1.EndpointAddress {
	a = a.Unmap().WithZone("")
	return v1alpha1.EndpointAddress{IP: a.String(), Scope: scopeOf(a)}
}

func scopeOf(a netip.Addr) v1alpha1.AddressScope {
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case a.IsLoopback():
		return v1alpha1.ScopeLoopback
	case a.IsPrivate():
		return v1alpha1.ScopePrivate
	case shared.Contains(a):
		return v1alpha1.ScopeShared
	case a.IsLinkLocalUnicast():
		return v1alpha1.ScopeLinkLocal
	case !a.IsGlobalUnicast(), slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) }):
		return v1alpha1.ScopeSpecial
	}
	return v1alpha1.ScopePublic
}

// addresses gives each address its scope: each once, in ascending order, those of IPv4 first.
func addresses(list []netip.Addr) []v1alpha1.EndpointAddress {
	list = slices.Clone(list)
	for i := range list {
		list[i] = list[i].Unmap().WithZone("")
	}
	slices.SortFunc(list, netip.Addr.Compare)
	found := make([]v1alpha1.EndpointAddress, 0, len(list))
	for _, a := range slices.Compact(list) {
		found = append(found, addressOf(a))
	}
	return found
}

// resolverAddress adds the port of DNS servers to an address that has none.
func resolverAddress(text string) (string, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(a, dnsPort).String(), nil
	}
	a, err := netip.ParseAddrPort(text)
	if err != nil {
		return "", fmt.Errorf("invalid --resolver %q: must be the address of a DNS server, such as 1.1.1.1 or 10.0.0.2:53", text)
	}
	return a.String(), nil
}
