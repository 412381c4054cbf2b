package dbstate

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Graph is which server replicates from which among some servers.
type Graph struct {
	Servers []*Server
	// Sets are by namespace and name, their servers by name.
	Sets []*Set

	services []corev1.Service
}

// Set is the servers of a group in one namespace: those of a StatefulSet, or those that an operator's labels name.
type Set struct {
	Namespace string
	// Group is kind/name where it is an object, see dbserver.Server.Group.
	Group   string
	Servers []*Server
}

// Name is the set's, without its kind.
func (s *Set) Name() string { return dbserver.SetName(s.Group) }

// Server is a server in its place.
type Server struct {
	*State
	Set   *Set
	Links []*Link // one for each of its channels
	// Replicas are those of its set that replicate from it, by name.
	Replicas []*Server
}

// Link is a channel and the server that it leads to.
type Link struct {
	*Channel
	Source  *Server // nil if it is none of the graph's
	FoundBy v1alpha1.SourceClue
	// MissingPod is the name of a pod of the set that is the source and does not exist.
	MissingPod string
}

// NewGraph decodes what servers of an engine said, by namespace/pod, and ties every channel to the server that it leads to. Services are for
// channels that lead to one.
func NewGraph(servers []dbserver.Server, said map[string]dbserver.Said, services []corev1.Service, decode Decoder, now time.Time) *Graph {
	g := &Graph{services: services}
	byKey := map[string]*Set{}
	for _, server := range servers {
		s := &Server{State: newState(server, said[server.Name()], decode, now)}
		key := s.Pod.Namespace + "/" + s.Group()
		if byKey[key] == nil {
			byKey[key] = &Set{Namespace: s.Pod.Namespace, Group: s.Group()}
			g.Sets = append(g.Sets, byKey[key])
		}
		s.Set = byKey[key]
		s.Set.Servers = append(s.Set.Servers, s)
		g.Servers = append(g.Servers, s)
	}
	slices.SortFunc(g.Sets, func(a, b *Set) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), objects.CompareNames(a.Name(), b.Name()), cmp.Compare(a.Group, b.Group))
	})
	g.turned()
	for _, s := range g.Servers { // the links of others tell which of several is meant
		for _, c := range s.Channels {
			s.Links = append(s.Links, &Link{Channel: c})
		}
	}
	for _, s := range g.Servers {
		for _, l := range s.Links {
			g.tie(s, l)
		}
	}
	for _, s := range g.Servers {
		byName(s.Replicas)
	}
	for _, set := range g.Sets {
		byName(set.Servers)
	}
	return g
}

func (g *Graph) tie(s *Server, l *Link) {
	if l.Source, l.FoundBy = g.sourceOf(s, l.Channel); l.Source == nil {
		l.MissingPod = missingPod(s, l.Channel)
		return
	}
	if source := l.Source; source.Set == s.Set && !slices.Contains(source.Replicas, s) {
		source.Replicas = append(source.Replicas, s)
	}
}

