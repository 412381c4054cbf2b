package mysqltopology

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Analyze turns a snapshot into the report: sets by namespace and name, their servers as a tree, findings the worst first.
func Analyze(s *Snapshot, now time.Time) *v1alpha1.MySQLTopologyList {
	report := &v1alpha1.MySQLTopologyList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindMySQLTopologyList},
		Items:    []v1alpha1.MySQLTopology{},
	}
	x := newIndex(s, now)
	x.resolve()
	for _, set := range x.sets {
		report.Items = append(report.Items, x.analyzeSet(set))
	}
	conclude(report)
	report.Problems = x.problems()
	return report
}

// NotYetAnswered is why nothing is known of a server whose first answer is being waited for.
const NotYetAnswered = "it has not answered yet"

// Findings are those of all sets.
func Findings(report *v1alpha1.MySQLTopologyList) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for i := range report.Items {
		list = append(list, report.Items[i].Findings...)
	}
	return list
}

// index is the snapshot's servers, by set.
type index struct {
	*Snapshot
	now     time.Time
	servers []*server
	sets    []*set
}

func newIndex(s *Snapshot, now time.Time) *index {
	x := &index{Snapshot: s, now: now}
	byKey := map[string]*set{}
	for i := range s.Pods {
		detected, ok := mysql.Engine.Detect(&s.Pods[i])
		if !ok {
			continue
		}
		o := decode(detected, s.Servers[detected.Name()])
		o.progress = objects.ProgressOf(detected.Pod, now)
		key := detected.Pod.Namespace + "/" + detected.Group()
		if byKey[key] == nil {
			byKey[key] = &set{namespace: detected.Pod.Namespace, group: detected.Group()}
			x.sets = append(x.sets, byKey[key])
		}
		o.set = byKey[key]
		o.set.servers = append(o.set.servers, o)
		x.servers = append(x.servers, o)
	}
	slices.SortFunc(x.sets, func(a, b *set) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), objects.CompareNames(a.name(), b.name()), cmp.Compare(a.group, b.group))
	})
	return x
}

func (x *index) analyzeSet(set *set) v1alpha1.MySQLTopology {
	t := v1alpha1.MySQLTopology{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindMySQLTopology},
		Metadata: v1alpha1.ObjectMeta{Namespace: set.namespace, Name: set.name()},
		Flavour:  flavourOf(set.servers[0]),
	}
	if strings.Contains(set.group, "/") {
		t.Owner = set.group
	}
	order := set.tree()
	if primary := set.groupPrimary(); primary != nil { // a group is a tree of two levels
		order = order[:0]
		order = append(order, primary)
		for _, o := range set.servers {
			if o != primary {
				o.report.Depth = max(o.report.Depth, 1)
				order = append(order, o)
			}
		}
	}
	for _, o := range order {
		x.describe(o)
	}
	t.Replication = set.replication()
	for _, o := range order {
		t.Servers = append(t.Servers, o.report)
	}
	t.Services = x.servicesOf(set)
	t.Findings = x.findings(set, &t)
	x.judge(set, &t)
	return t
}

// flavourOf names where a server comes from: the operator or chart, else the image.
func flavourOf(s *server) string {
	for _, c := range s.Pod.Spec.Containers {
		if c.Name == s.Container && s.Flavour.Name == "image" {
			return "image " + c.Image
		}
	}
	return s.Flavour.Name
}

