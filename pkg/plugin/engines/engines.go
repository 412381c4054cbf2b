// Package engines is the one list of database engines. Only the root command and check know it: whatever else is about databases is given the
// engines that it is about.
package engines

import (
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/postgres/streaming"
)

// Engine is a line of database servers with commands of its own.
type Engine struct {
	// Name begins the names of its commands: mysql of mysql-topology. Short is for aliases; empty for none.
	Name, Short string
	// Kinds are its servers for people: "MySQL and MariaDB servers".
	Kinds    string
	Topology *dbtopology.Engine
}

// All are the engines.
func All() []Engine {
	return []Engine{
		{Name: "mysql", Kinds: "MySQL and MariaDB servers", Topology: &replication.Engine},
		{Name: "postgres", Short: "pg", Kinds: "PostgreSQL servers", Topology: &streaming.Engine},
	}
}

// Kinds are the servers of all engines for people: "MySQL, MariaDB and PostgreSQL servers".
func Kinds() string {
	var names []string
	for _, e := range All() {
		names = append(names, strings.Split(strings.TrimSuffix(e.Kinds, " servers"), " and ")...)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last] + " servers"
}

// Topologies are the engines as topology and check know them.
func Topologies() (list []*dbtopology.Engine) {
	for _, e := range All() {
		list = append(list, e.Topology)
	}
	return list
}

// States are the engines as reads knows them: not all have a client yet that makes many connections.
func States() (list []*dbstate.Engine) {
	for _, e := range All() {
		if e.IsRead() {
			list = append(list, e.States())
		}
	}
	return list
}

// Servers are the engines as servers are found by them.
func Servers() (list []*dbserver.Engine) {
	for _, e := range All() {
		list = append(list, e.Servers())
	}
	return list
}

// Queried are the engines as query knows them: not all say yet which statements only read.
func Queried() (list []*dbserver.Engine) {
	for _, e := range All() {
		if e.IsQueried() {
			list = append(list, e.Servers())
		}
	}
	return list
}

// States is the engine as reads knows it.
func (e Engine) States() *dbstate.Engine { return e.Topology.Engine }

// IsRead reports whether the engine has the command reads.
func (e Engine) IsRead() bool { return e.Servers().NewProber != nil }

// IsQueried reports whether the engine has the command query.
func (e Engine) IsQueried() bool { return e.Servers().Statements.Check != nil }

// Servers is the engine as servers are found by it.
func (e Engine) Servers() *dbserver.Engine { return e.Topology.Engine.Engine }
