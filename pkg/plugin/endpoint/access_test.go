package endpoint

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestScope(t *testing.T) {
	for address, want := range map[string]v1alpha1.AddressScope{
		"3.34.1.2": v1alpha1.ScopePublic, "172.15.255.255": v1alpha1.ScopePublic, "172.32.0.1": v1alpha1.ScopePublic,
		"100.63.255.255": v1alpha1.ScopePublic, "100.128.0.1": v1alpha1.ScopePublic, "2406:da12::1": v1alpha1.ScopePublic,
		"10.0.1.5": v1alpha1.ScopePrivate, "172.16.0.1": v1alpha1.ScopePrivate, "172.31.255.255": v1alpha1.ScopePrivate,
		"192.168.0.1": v1alpha1.ScopePrivate, "fd00:ec2::1": v1alpha1.ScopePrivate, "fc00::1": v1alpha1.ScopePrivate,
		"100.64.0.1": v1alpha1.ScopeShared, "100.127.255.255": v1alpha1.ScopeShared,
		"169.254.169.254": v1alpha1.ScopeLinkLocal, "fe80::1%eth0": v1alpha1.ScopeLinkLocal,
		"127.0.0.1": v1alpha1.ScopeLoopback, "127.8.8.8": v1alpha1.ScopeLoopback, "::1": v1alpha1.ScopeLoopback,
		"::ffff:10.0.0.1": v1alpha1.ScopePrivate, "::ffff:127.0.0.1": v1alpha1.ScopeLoopback, "::ffff:8.8.8.8": v1alpha1.ScopePublic,
		"64:ff9b::a00:1": v1alpha1.ScopePrivate, "64:ff9b::808:808": v1alpha1.ScopePublic,
		"0.0.0.0": v1alpha1.ScopeSpecial, "::": v1alpha1.ScopeSpecial, "255.255.255.255": v1alpha1.ScopeSpecial, "224.0.0.1": v1alpha1.ScopeSpecial,
		"ff02::1": v1alpha1.ScopeSpecial, "192.0.2.1": v1alpha1.ScopeSpecial, "198.18.0.1": v1alpha1.ScopeSpecial, "2001:db8::1": v1alpha1.ScopeSpecial,
	} {
		if got := addressOf(netip.MustParseAddr(address)); got.Scope != want {
			t.Errorf("%s is %s, want %s", address, got.Scope, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	var list []netip.Addr
	for _, a := range []string{"fd00::1", "10.0.2.7", "10.0.1.5", "::ffff:10.0.1.5", "10.0.2.7"} {
		list = append(list, netip.MustParseAddr(a))
	}
	if got := addressWords(addresses(list)); got != "10.0.1.5, 10.0.2.7, fd00::1 (private)" {
		t.Error(got)
	}
}

func TestResolverAddress(t *testing.T) {
	for in, want := range map[string]string{
		"1.1.1.1": "1.1.1.1:53", "10.0.0.2:5353": "10.0.0.2:5353", "2606:4700::1111": "[2606:4700::1111]:53", "[2606:4700::1111]:53": "[2606:4700::1111]:53",
		"dns.google": "", "": "", "1.1.1.1:": "", "1.1.1.1:dns": "", "1.1.1": "",
	} {
		got, err := resolverAddress(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

// look makes a lookup of words: addresses, or none, failed, timeout, notasked.
func look(from v1alpha1.ResolutionFrom, server, words string) *v1alpha1.Resolution {
	r := &v1alpha1.Resolution{From: from, Server: server, Name: "api.example", Result: v1alpha1.ResolutionAnswered}
	switch words {
	case "":
		return nil
	case "none":
		r.Result = v1alpha1.ResolutionNotFound
		return r
	case "failed":
		r.Result = v1alpha1.ResolutionFailed
		return r
	case "timeout":
		r.Result = v1alpha1.ResolutionTimeout
		return r
	case "notasked":
		r.Result = v1alpha1.ResolutionNotAsked
		return r
	}
	words, literal := strings.CutPrefix(words, "literal ")
	if literal {
		r.Result = v1alpha1.ResolutionLiteral
	}
	var list []netip.Addr
	for _, a := range strings.Fields(words) {
		list = append(list, netip.MustParseAddr(a))
	}
	r.Addresses = addresses(list)
	return r
}

// dashed is one word for what was seen.
func dashed(words string) string { return strings.ReplaceAll(words, " ", "-") }

// The words of the verdict's table.
const (
	public  = "3.34.1.2 13.125.3.4"
	private = "10.0.1.5 10.0.2.7"
)

// TestVerdict is the table of verdicts: what is seen outside and inside, and what that means.
func TestVerdict(t *testing.T) {
	const internet, inVPC = "1.1.1.1:53", "10.0.0.2:53"
	for _, test := range []struct {
		name                           string
		workstation, resolver, cluster string
		asked                          string // the resolver's address
		servers                        string
		notEKS                         bool
		private                        bool   // the name is of a private zone
		want                           string // mode and confidence
	}{
		// The four rows of the reference.
		{name: "public everywhere", workstation: public, cluster: public, want: "Public high"},
		{name: "public outside, private inside", workstation: public, cluster: private, want: "PublicAndPrivate high"},
		{name: "private everywhere: ambiguous", workstation: private, cluster: private, want: "PrivateAtLeast low"},
		{name: "private outside, public inside", workstation: private, cluster: public, want: "Unknown low"},

		// A resolver on the internet takes the ambiguity away.
		{name: "the workstation is on the VPN", workstation: private, resolver: public, asked: internet, cluster: private, want: "PublicAndPrivate high"},
		{name: "really private", workstation: private, resolver: private, asked: internet, cluster: private, want: "Private high"},
		{name: "really private, not asked inside", workstation: private, resolver: private, asked: internet, want: "Private medium"},
		{name: "a resolver that may be in the VPC", workstation: private, resolver: private, asked: inVPC, cluster: private, want: "PrivateAtLeast low"},
		{name: "the resolver does not answer", workstation: public, resolver: "timeout", asked: internet, cluster: private, want: "PublicAndPrivate high"},
		{name: "the name exists inside only", workstation: private, resolver: "none", asked: internet, cluster: private, want: "Private medium"},
		{name: "workstation and resolver contradict", workstation: public, resolver: private, asked: internet, cluster: private, want: "Unknown low"},
		{name: "the workstation can't, the resolver can", workstation: "failed", resolver: public, asked: internet, cluster: public, want: "Public high"},

		// Not asked inside, or no answer.
		{name: "local only, public", workstation: public, want: "PublicAtLeast medium"},
		{name: "local only, private", workstation: private, want: "PrivateAtLeast low"},
		{name: "no answer inside", workstation: public, cluster: "timeout", want: "PublicAtLeast medium"},
		{name: "no pod inside", workstation: public, cluster: "notasked", want: "PublicAtLeast medium"},
		{name: "inside no such name", workstation: public, cluster: "none", want: "PublicAtLeast low"},

		// No answer outside.
		{name: "deleted", workstation: "none", cluster: "none", want: "Unknown low"},
		{name: "deleted, not asked inside", workstation: "none", want: "Unknown low"},
		{name: "no such name outside, private inside", workstation: "none", cluster: private, want: "Private medium"},
		{name: "no such name outside, public inside", workstation: "none", cluster: public, want: "PublicAtLeast low"},
		{name: "time-out outside, private inside", workstation: "timeout", cluster: private, want: "PrivateAtLeast medium"},
		{name: "time-out outside, public inside", workstation: "timeout", cluster: public, want: "Public medium"},
		{name: "time-outs", workstation: "timeout", cluster: "timeout", want: "Unknown low"},

		// Names of private zones, as a private AKS cluster has.
		{name: "a private zone, seen from outside", workstation: "none", private: true, notEKS: true, want: "Private medium"},
		{name: "a private zone, no answer", workstation: "timeout", private: true, notEKS: true, want: "Private medium"},
		{name: "a private zone, its DNS forwards to no other", workstation: "none", cluster: "none", private: true, notEKS: true, want: "Private medium"},
		{name: "a private zone, on its VPN", workstation: private, private: true, notEKS: true, want: "Private medium"},
		{name: "a private zone, public inside", workstation: "none", cluster: public, private: true, notEKS: true, want: "PublicAtLeast low"},
		{name: "a name of the workstation's network", workstation: private, resolver: "none", asked: internet, notEKS: true, want: "Private medium"},

		// Ranges.
		{name: "RFC 6598 in the VPC", workstation: public, cluster: "100.64.1.5 100.64.2.7", want: "PublicAndPrivate high"},
		{name: "unique local addresses", workstation: "2406:da12::1", cluster: "fd00::5", want: "PublicAndPrivate high"},
		{name: "link-local", workstation: public, cluster: "169.254.20.20", want: "PublicAndPrivate high"},
		{name: "a VPC with a public range", workstation: public, cluster: "5.5.1.5 5.5.2.7", servers: "5.5.1.5 5.5.2.7", want: "PublicAndPrivate high"},
		{name: "dual-stack: IPv4 decides", workstation: public + " 2406:da12::1", cluster: private + " 2406:da12:5::1", want: "PublicAndPrivate high"},
		{name: "IPv6 only, known from the EndpointSlice", workstation: "2406:da12::1", cluster: "2406:da12:5::1", servers: "2406:da12:5::1", want: "PublicAndPrivate high"},
		{name: "mixed outside", workstation: "3.34.1.2 10.0.1.5", cluster: private, want: "Unknown low"},
		{name: "mixed inside", workstation: public, cluster: "3.34.1.2 10.0.1.5", want: "PublicAtLeast low"},
		{name: "made up", workstation: "198.18.0.7", cluster: private, want: "Unknown low"},

		// This machine.
		{name: "localhost", workstation: "127.0.0.1 ::1", want: "Local medium"},
		{name: "localhost, and a resolver that knows no such name", workstation: "127.0.0.1", resolver: "none", asked: internet, want: "Local medium"},
		{name: "a tunnel in the hosts file", workstation: "127.0.0.1", cluster: private, want: "PrivateAtLeast medium"},
		{name: "a tunnel in the hosts file, and a resolver", workstation: "127.0.0.1", resolver: public, asked: internet, cluster: private, want: "PublicAndPrivate high"},

		// Addresses in the kubeconfig.
		{name: "a public address", workstation: "literal 3.34.1.2", notEKS: true, want: "PublicAtLeast medium"},
		{name: "a private address", workstation: "literal 192.168.0.2", notEKS: true, want: "PrivateAtLeast medium"},
		{name: "a loopback address", workstation: "literal 127.0.0.1", notEKS: true, want: "Local medium"},
		{name: "a reserved address", workstation: "literal 192.0.2.1", notEKS: true, want: "Unknown low"},

		// Elsewhere than on EKS.
		{name: "not EKS: public", workstation: public, cluster: public, notEKS: true, want: "Public medium"},
		{name: "not EKS: both", workstation: public, cluster: private, notEKS: true, want: "PublicAndPrivate medium"},
		{name: "not EKS: private", workstation: private, resolver: private, asked: internet, cluster: private, notEKS: true, want: "Private medium"},
		{name: "not EKS: public addresses of its API servers", workstation: public, cluster: public, servers: public, notEKS: true, want: "Public medium"},
		{name: "not EKS: two families, two scopes", workstation: "10.0.0.5 2406:da12::1", notEKS: true, want: "Unknown low"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := view{
				workstation: look(v1alpha1.FromWorkstation, "", test.workstation), resolver: look(v1alpha1.FromResolver, test.asked, test.resolver),
				cluster: look(v1alpha1.FromCluster, "", test.cluster), servers: map[string]bool{}, eks: !test.notEKS, privateName: test.private,
			}
			for _, a := range strings.Fields(test.servers) {
				v.servers[a] = true
			}
			a := verdict(v)
			if got := string(a.Mode) + " " + string(a.Confidence); got != test.want {
				t.Errorf("got %s, want %s: %+v", got, test.want, a.Evidence)
			}
			if asked := len(strings.Fields(strings.Join([]string{dashed(test.workstation), dashed(test.resolver), dashed(test.cluster)}, " "))); len(a.Evidence) != asked+1 {
				t.Errorf("%d looked, evidence: %+v", asked, a.Evidence)
			}
			for _, e := range a.Evidence {
				if e.Source == "" || e.Message == "" {
					t.Errorf("evidence: %+v", a.Evidence)
				}
			}
			if public, private := facets(a.Mode); (public == nil) != (a.PublicAccess == nil) || (private == nil) != (a.PrivateAccess == nil) {
				t.Errorf("%+v", a)
			}
		})
	}
}
