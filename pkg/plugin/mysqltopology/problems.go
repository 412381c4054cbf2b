package mysqltopology

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	timeutil "k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// A replica is late, and stale, from these lags on, in milliseconds.
const (
	lateMilliseconds  = 10_000
	StaleMilliseconds = 60_000 // nobody would promote it without loss
)

// A Galera node holds the others up from these on.
const (
	flowControlShare = 0.1
	receiveQueue     = 0.5
)

// judge collects the findings of one set.
type judge struct {
	*index
	set      *set
	topology *v1alpha1.MySQLTopology
	list     []v1alpha1.Finding
	// sourceGone are the unreachable or missing sources that a finding tells of: their replicas' receivers need none of their own.
	sourceGone map[string]bool
	// silenced are the servers that do not answer, and that a finding of their own tells of.
	silenced map[string]bool
}

// findings are what is wrong with a set, the worst first.
func (x *index) findings(set *set, t *v1alpha1.MySQLTopology) []v1alpha1.Finding {
	j := &judge{index: x, set: set, topology: t, sourceGone: map[string]bool{}, silenced: map[string]bool{}}
	j.unreachableSources()
	j.silentServers()
	j.sources()
	j.identities()
	switch t.Replication {
	case v1alpha1.ReplicationGroup:
		j.group()
	case v1alpha1.ReplicationGalera:
		j.galera()
	}
	for _, s := range set.servers {
		for _, c := range s.channels {
			j.threads(s, c)
			j.lag(s, c)
			j.channelSettings(s, c)
		}
		j.server(s)
		j.semiSync(s)
	}
	j.readiness()
	j.services()
	j.placement()
	finding.Sort(j.list)
	return j.list
}

// add adds a finding about pods, with the place in the documentation that explains it.
func (j *judge) add(code v1alpha1.Code, severity v1alpha1.Severity, pods []string, evidence []v1alpha1.Evidence, format string, args ...any) {
	objects := make([]string, len(pods))
	for i, pod := range pods {
		objects[i] = "pod/" + pod
	}
	f := finding.New(code, severity, objects, "", format, args...)
	f.Evidence = evidence
	j.list = append(j.list, f)
}

// evidence is what a server answered to the statement of a subject: the columns that it has of those named. Variables and
// statuses are rows of their answers.
func (s *server) evidence(subject mysql.Subject, columns ...string) []v1alpha1.Evidence {
	a := s.answer(string(subject))
	if a == nil || len(a.Rows) == 0 {
		return nil
	}
	row := mysql.Row(a.Rows[0])
	if subject == mysql.SubjectVariables || subject == mysql.SubjectStatus {
		row = pairs(a)
	}
	return unlessEmpty(evidenceOf(s, a.Statement, row, columns))
}

// evidence is that of a channel's row, with the channel's name where it has one.
func (c *channel) evidence(s *server, columns ...string) []v1alpha1.Evidence {
	if c.report.Name != "" {
		columns = append([]string{"Channel_Name", "Connection_name"}, columns...)
	}
	return unlessEmpty(evidenceOf(s, c.statement, c.row, columns))
}

// unlessEmpty leaves out what has none of the columns.
func unlessEmpty(e v1alpha1.Evidence) []v1alpha1.Evidence {
	if len(e.Values) == 0 {
		return nil
	}
	return []v1alpha1.Evidence{e}
}

func evidenceOf(s *server, statement string, row mysql.Row, columns []string) v1alpha1.Evidence {
	e := v1alpha1.Evidence{Object: "pod/" + s.Pod.Name, Query: statement, Values: map[string]string{}}
	for _, column := range columns {
		if value, ok := row[column]; ok {
			e.Values[column] = "NULL"
			if value != nil {
				e.Values[column] = oneLine(*value)
			}
		}
	}
	return e
}

// Columns of the two threads, in the words of all versions.
var (
	receiverColumns = []string{"Replica_IO_Running", "Slave_IO_Running", "Last_IO_Errno", "Last_IO_Error", "Source_Host", "Master_Host"}
	applierColumns  = []string{"Replica_SQL_Running", "Slave_SQL_Running", "Last_SQL_Errno", "Last_SQL_Error"}
	lagColumns      = []string{"Seconds_Behind_Source", "Seconds_Behind_Master", "SQL_Delay", "SQL_Remaining_Delay"}
)

// sources looks for the server that takes the writes.
func (j *judge) sources() {
	j.cycles()
	if len(j.set.servers) == 1 || j.topology.Replication == v1alpha1.ReplicationGroup || j.topology.Replication == v1alpha1.ReplicationGalera {
		return
	}
	var candidates, orphans []*server
	unknown, outside, inCycle := false, false, false
	for _, s := range j.set.servers {
		switch {
		case !s.answered, s.channelsUnknown, s.starting() && len(s.channels) == 0: // it may not have been told yet
			unknown = true
		case len(s.channels) > 0:
			outside = outside || slices.ContainsFunc(s.channels, func(c *channel) bool { return c.source == nil || c.source.set != j.set })
			inCycle = inCycle || s.follows(s)
		case s.writable() || len(s.replicas) > 0:
			candidates = append(candidates, s)
		default:
			orphans = append(orphans, s)
		}
	}
	switch {
	case len(candidates) > 1:
		var evidence []v1alpha1.Evidence
		var reasons []string
		for _, s := range candidates {
			evidence = append(evidence, s.evidence(mysql.SubjectVariables, "read_only")...)
			reasons = append(reasons, fmt.Sprintf("%s (%s)", s.Pod.Name, s.claim()))
		}
		if collects := j.collector(candidates); collects != nil {
			j.add(v1alpha1.CodeSeveralSources, v1alpha1.SeverityInfo, podNames(candidates), evidence,
				"%d servers of the set replicate from nobody: %s; %s gets what is written to each", len(candidates), strings.Join(reasons, ", "), collects.Pod.Name)
			break
		}
		j.add(v1alpha1.CodeSeveralSources, v1alpha1.SeverityCritical, podNames(candidates), evidence,
			"%d servers of the set replicate from nobody: %s; what is written to one the others never get", len(candidates), strings.Join(reasons, ", "))
	case len(candidates) == 0 && !unknown && !outside && !inCycle:
		var evidence []v1alpha1.Evidence
		for _, s := range j.set.servers {
			evidence = append(evidence, s.evidence(mysql.SubjectVariables, "read_only")...)
		}
		j.add(v1alpha1.CodeNoSource, v1alpha1.SeverityCritical, podNames(j.set.servers), evidence,
			"no server takes writes: all of %s are read-only and replicate from nobody", strings.Join(podNames(j.set.servers), ", "))
		return // each is an orphan
	}
	for _, s := range orphans {
		j.add(v1alpha1.CodeReceiverStopped, v1alpha1.SeverityCritical, podNames([]*server{s}), s.evidence(mysql.SubjectVariables, "read_only"),
			"%s%s is read-only and replicates from nobody: it has no channel, so its data stays as it is", s.Pod.Name, s.readiness())
	}
}

