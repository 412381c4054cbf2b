package replication

import (
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// Comparable reports whether a replica's transactions can be compared with those of a link's source.
func (s *Server) Comparable(l *Link) bool {
	return l.Source != nil && l.Source.Answered && l.Source.Version.Product == s.Version.Product
}

// Behind is how far a replica is behind the source of a link, in transactions, or in bytes of the source's log where there are no GTIDs; nil
// where nobody can tell.
func (s *Server) Behind(l *Link) (transactions, bytes *int64) {
	if !s.Comparable(l) {
		return nil, nil
	}
	// The source's first answer is older than the replica's second: what is missing is really missing.
	before, now := l.Source.First, s.Again
	switch {
	case s.Version.Product == mysql.MariaDB && before.Known && now.Known:
		position := before.BinlogPos
		if len(position) == 0 {
			position = before.Current
		}
		n := now.applied().Behind(position)
		return &n, nil
	case s.GTIDOn() && l.Source.GTIDOn() && before.Known && now.Known:
		n := before.Executed.Subtract(now.Executed).Count()
		return &n, nil
	}
	return nil, l.bytesBehind()
}

// bytesBehind is the distance in the source's binary log, if it writes the same file that the replica applies.
func (l *Link) bytesBehind() *int64 {
	row, _, ok := l.Source.Row(mysql.SubjectBinlog)
	if !ok {
		return nil
	}
	at, okAt := row.Int("Position")
	done, okDone := l.Row.Int("Exec_Source_Log_Pos", "Exec_Master_Log_Pos")
	if row.Text("File") != l.Row.First("Relay_Source_Log_File", "Relay_Master_Log_File") || !okAt || !okDone {
		return nil
	}
	n := max(0, at-done)
	return &n
}

// Errant are the transactions that a replica had at first and that none of its sources has in the end, as the server prints them. It
// is empty where that can't be told: a source did not answer, or replicates from this server itself.
func (s *Server) Errant() string {
	mine := s.First
	if !mine.Known || len(s.Links) == 0 {
		return ""
	}
	theirs := mysql.GTIDSet{}
	var state, slavePos mysql.MariaDBPosition
	for _, l := range s.Links {
		o := l.Source
		if o == nil || !o.Answered || !o.Again.Known || o.Version.Product != s.Version.Product || o.Follows(s) {
			return ""
		}
		theirs = theirs.Union(o.Again.Executed)
		state, slavePos = append(state, o.Again.BinlogState...), append(slavePos, o.Again.SlavePos...)
		if s.Version.Product == mysql.MariaDB && !IsOn(o.Variables, "log_bin") || s.Version.Product == mysql.MySQL && !o.GTIDOn() {
			return ""
		}
	}
	if s.Version.Product == mysql.MariaDB {
		return mine.BinlogState.Without(state, slavePos).String()
	}
	return mine.Executed.Subtract(theirs).String()
}

// Unacknowledged reports whether transactions that a source has not are its own, which it has sent and not committed yet: it waits for
// semi-synchronous replicas.
func (s *Server) Unacknowledged(errant string) bool {
	set, err := mysql.ParseGTIDSet(errant)
	if err != nil { // MariaDB's, which name no server by UUID
		return false
	}
	uuids := set.UUIDs()
	return slices.ContainsFunc(s.Links, func(l *Link) bool {
		if l.Source == nil || slices.ContainsFunc(uuids, func(uuid string) bool { return uuid != l.Source.UUID }) {
			return false
		}
		waiting, _ := l.Source.Status.Int("Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_master_wait_sessions")
		return waiting > 0
	})
}
