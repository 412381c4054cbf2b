package dbtopology

import (
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Engine is what a topology has to know of a line of database servers: how their answers are decoded, and what only they have.
type Engine struct {
	*dbstate.Engine
	// Replication is how the servers of a set replicate.
	Replication func(*dbstate.Set) v1alpha1.DatabaseReplication
	// Equal reports whether the members of a set are alike: any may be read from and written to.
	Equal func(*dbstate.Set) bool
	// Related reports whether two servers have, or have had, data of each other; known is false where their answers don't tell.
	Related func(a, b *dbstate.Server) (related, known bool)
	// Describe and DescribeChannel add to reports what only this engine has.
	Describe        func(*dbstate.Server, *v1alpha1.DatabaseServer)
	DescribeChannel func(*dbstate.Server, *dbstate.Link, *v1alpha1.DatabaseChannel)
	// Evidence is what a server answered on which a general rule rests.
	Evidence func(Proof, *dbstate.Server, *dbstate.Link) []v1alpha1.Evidence
	// Rules are the engine's own about a set, ServerRules about each of its servers, ChannelRules about each channel.
	Rules        func(*Judge)
	ServerRules  func(*Judge, *dbstate.Server)
	ChannelRules func(*Judge, *dbstate.Server, *dbstate.Link)
	// Hasty are codes of its own that a watch tells only when servers have been asked again, see NewHold.
	Hasty []v1alpha1.Code
	// Unread are what a server that answered did not tell, of what a verdict rests on.
	Unread func(*dbstate.Server) []string
	// Refusal is why a server did not answer a question, with what is alike about the same refusal of others; ok is false for what is none.
	Refusal func(*v1alpha1.DatabaseAnswer) (problem v1alpha1.Problem, ok bool)
	// MemberState is what a server says of its part in its group, and whether that is as it should be; member is false if it is in none.
	MemberState func(*v1alpha1.DatabaseServer) (state string, healthy, member bool)
	// Identity is by what others know a server, and what that is called: a server_uuid.
	Identity func(*v1alpha1.DatabaseServer) (name, value string)
	// Mode says in a word who may write to a server, rw or ro; it is empty where that is unknown.
	Mode func(*v1alpha1.DatabaseServer) string
	// Columns stand after the lag, Wide before the way in.
	Columns, Wide printers.Columns[Row]
	// Happenings are what a server of a group does otherwise than before; a text goes on after the pod's name.
	Happenings func(was, is *v1alpha1.DatabaseServer, tell func(level printers.Level, text string))
}

// Proof is what evidence is of.
type Proof int

// What evidence is of.
const (
	ProofOfWrites   Proof = iota // whether a server takes writes
	ProofOfRole                  // what part it plays
	ProofOfReceiver              // what a channel's receiver does
	ProofOfCycle                 // where a channel of a cycle leads
	ProofOfSource                // where a channel leads
	ProofOfLag                   // how late it is
)

// servers are the engines as servers are found by them.
func servers(engines []*Engine) dbserver.Engines {
	list := make(dbserver.Engines, len(engines))
	for i, e := range engines {
		list[i] = e.Engine.Engine
	}
	return list
}
