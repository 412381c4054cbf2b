package replication

import (
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// Channel is one of a replica's channels, as the replica tells of it.
type Channel struct {
	Name string // empty for the only one of most replicas
	// Row is that of SHOW REPLICA STATUS, in the words of any version; Statement is where it is from.
	Row       mysql.Row
	Statement string
	// Connection is the row of performance_schema about its receiver, nil without; Workers are those about its coordinator and workers.
	Connection mysql.Row
	Workers    []mysql.Row
	// SourceRef is where it leads.
	SourceRef SourceRef
	// Receiver and Applier are the states of the two threads: Yes, No, and Connecting for the receiver; empty if unknown.
	Receiver, Applier           string
	ReceiverError, ApplierError *v1alpha1.MySQLChannelError
	// DelaySeconds is how late it is on purpose.
	DelaySeconds int64
	// AutoPosition is nil if the server does not tell.
	AutoPosition *bool
	// LagMilliseconds is how late the applier is beyond the delay, nil where LagUnknown says why nobody knows; LagFrom is what it is taken from.
	LagMilliseconds *int64
	LagFrom         string
	LagUnknown      string
}

// SourceRef is a channel's other end, as its replica names it.
type SourceRef struct {
	Host     string
	Port     int64
	UUID     string // in small letters, empty for MariaDB
	ServerID int64
}

// What Channel.LagFrom may be.
const (
	LagFromCommits = "commit timestamps"
	LagFromSeconds = "seconds behind"
)

// Sound reports whether both threads run.
func (c *Channel) Sound() bool { return c.Receiver == "Yes" && c.Applier == "Yes" }

// Channels that Group Replication keeps for itself.
const groupChannels = "group_replication_"

func (s *State) decodeChannels() {
	status := s.Answer(mysql.SubjectReplica)
	receivers := rows(s.Answer(mysql.SubjectConnection))
	workers := slices.Concat(rows(s.Answer(mysql.SubjectCoordinator)), rows(s.Answer(mysql.SubjectWorkers)))
	var list []*Channel
	switch {
	case status != nil && status.Error == nil:
		for _, row := range rows(status) {
			list = append(list, &Channel{Row: row, Statement: status.Statement})
		}
	case s.performanceSchema(): // it may be read where SHOW REPLICA STATUS may not
		for _, row := range receivers {
			list = append(list, &Channel{Row: fromPerformanceSchema(row, workers), Statement: s.Answer(mysql.SubjectConnection).Statement})
		}
	default:
		s.ChannelsUnknown = true
	}
	for _, c := range list {
		c.Name = c.Row.First("Channel_Name", "Connection_name")
		if strings.HasPrefix(c.Name, groupChannels) {
			continue
		}
		ofChannel := func(row mysql.Row) bool { return row.Text("CHANNEL_NAME") == c.Name }
		if i := slices.IndexFunc(receivers, ofChannel); i >= 0 {
			c.Connection = receivers[i]
		}
		for _, row := range workers {
			if ofChannel(row) {
				c.Workers = append(c.Workers, row)
			}
		}
		c.decode(s)
		s.Channels = append(s.Channels, c)
	}
}

// performanceSchema reports whether the server keeps it and lets the plugin read of receivers.
func (s *State) performanceSchema() bool {
	a := s.Answer(mysql.SubjectConnection)
	return a != nil && a.Error == nil && (len(a.Rows) > 0 || IsOn(s.Variables, "performance_schema"))
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
func (c *Channel) decode(s *State) {
	c.SourceRef.Host = c.Row.First("Source_Host", "Master_Host")
	c.SourceRef.Port, _ = c.Row.Int("Source_Port", "Master_Port")
	c.SourceRef.UUID = strings.ToLower(c.Row.First("Source_UUID", "Master_UUID"))
	c.SourceRef.ServerID, _ = c.Row.Int("Source_Server_Id", "Master_Server_Id")
	c.Receiver = c.Row.First("Replica_IO_Running", "Slave_IO_Running")
	c.Applier = c.Row.First("Replica_SQL_Running", "Slave_SQL_Running")
	if c.Receiver == "Preparing" { // MariaDB's word for the time before it connects
		c.Receiver = "Connecting"
	}
	c.DelaySeconds, _ = c.Row.Int("SQL_Delay")
	if n, ok := c.Row.Int("Last_IO_Errno"); ok && n != 0 {
		c.ReceiverError = &v1alpha1.MySQLChannelError{Number: n, Message: objects.OneLine(c.Row.Text("Last_IO_Error"))}
	}
	if n, ok := c.Row.Int("Last_SQL_Errno"); ok && n != 0 {
		c.ApplierError = &v1alpha1.MySQLChannelError{Number: n, Message: objects.OneLine(c.Row.Text("Last_SQL_Error"))}
		// The coordinator only says that a worker has failed.
		for _, w := range c.Workers {
			if _, isWorker := w["WORKER_ID"]; !isWorker {
				continue
			}
			if number, ok := w.Int("LAST_ERROR_NUMBER"); ok && number != 0 && w.Text("LAST_ERROR_MESSAGE") != "" {
				c.ApplierError = &v1alpha1.MySQLChannelError{Number: number, Message: objects.OneLine(w.Text("LAST_ERROR_MESSAGE"))}
				break
			}
		}
	}
	if auto := c.Row.Text("Auto_Position"); auto != "" {
		on := auto == "1"
		c.AutoPosition = &on
	} else if using := c.Row.Text("Using_Gtid"); using != "" {
		on := using != "No"
		c.AutoPosition = &on
	}
	c.decodeLag(s)
}

// decodeLag finds out how late the applier is. The clock is the replica's own, that of the commits their source's.
func (c *Channel) decodeLag(s *State) {
	switch {
	case c.Applier != "Yes":
		c.LagUnknown = "the applier is stopped"
		return
	case c.Receiver != "Yes":
		c.LagUnknown = "the receiver is not connected"
		return
	}
	late := func(ms int64, from string) {
		ms = max(0, ms-c.DelaySeconds*1000)
		c.LagMilliseconds, c.LagFrom = &ms, from
	}
	if ms, ok := c.lagByCommits(s); ok {
		late(ms, LagFromCommits)
		return
	}
	if seconds, ok := c.Row.Int("Seconds_Behind_Source", "Seconds_Behind_Master"); ok {
		late(seconds*1000, LagFromSeconds)
		return
	}
	c.LagUnknown = "the server does not tell"
}

// lagByCommits is the age of the oldest transaction that is being applied, or 0 if all that was received has been applied.
// MySQL tells from 8.0 on.
func (c *Channel) lagByCommits(s *State) (ms int64, ok bool) {
	queued := c.Connection.Text("LAST_QUEUED_TRANSACTION")
	if _, tells := c.Connection["LAST_QUEUED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP"]; !tells || s.Now.IsZero() {
		return 0, false
	}
	var oldest, applied time.Time
	var appliedLast bool
	for _, w := range c.Workers {
		if t, ok := ParseTime(w.Text("APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP")); ok && (oldest.IsZero() || t.Before(oldest)) {
			oldest = t
		}
		if t, ok := ParseTime(w.Text("LAST_APPLIED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP")); ok && t.After(applied) {
			applied = t
		}
		appliedLast = appliedLast || queued != "" && queued != "ANONYMOUS" && w.Text("LAST_APPLIED_TRANSACTION") == queued
	}
	if !oldest.IsZero() {
		return max(0, s.Now.Sub(oldest).Milliseconds()), true
	}
	if queued == "" || appliedLast {
		return 0, true
	}
	if set, err := mysql.ParseGTIDSet(queued); err == nil {
		return 0, s.First.Known && set.Subtract(s.First.Executed).Count() == 0
	}
	when, dated := ParseTime(c.Connection.Text("LAST_QUEUED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP"))
	return 0, dated && !when.After(applied)
}