// describe fills in a server's report.
func (x *index) describe(s *server) {
	r := &s.report
	r.Pod, r.Container = s.Pod.Name, s.Container
	r.Ready = objects.PodReady(s.Pod)
	r.Node, r.IP, r.CreationTimestamp = s.Pod.Spec.NodeName, s.Pod.Status.PodIP, s.Pod.CreationTimestamp
	if node := x.nodeOf(s); node != nil {
		class := capacity.Classify(node)
		r.Zone, r.CapacityType = class.Zone, class.CapacityType
	}
	if primary := s.LabelledPrimary(); primary != nil {
		r.LabelledRole = "replica"
		if *primary {
			r.LabelledRole = "primary"
		}
	}
	r.Via, r.User = s.said.Via, s.said.User
	r.Role = s.role()
	if !s.answered {
		r.Unreachable = "it was not asked"
		if s.said.Failure != nil {
			r.Unreachable = s.said.Failure.Message
		}
		return
	}
	r.Answers = s.said.Answers
	r.Product, r.Distribution = string(s.version.Product), s.version.Distribution
	r.Version = s.version.String()
	if s.id != 0 {
		r.ServerID = &s.id
	}
	r.ServerUUID = s.uuid
	r.ReadOnly, r.SuperReadOnly = onOff(s.variables, "read_only"), onOff(s.variables, "super_read_only")
	r.GTIDMode = s.variables.Text("gtid_mode")
	if s.version.Product == mysql.MariaDB {
		r.GTIDMode = "GTID"
	}
	if s.again.known {
		r.GTIDExecuted = cmp.Or(s.again.executed.String(), s.again.current.String(), s.again.binlogPos.String())
	}
	r.Group, r.Galera = s.groupMember(), s.galeraNode()
	for _, c := range s.channels {
		s.compare(c)
		r.Channels = append(r.Channels, c.report)
	}
}

func (x *index) nodeOf(s *server) *corev1.Node {
	for i := range x.Nodes {
		if x.Nodes[i].Name == s.Pod.Spec.NodeName {
			return &x.Nodes[i]
		}
	}
	return nil
}

// onOff is a variable that is ON or OFF, 1 or 0; nil if the server has none. MariaDB 11 and later have further words, all of which
// are a kind of ON.
func onOff(row mysql.Row, names ...string) *bool {
	switch value := row.First(names...); strings.ToUpper(value) {
	case "":
		return nil
	case "OFF", "0", "NO", "FALSE":
		return pointer(false)
	}
	return pointer(true)
}

func isOn(row mysql.Row, names ...string) bool {
	value := onOff(row, names...)
	return value != nil && *value
}

func (s *server) writable() bool { return s.answered && !isOn(s.variables, "read_only") }

func (s *server) role() v1alpha1.MySQLRole {
	switch {
	case !s.answered:
		return v1alpha1.RoleUnknown
	case s.inGalera():
		return v1alpha1.RoleNode
	case s.inGroup():
		switch self := s.self(); {
		case self.Text("MEMBER_STATE") == stateOffline:
			return v1alpha1.RoleOutside
		case self.Text("MEMBER_ROLE") == "PRIMARY", self.Text("MEMBER_ROLE") == "" && s.writable(): // 5.7 has no column for it
			return v1alpha1.RolePrimary
		}
		return v1alpha1.RoleSecondary
	case s.channelsUnknown:
		return v1alpha1.RoleUnknown
	case len(s.channels) > 0 && len(s.replicas) > 0:
		return v1alpha1.RoleRelay
	case len(s.channels) > 0:
		return v1alpha1.RoleReplica
	case len(s.replicas) == 0 && len(s.set.servers) == 1:
		return v1alpha1.RoleStandalone
	}
	return v1alpha1.RoleSource
}

// Words of Group Replication.
const (
	stateOnline      = "ONLINE"
	stateOffline     = "OFFLINE"
	stateUnreachable = "UNREACHABLE"
)

// stateSynced is that of a Galera node that takes part.
const stateSynced = "Synced"

// inGroup tells whether a server is configured for Group Replication, whether or not it is in its group.
func (s *server) inGroup() bool {
	return s.answered && s.version.Product == mysql.MySQL && s.variables.Text("group_replication_group_name") != ""
}

// self is a member's row about itself; empty before it has ever been in the group.
func (s *server) self() mysql.Row {
	for _, m := range s.members {
		if strings.EqualFold(m.Text("MEMBER_ID"), s.uuid) {
			return m
		}
	}
	offline := stateOffline
	return mysql.Row{"MEMBER_STATE": &offline}
}