// collector is a server that replicates from each of several sources; nil without one.
func (j *judge) collector(sources []*server) *server {
	i := slices.IndexFunc(j.set.servers, func(s *server) bool {
		return !slices.ContainsFunc(sources, func(o *server) bool { return !s.follows(o) })
	})
	if i < 0 {
		return nil
	}
	return j.set.servers[i]
}

// claim says why a server without a channel counts as a source.
func (s *server) claim() string {
	var reasons []string
	if s.writable() {
		reasons = append(reasons, "writable")
	}
	if n := len(s.replicas); n > 0 {
		reasons = append(reasons, count(n, "replica"))
	}
	return strings.Join(reasons, ", ")
}

// unreachableSources tells of sources that did not answer, or that have no pod, by what their replicas say.
func (j *judge) unreachableSources() {
	type lost struct {
		why      string
		replicas []*server
		channels []*channel
	}
	found := map[string]*lost{}
	var order []string
	for _, s := range j.set.servers {
		for _, c := range s.channels {
			name, why := c.missingPod, "it has no pod"
			if c.source != nil && c.source.set == j.set && !c.source.answered {
				name = c.source.Pod.Name
				why = "it does not answer"
			}
			if name == "" {
				continue
			}
			if found[name] == nil {
				found[name] = &lost{why: why}
				order = append(order, name)
			}
			found[name].replicas = append(found[name].replicas, s)
			found[name].channels = append(found[name].channels, c)
		}
	}
	for _, name := range order {
		l := found[name]
		source := only(j.set.servers, func(s *server) bool { return s.Pod.Name == name })
		var evidence []v1alpha1.Evidence
		receiving, reason := []string{}, ""
		for i, c := range l.channels {
			evidence = append(evidence, c.evidence(l.replicas[i], receiverColumns...)...)
			if c.report.Receiver == "Yes" {
				receiving = append(receiving, l.replicas[i].Pod.Name)
			} else if e := c.report.ReceiverError; e != nil && reason == "" {
				reason = fmt.Sprintf(": %s says %s", l.replicas[i].Pod.Name, receiverError(e))
			}
		}
		if len(receiving) > 0 && source != nil && source.silent() {
			continue // that it does not answer anybody has a finding of its own: connections stay open for a while
		}
		if len(receiving) > 0 {
			j.add(v1alpha1.CodeSourceUnreachableFromHere, v1alpha1.SeverityWarning, []string{name}, evidence,
				"%s, the source of %s: %s, but %s from it", name, strings.Join(podNames(l.replicas), ", "), l.why, stillReceive(receiving))
			if source == nil && j.replacing() {
				j.progress()
			}
			continue
		}
		j.sourceGone[name] = true
		if source != nil {
			l.why += ": " + source.said.Failure.Message + j.since(source)
			if services := j.sendingTo(source); len(services) > 0 {
				reason += "; " + sendClients(services)
			}
		}
		j.add(v1alpha1.CodeSourceUnreachable, v1alpha1.SeverityCritical, append([]string{name}, podNames(l.replicas)...), evidence,
			"%s, the source of %s: %s, and no replica receives from it%s", name, strings.Join(podNames(l.replicas), ", "), l.why, reason)
		if source == nil && j.replacing() {
			j.progress()
		} else {
			j.onItsWay(source)
		}
	}
}

func stillReceive(names []string) string {
	if len(names) == 1 {
		return names[0] + " still receives"
	}
	return strings.Join(names, ", ") + " still receive"
}

// cycles tells of servers that replicate from each other, each cycle once.
func (j *judge) cycles() {
	told := map[*server]bool{}
	for _, s := range j.set.servers {
		if told[s] || !s.follows(s) {
			continue
		}
		var ring []*server
		writable := 0
		for _, o := range j.set.servers {
			if o == s || o.follows(s) && s.follows(o) {
				ring = append(ring, o)
				told[o] = true
				if o.writable() {
					writable++
				}
			}
		}
		severity, text := v1alpha1.SeverityWarning, "one of them takes writes"
		switch writable {
		case 0:
			text = "none of them takes writes"
		case 1:
		default:
			severity, text = v1alpha1.SeverityCritical, fmt.Sprintf("%d of them take writes, which may contradict each other", writable)
		}
		var evidence []v1alpha1.Evidence
		for _, o := range ring {
			for _, c := range o.channels {
				evidence = append(evidence, c.evidence(o, "Source_Host", "Source_UUID", "Master_Host", "Master_Server_Id")...)
			}
		}
		j.add(v1alpha1.CodeReplicationCycle, severity, podNames(ring), evidence, "%s replicate from each other; %s", strings.Join(podNames(ring), ", "), text)
	}
}