// sourceOf finds the server at the other end of a channel: by its UUID, by its server id where there are no UUIDs, by its host.
func (g *Graph) sourceOf(s *Server, c *Channel) (source *Server, by v1alpha1.SourceClue) {
	ref := c.Ref
	named := Only(g.Servers, func(o *Server) bool { return o != s && isPodHost(o, s, ref) })
	if ref.UUID != "" {
		if found := Only(g.Servers, func(o *Server) bool { return o != s && o.UUID == ref.UUID }); found != nil {
			return found, v1alpha1.ClueUUID
		}
	} else if ref.ServerID != 0 {
		if named != nil && named.ID == ref.ServerID { // another set may have the same ids
			return named, v1alpha1.ClueServerID
		}
		same := func(o *Server) bool { return o != s && o.Set == s.Set && o.ID == ref.ServerID }
		if found := Only(g.Servers, same); found != nil {
			return found, v1alpha1.ClueServerID
		}
	}
	if ref.UUID == "" && ref.ServerID == 0 {
		if found := Only(g.Servers, func(o *Server) bool { return o != s && o.feeds(s) }); found != nil {
			return found, v1alpha1.ClueReceiver
		}
	}
	// No server has the UUID: the one that had it does not answer, or has been recreated.
	if named != nil {
		return named, v1alpha1.CluePodName
	}
	if address, err := netip.ParseAddr(ref.Host); err == nil {
		at := func(o *Server) bool {
			ip, err := netip.ParseAddr(o.Pod.Status.PodIP)
			return err == nil && ip == address && o != s
		}
		if found := Only(g.Servers, at); found != nil {
			return found, v1alpha1.ClueAddress
		}
	}
	// A Service may lead to a server that is none of the graph's: then the UUID is right.
	notKnownAsOther := func(o *Server) bool {
		return o != s && (ref.UUID == "" || o.UUID == "" || o.UUID == ref.UUID)
	}
	if pods := g.podsOfHost(ref.Host, s.Pod.Namespace); len(pods) > 0 {
		behind := func(o *Server) bool { return slices.Contains(pods, o.Name()) && notKnownAsOther(o) }
		if found := Only(g.Servers, behind); found != nil {
			return found, v1alpha1.ClueService
		}
		// Of several behind a Service it is the one that does not replicate itself.
		root := func(o *Server) bool { return behind(o) && len(o.Channels) == 0 && (o.Answered || o.Set == s.Set) }
		if found := Only(g.Servers, root); found != nil {
			return found, v1alpha1.ClueService
		}
	}
	return nil, ""
}

// feeds reports whether a server knows another as one that receives from it: by its pod's address, or by its pod's name within a namespace.
func (s *Server) feeds(o *Server) bool {
	return slices.ContainsFunc(s.Receivers, func(r Receiver) bool {
		byAddress := slices.ContainsFunc(o.Pod.Status.PodIPs, func(ip corev1.PodIP) bool { return ip.IP == r.Address })
		return byAddress && !o.Pod.Spec.HostNetwork || r.Name == o.Pod.Name && o.Pod.Namespace == s.Pod.Namespace
	})
}

// Only is the one server for which a test holds; nil if there is none, or more.
func Only(list []*Server, matches func(*Server) bool) *Server {
	var found *Server
	for _, s := range list {
		if !matches(s) {
			continue
		}
		if found != nil {
			return nil
		}
		found = s
	}
	return found
}

// isPodHost reports whether a host is a pod's DNS name as its neighbours write it: mysql-0, mysql-0.mysql, mysql-0.mysql.shop.svc…
func isPodHost(o, from *Server, ref Ref) bool {
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(ref.Host), "."), ".")
	if parts[0] != strings.ToLower(cmp.Or(o.Pod.Spec.Hostname, o.Pod.Name)) {
		return false
	}
	namespace := from.Pod.Namespace
	if len(parts) > 2 {
		namespace = parts[2]
	}
	if len(parts) > 1 && o.Pod.Spec.Subdomain != "" && parts[1] != o.Pod.Spec.Subdomain && parts[1] != "svc" {
		return false
	}
	return o.Pod.Namespace == namespace && (ref.Port == 0 || int(ref.Port) == o.Port)
}

// podsOfHost are the pods, as namespace/name, that the Service with this DNS name or cluster IP selects.
func (g *Graph) podsOfHost(host, namespace string) []string {
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(host), "."), ".")
	if len(parts) > 1 {
		namespace = parts[1]
	}
	isHost := func(service *corev1.Service) bool { return service.Namespace == namespace && service.Name == parts[0] }
	if _, err := netip.ParseAddr(host); err == nil {
		isHost = func(service *corev1.Service) bool { return objects.HasClusterIP(service, host) }
	}
	var list []string
	for i := range g.services {
		service := &g.services[i]
		if !isHost(service) {
			continue
		}
		for _, s := range g.Servers {
			if s.Pod.Namespace == service.Namespace && objects.Selects(service, s.Pod.Labels) {
				list = append(list, s.Name())
			}
		}
	}
	return list
}

