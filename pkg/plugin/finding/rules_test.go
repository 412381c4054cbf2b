package finding

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// TestRules has the code of each general rule in the family MYSQL as the registry has it, and takes no other family's codes for a rule's.
func TestRules(t *testing.T) {
	for rule, code := range map[Rule]v1alpha1.Code{
		RuleSourceUnreachable: v1alpha1.CodeSourceUnreachable, RuleSourceUnreachableFromHere: v1alpha1.CodeSourceUnreachableFromHere,
		RuleNoSource: v1alpha1.CodeNoSource, RuleSeveralSources: v1alpha1.CodeSeveralSources, RuleReplicationCycle: v1alpha1.CodeReplicationCycle,
		RuleServerSilent: v1alpha1.CodeServerSilent, RuleApplierError: v1alpha1.CodeApplierError, RuleApplierStopped: v1alpha1.CodeApplierStopped,
		RuleReceiverGaveUp: v1alpha1.CodeReceiverGaveUp, RuleReceiverConnecting: v1alpha1.CodeReceiverConnecting, RuleReceiverStopped: v1alpha1.CodeReceiverStopped,
		RuleReceiverError: v1alpha1.CodeReceiverError, RuleReplicatesFromOutside: v1alpha1.CodeReplicatesFromOutside, RuleWrongSource: v1alpha1.CodeWrongSource,
		RuleReplicationLag: v1alpha1.CodeReplicationLag, RuleLagUnknown: v1alpha1.CodeLagUnknown, RuleDelayedReplica: v1alpha1.CodeDelayedReplica,
		RuleReadyButBroken: v1alpha1.CodeReadyButBroken, RuleRoleLabelWrong: v1alpha1.CodeRoleLabelWrong, RuleWriteServiceReachesReplica: v1alpha1.CodeWriteServiceReachesReplica,
		RuleReadServiceReachesBroken: v1alpha1.CodeReadServiceReachesBroken, RuleReadServiceReachesSource: v1alpha1.CodeReadServiceReachesSource,
		RulePrimaryOnSpot: v1alpha1.CodePrimaryOnSpot, RuleReplicasTogether: v1alpha1.CodeReplicasTogether, RuleRowsDiffer: v1alpha1.CodeRowsDiffer,
		RuleEndpointSilent: v1alpha1.CodeEndpointSilent, RuleUnknownServer: v1alpha1.CodeUnknownServer, RuleReadsBroken: v1alpha1.CodeReadsBroken,
		RuleReadsSource: v1alpha1.CodeReadsSource, RuleConnectionsFailed: v1alpha1.CodeConnectionsFailed, RuleReadsSticky: v1alpha1.CodeReadsSticky,
		RuleNoEndpoints: v1alpha1.CodeNoEndpoints, RuleRefusesClients: v1alpha1.CodeRefusesClients, RuleStreamStalled: v1alpha1.CodeStreamStalled,
		RuleSourceByAddress: v1alpha1.CodeSourceByAddress, RuleServiceMixesSets: v1alpha1.CodeServiceMixesSets,
		RuleWriteServiceReachesNothing: v1alpha1.CodeWriteServiceReachesNothing,
	} {
		if got := rule.Code("MYSQL"); got != code || !rule.Is(code) || !rule.Is(rule.Code("PG")) {
			t.Errorf("rule %s is %s, and not %s", rule, got, code)
		}
	}
	for _, other := range []v1alpha1.Code{"STS001", "DNS001", "NODE001", "ENDP001", "CHECK001", "001", "MYSQL0001", "MYSQL011"} {
		if RuleSourceUnreachable.Is(other) {
			t.Errorf("%s is taken for a database's", other)
		}
	}
}