// identities tells of servers that others can't tell apart.
func (j *judge) identities() {
	byID, byUUID := map[int64][]*server{}, map[string][]*server{}
	for _, s := range j.set.servers {
		if s.id != 0 {
			byID[s.id] = append(byID[s.id], s)
		}
		if s.uuid != "" {
			byUUID[s.uuid] = append(byUUID[s.uuid], s)
		}
	}
	evidence := func(list []*server, column string) (all []v1alpha1.Evidence) {
		for _, s := range list {
			all = append(all, s.evidence(mysql.SubjectVariables, column)...)
		}
		return all
	}
	for _, s := range j.set.servers {
		// Galera nodes may share an id on purpose, for GTIDs that are the same everywhere.
		if list := byID[s.id]; len(list) > 1 && list[0] == s && j.topology.Replication != v1alpha1.ReplicationGalera {
			j.add(v1alpha1.CodeDuplicateServerID, v1alpha1.SeverityError, podNames(list), evidence(list, "server_id"),
				"%s have the same server_id %d: replicas ignore each other's transactions, and a source drops one of two connections", strings.Join(podNames(list), ", "), s.id)
		}
		if list := byUUID[s.uuid]; len(list) > 1 && list[0] == s {
			j.add(v1alpha1.CodeDuplicateServerUUID, v1alpha1.SeverityCritical, podNames(list), evidence(list, "server_uuid"),
				"%s have the same server_uuid %s: auto.cnf was copied with the data, and their GTIDs can't be told apart", strings.Join(podNames(list), ", "), s.uuid)
		}
	}
	modes := map[string][]*server{}
	var names []string
	for _, s := range j.set.servers {
		if mode := s.variables.Text("gtid_mode"); mode != "" {
			if len(modes[mode]) == 0 {
				names = append(names, mode)
			}
			modes[mode] = append(modes[mode], s)
		}
	}
	if len(names) > 1 {
		var parts []string
		for _, mode := range names {
			parts = append(parts, fmt.Sprintf("%s on %s", mode, strings.Join(podNames(modes[mode]), ", ")))
		}
		j.add(v1alpha1.CodeGTIDModeMixed, v1alpha1.SeverityWarning, podNames(j.set.servers), evidence(j.set.servers, "gtid_mode"),
			"gtid_mode differs: %s", strings.Join(parts, "; "))
	}
}

var (
	attempts = regexp.MustCompile(`attempt (\d+)/(\d+)`)
	purged   = regexp.MustCompile(`(?i)purged|could not find first log|not in the (master|source)'s binlog|could not find gtid`)
)

// Numbers of errors of receivers.
const (
	errSourceFatal       = 1236  // the source refused to send its log
	errSourceFatalNew    = 13114 // the same from 8.0 on
	firstClientError     = 2000  // can't connect, lost connection
	lastClientError      = 2999
	errAccountsExhausted = 1040
)

// threads tells of a receiver and an applier that do not run.
func (j *judge) threads(s *server, c *channel) {
	r := &c.report
	who := s.Pod.Name + channelName(c) + s.readiness()
	one := podNames([]*server{s})
	switch {
	case r.Applier == "No" && r.ApplierError != nil:
		evidence := c.evidence(s, applierColumns...)
		for _, w := range c.workers {
			if n, ok := w.Int("LAST_ERROR_NUMBER"); ok && n != 0 {
				if _, isWorker := w["WORKER_ID"]; isWorker {
					evidence = append(evidence, evidenceOf(s, s.answer(string(mysql.SubjectWorkers)).Statement, w, []string{"WORKER_ID", "LAST_ERROR_NUMBER", "LAST_ERROR_MESSAGE", "APPLYING_TRANSACTION"}))
				}
			}
		}
		j.add(v1alpha1.CodeApplierError, v1alpha1.SeverityCritical, one, evidence, "%s: the applier has stopped: %s", who, applierError(r.ApplierError))
	case r.Applier == "No":
		j.add(v1alpha1.CodeApplierStopped, v1alpha1.SeverityCritical, one, c.evidence(s, applierColumns...),
			"%s: the applier (SQL thread) has been stopped: what is received is not applied", who)
	}
	evidence := c.evidence(s, receiverColumns...)
	e := r.ReceiverError
	gone := c.missingPod != "" && j.sourceGone[c.missingPod] || c.source != nil && j.sourceGone[c.source.Pod.Name] && c.source.set == j.set
	lacks := e != nil && (e.Number == errSourceFatal || e.Number == errSourceFatalNew) && purged.MatchString(e.Message)
	if !lacks {
		j.purgedAhead(s, c)
	}
	switch {
	case r.Receiver == "Yes", r.Receiver == "":
	case r.Receiver == "Connecting" && gone:
	case r.Receiver == "Connecting":
		text := "it has not told an error yet"
		if e != nil {
			text = receiverError(e)
		}
		j.add(v1alpha1.CodeReceiverConnecting, v1alpha1.SeverityWarning, one, evidence, "%s: the receiver can't connect to %s and goes on trying: %s", who, r.Source.Host, text)
		if j.sourceOnItsWay(c) {
			j.progress()
		}
	case e == nil:
		j.add(v1alpha1.CodeReceiverStopped, v1alpha1.SeverityCritical, one, evidence,
			"%s: the receiver (I/O thread) has been stopped: nothing comes from %s", who, r.Source.Host)
	case lacks:
		j.add(v1alpha1.CodeSourcePurgedNeededLogs, v1alpha1.SeverityCritical, one, evidence,
			"%s: the source has purged binary logs that it needs, so it has to be made anew: %s", who, receiverError(e))
	case gaveUp(e):
		j.add(v1alpha1.CodeReceiverGaveUp, v1alpha1.SeverityCritical, one, evidence, "%s: the receiver has given up connecting to %s: %s", who, r.Source.Host, receiverError(e))
	default:
		j.add(v1alpha1.CodeReceiverError, v1alpha1.SeverityCritical, one, evidence, "%s: the receiver has stopped: %s", who, receiverError(e))
	}
}

var (
	failedTransaction = regexp.MustCompile(`transaction '([^']+)'`)
	failedTable       = regexp.MustCompile(`on table ([^;]+);`)
	failedCause       = regexp.MustCompile(`(?:on table [^;]+|Error); (.+?), Error_code: \d+`)
)

// applierError is a worker's error without what is there for its developers: 1062 at UUID:11, table app.t: Duplicate entry …
func applierError(e *v1alpha1.MySQLChannelError) string {
	cause := failedCause.FindStringSubmatch(e.Message)
	if cause == nil {
		return fmt.Sprintf("%d: %s", e.Number, e.Message)
	}
	text := strconv.FormatInt(e.Number, 10)
	if m := failedTransaction.FindStringSubmatch(e.Message); m != nil {
		text += " at " + m[1]
	}
	if m := failedTable.FindStringSubmatch(e.Message); m != nil {
		text += ", table " + m[1]
	}
	return text + ": " + cause[1]
}

var connectCause = regexp.MustCompile(`(?i)message: (.+)$`)

// receiverError is a receiver's error without what it says about its account and its patience.
func receiverError(e *v1alpha1.MySQLChannelError) string {
	text := e.Message
	if m := connectCause.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	text = fmt.Sprintf("%d: %s", e.Number, text)
	if m := attempts.FindString(e.Message); m != "" && !strings.Contains(text, m) {
		text += " (" + m + ")"
	}
	return text
}