func (s *server) groupMember() *v1alpha1.MySQLGroupMember {
	if !s.inGroup() {
		return nil
	}
	self := s.self()
	m := &v1alpha1.MySQLGroupMember{
		GroupName: s.variables.Text("group_replication_group_name"), State: self.Text("MEMBER_STATE"), Role: self.Text("MEMBER_ROLE"),
		Members: int32(len(s.members)),
	}
	for _, row := range s.members {
		if row.Text("MEMBER_STATE") == stateUnreachable {
			m.Unreachable++
		}
	}
	for _, row := range rows(s.answer(string(mysql.SubjectMemberStats))) {
		if strings.EqualFold(row.Text("MEMBER_ID"), s.uuid) {
			certify, ok := row.Int("COUNT_TRANSACTIONS_IN_QUEUE")
			apply, _ := row.Int("COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE")
			if ok {
				m.Queue = pointer(certify + apply)
			}
		}
	}
	return m
}

func (s *server) inGalera() bool { return s.answered && isOn(s.variables, "wsrep_on") }

func (s *server) galeraNode() *v1alpha1.GaleraNode {
	if !s.inGalera() {
		return nil
	}
	n := &v1alpha1.GaleraNode{
		ClusterStatus: s.status.Text("wsrep_cluster_status"), ClusterUUID: s.status.Text("wsrep_cluster_state_uuid"),
		State: s.status.Text("wsrep_local_state_comment"), Ready: isOn(s.status, "wsrep_ready"),
		FlowControlPaused: s.status.Text("wsrep_flow_control_paused"), ReceiveQueueAvg: s.status.Text("wsrep_local_recv_queue_avg"),
	}
	if size, ok := s.status.Int("wsrep_cluster_size"); ok {
		n.ClusterSize = &size
	}
	return n
}

// groupPrimary is the one primary of a group of the set; nil where there is none, or more.
func (s *set) groupPrimary() *server {
	return only(s.servers, func(o *server) bool { return o.inGroup() && o.role() == v1alpha1.RolePrimary })
}

func (s *set) replication() v1alpha1.MySQLReplication {
	has := func(test func(*server) bool) bool { return slices.ContainsFunc(s.servers, test) }
	switch {
	case has((*server).inGalera):
		return v1alpha1.ReplicationGalera
	case has((*server).inGroup):
		return v1alpha1.ReplicationGroup
	case has(func(o *server) bool { return len(o.channels) > 0 }):
		if has(func(o *server) bool {
			return isOn(o.variables, "rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled") && len(o.replicas) > 0
		}) {
			return v1alpha1.ReplicationSemiSync
		}
		return v1alpha1.ReplicationAsynchronous
	case has(func(o *server) bool { return !o.answered || o.channelsUnknown }):
		return v1alpha1.ReplicationUnknown
	}
	return v1alpha1.ReplicationNone
}

// compare finds how far a replica is behind its source, and what it has that its source has not.
func (s *server) compare(c *channel) {
	if c.source == nil || !c.source.answered || c.source.version.Product != s.version.Product {
		return
	}
	// The source's first answer is older than the replica's second: what is missing is really missing.
	before, now := c.source.first, s.again
	r := &c.report
	switch {
	case s.version.Product == mysql.MariaDB && before.known && now.known:
		position := before.binlogPos
		if len(position) == 0 {
			position = before.current
		}
		r.BehindTransactions = pointer(now.applied().Behind(position))
	case s.gtidOn() && c.source.gtidOn() && before.known && now.known:
		r.BehindTransactions = pointer(before.executed.Subtract(now.executed).Count())
	default:
		r.BehindBytes = s.bytesBehind(c)
	}
	r.ErrantGTIDs = s.errant()
}

