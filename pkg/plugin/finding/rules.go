package finding

import (
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Rule is the number of a rule that means the same for database servers of every engine. With an engine's family of codes before it, it is
// a code: rule 001 of the family MYSQL is MYSQL001.
type Rule string

// The rules. Engines have others of their own between them.
const (
	RuleSourceUnreachable         Rule = "001" // a source does not answer, and no replica receives from it
	RuleSourceUnreachableFromHere Rule = "002" // a source does not answer the plugin, while a replica receives from it
	RuleNoSource                  Rule = "003" // no server of a set takes writes
	RuleSeveralSources            Rule = "004" // several servers of a set take writes of their own
	RuleReplicationCycle          Rule = "005" // servers replicate from each other
	RuleServerSilent              Rule = "006" // a server does not answer, or does not run

	RuleApplierError       Rule = "010" // what applies has stopped with an error
	RuleApplierStopped     Rule = "011" // what applies has been stopped
	RuleReceiverGaveUp     Rule = "012" // a receiver has used up its attempts to connect
	RuleReceiverConnecting Rule = "013" // a receiver can't connect and goes on trying
	RuleReceiverStopped    Rule = "014" // a receiver has been stopped
	RuleReceiverError      Rule = "016" // a receiver has stopped with another error

	RuleReplicatesFromOutside Rule = "023" // a replica's source is no server of its set
	RuleWrongSource           Rule = "024" // a replica follows another source than the rest of its set

	RuleReplicationLag Rule = "030" // a replica is late
	RuleLagUnknown     Rule = "031" // the lag of a replica is unknown
	RuleDelayedReplica Rule = "032" // a replica is late on purpose

	RuleReadyButBroken             Rule = "070" // a pod is Ready though its replication is broken
	RuleRoleLabelWrong             Rule = "071" // a pod's role label says something else than the server
	RuleWriteServiceReachesReplica Rule = "072" // a Service for writing reaches a server that takes no writes
	RuleReadServiceReachesBroken   Rule = "073" // a Service for reading reaches a broken or stale replica
	RuleReadServiceReachesSource   Rule = "074" // a Service for reading reaches the source too
	RulePrimaryOnSpot              Rule = "075" // the source runs on capacity that the provider takes away
	RuleReplicasTogether           Rule = "076" // all replicas are on the source's node, or in its zone
	RuleWriteServiceReachesNothing Rule = "079" // a Service for writing reaches no server

	RuleRowsDiffer        Rule = "080" // not all servers have the same rows
	RuleEndpointSilent    Rule = "090" // a ready endpoint does not answer
	RuleUnknownServer     Rule = "091" // a server answered that the Service does not select
	RuleReadsBroken       Rule = "092" // a broken or stale replica answered
	RuleReadsSource       Rule = "093" // the source answered
	RuleConnectionsFailed Rule = "094" // connections failed
	RuleReadsSticky       Rule = "095" // a Service keeps clients with one server
	RuleNoEndpoints       Rule = "096" // a Service has no ready endpoint

	RuleRefusesClients   Rule = "100" // a server refuses clients, or is about to
	RuleStreamStalled    Rule = "104" // a receiver is connected and receives nothing of what its source has
	RuleSourceByAddress  Rule = "105" // a replica knows its source by a pod's IP address
	RuleServiceMixesSets Rule = "106" // a Service leads to servers that have nothing in common
)

// notOfDatabases are the families of codes that no database engine has.
var notOfDatabases = [...]string{"STS", "VOL", "DNS", "NODE", "ENDP", "CHECK"}

// Code is the rule's code in an engine's family.
func (r Rule) Code(family string) v1alpha1.Code { return v1alpha1.Code(family + string(r)) }

// Is reports whether a code is the rule's, in whichever engine's family.
func (r Rule) Is(code v1alpha1.Code) bool {
	family, ok := strings.CutSuffix(string(code), string(r))
	return ok && family != "" && strings.Trim(family, "0123456789") == family && !slices.Contains(notOfDatabases[:], family)
}