// gaveUp tells whether a stopped receiver's error is one of connecting: it has used up its attempts.
func gaveUp(e *v1alpha1.MySQLChannelError) bool {
	if m := attempts.FindStringSubmatch(e.Message); m != nil {
		return m[1] == m[2]
	}
	return e.Number >= firstClientError && e.Number <= lastClientError || e.Number == mysql.ErrAccessDenied || e.Number == errAccountsExhausted
}

// purgedAhead tells of logs that a source has purged and a replica has not applied: it breaks when it next connects.
func (j *judge) purgedAhead(s *server, c *channel) {
	o := c.source
	if o == nil || !o.first.known || !s.again.known || !s.gtidOn() {
		return
	}
	// What the replica has received and not applied is safe as long as it stays connected.
	missing := o.first.purged.Subtract(s.again.executed)
	if received, err := mysql.ParseGTIDSet(c.row.Text("Retrieved_Gtid_Set")); err == nil && c.sound() {
		missing = missing.Subtract(received)
	}
	if n := missing.Count(); n > 0 {
		j.add(v1alpha1.CodeSourcePurgedNeededLogs, v1alpha1.SeverityWarning, podNames([]*server{s, o}), append(o.evidence(mysql.SubjectGTID, "gtid_purged"), s.evidence(mysql.SubjectGTID, "gtid_executed")...),
			"%s lacks %s that %s has purged from its binary logs (%s): it can't get them when it next connects", s.Pod.Name, count(int(n), "transaction"), o.Pod.Name, missing)
	}
}

// lag tells of replicas that are late.
func (j *judge) lag(s *server, c *channel) {
	r := &c.report
	one := podNames([]*server{s})
	evidence := c.evidence(s, lagColumns...)
	if r.LagFrom == "commit timestamps" {
		evidence = append(evidence, s.evidence(mysql.SubjectWorkers, "APPLYING_TRANSACTION", "APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP", "LAST_APPLIED_TRANSACTION")...)
	}
	if r.DelaySeconds > 0 {
		remaining := ""
		if n, ok := c.row.Int("SQL_Remaining_Delay"); ok {
			remaining = fmt.Sprintf("; the next transaction is applied in %s", duration(n*1000))
		}
		j.add(v1alpha1.CodeDelayedReplica, v1alpha1.SeverityInfo, one, evidence, "%s%s is %s late on purpose%s", s.Pod.Name, channelName(c), duration(r.DelaySeconds*1000), remaining)
	}
	switch ms := r.LagMilliseconds; {
	case ms == nil:
		j.add(v1alpha1.CodeLagUnknown, v1alpha1.SeverityInfo, one, evidence, "%s%s: nobody can tell how late it is: %s", s.Pod.Name, channelName(c), r.LagUnknown)
	case *ms >= lateMilliseconds:
		severity := v1alpha1.SeverityWarning
		if *ms >= StaleMilliseconds {
			severity = v1alpha1.SeverityError
		}
		beyond := ""
		if r.DelaySeconds > 0 {
			beyond = fmt.Sprintf(" beyond its delay of %s", duration(r.DelaySeconds*1000))
		}
		j.add(v1alpha1.CodeReplicationLag, severity, one, evidence, "%s%s%s is %s late%s", s.Pod.Name, channelName(c), s.readiness(), duration(*ms), beyond)
	}
}

// channelSettings tells of where a channel leads and how it goes on after a failover.
func (j *judge) channelSettings(s *server, c *channel) {
	r := &c.report
	one := podNames([]*server{s})
	where := c.evidence(s, "Source_Host", "Source_Port", "Source_UUID", "Source_Server_Id", "Master_Host", "Master_Port", "Master_UUID", "Master_Server_Id")
	switch {
	case c.missingPod != "":
	case c.source == nil:
		j.add(v1alpha1.CodeReplicatesFromOutside, v1alpha1.SeverityWarning, one, where, "%s%s replicates from %s, which is no server that was found here", s.Pod.Name, channelName(c), sourceName(&r.Source))
	case c.source.set != j.set:
		j.add(v1alpha1.CodeReplicatesFromOutside, v1alpha1.SeverityWarning, one, where, "%s%s replicates from %s of the set %s", s.Pod.Name, channelName(c), r.Source.Pod, r.Source.Set)
	default:
		if root, main := s.root(), j.mainRoot(); root != nil && main != nil && root != main {
			j.add(v1alpha1.CodeWrongSource, v1alpha1.SeverityWarning, one, where, "%s%s follows %s, and the rest of the set follows %s", s.Pod.Name, channelName(c), root.Pod.Name, main.Pod.Name)
		}
	}
	if r.AutoPosition != nil && !*r.AutoPosition && (s.gtidOn() || s.version.Product == mysql.MariaDB) {
		j.add(v1alpha1.CodeNotAutoPosition, v1alpha1.SeverityWarning, one, c.evidence(s, "Auto_Position", "Using_Gtid"),
			"%s%s goes by file and position though it has GTIDs: after a failover it can't find its place by itself", s.Pod.Name, channelName(c))
	}
	if o := c.source; o != nil && o.answered && o.version.Product == s.version.Product &&
		cmp.Or(cmp.Compare(s.version.Major, o.version.Major), cmp.Compare(s.version.Minor, o.version.Minor)) < 0 {
		j.add(v1alpha1.CodeReplicaOlder, v1alpha1.SeverityWarning, podNames([]*server{s, o}), append(s.evidence(mysql.SubjectVariables, "version"), o.evidence(mysql.SubjectVariables, "version")...),
			"%s (%s) is older than its source %s (%s): what the source can log it may not understand", s.Pod.Name, s.version, o.Pod.Name, o.version)
	}
}

// mainRoot is the root that most servers of the set follow; nil if no root has more followers than each other.
func (j *judge) mainRoot() *server {
	followers := map[*server]int{}
	for _, s := range j.set.servers {
		if root := s.root(); root != nil && root != s {
			followers[root]++
		}
	}
	var best *server
	tie := false
	for _, s := range j.set.servers {
		switch n := followers[s]; {
		case n == 0:
		case best == nil || n > followers[best]:
			best, tie = s, false
		case n == followers[best]:
			tie = true
		}
	}
	if tie {
		return nil
	}
	return best
}

