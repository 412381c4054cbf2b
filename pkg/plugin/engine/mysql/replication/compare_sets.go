package replication

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// related reports whether two servers have, or have had, data of each other: in one Galera cluster, or with transactions of one origin. A
// server that has never replicated has only its own.
func related(a, b *dbstate.Server) (related, known bool) {
	x, y := Of(a.State), Of(b.State)
	if uuid := x.Status.Text("wsrep_cluster_state_uuid"); x.InGalera() && y.InGalera() && uuid != "" {
		return uuid == y.Status.Text("wsrep_cluster_state_uuid"), true
	}
	if !x.Again.Known || !y.Again.Known || x.Version.Product != y.Version.Product {
		return false, false
	}
	if x.Version.Product == mysql.MySQL {
		own := y.Again.Executed.UUIDs()
		return slices.ContainsFunc(x.Again.Executed.UUIDs(), func(uuid string) bool { return slices.Contains(own, uuid) }), x.gtidOn() && y.gtidOn()
	}
	if a.ID == b.ID || len(x.Again.SlavePos)+len(y.Again.SlavePos) > 0 { // ids that servers share tell nothing
		return false, false
	}
	has := func(t Transactions, id int64) bool {
		return slices.ContainsFunc(slices.Concat(t.BinlogState, t.Current), func(g mysql.MariaDBGTID) bool { return int64(g.ServerID) == id })
	}
	return has(x.Again, b.ID) || has(y.Again, a.ID), true
}

// heartbeatSlack is how late a sign of life may be.
const heartbeatSlack = 5 * time.Second

// relate finds a channel whose receiver is connected and hears nothing, while its source has transactions that it has not received: a
// connection that has died without a word. The receiver notices after replica_net_timeout.
func relate(s *dbstate.Server, l *dbstate.Link) *dbstate.Channel {
	timeout, ok := Of(s.State).Variables.Int("replica_net_timeout", "slave_net_timeout")
	// A source that has nothing to send sends heartbeats, by default twice in the replica's patience.
	if !ok || !l.Working() || l.LagMilliseconds == nil || l.HeardNothingFor < time.Duration(timeout)*time.Second/2+heartbeatSlack || !canCompare(s, l) {
		return nil
	}
	before, now := Of(l.Source.State).First, Of(s.State).Again
	received, err := mysql.ParseGTIDSet(OfChannel(l.Channel).Row.Text("Retrieved_Gtid_Set"))
	if err != nil || !before.Known || !now.Known || !Of(s.State).gtidOn() {
		return nil
	}
	n := before.Executed.Subtract(now.Executed).Subtract(received).Count()
	if n == 0 {
		return nil
	}
	c := *l.Channel
	c.Stalled = dbtopology.Count(int(n), "transaction")
	c.LagMilliseconds, c.LagFrom = nil, ""
	c.LagUnknown = fmt.Sprintf("it has received nothing from its source for %s, which has %s more", dbstate.Duration(l.HeardNothingFor.Milliseconds()), c.Stalled)
	return &c
}

// stalled reports a receiver that is connected and receives nothing.
func stalled(j *dbtopology.Judge, s *dbstate.Server, c *dbstate.Link) {
	if c.Stalled == "" {
		return
	}
	evidence := quoteChannel(c, s, append(receiverColumns, "Retrieved_Gtid_Set")...)
	if a := answer(s.State, mysql.SubjectConnection); a != nil {
		evidence = append(evidence, quoteRow(s, a.Statement, OfChannel(c.Channel).Connection, []string{"LAST_HEARTBEAT_TIMESTAMP", "LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP"}))
	}
	j.Add(v1alpha1.CodeStreamStalled, v1alpha1.SeverityError, dbtopology.PodNames([]*dbstate.Server{s, c.Source}), evidence,
		"%s%s%s counts as connected to %s, but has received nothing from it for %s and lacks %s: readers get old data until it notices (replica_net_timeout)",
		s.Pod.Name, dbtopology.ChannelName(c), dbtopology.Readiness(s), cmp.Or(c.Source.Pod.Name, c.Ref.Host), dbstate.Duration(c.HeardNothingFor.Milliseconds()), c.Stalled)
}
