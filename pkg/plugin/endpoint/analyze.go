package endpoint

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Analyze turns a snapshot into the report.
func Analyze(s *Snapshot, now time.Time) *v1alpha1.ClusterEndpointList {
	e := v1alpha1.ClusterEndpoint{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindClusterEndpoint},
		Server:   s.Server, Resolutions: s.Resolutions, Certificate: s.Certificate, APIServers: apiServers(s),
	}
	for i, r := range e.Resolutions {
		if r.Result == v1alpha1.ResolutionNotAsked {
			e.Resolutions = slices.Clone(e.Resolutions)
			e.Resolutions[i].Message = s.Problems[subjectLookup].Message
		}
	}
	e.APIServersUnknown = s.unread(subjectSlices)
	var evidence []v1alpha1.EndpointEvidence
	e.Provider, evidence = provider(s)
	e.Metadata.Name = cmp.Or(e.Provider.ClusterName, s.Server.Cluster, s.Server.Host)
	v := newView(&e)
	e.Access = verdict(v)
	e.Access.Evidence = append(evidence, e.Access.Evidence...)
	e.Version = version(s)
	e.Paths = paths(&e)
	e.Findings = findings(s, &e, v, now)
	report := &v1alpha1.ClusterEndpointList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindClusterEndpointList},
		Items:    []v1alpha1.ClusterEndpoint{e},
	}
	conclude(s, report)
	for _, key := range slices.Sorted(maps.Keys(s.Problems)) {
		report.Problems = append(report.Problems, s.Problems[key])
	}
	return report
}