// server tells of settings that contradict what a server does, and of transactions that only it has.
func (j *judge) server(s *server) {
	if !s.answered {
		return
	}
	one := podNames([]*server{s})
	settings := s.evidence(mysql.SubjectVariables, "read_only", "super_read_only", "log_bin", "log_replica_updates", "log_slave_updates")
	inCycle := s.follows(s)
	switch {
	case len(s.channels) > 0 && !inCycle && s.writable():
		j.add(v1alpha1.CodeReplicaWritable, v1alpha1.SeverityError, one, settings, "%s is a replica and takes writes (read_only=0): what is written to it the source never gets", s.Pod.Name)
		j.onItsWay(s)
	case len(s.channels) > 0 && !inCycle && s.version.Product == mysql.MySQL && !isOn(s.variables, "super_read_only"):
		j.add(v1alpha1.CodeReplicaWritable, v1alpha1.SeverityInfo, one, settings, "%s is a replica and takes writes of accounts with SUPER or CONNECTION_ADMIN (super_read_only=0)", s.Pod.Name)
	case len(s.channels) == 0 && !s.channelsUnknown && len(s.replicas) > 0 && !s.writable():
		j.add(v1alpha1.CodeSourceReadOnly, v1alpha1.SeverityError, one, settings, "%s is the source of %s and takes no writes (read_only=1)", s.Pod.Name, strings.Join(podNames(s.replicas), ", "))
		j.onItsWay(s)
	}
	if len(s.channels) > 0 && (!isOn(s.variables, "log_bin") || !isOn(s.variables, "log_replica_updates", "log_slave_updates")) {
		what := "log_bin=0"
		if isOn(s.variables, "log_bin") {
			what = "log_replica_updates=0"
		}
		j.add(v1alpha1.CodeCannotBePromoted, v1alpha1.SeverityInfo, one, settings, "%s does not log what it applies (%s): others can't follow it after a failover", s.Pod.Name, what)
	}
	if text := s.errant(); text != "" && !s.unacknowledged(text) {
		j.errant(s, text)
	}
}

// unacknowledged tells whether transactions that a source has not are its own, which it has sent and not committed yet: it waits for
// semi-synchronous replicas.
func (s *server) unacknowledged(text string) bool {
	set, err := mysql.ParseGTIDSet(text)
	if err != nil { // MariaDB's, which name no server by UUID
		return false
	}
	uuids := set.UUIDs()
	return slices.ContainsFunc(s.channels, func(c *channel) bool {
		if c.source == nil || slices.ContainsFunc(uuids, func(uuid string) bool { return uuid != c.source.uuid }) {
			return false
		}
		waiting, _ := c.source.status.Int("Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_master_wait_sessions")
		return waiting > 0
	})
}

// errant tells of transactions that a replica has and its source has not, and where they were written.
func (j *judge) errant(s *server, text string) {
	sources := make([]*server, 0, len(s.channels))
	for _, c := range s.channels {
		sources = append(sources, c.source)
	}
	column := "gtid_executed"
	number := ""
	var writers []string
	if s.version.Product == mysql.MariaDB {
		column = "gtid_binlog_state"
		list, _ := mysql.ParseMariaDBPosition(text) // it was printed by this program
		for _, g := range list {
			writers = append(writers, j.writer(func(o *server) bool { return o.id == int64(g.ServerID) }, fmt.Sprintf("server id %d", g.ServerID)))
		}
	} else {
		set, _ := mysql.ParseGTIDSet(text) // likewise
		number = count(int(set.Count()), "transaction") + ", "
		for _, uuid := range set.UUIDs() {
			writers = append(writers, j.writer(func(o *server) bool { return o.uuid == uuid }, uuid))
		}
	}
	evidence := s.evidence(mysql.SubjectGTID, column)
	for _, o := range sources {
		if a := o.answer(subjectGTIDAgain); a != nil && len(a.Rows) > 0 {
			evidence = append(evidence, evidenceOf(o, a.Statement, a.Rows[0], []string{column}))
		}
	}
	j.add(v1alpha1.CodeErrantTransactions, v1alpha1.SeverityError, podNames([]*server{s}), evidence,
		"%s%s has transactions that %s lacks: %s (%swritten on %s)", s.Pod.Name, s.readiness(), strings.Join(podNames(sources), ", "), text, number, strings.Join(slices.Compact(writers), ", "))
}

func (j *judge) writer(is func(*server) bool, otherwise string) string {
	if o := only(j.servers, is); o != nil {
		return o.Pod.Name
	}
	return "a server that is not here (" + otherwise + ")"
}

// semiSync tells of a source whose semi-synchronous replication does not do its work.
func (j *judge) semiSync(s *server) {
	if !s.answered || len(s.channels) > 0 || !isOn(s.variables, "rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled") {
		return
	}
	one := podNames([]*server{s})
	names := []string{
		"Rpl_semi_sync_source_status", "Rpl_semi_sync_source_clients", "Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_source_no_tx",
		"Rpl_semi_sync_master_status", "Rpl_semi_sync_master_clients", "Rpl_semi_sync_master_wait_sessions", "Rpl_semi_sync_master_no_tx",
	}
	evidence := append(s.evidence(mysql.SubjectStatus, names...), s.evidence(mysql.SubjectVariables, "rpl_semi_sync_source_wait_for_replica_count", "rpl_semi_sync_master_wait_for_slave_count", "rpl_semi_sync_source_timeout", "rpl_semi_sync_master_timeout")...)
	clients, _ := s.status.Int("Rpl_semi_sync_source_clients", "Rpl_semi_sync_master_clients")
	waiting, _ := s.status.Int("Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_master_wait_sessions")
	wanted, ok := s.variables.Int("rpl_semi_sync_source_wait_for_replica_count", "rpl_semi_sync_master_wait_for_slave_count")
	if !ok {
		wanted = 1 // MariaDB waits for one
	}
	on := isOn(s.status, "Rpl_semi_sync_source_status", "Rpl_semi_sync_master_status")
	switch {
	case on && waiting > 0 && clients < wanted:
		j.add(v1alpha1.CodeSemiSyncBlocked, v1alpha1.SeverityCritical, one, evidence,
			"%s: commits wait for %s, and %d are connected: %s", s.Pod.Name, count(int(wanted), "semi-synchronous replica"), clients, hang(waiting))
		j.onItsWay(s.replicas...)
	case !on:
		j.add(v1alpha1.CodeSemiSyncFellBack, v1alpha1.SeverityError, one, evidence,
			"%s: semi-synchronous replication is enabled and off: commits wait for no replica (%d of %d are connected)", s.Pod.Name, clients, wanted)
		j.onItsWay(s.replicas...)
	}
}

