package mysqltopology

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
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// server is a server with what it said, decoded.
type server struct {
	dbserver.Server
	said     ServerSnapshot
	answered bool
	// progress is how far its pod is on its way.
	progress  objects.Progress
	variables mysql.Row
	status    mysql.Row
	version   mysql.Version
	id        int64 // 0 if unknown
	uuid      string
	// now is the server's clock at the end of its answers.
	now time.Time
	// first and again are what it had when it was asked and when all had been asked.
	first, again transactions
	channels     []*channel
	// channelsUnknown is true if nobody may tell whether it has any.
	channelsUnknown bool
	// members is its view of its group.
	members []mysql.Row
	// replicas are those of its set whose channels lead to it.
	replicas []*server
	set      *set
	report   v1alpha1.MySQLServer
}

// transactions is what a server has committed or applied.
type transactions struct {
	known bool
	// MySQL
	executed, purged mysql.GTIDSet
	// MariaDB
	current, slavePos, binlogPos, binlogState mysql.MariaDBPosition
}

// channel is one of a replica's channels.
type channel struct {
	row       mysql.Row // of SHOW REPLICA STATUS
	statement string
	receiver  mysql.Row // of performance_schema, nil without
	workers   []mysql.Row
	source    *server // nil if it is none of the snapshot's
	// missingPod is the name of a pod of the set that is the source and does not exist.
	missingPod string
	report     v1alpha1.MySQLChannel
}

// set is the servers of a group in one namespace, by name.
type set struct {
	namespace, group string
	servers          []*server
}

func (s *set) name() string { return dbserver.SetName(s.group) }

// decode reads what a server said. Columns that it does not have stay empty.
func decode(detected dbserver.Server, said ServerSnapshot) *server {
	s := &server{Server: detected, said: said, answered: said.Failure == nil && len(said.Answers) > 0}
	if !s.answered {
		return s
	}
	s.variables, s.status = pairs(s.answer(string(mysql.SubjectVariables))), pairs(s.answer(string(mysql.SubjectStatus)))
	s.version, _ = mysql.ParseVersion(s.variables.Text("version"), s.variables.Text("version_comment"))
	s.id, _ = s.variables.Int("server_id")
	s.uuid = strings.ToLower(s.variables.Text("server_uuid"))
	s.first = decodeTransactions(s.answer(string(mysql.SubjectGTID)))
	if s.again = decodeTransactions(s.answer(subjectGTIDAgain)); !s.again.known {
		s.again = s.first
	}
	if a := s.answer(string(mysql.SubjectGTID)); a != nil && len(a.Rows) > 0 {
		s.now, _ = parseTime(mysql.Row(a.Rows[0]).Text("now"))
	}
	s.members = rows(s.answer(string(mysql.SubjectMembers)))
	s.decodeChannels()
	return s
}

// answer is that on a subject; nil without one.
func (s *server) answer(subject string) *v1alpha1.MySQLAnswer {
	for i := range s.said.Answers {
		if s.said.Answers[i].Subject == subject {
			return &s.said.Answers[i]
		}
	}
	return nil
}

func rows(a *v1alpha1.MySQLAnswer) []mysql.Row {
	if a == nil {
		return nil
	}
	list := make([]mysql.Row, len(a.Rows))
	for i, row := range a.Rows {
		list[i] = row
	}
	return list
}

// pairs are the rows of SHOW VARIABLES and SHOW STATUS as one row.
func pairs(a *v1alpha1.MySQLAnswer) mysql.Row {
	all := mysql.Row{}
	for _, row := range rows(a) {
		all[row.Text("Variable_name")] = row["Value"]
	}
	return all
}

func decodeTransactions(a *v1alpha1.MySQLAnswer) transactions {
	var t transactions
	if a == nil || len(a.Rows) == 0 {
		return t
	}
	row := mysql.Row(a.Rows[0])
	var errs [6]error
	t.executed, errs[0] = mysql.ParseGTIDSet(row.Text("gtid_executed"))
	t.purged, errs[1] = mysql.ParseGTIDSet(row.Text("gtid_purged"))
	t.current, errs[2] = mysql.ParseMariaDBPosition(row.Text("gtid_current_pos"))
	t.slavePos, errs[3] = mysql.ParseMariaDBPosition(row.Text("gtid_slave_pos"))
	t.binlogPos, errs[4] = mysql.ParseMariaDBPosition(row.Text("gtid_binlog_pos"))
	t.binlogState, errs[5] = mysql.ParseMariaDBPosition(row.Text("gtid_binlog_state"))
	t.known = cmp.Or(errs[0], errs[1], errs[2], errs[3], errs[4], errs[5]) == nil
	return t
}

// Channels that Group Replication keeps for itself.
const groupChannels = "group_replication_"

