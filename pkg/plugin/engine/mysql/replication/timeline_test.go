package replication

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// pairOf is a source and its replica, as changed by change.
func pairOf(change func(source, replica *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology)) *v1alpha1.DatabaseTopologyList {
	set := v1alpha1.DatabaseTopology{
		Metadata: v1alpha1.ObjectMeta{Namespace: "shop", Name: "mysql"}, Owner: &v1alpha1.ObjectReference{Kind: "StatefulSet", Namespace: "shop", Name: "mysql"},
		Servers: []v1alpha1.DatabaseServer{
			{Pod: "mysql-0", Ready: true, Role: v1alpha1.RoleSource, ReadOnly: new(false), MySQL: &v1alpha1.MySQLServer{ServerUUID: "u0"}, Product: "MySQL", Version: "9.7.4"},
			{Pod: "mysql-1", Ready: true, Role: v1alpha1.RoleReplica, ReadOnly: new(true), MySQL: &v1alpha1.MySQLServer{ServerUUID: "u1"}, Product: "MySQL", Version: "9.7.4", Depth: 1, Channels: []v1alpha1.DatabaseChannel{
				{Source: v1alpha1.DatabaseSource{Host: "mysql-0.mysql", Pod: "mysql-0"}, Receiver: "Yes", Applier: "Yes", LagMilliseconds: new(int64(0))},
			}},
		},
		Services: []v1alpha1.DatabaseService{{Name: "mysql-read", Reaches: []string{"mysql-0", "mysql-1"}}},
	}
	if change != nil {
		change(&set.Servers[0], &set.Servers[1], &set)
	}
	return &v1alpha1.DatabaseTopologyList{Items: []v1alpha1.DatabaseTopology{set}}
}