func hang(sessions int64) string {
	if sessions == 1 {
		return "1 session hangs"
	}
	return fmt.Sprintf("%d sessions hang", sessions)
}

// group tells of Group Replication.
func (j *judge) group() {
	columns := []string{"MEMBER_ID", "MEMBER_HOST", "MEMBER_STATE", "MEMBER_ROLE"}
	evidence := func(s *server) (all []v1alpha1.Evidence) {
		if a := s.answer(string(mysql.SubjectMembers)); a != nil {
			for _, m := range s.members {
				all = append(all, evidenceOf(s, a.Statement, m, columns))
			}
		}
		return all
	}
	views := map[string][]*server{}
	var order []string
	var online []*server
	for _, s := range j.set.servers {
		if !s.inGroup() {
			continue
		}
		state := s.self().Text("MEMBER_STATE")
		one := podNames([]*server{s})
		unreachable := int(s.groupMember().Unreachable)
		switch {
		case state == stateOffline && s.writable():
			j.add(v1alpha1.CodeGRMemberOutsideWritable, v1alpha1.SeverityCritical, one, append(evidence(s), s.evidence(mysql.SubjectVariables, "read_only", "super_read_only")...),
				"%s%s is not in its group (OFFLINE) and takes writes, which the group never gets", s.Pod.Name, s.readiness())
			j.onItsWay(s)
		case state == stateOnline && unreachable*2 >= len(s.members) && unreachable > 0:
			j.add(v1alpha1.CodeGRNoQuorum, v1alpha1.SeverityCritical, one, evidence(s),
				"%s%s says ONLINE, but %d of its %s are UNREACHABLE: without a majority no write ends", s.Pod.Name, s.readiness(), unreachable, count(len(s.members), "member"))
		case state != stateOnline:
			j.add(v1alpha1.CodeGRMemberNotOnline, v1alpha1.SeverityError, one, evidence(s), "%s%s is %s in its group", s.Pod.Name, s.readiness(), state)
			j.onItsWay(s)
		}
		if state != stateOnline {
			continue
		}
		online = append(online, s)
		view := groupView(s)
		if len(views[view]) == 0 {
			order = append(order, view)
		}
		views[view] = append(views[view], s)
	}
	if len(order) > 1 {
		var all []v1alpha1.Evidence
		var parts []string
		for _, view := range order {
			all = append(all, evidence(views[view][0])...)
			parts = append(parts, fmt.Sprintf("%s see %s", strings.Join(podNames(views[view]), ", "), view))
		}
		j.add(v1alpha1.CodeGRSplitView, v1alpha1.SeverityCritical, podNames(online), all, "members see different groups: %s", strings.Join(parts, "; "))
		j.onItsWay(j.set.changing()...) // members learn of others one after the other
	}
	j.missingMembers(online)
}

// groupView is the members that a member sees as ONLINE, and the primaries among them, without those that do not answer.
func groupView(s *server) string {
	var list []string
	for _, m := range s.members {
		if m.Text("MEMBER_STATE") == stateUnreachable {
			continue
		}
		name := m.Text("MEMBER_HOST")
		if o := only(s.set.servers, func(o *server) bool { return strings.EqualFold(o.uuid, m.Text("MEMBER_ID")) }); o != nil {
			name = o.Pod.Name
		}
		if s.set.silent(m) {
			continue
		}
		if m.Text("MEMBER_ROLE") == "PRIMARY" {
			name += " (primary)"
		}
		list = append(list, name)
	}
	slices.SortFunc(list, mysql.CompareNames)
	return strings.Join(list, ", ")
}

// silent reports whether a row is that of a member that does not answer: the others notice one after the other, and until they all have,
// their views differ in it. It is known by its host, as it did not tell its UUID.
func (s *set) silent(member mysql.Row) bool {
	host, _, _ := strings.Cut(member.Text("MEMBER_HOST"), ".")
	return slices.ContainsFunc(s.servers, func(o *server) bool {
		return o.silent() && (host == o.Pod.Name || o.Pod.Status.PodIP != "" && member.Text("MEMBER_HOST") == o.Pod.Status.PodIP)
	})
}

// missingMembers tells of pods that did not answer and that the group does not have either.
func (j *judge) missingMembers(online []*server) {
	if len(online) == 0 {
		return
	}
	for _, s := range j.set.servers {
		if s.answered {
			continue
		}
		inView := slices.ContainsFunc(online[0].members, func(m mysql.Row) bool {
			host, _, _ := strings.Cut(m.Text("MEMBER_HOST"), ".")
			return host == s.Pod.Name || m.Text("MEMBER_HOST") == s.Pod.Status.PodIP
		})
		if !inView {
			j.add(v1alpha1.CodeGRMemberNotOnline, v1alpha1.SeverityError, podNames([]*server{s}), online[0].evidence(mysql.SubjectMembers, "MEMBER_HOST", "MEMBER_STATE"),
				"%s%s is not in the group that %s sees", s.Pod.Name, s.readiness(), online[0].Pod.Name)
			j.onItsWay(s)
		}
	}
}