// missingPod is the name of the pod of the replica's own StatefulSet that is its source and does not exist.
func missingPod(s *Server, c *Channel) string {
	host, _, _ := strings.Cut(strings.ToLower(c.Ref.Host), ".")
	set, ok := strings.CutPrefix(s.Set.Group, "statefulset/")
	if _, isOrdinal := objects.OrdinalOf(host, set); !ok || !isOrdinal {
		return ""
	}
	for _, o := range s.Set.Servers {
		if o.Pod.Name == host {
			return ""
		}
	}
	return host
}

// Missing are the names of pods that a StatefulSet lacks between those that it has.
func (s *Set) Missing() []string {
	name, ok := strings.CutPrefix(s.Group, "statefulset/")
	if !ok {
		return nil
	}
	var ordinals []int32
	for _, o := range s.Servers {
		if n, isOrdinal := objects.OrdinalOf(o.Pod.Name, name); isOrdinal {
			ordinals = append(ordinals, n)
		}
	}
	slices.Sort(ordinals)
	var missing []string
	for i := 1; i < len(ordinals); i++ {
		for n := ordinals[i-1] + 1; n < ordinals[i]; n++ {
			missing = append(missing, fmt.Sprintf("%s-%d", name, n))
		}
	}
	return missing
}

// Placed is a server's place in a tree.
type Placed struct {
	*Server
	Depth int32 // 0 for a root
}

// Tree orders the servers of a set: roots by name, each followed by its replicas. A server that stands in a cycle, or has several sources,
// comes where it is met first. A group with a primary is a tree of two levels.
func (s *Set) Tree() []Placed {
	var order []Placed
	visited := map[*Server]bool{}
	var visit func(*Server, int32)
	visit = func(o *Server, depth int32) {
		if visited[o] {
			return
		}
		visited[o] = true
		order = append(order, Placed{o, depth})
		for _, r := range o.Replicas {
			visit(r, depth+1)
		}
	}
	isRoot := func(o *Server) bool {
		return !slices.ContainsFunc(o.Links, func(l *Link) bool { return l.Source != nil && l.Source.Set == s })
	}
	for _, withReplicas := range []bool{true, false} {
		for _, o := range s.Servers {
			if isRoot(o) && (len(o.Replicas) > 0) == withReplicas {
				visit(o, 0)
			}
		}
	}
	for _, o := range s.Servers { // cycles have no root
		visit(o, 0)
	}
	primary := s.GroupPrimary()
	if primary == nil {
		return order
	}
	levels := []Placed{{primary, 0}}
	for _, o := range s.Servers {
		if o != primary {
			i := slices.IndexFunc(order, func(p Placed) bool { return p.Server == o })
			levels = append(levels, Placed{o, max(order[i].Depth, 1)})
		}
	}
	return levels
}

// Root is where a server's transactions come from: it follows first sources up to one that has none in the set. In a cycle it is nil.
func (s *Server) Root() *Server {
	for range s.Set.Servers {
		i := slices.IndexFunc(s.Links, func(l *Link) bool { return l.Source != nil && l.Source.Set == s.Set })
		if i < 0 {
			return s
		}
		s = s.Links[i].Source
	}
	return nil
}

// Follows reports whether the server replicates from another, directly or not.
func (s *Server) Follows(other *Server) bool {
	seen := map[*Server]bool{}
	var visit func(*Server) bool
	visit = func(o *Server) bool {
		if seen[o] {
			return false
		}
		seen[o] = true
		for _, l := range o.Links {
			if l.Source != nil && (l.Source == other || visit(l.Source)) {
				return true
			}
		}
		return false
	}
	return visit(s)
}

// byName sorts mysql-2 before mysql-10.
func byName(list []*Server) {
	slices.SortFunc(list, func(a, b *Server) int { return objects.CompareNames(a.Pod.Name, b.Pod.Name) })
}