// applied is what a MariaDB server has, from its source or of its own.
func (t transactions) applied() mysql.MariaDBPosition {
	return slices.Concat(t.current, t.slavePos, t.binlogPos)
}

func (s *server) gtidOn() bool { return strings.HasPrefix(s.variables.Text("gtid_mode"), "ON") }

// bytesBehind is the distance in the source's binary log, if it writes the same file that the replica applies.
func (s *server) bytesBehind(c *channel) *int64 {
	a := c.source.answer(string(mysql.SubjectBinlog))
	if a == nil || len(a.Rows) == 0 {
		return nil
	}
	row := mysql.Row(a.Rows[0])
	at, okAt := row.Int("Position")
	done, okDone := c.row.Int("Exec_Source_Log_Pos", "Exec_Master_Log_Pos")
	if row.Text("File") != c.row.First("Relay_Source_Log_File", "Relay_Master_Log_File") || !okAt || !okDone {
		return nil
	}
	return pointer(max(0, at-done))
}

// errant are the transactions that a replica had at first and that none of its sources has in the end, as the server prints them. It
// is empty where that can't be told: a source did not answer, or replicates from this server itself.
func (s *server) errant() string {
	mine := s.first
	if !mine.known || len(s.channels) == 0 {
		return ""
	}
	theirs := mysql.GTIDSet{}
	var state, slavePos mysql.MariaDBPosition
	for _, c := range s.channels {
		o := c.source
		if o == nil || !o.answered || !o.again.known || o.version.Product != s.version.Product || o.follows(s) {
			return ""
		}
		theirs = theirs.Union(o.again.executed)
		state, slavePos = append(state, o.again.binlogState...), append(slavePos, o.again.slavePos...)
		if s.version.Product == mysql.MariaDB && !isOn(o.variables, "log_bin") || s.version.Product == mysql.MySQL && !o.gtidOn() {
			return ""
		}
	}
	if s.version.Product == mysql.MariaDB {
		return mine.binlogState.Without(state, slavePos).String()
	}
	return mine.executed.Subtract(theirs).String()
}

