// Package streaming is what PostgreSQL's servers say of replication: their answers decoded into states, the rules and the columns that only they
// have.
package streaming

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/postgres"
)

// Detail is what is known of a PostgreSQL server beyond what is true of every engine's.
type Detail struct {
	// Version is server_version_num, VersionText what the server calls it.
	Version     int
	VersionText string
	SystemID    string
	InRecovery  bool
	// Timeline is the server's own, 0 if unknown: a primary's, or that which a standby receives, else that of its last checkpoint.
	Timeline int64
	// Position is what it has written or replayed; Later the same when all servers had been asked. Received is what a standby has received.
	Position, Later, Received postgres.LSN
	// Now is the server's clock, LastReplayed when the last commit that a standby has replayed was made; zero if unknown.
	Now, LastReplayed time.Time
	// Paused is the state of replay that is not going on: paused, or pause requested; empty if it goes on.
	Paused   string
	Settings postgres.Row
	Receiver postgres.Row // nil without one
	Senders  []Sender
	Slots    []Slot
	// Activity is what its sessions do; nil if an account may not see that.
	Activity postgres.Row
}

// Sender is what a server says of one that receives from it.
type Sender struct {
	postgres.Row
	Name, Address string
	// State is empty where an account may not see it.
	State                   string
	Sent, Flushed, Replayed postgres.LSN
	ReplayLag               time.Duration // 0 if unknown
	// HeardAgo is for how long the receiver has reported nothing; 0 if unknown.
	HeardAgo time.Duration
}

// Slot is a replication slot.
type Slot struct {
	postgres.Row
	Name     string
	Logical  bool
	Active   bool
	Synced   bool
	Status   string // reserved, extended, unreserved, lost; empty where a server does not tell
	HeldFrom postgres.LSN
	// Held is how much WAL it keeps, in bytes; 0 if it keeps none.
	Held int64
}

// Of is a server's detail; empty if it did not answer.
func Of(s *dbstate.State) *Detail {
	if d, ok := s.Detail.(*Detail); ok {
		return d
	}
	return &Detail{Settings: postgres.Row{}}
}

// Decode is the engine's dbstate.Decoder.
func Decode(s *dbstate.State) {
	about := first(s, postgres.SubjectServer)
	d := &Detail{
		VersionText: word(about.Text("server_version")), SystemID: about.Text("system_identifier"), InRecovery: isTrue(about, "in_recovery"),
		Settings: settings(s), Receiver: first(s, postgres.SubjectReceiver), Activity: activity(s),
	}
	s.Detail = d
	d.Version, _ = strconv.Atoi(about.Text("server_version_num"))
	d.Position, d.Received = lsn(about, "lsn"), lsn(about, "receive_lsn")
	if d.Later = lsn(first(s, postgres.SubjectPosition), "lsn"); d.Later < d.Position {
		d.Later = d.Position
	}
	if at := lsn(d.Receiver, "flushed_lsn"); at > d.Received { // after a restart the function gives the beginning of a segment
		d.Received = at
	}
	d.Received = max(d.Received, d.Position)
	d.Now, d.LastReplayed = instant(about, "now"), instant(about, "last_replayed")
	d.Timeline = timeline(about, d.Receiver)
	if d.InRecovery && isTrue(about, "replay_paused") {
		d.Paused = cmp.Or(d.Activity.Text("pause_state"), "paused")
	}
	d.Senders, d.Slots = senders(s, d), slots(s)
	for i := range d.Senders {
		if x := &d.Senders[i]; x.State != "backup" { // pg_basebackup
			s.Receivers = append(s.Receivers, dbstate.Receiver{Name: x.Name, Address: x.Address})
		}
	}
	if about == nil { // then nothing is known of what it is
		s.ChannelsUnknown = true
		return
	}
	s.TakesWrites = !d.InRecovery && d.Settings.Text("default_transaction_read_only") != "on"
	if d.InRecovery {
		s.Channels = []*dbstate.Channel{channel(s, d)}
	}
}

// timeline is that on which a server is: a checkpoint's is of before, and a standby that receives knows better.
func timeline(about, receiver postgres.Row) int64 {
	for _, row := range []struct {
		postgres.Row
		column string
	}{{about, "timeline"}, {receiver, "received_tli"}, {about, "checkpoint_timeline"}} {
		if n, ok := row.Int(row.column); ok && n > 0 {
			return n
		}
	}
	return 0
}

