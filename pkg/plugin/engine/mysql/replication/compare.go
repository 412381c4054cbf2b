package replication

import (
	"cmp"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// canCompare reports whether a replica's transactions can be compared with those of a link's source.
func canCompare(s *dbstate.Server, l *dbstate.Link) bool {
	return l.Source != nil && l.Source.Answered && Of(l.Source.State).Version.Product == Of(s.State).Version.Product
}

// behind is how far a replica is behind the source of a link, in transactions, or in bytes of the source's log where there are no GTIDs; nil
// where that is unknown.
func behind(s *dbstate.Server, l *dbstate.Link) (transactions, bytes *int64) {
	if !canCompare(s, l) {
		return nil, nil
	}
	// The source's first answer is older than the replica's second: what is missing is really missing.
	before, now := Of(l.Source.State).First, Of(s.State).Again
	switch {
	case Of(s.State).Version.Product == mysql.MariaDB && before.Known && now.Known:
		position := before.BinlogPos
		if len(position) == 0 {
			position = before.Current
		}
		n := now.applied().Behind(position)
		return &n, nil
	case Of(s.State).gtidOn() && Of(l.Source.State).gtidOn() && before.Known && now.Known:
		n := before.Executed.Subtract(now.Executed).Count()
		return &n, nil
	}
	return nil, bytesBehind(l)
}

// lacks reports whether a replica lacks something that one of its sources has; nil where that is unknown.
func lacks(s *dbstate.Server) *bool {
	some := false
	for _, l := range s.Links {
		transactions, bytes := behind(s, l)
		switch n := cmp.Or(transactions, bytes); {
		case n == nil:
			return nil
		case *n > 0:
			some = true
		}
	}
	if len(s.Links) == 0 {
		return nil
	}
	return &some
}

// bytesBehind is the distance in the source's binary log, if it writes the same file that the replica applies.
func bytesBehind(l *dbstate.Link) *int64 {
	row, _, ok := rowOf(l.Source.State, mysql.SubjectBinlog)
	if !ok {
		return nil
	}
	at, okAt := row.Int("Position")
	done, okDone := OfChannel(l.Channel).Row.Int("Exec_Source_Log_Pos", "Exec_Master_Log_Pos")
	if row.Text("File") != OfChannel(l.Channel).Row.First("Relay_Source_Log_File", "Relay_Master_Log_File") || !okAt || !okDone {
		return nil
	}
	n := max(0, at-done)
	return &n
}

// errantOf are the transactions that a replica had at first and that none of its sources has in the end, as the server prints them. It
// is empty where that can't be told: a source did not answer, or replicates from this server itself.
func errantOf(s *dbstate.Server) string {
	mine := Of(s.State).First
	if !mine.Known || len(s.Links) == 0 {
		return ""
	}
	theirs := mysql.GTIDSet{}
	var state, slavePos mysql.MariaDBPosition
	for _, l := range s.Links {
		o := l.Source
		if o == nil || !o.Answered || !Of(o.State).Again.Known || Of(o.State).Version.Product != Of(s.State).Version.Product || o.Follows(s) {
			return ""
		}
		theirs = theirs.Union(Of(o.State).Again.Executed)
		state, slavePos = append(state, Of(o.State).Again.BinlogState...), append(slavePos, Of(o.State).Again.SlavePos...)
		if Of(s.State).Version.Product == mysql.MariaDB && !IsOn(Of(o.State).Variables, "log_bin") || Of(s.State).Version.Product == mysql.MySQL && !Of(o.State).gtidOn() {
			return ""
		}
	}
	if Of(s.State).Version.Product == mysql.MariaDB {
		return mine.BinlogState.Without(state, slavePos).String()
	}
	return mine.Executed.Subtract(theirs).String()
}

// unacknowledged reports whether transactions that a source has not are its own, which it has sent and not committed yet: it waits for
// semi-synchronous replicas.
func unacknowledged(s *dbstate.Server, errant string) bool {
	set, err := mysql.ParseGTIDSet(errant)
	if err != nil { // MariaDB's, which name no server by UUID
		return false
	}
	uuids := set.UUIDs()
	return slices.ContainsFunc(s.Links, func(l *dbstate.Link) bool {
		if l.Source == nil || slices.ContainsFunc(uuids, func(uuid string) bool { return uuid != l.Source.UUID }) {
			return false
		}
		waiting, _ := Of(l.Source.State).Status.Int("Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_master_wait_sessions")
		return waiting > 0
	})
}