// TestTimeline tells each kind of thing that happens to servers and the Services for them.
func TestTimeline(t *testing.T) {
	type change = func(source, replica *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology)
	lagging := func(ms int64) change {
		return func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			replica.Channels[0].LagMilliseconds = &ms
		}
	}
	threads := func(receiver, applier v1alpha1.ThreadState, receiverError, applierError *v1alpha1.DatabaseError) change {
		return func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			c := &replica.Channels[0]
			c.Receiver, c.Applier, c.ReceiverError, c.ApplierError = receiver, applier, receiverError, applierError
		}
	}
	cannotConnect := func(attempt string) *v1alpha1.DatabaseError {
		return shortened(receiverError, v1alpha1.DatabaseError{Number: 2003, Message: "Error connecting to source 'root@mysql-0.mysql:3306'. This was attempt " + attempt + "/86400. Message: Can't connect"})
	}
	unreachable := func(why string) change {
		return func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			*source = v1alpha1.DatabaseServer{Pod: "mysql-0", Ready: true, Role: v1alpha1.RoleUnknown, Unreachable: why}
		}
	}
	for name, test := range map[string]struct {
		before, after change
		want          string
	}{
		"nothing":         {},
		"figures":         {before: lagging(10), after: lagging(900)},
		"does not answer": {after: unreachable("no answer within 10s"), want: "mysql-0, the source, does not answer: no answer within 10s"},
		"a replica does not answer": {after: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			*replica = v1alpha1.DatabaseServer{Pod: "mysql-1", Ready: true, Role: v1alpha1.RoleUnknown, Unreachable: "refused"}
		}, want: "mysql-1, a replica, does not answer: refused"},
		"a Galera node does not answer": {before: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.Role = v1alpha1.RoleNode
		},
			after: unreachable("refused"), want: "mysql-0 does not answer: refused"},
		"goes on silent": {before: unreachable("no answer within 10s"), after: unreachable("refused")},
		"answers":        {before: unreachable(dbserver.NotYetAnswered), want: "mysql-0 answers: source, takes writes"},
		"answers, broken": {before: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			replica.Unreachable, replica.Channels = "gone", nil
		}, after: threads("Yes", "No", nil, nil), want: "mysql-1 answers: replica of mysql-0; mysql-1: the applier has stopped"},
		"joined": {before: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) { set.Servers = set.Servers[:1] },
			want: "mysql-1 joined; mysql-1 answers: replica of mysql-0; mysql-1: its pod is ready"},
		"left":      {after: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) { set.Servers = set.Servers[:1] }, want: "mysql-1 left"},
		"not ready": {after: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) { source.Ready = false }, want: "mysql-0: its pod is not ready"},
		"recreated": {after: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.CreationTimestamp, source.Node = metav1.NewTime(now), "n2"
		}, want: "mysql-0 recreated on n2"},
		"promoted": {after: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			replica.Role, replica.ReadOnly, replica.Channels = v1alpha1.RoleSource, new(false), nil
		}, want: "mysql-1 takes writes (read_only=0); mysql-1 is source (was replica); mysql-1 no longer follows mysql-0"},
		"demoted": {after: func(source, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.Role, source.ReadOnly, source.Channels = v1alpha1.RoleReplica, new(true), slices.Clone(replica.Channels)
			source.Channels[0].Source.Pod, source.Channels[0].Receiver = "mysql-1", "Connecting"
		}, want: "mysql-0 no longer takes writes (read_only=1); mysql-0 is replica (was source); mysql-0 follows mysql-1"},
		"another source": {after: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			replica.Channels[0].Source = v1alpha1.DatabaseSource{Host: "db.example.com"}
		}, want: "mysql-1 follows db.example.com (was mysql-0); mysql-1 replicates"},
		"the source's pod is gone for a moment": {after: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			replica.Channels[0].Source = v1alpha1.DatabaseSource{Host: "mysql-0.mysql"}
		}},
		"applier error": {after: threads("Yes", "No", nil, &v1alpha1.DatabaseError{Number: 1062, Message: "Duplicate entry"}),
			want: "mysql-1: the applier has stopped: 1062: Duplicate entry"},
		"receiver stopped": {after: threads("No", "Yes", nil, nil), want: "mysql-1: the receiver has stopped"},
		"can't connect":    {after: threads("Connecting", "Yes", cannotConnect("1"), nil), want: "mysql-1 can't reach mysql-0: 2003: Can't connect (attempt 1/86400)"},
		"goes on trying":   {before: threads("Connecting", "Yes", cannotConnect("1"), nil), after: threads("Connecting", "Yes", cannotConnect("2"), nil)},
		"replicates again": {before: threads("Connecting", "Yes", cannotConnect("1"), nil), want: "mysql-1 replicates again"},
		"late":             {before: lagging(9_999), after: lagging(12_300), want: "mysql-1 is 12.3s late"},
		"later":            {before: lagging(12_300), after: lagging(50_000)},
		"stale":            {before: lagging(12_300), after: lagging(61_000), want: "mysql-1 is stale: 61s late"},
		"less stale":       {before: lagging(61_000), after: lagging(59_000), want: "mysql-1 is 59.0s late"},
		"caught up":        {before: lagging(61_000), want: "mysql-1 has caught up"},
		"a lag is unknown": {before: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			replica.Channels[0].LagMilliseconds = nil
		}},
		"label": {before: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			replica.LabelledRole = "replica"
		},
			after: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
				replica.LabelledRole = "primary"
			}, want: "mysql-1 labelled primary (was replica)"},
		"Service": {after: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) {
			set.Services[0].Reaches = []string{"mysql-1"}
		},
			want: "Service mysql-read reaches mysql-1 (was mysql-0, mysql-1)"},
		"Service that reaches no server": {after: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) { set.Services[0].Reaches = nil },
			want: "Service mysql-read reaches no server (was mysql-0, mysql-1)"},
		"Service unread": {after: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) {
			set.Services[0].Reaches, set.Services[0].ReachesUnknown = nil, true
		}},
		"Service made": {before: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) { set.Services = nil }, want: "Service mysql-read reaches mysql-0, mysql-1"},
		"Service gone": {after: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) { set.Services = nil }, want: "Service mysql-read no longer reaches any server of the set"},
		"upgraded":     {after: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) { source.Version = "9.8.0" }, want: "mysql-0 runs MySQL 9.8.0 (was MySQL 9.7.4)"},
		"other data":   {after: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) { source.MySQL.ServerUUID = "u9" }, want: "mysql-0 is a different server now: server_uuid u9 (was u0)"},
		"group": {before: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.MySQL.Group = &v1alpha1.MySQLGroupMember{State: v1alpha1.GroupOnline}
		}, after: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.MySQL.Group = &v1alpha1.MySQLGroupMember{State: v1alpha1.GroupOffline}
		}, want: "mysql-0 is OFFLINE in its group (was ONLINE)"},
		"Galera": {before: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.MySQL.Galera = &v1alpha1.GaleraNode{State: v1alpha1.GaleraSynced, ClusterStatus: "Primary"}
		}, after: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.MySQL.Galera = &v1alpha1.GaleraNode{State: "Initialized", ClusterStatus: "non-Primary"}
		}, want: "mysql-0: its component is non-Primary (was Primary); mysql-0 is Initialized (was Synced)"},
		"left its group": {before: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.Role = v1alpha1.RolePrimary
		},
			after: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
				source.Role = v1alpha1.RoleOutside
			}, want: "mysql-0 is outside its group (was primary)"},
		"Galera answers": {before: unreachable("refused"), after: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.Role, source.MySQL.Galera = v1alpha1.RoleNode, &v1alpha1.GaleraNode{State: v1alpha1.GaleraSynced}
		}, want: "mysql-0 answers: Synced"},
		"findings": {before: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) {
			set.Findings = []v1alpha1.Finding{{Code: v1alpha1.CodeSeveralSources, Severity: v1alpha1.SeverityCritical, Objects: finding.Refs([]string{"pod/mysql-0"})}}
		}, after: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) {
			set.Findings = []v1alpha1.Finding{
				{Code: v1alpha1.CodeErrantTransactions, Severity: v1alpha1.SeverityError, Message: "mysql-1 has more"},
				{Code: v1alpha1.CodeApplierStopped, Severity: v1alpha1.SeverityCritical}, {Code: v1alpha1.CodeLagUnknown, Severity: v1alpha1.SeverityInfo},
			}
		}, want: "ERROR MYSQL020 mysql-1 has more; MYSQL004 resolved: pod/mysql-0"},
		"the set": {after: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) { set.Metadata.Namespace = "other" },
			want: "other/mysql-0 joined; other/mysql-0 answers: source, takes writes; other/mysql-0: its pod is ready; " +
				"other/mysql-1 joined; other/mysql-1 answers: replica of mysql-0; other/mysql-1: its pod is ready; other/Service mysql-read reaches mysql-0, mysql-1; " +
				"shop/mysql-0 left; shop/mysql-1 left; shop/Service mysql-read no longer reaches any server of the set"},
	} {
		t.Run(name, func(t *testing.T) {
			var texts []string
			for _, h := range dbtopology.Timeline(engines, pairOf(test.before), pairOf(test.after), now) {
				texts = append(texts, h.Text)
			}
			if got := strings.Join(texts, "; "); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

var now = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// TestGoals are what --for waits for.
func TestGoals(t *testing.T) {
	for _, test := range []struct {
		name           string
		change         func(source, replica *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology)
		ready, healthy bool
	}{
		{name: "healthy", ready: true, healthy: true},
		{name: "one does not answer", change: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) { replica.Unreachable = "x" }},
		{name: "a pod is not ready", change: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) { replica.Ready = false }},
		{name: "no server takes writes", change: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) { source.ReadOnly = new(true) }},
		{name: "writes come from elsewhere", ready: true, healthy: true, change: func(source, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.ReadOnly, source.Channels = new(true), slices.Clone(replica.Channels)
			source.Channels[0].Source.Pod = ""
		}},
		{name: "a thread has stopped", change: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			replica.Channels[0].Applier = "No"
		}},
		{name: "unknown channels", change: func(_, replica *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			replica.Role = v1alpha1.RoleUnknown
		}},
		{name: "a member is out", change: func(source, _ *v1alpha1.DatabaseServer, _ *v1alpha1.DatabaseTopology) {
			source.MySQL.Group = &v1alpha1.MySQLGroupMember{State: "RECOVERING"}
		}},
		{name: "a finding", ready: true, change: func(_, _ *v1alpha1.DatabaseServer, set *v1alpha1.DatabaseTopology) {
			set.Findings = []v1alpha1.Finding{{Severity: v1alpha1.SeverityInfo}, {Severity: v1alpha1.SeverityWarning}}
		}},
	} {
		report := judged(pairOf(test.change))
		if dbtopology.Ready(report) != test.ready || dbtopology.Healthy(report, nil) != test.healthy {
			t.Errorf("%s: ready %t, healthy %t", test.name, dbtopology.Ready(report), dbtopology.Healthy(report, nil))
		}
	}
	unread := judged(pairOf(nil))
	unread.Checked = []v1alpha1.CheckedPart{{Part: v1alpha1.PartServers, Gaps: []v1alpha1.Gap{{Kind: v1alpha1.GapUnread}}}}
	if empty := (&v1alpha1.DatabaseTopologyList{}); dbtopology.Ready(empty) || dbtopology.Healthy(unread, nil) || !dbtopology.Ready(unread) || !dbtopology.Healthy(unread, []v1alpha1.CheckPart{v1alpha1.PartServers}) {
		t.Errorf("none %t, with something unread %t", dbtopology.Ready(empty), dbtopology.Healthy(unread, nil))
	}
}