// channel is how a standby replicates. Its receiver's state is unknown to an account that may see no more than that there is one.
func channel(s *dbstate.State, d *Detail) *dbstate.Channel {
	upstream := first(s, postgres.SubjectUpstream)
	c := &dbstate.Channel{Applier: v1alpha1.ThreadRuns, RetryEvery: retryEvery(d)}
	c.Ref.Host = cmp.Or(d.Receiver.Text("sender_host"), upstream.Text("host"))
	if strings.HasPrefix(c.Ref.Host, "/") { // a socket's folder
		c.Ref.Host = ""
	}
	c.Ref.Port, _ = strconv.ParseInt(cmp.Or(d.Receiver.Text("sender_port"), upstream.Text("port")), 10, 64)
	switch status := d.Receiver.Text("status"); {
	case d.Receiver != nil && status == "":
		c.Receiver = ""
	case status == "streaming":
		c.Receiver = v1alpha1.ThreadRuns
	case d.Receiver != nil:
		c.Receiver = v1alpha1.ThreadConnecting
	case d.Paused != "", upstream != nil && !isTrue(upstream, "configured"): // while replay is paused a receiver that was lost is not started again
		c.Receiver = v1alpha1.ThreadStopped
	default:
		c.Receiver = v1alpha1.ThreadConnecting
	}
	if d.Paused != "" {
		c.Applier = v1alpha1.ThreadStopped
	}
	if ms, ok := d.Settings.Int("recovery_min_apply_delay"); ok {
		c.DelaySeconds = ms / 1000
	}
	if last := instant(d.Receiver, "last_received"); !last.IsZero() && !d.Now.IsZero() {
		c.HeardNothingFor = d.Now.Sub(last)
	}
	return c
}

// retryEvery is how often a standby tries to connect, or looks for WAL elsewhere.
func retryEvery(d *Detail) time.Duration {
	if ms, ok := d.Settings.Int("wal_retrieve_retry_interval"); ok {
		return time.Duration(ms) * time.Millisecond
	}
	return 0
}

func senders(s *dbstate.State, d *Detail) (list []Sender) {
	for _, row := range rows(s, postgres.SubjectSenders) {
		x := Sender{
			Row: row, Name: row.Text("application_name"), Address: row.Text("client_addr"), State: row.Text("state"),
			Sent: lsn(row, "sent_lsn"), Flushed: lsn(row, "flush_lsn"), Replayed: lsn(row, "replay_lsn"), ReplayLag: seconds(row, "replay_lag"),
		}
		if reply := instant(row, "reply_time"); !reply.IsZero() && !d.Now.IsZero() {
			x.HeardAgo = max(0, d.Now.Sub(reply))
		}
		list = append(list, x)
	}
	return list
}

func slots(s *dbstate.State) (list []Slot) {
	for _, row := range rows(s, postgres.SubjectSlots) {
		x := Slot{
			Row: row, Name: row.Text("slot_name"), Logical: row.Text("slot_type") == "logical", Active: isTrue(row, "active"), Synced: isTrue(row, "synced"),
			Status: row.Text("wal_status"), HeldFrom: lsn(row, "restart_lsn"),
		}
		if held, ok := row.Number("held_bytes"); ok && held > 0 {
			x.Held = int64(held)
		}
		list = append(list, x)
	}
	return list
}

// activity is nil for an account that sees only its own sessions.
func activity(s *dbstate.State) postgres.Row {
	row := first(s, postgres.SubjectActivity)
	if n, ok := row.Int("seen"); !ok || n <= 1 {
		return nil
	}
	return row
}

// settings are the rows of pg_settings as one row.
func settings(s *dbstate.State) postgres.Row {
	all := postgres.Row{}
	for _, row := range rows(s, postgres.SubjectSettings) {
		all[row.Text("name")] = row["setting"]
	}
	return all
}

func answer(s *dbstate.State, subject postgres.Subject) *v1alpha1.DatabaseAnswer {
	return s.Answer(string(subject))
}

func rows(s *dbstate.State, subject postgres.Subject) (list []postgres.Row) {
	a := answer(s, subject)
	if a == nil {
		return nil
	}
	for _, row := range a.Rows {
		list = append(list, row)
	}
	return list
}

// first is the first row about a subject, nil without one.
func first(s *dbstate.State, subject postgres.Subject) postgres.Row {
	list := rows(s, subject)
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func isTrue(row postgres.Row, column string) bool {
	value := row.Text(column)
	return value == "t" || value == "true" || value == "on"
}

func lsn(row postgres.Row, column string) postgres.LSN {
	at, _ := postgres.ParseLSN(row.Text(column))
	return at
}

// instant is a moment in seconds since 1970; zero for none.
func instant(row postgres.Row, column string) time.Time {
	n, ok := row.Number(column)
	if !ok || n <= 0 { // -infinity for never
		return time.Time{}
	}
	return time.UnixMicro(int64(n * 1e6)).UTC()
}

func seconds(row postgres.Row, column string) time.Duration {
	n, _ := row.Number(column)
	return time.Duration(n * float64(time.Second))
}

// word is the first word of a text: 17.12 of 17.12 (Debian 17.12-0+deb13u1).
func word(text string) string {
	head, _, _ := strings.Cut(text, " ")
	return head
}