// galera tells of a Galera cluster.
func (j *judge) galera() {
	columns := []string{
		"wsrep_cluster_status", "wsrep_cluster_size", "wsrep_cluster_state_uuid", "wsrep_ready", "wsrep_connected", "wsrep_local_state",
		"wsrep_local_state_comment", "wsrep_flow_control_paused", "wsrep_local_recv_queue", "wsrep_local_recv_queue_avg",
	}
	const synced = 4
	uuids := map[string][]*server{}
	var order []string
	for _, s := range j.set.servers {
		if !s.inGalera() {
			continue
		}
		one := podNames([]*server{s})
		evidence := s.evidence(mysql.SubjectStatus, columns...)
		status := s.status.Text("wsrep_cluster_status")
		ready := isOn(s.status, "wsrep_ready")
		state, hasState := s.status.Int("wsrep_local_state")
		switch {
		case status != "Primary":
			j.add(v1alpha1.CodeGaleraNonPrimary, v1alpha1.SeverityCritical, one, evidence, "%s%s belongs to no primary component (%s): it refuses queries (error 1047)", s.Pod.Name, s.readiness(), cmp.Or(status, "no status"))
			j.onItsWay(s)
			continue
		case !ready && (!hasState || state == synced):
			j.add(v1alpha1.CodeGaleraNonPrimary, v1alpha1.SeverityCritical, one, evidence, "%s%s refuses queries (wsrep_ready=OFF)", s.Pod.Name, s.readiness())
			j.onItsWay(s)
		case hasState && state != synced:
			j.add(v1alpha1.CodeGaleraNotSynced, v1alpha1.SeverityWarning, one, evidence, "%s%s is not synced: %s", s.Pod.Name, s.readiness(), s.status.Text("wsrep_local_state_comment"))
			j.onItsWay(j.set.changing()...) // a joiner, and the donor that it gets the data from
		}
		if size, ok := s.status.Int("wsrep_cluster_size"); ok && int(size) != len(j.set.servers) {
			j.add(v1alpha1.CodeGaleraSizeMismatch, v1alpha1.SeverityError, one, evidence, "%s sees a cluster of %d, and the set has %s", s.Pod.Name, size, count(len(j.set.servers), "pod"))
			if int(size) > len(j.set.servers) && j.replacing() {
				j.progress()
			} else {
				j.onItsWay(j.set.changing()...)
			}
		}
		paused, _ := strconv.ParseFloat(s.status.Text("wsrep_flow_control_paused"), 64) // 0 if the server does not tell
		queue, _ := strconv.ParseFloat(s.status.Text("wsrep_local_recv_queue_avg"), 64)
		if paused > flowControlShare || queue > receiveQueue {
			severity := v1alpha1.SeverityWarning
			// The average counts write sets, not time: a node that has caught up keeps that of its start until others are written.
			if waiting, ok := s.status.Int("wsrep_local_recv_queue"); ok && waiting == 0 && paused <= flowControlShare {
				severity = v1alpha1.SeverityInfo
			}
			j.add(v1alpha1.CodeGaleraFlowControl, severity, one, evidence,
				"%s: flow control has paused the cluster for %.0f%% of the time since the last FLUSH STATUS; %.2f write sets wait to be applied on average", s.Pod.Name, paused*100, queue)
		}
		if uuid := s.status.Text("wsrep_cluster_state_uuid"); uuid != "" {
			if len(uuids[uuid]) == 0 {
				order = append(order, uuid)
			}
			uuids[uuid] = append(uuids[uuid], s)
		}
	}
	if len(order) > 1 {
		var parts []string
		var evidence []v1alpha1.Evidence
		for _, uuid := range order {
			parts = append(parts, fmt.Sprintf("%s in %s", strings.Join(podNames(uuids[uuid]), ", "), uuid))
			evidence = append(evidence, uuids[uuid][0].evidence(mysql.SubjectStatus, "wsrep_cluster_state_uuid")...)
		}
		j.add(v1alpha1.CodeGaleraSplitUUID, v1alpha1.SeverityCritical, podNames(j.set.servers), evidence, "the nodes belong to different clusters: %s", strings.Join(parts, "; "))
	}
}

// broken says what is wrong with a server's part in replication; it is empty if nothing is, or nobody knows.
func (s *server) broken() string {
	switch {
	case !s.answered:
		return ""
	case s.inGalera():
		if n := s.galeraNode(); n.ClusterStatus != "Primary" || !n.Ready {
			return "it is in no primary component"
		}
	case s.inGroup():
		if state := s.self().Text("MEMBER_STATE"); state != stateOnline {
			return "it is " + state + " in its group"
		}
		if m := s.groupMember(); m.Unreachable > 0 && m.Unreachable*2 >= m.Members {
			return "its group has no majority"
		}
	}
	for _, c := range s.channels {
		if !c.sound() && c.report.Receiver != "" {
			return fmt.Sprintf("receiver %s, applier %s", c.report.Receiver, cmp.Or(c.report.Applier, "unknown"))
		}
	}
	return ""
}

// stale is how late a server is if that is too late for readers.
func (s *server) stale() string {
	for _, c := range s.channels {
		if ms := c.report.LagMilliseconds; ms != nil && *ms >= StaleMilliseconds {
			return duration(*ms) + " late"
		}
	}
	return ""
}

// readiness tells of pods that Kubernetes takes for sound and whose replication is broken, and of labels that are wrong.
func (j *judge) readiness() {
	var names, reasons []string
	for _, s := range j.set.servers {
		if why := s.broken(); why != "" && s.report.Ready && !j.waits(s) {
			names = append(names, s.Pod.Name)
			reasons = append(reasons, fmt.Sprintf("%s (%s)", s.Pod.Name, why))
		}
		labelled := s.LabelledPrimary()
		if labelled == nil || !s.answered || s.inGalera() || s.channelsUnknown {
			continue
		}
		role := s.role()
		primary := role == v1alpha1.RolePrimary || (role == v1alpha1.RoleSource || role == v1alpha1.RoleStandalone) && s.writable()
		if *labelled == primary {
			continue
		}
		severity, is := v1alpha1.SeverityError, "read-only"
		if s.writable() {
			is = "writable"
		}
		if s.Flavour.Role.Static {
			severity = v1alpha1.SeverityWarning
		}
		key := s.Flavour.Role.Key
		j.add(v1alpha1.CodeRoleLabelWrong, severity, podNames([]*server{s}), s.evidence(mysql.SubjectVariables, "read_only", "super_read_only"),
			"%s has the label %s=%s, and the server is %s and %s", s.Pod.Name, key, s.Pod.Labels[key], strings.ToLower(string(role)), is)
	}
	if len(names) > 0 {
		j.add(v1alpha1.CodeReadyButBroken, v1alpha1.SeverityWarning, names, nil, "Ready, though replication is broken: %s; the readiness probe does not see it", strings.Join(reasons, ", "))
	}
}