// Findings are those of all endpoints.
func Findings(report *v1alpha1.ClusterEndpointList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

// unread is why something could not be read; empty if it was.
func (s *Snapshot) unread(subject string) string {
	switch {
	case s.Unreachable != "" && s.unverified():
		return "the API server's certificate does not verify"
	case s.Unreachable != "":
		return "the API server does not answer"
	}
	return cmp.Or(s.Problems[subject].Message, s.Problems[subjectAll].Message)
}

// unverified reports whether clients refuse the server's certificate.
func (s *Snapshot) unverified() bool {
	c := s.Certificate
	return c != nil && !s.Server.InsecureSkipTLSVerify && (!c.Trusted || !c.CoversName)
}

func newView(e *v1alpha1.ClusterEndpoint) view {
	v := view{eks: e.Provider.Name == providerEKS, servers: map[string]bool{}}
	for i := range e.Resolutions {
		switch r := &e.Resolutions[i]; r.From {
		case v1alpha1.FromWorkstation:
			v.workstation = r
		case v1alpha1.FromResolver:
			v.resolver = r
		case v1alpha1.FromCluster:
			v.cluster = r
		}
	}
	for _, a := range e.APIServers {
		v.servers[a.Address.IP] = true
	}
	v.privateName = v.workstation != nil && isPrivateName(v.workstation.Name)
	return v
}

// nameOf is the name that leads to the API server: that of the certificate where the server is only the near end of a tunnel.
func nameOf(server v1alpha1.EndpointServer) string {
	if server.TLSServerName == "" {
		return server.Host
	}
	known, _, _ := providerOfHost(server.TLSServerName)
	if other, _, _ := providerOfHost(server.Host); other == "" && (known != "" || isThisMachine(server.Host)) {
		if _, err := netip.ParseAddr(server.TLSServerName); err != nil {
			return server.TLSServerName
		}
	}
	return server.Host
}

// isThisMachine reports whether a host is a loopback address or a name for one.
func isThisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// version joins the API server's version with those that have to go with it.
func version(s *Snapshot) *v1alpha1.EndpointVersion {
	if s.Version == nil {
		return nil
	}
	v := &v1alpha1.EndpointVersion{ServerVersion: *s.Version, Client: s.Client, Skew: s.Skew, KubeletsUnknown: s.unread(subjectNodes)}
	count := map[string]int32{}
	for i := range s.Nodes {
		count[s.Nodes[i].Status.NodeInfo.KubeletVersion]++
	}
	for _, kubelet := range slices.Sorted(maps.Keys(count)) {
		v.Kubelets = append(v.Kubelets, v1alpha1.KubeletVersion{Version: kubelet, Nodes: count[kubelet], Skew: s.KubeletSkews[kubelet]})
	}
	slices.SortStableFunc(v.Kubelets, func(a, b v1alpha1.KubeletVersion) int {
		if a.Skew == nil || b.Skew == nil {
			return 0
		}
		return cmp.Compare(a.Skew.Minor, b.Skew.Minor)
	})
	return v
}

// apiServers are the endpoints of the Service kubernetes by address, each once, with what nodes report their zones.
func apiServers(s *Snapshot) []v1alpha1.APIServer {
	near := newNeighbourhood(s.Nodes)
	found := map[netip.AddrPort]v1alpha1.APIServer{}
	for i := range s.Slices {
		slice := &s.Slices[i]
		port := int32(0)
		if len(slice.Ports) > 0 && slice.Ports[0].Port != nil {
			port = *slice.Ports[0].Port
		}
		for j := range slice.Endpoints {
			endpoint := &slice.Endpoints[j]
			for _, text := range endpoint.Addresses {
				address, err := netip.ParseAddr(text)
				if err != nil {
					continue // the API server takes no others
				}
				a := v1alpha1.APIServer{Address: addressOf(address), Port: port}
				near.place(&a, address.Unmap())
				if endpoint.Zone != nil && *endpoint.Zone != "" {
					a.Zone, a.ZoneFrom, a.NearNode = *endpoint.Zone, v1alpha1.ZoneFromEndpointSlice, ""
				}
				found[netip.AddrPortFrom(address.Unmap(), uint16(port))] = a
			}
		}
	}
	list := make([]v1alpha1.APIServer, 0, len(found))
	for _, key := range slices.SortedFunc(maps.Keys(found), netip.AddrPort.Compare) {
		list = append(list, found[key])
	}
	return list
}

// Subnets of a VPC are at least as long as these prefixes nearly everywhere: an address that shares them with a node's is likely
// in the node's subnet. A subnet is in one zone.
const (
	subnetBits4 = 24
	subnetBits6 = 64
)

// neighbour is an address of a node.
type neighbour struct {
	address    netip.Addr
	node, zone string
}

// neighbourhood is the addresses of nodes, by which the zone of an address can be guessed.
type neighbourhood struct {
	neighbours []neighbour
	// apart is the longest prefix that nodes of different zones share, by family: subnets are longer than that.
	apart4, apart6 int
}

func newNeighbourhood(nodes []corev1.Node) *neighbourhood {
	n := &neighbourhood{}
	for i := range nodes {
		node := &nodes[i]
		for _, a := range node.Status.Addresses {
			if address, err := netip.ParseAddr(a.Address); err == nil && a.Type == corev1.NodeInternalIP {
				n.neighbours = append(n.neighbours, neighbour{address.Unmap(), node.Name, node.Labels[corev1.LabelTopologyZone]})
			}
		}
	}
	// In ascending order, the longest prefix that an address shares with one of another zone is shared with the nearest such.
	slices.SortFunc(n.neighbours, func(a, b neighbour) int { return a.address.Compare(b.address) })
	zoned := slices.DeleteFunc(slices.Clone(n.neighbours), func(a neighbour) bool { return a.zone == "" })
	for i := 1; i < len(zoned); i++ {
		a, b := zoned[i-1], zoned[i]
		if a.zone == b.zone || a.address.BitLen() != b.address.BitLen() {
			continue
		}
		if bits := sharedBits(a.address, b.address); a.address.Is4() {
			n.apart4 = max(n.apart4, bits)
		} else {
			n.apart6 = max(n.apart6, bits)
		}
	}
	return n
}

// place fills in the node and the zone of an API server: known if a node has its address, else that of the nearest node if that is
// likely in the same subnet.
func (n *neighbourhood) place(a *v1alpha1.APIServer, address netip.Addr) {
	needed := max(subnetBits4, n.apart4+1)
	if !address.Is4() {
		needed = max(subnetBits6, n.apart6+1)
	}
	nearest := -1
	for _, other := range n.neighbours {
		if other.address == address {
			a.Node, a.Zone, a.NearNode = other.node, other.zone, ""
			a.ZoneFrom = ""
			if a.Zone != "" {
				a.ZoneFrom = v1alpha1.ZoneFromNode
			}
			return
		}
		if other.zone == "" || other.address.BitLen() != address.BitLen() {
			continue
		}
		if bits := sharedBits(other.address, address); bits >= needed && bits > nearest {
			nearest = bits
			a.Zone, a.ZoneFrom, a.NearNode = other.zone, v1alpha1.ZoneInferred, other.node
		}
	}
}

// sharedBits is the length of the prefix that two addresses of one family share.
func sharedBits(a, b netip.Addr) int {
	x, y := a.AsSlice(), b.AsSlice()
	for i := range x {
		for bit := range 8 {
			if mask := byte(0x80) >> bit; x[i]&mask != y[i]&mask {
				return i*8 + bit
			}
		}
	}
	return a.BitLen()
}