// servicesOf are the Services that select servers of a set, by name.
func (x *index) servicesOf(set *set) []v1alpha1.MySQLService {
	var list []v1alpha1.MySQLService
	for i := range x.Services {
		service := &x.Services[i]
		if service.Namespace != set.namespace {
			continue
		}
		v := v1alpha1.MySQLService{Name: service.Name, Purpose: purposeOf(service, set.servers[0].Flavour.Role), Headless: objects.Headless(service)}
		for _, o := range set.servers {
			if objects.Selects(service, o.Pod.Labels) {
				v.Selects = append(v.Selects, o.Pod.Name)
			}
		}
		reaches, known := x.reached(service, set)
		v.Reaches, v.ReachesUnknown = reaches, !known
		if len(v.Selects) > 0 || len(v.Reaches) > 0 {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b v1alpha1.MySQLService) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// reached are the pods of a set that a Service reaches.
func (x *index) reached(service *corev1.Service, set *set) (pods []string, known bool) {
	if _, failed := x.Problems[subjectEndpoints]; failed {
		return nil, false
	}
	reached := map[string]bool{}
	for i := range x.EndpointSlices {
		slice := &x.EndpointSlices[i]
		if slice.Namespace != service.Namespace || objects.ServiceOf(slice) != service.Name {
			continue
		}
		for _, o := range set.servers {
			if objects.Reaches(slice, o.Pod.Name, o.Pod.Status.PodIP) {
				reached[o.Pod.Name] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(reached), objects.CompareNames), true
}

// Parts of the names by which Services for writing and for reading are known.
var (
	writeWords = []string{"primary", "master", "write", "writer", "rw", "leader", "source"}
	readWords  = []string{"read", "reader", "readonly", "ro", "replica", "replicas", "secondary", "slave", "follower", "readers"}
)

// purposeOf tells what a Service is for: by the role in its selector, by the label readonly, by the words of its name.
func purposeOf(service *corev1.Service, role *dbserver.RoleLabel) v1alpha1.MySQLServicePurpose {
	if role != nil {
		switch service.Spec.Selector[role.Key] {
		case role.Primary:
			return v1alpha1.ServiceForWriting
		case role.Replica:
			return v1alpha1.ServiceForReading
		}
	}
	if service.Labels["readonly"] == "true" {
		return v1alpha1.ServiceForReading
	}
	words := strings.FieldsFunc(service.Name, func(r rune) bool { return r == '-' || r == '.' })
	contains := func(list []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	switch {
	case contains([]string{"read", "readonly", "ro"}) && !contains([]string{"write"}):
		return v1alpha1.ServiceForReading
	case contains(writeWords):
		return v1alpha1.ServiceForWriting
	case contains(readWords):
		return v1alpha1.ServiceForReading
	}
	return v1alpha1.ServiceForAny
}

// problems are what could not be read: of the cluster, then servers that did not answer, then statements that they refused, each
// cause once.
func (x *index) problems() []v1alpha1.Problem {
	var list []v1alpha1.Problem
	for _, key := range slices.Sorted(maps.Keys(x.Problems)) {
		list = append(list, x.Problems[key])
	}
	type refusal struct {
		number  int64
		message string
	}
	subjects, servers := map[refusal][]string{}, map[refusal][]string{}
	var failures []v1alpha1.Problem
	alike := map[string][]string{} // servers by the failure without its subject
	var order []refusal
	for _, set := range x.sets {
		for _, s := range set.servers {
			if s.said.Failure != nil {
				p := *s.said.Failure
				cause := string(p.Reason) + strings.ReplaceAll(p.Message+p.Remedy, s.Pod.Name, "")
				if len(alike[cause]) == 0 {
					failures = append(failures, p)
				}
				alike[cause] = append(alike[cause], s.Pod.Name)
			}
			for _, a := range s.said.Answers {
				if a.Error == nil || a.Error.Number == mysql.ErrWSREPNotReady {
					continue
				}
				r := refusal{number: a.Error.Number, message: a.Error.Message}
				if mysql.IsMissingPrivilege(&mysql.ServerError{Number: int(r.number)}) {
					r.message = withoutTable(r.message)
				}
				if len(servers[r]) == 0 {
					order = append(order, r)
				}
				if !slices.Contains(subjects[r], a.Subject) {
					subjects[r] = append(subjects[r], a.Subject)
				}
				if !slices.Contains(servers[r], s.Pod.Name) {
					servers[r] = append(servers[r], s.Pod.Name)
				}
			}
		}
	}
	for _, p := range failures {
		pod := strings.TrimPrefix(p.Subject, "server ")
		cause := string(p.Reason) + strings.ReplaceAll(p.Message+p.Remedy, pod, "")
		if names := alike[cause]; len(names) > 1 {
			p.Subject = "servers " + finding.Some(names)
		}
		list = append(list, p)
	}
	for _, r := range order {
		p := v1alpha1.Problem{
			Subject: fmt.Sprintf("%s of %s", strings.Join(subjects[r], ", "), finding.Some(servers[r])),
			Reason:  v1alpha1.ReasonUnavailable, Message: r.message,
		}
		if r.number != 0 {
			p.Message = fmt.Sprintf("error %d: %s", r.number, r.message)
		}
		if mysql.IsMissingPrivilege(&mysql.ServerError{Number: int(r.number)}) {
			p.Reason, p.Remedy = v1alpha1.ReasonForbidden, "grant this privilege, see docs/rbac.md"
		}
		list = append(list, p)
	}
	return list
}

// withoutTable makes the refusals of a schema's tables alike: SELECT command denied … for table 'x'.
func withoutTable(message string) string {
	before, _, found := strings.Cut(message, " for table ")
	if !found {
		return message
	}
	return before + " for tables of performance_schema"
}