func (s *server) decodeChannels() {
	status := s.answer(string(mysql.SubjectReplica))
	receivers := rows(s.answer(string(mysql.SubjectConnection)))
	workers := slices.Concat(rows(s.answer(string(mysql.SubjectCoordinator))), rows(s.answer(string(mysql.SubjectWorkers))))
	var list []*channel
	switch {
	case status != nil && status.Error == nil:
		for _, row := range rows(status) {
			list = append(list, &channel{row: row, statement: status.Statement})
		}
	case s.performanceSchema(): // it may be read where SHOW REPLICA STATUS may not
		for _, row := range receivers {
			list = append(list, &channel{row: fromPerformanceSchema(row, workers), statement: s.answer(string(mysql.SubjectConnection)).Statement})
		}
	default:
		s.channelsUnknown = true
	}
	for _, c := range list {
		name := c.row.First("Channel_Name", "Connection_name")
		if strings.HasPrefix(name, groupChannels) {
			continue
		}
		ofChannel := func(row mysql.Row) bool { return row.Text("CHANNEL_NAME") == name }
		if i := slices.IndexFunc(receivers, ofChannel); i >= 0 {
			c.receiver = receivers[i]
		}
		for _, row := range workers {
			if ofChannel(row) {
				c.workers = append(c.workers, row)
			}
		}
		c.decode(name, s)
		s.channels = append(s.channels, c)
	}
}

// performanceSchema tells whether the server keeps it and lets the plugin read of receivers.
func (s *server) performanceSchema() bool {
	a := s.answer(string(mysql.SubjectConnection))
	return a != nil && a.Error == nil && (len(a.Rows) > 0 || isOn(s.variables, "performance_schema"))
}

// fromPerformanceSchema is what a row of SHOW REPLICA STATUS would say, as far as a receiver and its appliers tell.
func fromPerformanceSchema(receiver mysql.Row, appliers []mysql.Row) mysql.Row {
	words := map[string]string{"ON": "Yes", "OFF": "No", "CONNECTING": "Connecting"}
	row := mysql.Row{
		"Channel_Name": receiver["CHANNEL_NAME"], "Source_UUID": receiver["SOURCE_UUID"],
		"Last_IO_Errno": receiver["LAST_ERROR_NUMBER"], "Last_IO_Error": receiver["LAST_ERROR_MESSAGE"],
	}
	if word := words[receiver.Text("SERVICE_STATE")]; word != "" {
		row["Replica_IO_Running"] = &word
	}
	for _, a := range appliers {
		if a.Text("CHANNEL_NAME") != receiver.Text("CHANNEL_NAME") {
			continue
		}
		if word := words[a.Text("SERVICE_STATE")]; word != "" {
			row["Replica_SQL_Running"] = &word
		}
		if n, ok := a.Int("LAST_ERROR_NUMBER"); ok && n != 0 {
			row["Last_SQL_Errno"], row["Last_SQL_Error"] = a["LAST_ERROR_NUMBER"], a["LAST_ERROR_MESSAGE"]
		}
	}
	return row
}

// decode reads the channel's own columns, in the words of any version.
func (c *channel) decode(name string, s *server) {
	r := &c.report
	r.Name = name
	r.Source.Host = c.row.First("Source_Host", "Master_Host")
	r.Source.Port, _ = c.row.Int("Source_Port", "Master_Port")
	r.Source.UUID = strings.ToLower(c.row.First("Source_UUID", "Master_UUID"))
	r.Source.ServerID, _ = c.row.Int("Source_Server_Id", "Master_Server_Id")
	r.Receiver = c.row.First("Replica_IO_Running", "Slave_IO_Running")
	r.Applier = c.row.First("Replica_SQL_Running", "Slave_SQL_Running")
	if r.Receiver == "Preparing" { // MariaDB's word for the time before it connects
		r.Receiver = "Connecting"
	}
	r.DelaySeconds, _ = c.row.Int("SQL_Delay")
	if n, ok := c.row.Int("Last_IO_Errno"); ok && n != 0 {
		r.ReceiverError = &v1alpha1.MySQLChannelError{Number: n, Message: oneLine(c.row.Text("Last_IO_Error"))}
	}
	if n, ok := c.row.Int("Last_SQL_Errno"); ok && n != 0 {
		r.ApplierError = &v1alpha1.MySQLChannelError{Number: n, Message: oneLine(c.row.Text("Last_SQL_Error"))}
		// The coordinator only says that a worker has failed.
		for _, w := range c.workers {
			if _, isWorker := w["WORKER_ID"]; !isWorker {
				continue
			}
			if number, ok := w.Int("LAST_ERROR_NUMBER"); ok && number != 0 && w.Text("LAST_ERROR_MESSAGE") != "" {
				r.ApplierError = &v1alpha1.MySQLChannelError{Number: number, Message: oneLine(w.Text("LAST_ERROR_MESSAGE"))}
				break
			}
		}
	}
	if auto := c.row.Text("Auto_Position"); auto != "" {
		r.AutoPosition = pointer(auto == "1")
	} else if using := c.row.Text("Using_Gtid"); using != "" {
		r.AutoPosition = pointer(using != "No")
	}
	c.decodeLag(s)
}