// judged has the condition Ready, as analysis judges it.
func judged(report *v1alpha1.DatabaseTopologyList) *v1alpha1.DatabaseTopologyList {
	for i := range report.Items {
		report.Items[i].Conditions = []v1alpha1.Condition{finding.Ready(true, Engine.Ready(&report.Items[i]), false)}
	}
	return report
}

// TestRowKey knows a server by its name, wherever it is in the tree.
func TestRowKey(t *testing.T) {
	view := dbtopology.View{Engines: engines, Namespaces: true}
	key := dbtopology.RowKey(view)
	keys := func(folder string) (list []string) {
		report := dbtopology.Analyze(engines, golden.Read[dbtopology.Snapshot](t, "testdata/"+folder+"/snapshot.yaml"), time.Now())
		for _, block := range dbtopology.Table(report, view).Blocks {
			for _, row := range block.Rows {
				list = append(list, key(row))
			}
		}
		return list
	}
	ns := dbtopology.Analyze(engines, golden.Read[dbtopology.Snapshot](t, "testdata/chain/snapshot.yaml"), time.Now()).Items[0].Metadata.Namespace
	if got, want := keys("chain"), []string{ns + "/mysql-0/", ns + "/mysql-1/", ns + "/mysql-2/"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if row := []printers.Cell{{}, {Text: "│  └─ mysql-2 (ch)"}}; key(append(row, make([]printers.Cell, 20)...)) != "/mysql-2(ch)/" {
		t.Errorf("%q", key(row))
	}
}