// services tells of Services that lead to the wrong servers.
func (j *judge) services() {
	if j.topology.Replication == v1alpha1.ReplicationGalera { // all nodes are alike
		j.brokenReaders()
		return
	}
	for i := range j.topology.Services {
		v := &j.topology.Services[i]
		var replicas, roots []string
		for _, s := range j.set.servers {
			if !slices.Contains(v.Reaches, s.Pod.Name) {
				continue
			}
			switch s.role() {
			case v1alpha1.RoleReplica, v1alpha1.RoleRelay, v1alpha1.RoleSecondary:
				replicas = append(replicas, s.Pod.Name)
			case v1alpha1.RoleSource, v1alpha1.RolePrimary:
				if len(j.set.servers) > 1 {
					roots = append(roots, s.Pod.Name)
				}
			}
		}
		if v.Purpose == v1alpha1.ServiceForWriting && len(replicas) > 0 {
			j.add(v1alpha1.CodeWriteServiceReachesReplica, v1alpha1.SeverityError, replicas, nil, "the Service %s is for writing and reaches %s: writes there fail, or go astray", v.Name, areReplicas(replicas))
			j.about(v.Name)
		}
		if v.Purpose == v1alpha1.ServiceForReading && len(roots) > 0 {
			j.add(v1alpha1.CodeReadServiceReachesSource, v1alpha1.SeverityInfo, roots, nil, "the Service %s is for reading and reaches the source %s too", v.Name, strings.Join(roots, ", "))
			j.about(v.Name)
		}
	}
	j.brokenReaders()
}

// about adds a Service to the objects of the newest finding.
func (j *judge) about(service string) {
	f := &j.list[len(j.list)-1]
	f.Objects = append([]string{"service/" + service}, f.Objects...)
}

func areReplicas(names []string) string {
	if len(names) == 1 {
		return names[0] + ", which is a replica"
	}
	return strings.Join(names, ", ") + ", which are replicas"
}

func (j *judge) brokenReaders() {
	for i := range j.topology.Services {
		v := &j.topology.Services[i]
		if v.Purpose != v1alpha1.ServiceForReading {
			continue
		}
		var names, reasons []string
		waiting := 0
		for _, s := range j.set.servers {
			if why := cmp.Or(s.broken(), s.stale()); why != "" && slices.Contains(v.Reaches, s.Pod.Name) {
				names = append(names, s.Pod.Name)
				reasons = append(reasons, fmt.Sprintf("%s (%s)", s.Pod.Name, why))
				if j.waits(s) || s.progress.InTime() {
					waiting++
				}
			}
		}
		if len(names) > 0 {
			j.add(v1alpha1.CodeReadServiceReachesBroken, v1alpha1.SeverityError, names, nil, "the Service %s sends readers to %s: they get old data", v.Name, strings.Join(reasons, ", "))
			j.about(v.Name)
			if waiting == len(names) {
				j.progress()
			}
		}
	}
}

// placement tells of what one machine's end would take away.
func (j *judge) placement() {
	var primary *server
	var others []*server
	for _, s := range j.set.servers {
		switch s.role() {
		case v1alpha1.RolePrimary, v1alpha1.RoleSource, v1alpha1.RoleStandalone:
			if primary == nil || len(s.replicas) > len(primary.replicas) {
				primary = s
			}
		}
	}
	if primary == nil && j.topology.Replication == v1alpha1.ReplicationGalera {
		primary = j.set.servers[0]
	}
	if primary == nil {
		return
	}
	if node := j.nodeOf(primary); node != nil && j.topology.Replication != v1alpha1.ReplicationGalera {
		if class := capacity.Classify(node); capacity.Interruptible(class.CapacityType) {
			j.add(v1alpha1.CodePrimaryOnSpot, v1alpha1.SeverityWarning, podNames([]*server{primary}), nil,
				"%s, which takes the writes, runs on %s, a %s node (%s): the provider may take it away", primary.Pod.Name, node.Name, class.CapacityType, class.Evidence)
			f := &j.list[len(j.list)-1]
			f.Objects = append(f.Objects, "node/"+node.Name)
		}
	}
	for _, s := range j.set.servers {
		if s != primary && s.Pod.Spec.NodeName != "" {
			others = append(others, s)
		}
	}
	if len(others) == 0 || primary.Pod.Spec.NodeName == "" {
		return
	}
	zones := map[string]bool{}
	for i := range j.Nodes {
		zones[capacity.Classify(&j.Nodes[i]).Zone] = true
	}
	sameNode := !slices.ContainsFunc(others, func(s *server) bool { return s.Pod.Spec.NodeName != primary.Pod.Spec.NodeName })
	sameZone := primary.report.Zone != "" && !slices.ContainsFunc(others, func(s *server) bool { return s.report.Zone != primary.report.Zone })
	names := podNames(append([]*server{primary}, others...))
	switch { // a cluster that has one node, or one zone, leaves no choice
	case sameNode && len(j.Nodes) > 1:
		j.add(v1alpha1.CodeReplicasTogether, v1alpha1.SeverityWarning, names, nil, "all of %s run on the node %s: its end is the end of all copies", strings.Join(names, ", "), primary.Pod.Spec.NodeName)
	case sameZone && len(zones) > 1:
		j.add(v1alpha1.CodeReplicasTogether, v1alpha1.SeverityWarning, names, nil, "all of %s run in the zone %s, though the cluster has %d", strings.Join(names, ", "), primary.report.Zone, len(zones))
	}
}

// readiness is what Kubernetes thinks of a broken server: readers are sent to it.
func (s *server) readiness() string {
	if objects.Ready(s.Pod) {
		return " (the pod is Ready)"
	}
	return ""
}

func podNames(list []*server) []string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Pod.Name
	}
	return names
}

func channelName(c *channel) string {
	if c.report.Name == "" {
		return ""
	}
	return fmt.Sprintf(" (channel %s)", c.report.Name)
}

func sourceName(s *v1alpha1.MySQLSource) string {
	name := cmp.Or(s.Host, "a source")
	if s.Port != 0 && s.Port != mysql.DefaultPort {
		name = fmt.Sprintf("%s:%d", name, s.Port)
	}
	if s.UUID != "" {
		name += " (" + s.UUID + ")"
	}
	return name
}

// duration prints milliseconds: 0s, 12ms, 6.1s, 3m5s.
func duration(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d == 0:
		return "0s"
	case d < time.Second:
		return fmt.Sprintf("%dms", ms)
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return timeutil.HumanDuration(d)
}