// sound tells whether both threads run.
func (c *channel) sound() bool { return c.report.Receiver == "Yes" && c.report.Applier == "Yes" }

// decodeLag finds out how late the applier is. The clock is the replica's own, that of the commits their source's.
func (c *channel) decodeLag(s *server) {
	r := &c.report
	switch {
	case r.Applier != "Yes":
		r.LagUnknown = "the applier is stopped"
		return
	case r.Receiver != "Yes":
		r.LagUnknown = "the receiver is not connected"
		return
	}
	delay := r.DelaySeconds * 1000
	if ms, ok := c.lagByCommits(s); ok {
		r.LagMilliseconds, r.LagFrom = pointer(max(0, ms-delay)), "commit timestamps"
		return
	}
	if seconds, ok := c.row.Int("Seconds_Behind_Source", "Seconds_Behind_Master"); ok {
		r.LagMilliseconds, r.LagFrom = pointer(max(0, seconds*1000-delay)), "seconds behind"
		return
	}
	r.LagUnknown = "the server does not tell"
}

// lagByCommits is the age of the oldest transaction that is being applied, or 0 if all that was received has been applied.
// MySQL tells from 8.0 on.
func (c *channel) lagByCommits(s *server) (ms int64, ok bool) {
	queued := c.receiver.Text("LAST_QUEUED_TRANSACTION")
	if _, tells := c.receiver["LAST_QUEUED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP"]; !tells || s.now.IsZero() {
		return 0, false
	}
	var oldest, applied time.Time
	var appliedLast bool
	for _, w := range c.workers {
		if t, ok := parseTime(w.Text("APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP")); ok && (oldest.IsZero() || t.Before(oldest)) {
			oldest = t
		}
		if t, ok := parseTime(w.Text("LAST_APPLIED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP")); ok && t.After(applied) {
			applied = t
		}
		appliedLast = appliedLast || queued != "" && queued != "ANONYMOUS" && w.Text("LAST_APPLIED_TRANSACTION") == queued
	}
	if !oldest.IsZero() {
		return max(0, s.now.Sub(oldest).Milliseconds()), true
	}
	if queued == "" || appliedLast {
		return 0, true
	}
	if set, err := mysql.ParseGTIDSet(queued); err == nil {
		return 0, s.first.known && set.Subtract(s.first.executed).Count() == 0
	}
	when, dated := parseTime(c.receiver.Text("LAST_QUEUED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP"))
	return 0, dated && !when.After(applied)
}

// parseTime reads a timestamp of the session's time zone; ok is false for none.
func parseTime(text string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02 15:04:05.999999", text)
	return t, err == nil && t.Year() > 0
}

// resolve ties every channel of the sets to the server that it leads to.
func (x *index) resolve() {
	for _, s := range x.servers {
		for _, c := range s.channels {
			c.source, c.report.Source.FoundBy = x.sourceOf(s, c)
			if c.source == nil {
				c.missingPod = missingPod(s, c)
				continue
			}
			source := c.source
			c.report.Source.Pod = source.Pod.Name
			if source.Pod.Namespace != s.Pod.Namespace {
				c.report.Source.Pod = source.Name()
			}
			if source.set != s.set {
				c.report.Source.Set = source.set.name()
			} else if !slices.Contains(source.replicas, s) {
				source.replicas = append(source.replicas, s)
			}
		}
	}
}

