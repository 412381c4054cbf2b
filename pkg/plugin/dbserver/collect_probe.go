package dbserver

import (
	"context"
	"time"
)

// Probe is many fresh connections to one address, each with one question, from inside a server's container: what a port-forward, which
// leads to one pod, can't show.
type Probe struct {
	Host string
	Port int
	// Connections is their number; where For is set they go on for that time in its place.
	Connections int
	For         time.Duration
	// Concurrency is how many there are at once.
	Concurrency int
}

// ProbeAnswer is one connection's.
type ProbeAnswer struct {
	// ServerID and Hostname are of the server that answered.
	ServerID int64
	Hostname string
	// Time is from the start of the client to its end.
	Time time.Duration
	// Err is why there was no answer.
	Err error
}

// Prober makes the connections of a probe.
type Prober interface {
	// Run makes them in the container of a server, with the account of the access, or with that of the server's flavour, and reports each.
	Run(ctx context.Context, from Server, p Probe, each func(ProbeAnswer)) error
}
