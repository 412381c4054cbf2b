package replication

import (
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// ChannelDetail is what is known of a channel beyond what is true of every engine's.
type ChannelDetail struct {
	// Row is that of SHOW REPLICA STATUS, in the words of any version; Statement is where it is from.
	Row       mysql.Row
	Statement string
	// Connection is the row of performance_schema about its receiver, nil without; Workers are those about its coordinator and workers.
	Connection mysql.Row
	Workers    []mysql.Row
	// AutoPosition is nil if the server does not tell.
	AutoPosition *bool
	// SecondsBehind is Seconds_Behind_Source or Seconds_Behind_Master, nil where the server does not count.
	SecondsBehind *int64
}

// OfChannel is a channel's detail.
func OfChannel(c *dbstate.Channel) *ChannelDetail { return c.Detail.(*ChannelDetail) }

// Channels that Group Replication keeps for itself.
const groupChannels = "group_replication_"

func decodeChannels(s *dbstate.State, d *Detail) {
	status := answer(s, mysql.SubjectReplica)
	receivers := rows(answer(s, mysql.SubjectConnection))
	workers := slices.Concat(rows(answer(s, mysql.SubjectCoordinator)), rows(answer(s, mysql.SubjectWorkers)))
	var list []*ChannelDetail
	switch {
	case status != nil && status.Error == nil:
		for _, row := range rows(status) {
			list = append(list, &ChannelDetail{Row: row, Statement: status.Statement})
		}
	case performanceSchema(s, d): // it may be read where SHOW REPLICA STATUS may not
		for _, row := range receivers {
			list = append(list, &ChannelDetail{Row: fromPerformanceSchema(row, workers), Statement: answer(s, mysql.SubjectConnection).Statement})
		}
	default:
		s.ChannelsUnknown = true
	}
	for _, c := range list {
		name := c.Row.First("Channel_Name", "Connection_name")
		if strings.HasPrefix(name, groupChannels) {
			continue
		}
		ofChannel := func(row mysql.Row) bool { return row.Text("CHANNEL_NAME") == name }
		if i := slices.IndexFunc(receivers, ofChannel); i >= 0 {
			c.Connection = receivers[i]
		}
		for _, row := range workers {
			if ofChannel(row) {
				c.Workers = append(c.Workers, row)
			}
		}
		s.Channels = append(s.Channels, c.decode(name, d))
	}
}

// performanceSchema reports whether the server keeps it and lets the plugin read of receivers.
func performanceSchema(s *dbstate.State, d *Detail) bool {
	a := answer(s, mysql.SubjectConnection)
	return a != nil && a.Error == nil && (len(a.Rows) > 0 || IsOn(d.Variables, "performance_schema"))
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
func (c *ChannelDetail) decode(name string, d *Detail) *dbstate.Channel {
	out := &dbstate.Channel{Name: name, Detail: c}
	out.Ref.Host = c.Row.First("Source_Host", "Master_Host")
	out.Ref.Port, _ = c.Row.Int("Source_Port", "Master_Port")
	out.Ref.UUID = strings.ToLower(c.Row.First("Source_UUID", "Master_UUID"))
	out.Ref.ServerID, _ = c.Row.Int("Source_Server_Id", "Master_Server_Id")
	out.Receiver = v1alpha1.ThreadState(c.Row.First("Replica_IO_Running", "Slave_IO_Running"))
	out.Applier = v1alpha1.ThreadState(c.Row.First("Replica_SQL_Running", "Slave_SQL_Running"))
	if out.Receiver == "Preparing" { // MariaDB's word for the time before it connects
		out.Receiver = v1alpha1.ThreadConnecting
	}
	out.DelaySeconds, _ = c.Row.Int("SQL_Delay")
	if n, ok := c.Row.Int("Last_IO_Errno"); ok && n != 0 {
		out.ReceiverError = shortened(receiverError, v1alpha1.DatabaseError{Number: n, Message: objects.OneLine(c.Row.Text("Last_IO_Error"))})
	}
	if n, ok := c.Row.Int("Last_SQL_Errno"); ok && n != 0 {
		out.ApplierError = shortened(applierError, v1alpha1.DatabaseError{Number: n, Message: objects.OneLine(c.Row.Text("Last_SQL_Error"))})
		// The coordinator only says that a worker has failed.
		for _, w := range c.Workers {
			if _, isWorker := w["WORKER_ID"]; !isWorker {
				continue
			}
			if number, ok := w.Int("LAST_ERROR_NUMBER"); ok && number != 0 && w.Text("LAST_ERROR_MESSAGE") != "" {
				out.ApplierError = shortened(applierError, v1alpha1.DatabaseError{Number: number, Message: objects.OneLine(w.Text("LAST_ERROR_MESSAGE"))})
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
	if n, ok := c.Row.Int("SQL_Remaining_Delay"); ok {
		out.DelayLeftSeconds = &n
	}
	if n, ok := c.Row.Int("Connect_Retry"); ok && n > 0 {
		out.RetryEvery = time.Duration(n) * time.Second
	}
	out.Unused = c.unused(out)
	e := out.ReceiverError
	out.Refused = e != nil && refused(e)
	out.HeardNothingFor = c.heardNothingFor(d)
	c.decodeLag(out, d)
	return out
}

// unused reports whether a channel is as CHANGE REPLICATION SOURCE TO and RESET REPLICA leave it: its receiver is stopped without an error, and no log of the
// source has ever been read. Where SHOW REPLICA STATUS could not be read there are no logs' names, and performance_schema tells.
func (c *ChannelDetail) unused(out *dbstate.Channel) bool {
	if out.Receiver != v1alpha1.ThreadStopped || out.ReceiverError != nil || out.ApplierError != nil || out.Ref.UUID != "" {
		return false
	}
	known := false
	for _, read := range [...]mysql.Row{c.Row, c.Connection} {
		for _, column := range [...]string{"Source_Log_File", "Master_Log_File", "Relay_Source_Log_File", "Relay_Master_Log_File", "Retrieved_Gtid_Set", "RECEIVED_TRANSACTION_SET"} {
			if value, ok := read[column]; ok {
				if known = true; value != nil && *value != "" {
					return false
				}
			}
		}
	}
	return known
}

// heardNothingFor is for how long a receiver has heard nothing of its source. Sources send heartbeats while there is nothing else to send
// (MySQL: replication_connection_status).
func (c *ChannelDetail) heardNothingFor(d *Detail) time.Duration {
	last, ok := parseTime(c.Connection.Text("LAST_HEARTBEAT_TIMESTAMP"))
	if queued, also := parseTime(c.Connection.Text("LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP")); also && queued.After(last) {
		last, ok = queued, true
	}
	if !ok || d.Now.IsZero() {
		return 0
	}
	return d.Now.Sub(last)
}

// shortened is an error with what makes it short.
func shortened(short func(*v1alpha1.DatabaseError) string, e v1alpha1.DatabaseError) *v1alpha1.DatabaseError {
	e.Short = short(&e)
	return &e
}