// sourceOf finds the server at the other end of a channel: by its UUID, by its server id where there are no UUIDs, by its host.
func (x *index) sourceOf(s *server, c *channel) (*server, string) {
	ref := c.report.Source
	named := only(x.servers, func(o *server) bool { return o != s && isPodHost(o, s, ref) })
	if ref.UUID != "" {
		if found := only(x.servers, func(o *server) bool { return o != s && o.uuid == ref.UUID }); found != nil {
			return found, "uuid"
		}
	} else if ref.ServerID != 0 {
		if named != nil && named.id == ref.ServerID { // another set may have the same ids
			return named, "server id"
		}
		same := func(o *server) bool { return o != s && o.set == s.set && o.id == ref.ServerID }
		if found := only(x.servers, same); found != nil {
			return found, "server id"
		}
	}
	// No server has the UUID: the one that had it does not answer, or has been made anew.
	if named != nil {
		return named, "pod name"
	}
	if address, err := netip.ParseAddr(ref.Host); err == nil {
		at := func(o *server) bool {
			ip, err := netip.ParseAddr(o.Pod.Status.PodIP)
			return err == nil && ip == address && o != s
		}
		if found := only(x.servers, at); found != nil {
			return found, "address"
		}
	}
	// A Service may lead to a server that is none of the snapshot's: then the UUID is right.
	notKnownAsOther := func(o *server) bool {
		return o != s && (ref.UUID == "" || o.uuid == "" || o.uuid == ref.UUID)
	}
	if pods := x.podsOfHost(ref.Host, s.Pod.Namespace); len(pods) > 0 {
		behind := func(o *server) bool { return slices.Contains(pods, o.Name()) && notKnownAsOther(o) }
		if found := only(x.servers, behind); found != nil {
			return found, "Service"
		}
		// Of several behind a Service it is the one that does not replicate itself.
		root := func(o *server) bool { return behind(o) && len(o.channels) == 0 && (o.answered || o.set == s.set) }
		if found := only(x.servers, root); found != nil {
			return found, "Service"
		}
	}
	return nil, ""
}

func only(list []*server, matches func(*server) bool) *server {
	var found *server
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

// isPodHost tells whether a host is a pod's DNS name as its neighbours write it: mysql-0, mysql-0.mysql, mysql-0.mysql.shop.svc…
func isPodHost(o, from *server, ref v1alpha1.MySQLSource) bool {
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
func (x *index) podsOfHost(host, namespace string) []string {
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(host), "."), ".")
	if len(parts) > 1 {
		namespace = parts[1]
	}
	isHost := func(service *corev1.Service) bool { return service.Namespace == namespace && service.Name == parts[0] }
	if _, err := netip.ParseAddr(host); err == nil {
		isHost = func(service *corev1.Service) bool { return objects.HasClusterIP(service, host) }
	}
	var list []string
	for i := range x.Services {
		service := &x.Services[i]
		if !isHost(service) {
			continue
		}
		for _, s := range x.servers {
			if s.Pod.Namespace == service.Namespace && objects.Selects(service, s.Pod.Labels) {
				list = append(list, s.Name())
			}
		}
	}
	return list
}

// missingPod is the name of the pod of the replica's own StatefulSet that is its source and does not exist.
func missingPod(s *server, c *channel) string {
	host, _, _ := strings.Cut(strings.ToLower(c.report.Source.Host), ".")
	name, isSet := strings.CutPrefix(s.set.group, "statefulset/")
	if _, isPod := objects.OrdinalOf(host, name); !isSet || !isPod {
		return ""
	}
	for _, o := range s.set.servers {
		if o.Pod.Name == host {
			return ""
		}
	}
	return host
}

// tree orders the servers of a set: roots by name, each followed by its replicas. A server that stands in a cycle, or has several
// sources, comes where it is met first.
func (s *set) tree() []*server {
	var order []*server
	var visit func(*server, int32)
	visit = func(o *server, depth int32) {
		if slices.Contains(order, o) {
			return
		}
		o.report.Depth = depth
		order = append(order, o)
		byName(o.replicas)
		for _, r := range o.replicas {
			visit(r, depth+1)
		}
	}
	isRoot := func(o *server) bool {
		return !slices.ContainsFunc(o.channels, func(c *channel) bool { return c.source != nil && c.source.set == s })
	}
	byName(s.servers)
	for _, withReplicas := range []bool{true, false} {
		for _, o := range s.servers {
			if isRoot(o) && (len(o.replicas) > 0) == withReplicas {
				visit(o, 0)
			}
		}
	}
	for _, o := range s.servers { // cycles have no root
		visit(o, 0)
	}
	return order
}

// root is where a server's transactions come from: it follows first sources up to one that has none in the set. In a cycle it is
// nil.
func (s *server) root() *server {
	for range s.set.servers {
		i := slices.IndexFunc(s.channels, func(c *channel) bool { return c.source != nil && c.source.set == s.set })
		if i < 0 {
			return s
		}
		s = s.channels[i].source
	}
	return nil
}

// follows tells whether the server replicates from another, directly or not.
func (s *server) follows(other *server) bool {
	seen := map[*server]bool{}
	var visit func(*server) bool
	visit = func(o *server) bool {
		if seen[o] {
			return false
		}
		seen[o] = true
		for _, c := range o.channels {
			if c.source != nil && (c.source == other || visit(c.source)) {
				return true
			}
		}
		return false
	}
	return visit(s)
}

// byName sorts mysql-2 before mysql-10.
func byName(list []*server) {
	slices.SortFunc(list, func(a, b *server) int { return objects.CompareNames(a.Pod.Name, b.Pod.Name) })
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func pointer[T any](value T) *T { return &value }

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
