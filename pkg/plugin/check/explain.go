package check

import (
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// explanation is codes whose findings say more than those of other codes about the same thing.
type explanation struct {
	by, codes codes
	// object is the kind of the objects that have to be the same; empty if it is enough that both are about the same set.
	object string
	// meant is true if what is explained is as somebody wants it: it makes what explains it no worse.
	meant bool
}

// codes are what findings are known by: a code, or a rule that has a code in the family of each engine.
type codes []interface{ Is(v1alpha1.Code) bool }

// has reports whether a code is among them.
func (c codes) has(code v1alpha1.Code) bool {
	for _, of := range c {
		if of.Is(code) {
			return true
		}
	}
	return false
}

// code is a code that there is once.
type code v1alpha1.Code

// Is reports whether it is the code.
func (c code) Is(other v1alpha1.Code) bool { return v1alpha1.Code(c) == other }

// explanations are tried in their order: what explains something itself comes before what explains it.
var explanations = []explanation{
	// Of one zone or one node.
	{codes{finding.RuleReplicasTogether}, codes{code(v1alpha1.CodeMajorityOnNode), code(v1alpha1.CodeMajorityInZone), code(v1alpha1.CodeSharedNode), code(v1alpha1.CodeSharedZone)}, "", false},
	{codes{code(v1alpha1.CodeMajorityOnNode)}, codes{code(v1alpha1.CodeSharedNode)}, "", false},
	{codes{code(v1alpha1.CodeMajorityInZone)}, codes{code(v1alpha1.CodeSharedZone)}, "", false},
	{codes{code(v1alpha1.CodeZoneLoss)}, codes{code(v1alpha1.CodeMajorityInZone), code(v1alpha1.CodeMajorityOnNode), finding.RuleReplicasTogether, code(v1alpha1.CodeSharedZone)}, "", false},
	// Of capacity.
	{codes{code(v1alpha1.CodeQuorumAtStake)}, codes{code(v1alpha1.CodeAllInterruptible), code(v1alpha1.CodeMajorityInterruptible), finding.RulePrimaryOnSpot, code(v1alpha1.CodeMajorityOnNode)}, "Pod", false},
	{codes{code(v1alpha1.CodeQuorumAtStake), code(v1alpha1.CodeWriterGoing)}, codes{code(v1alpha1.CodeNodeGoing)}, "Node", false},
	{codes{code(v1alpha1.CodeNoBudgetOnSpot)}, codes{code(v1alpha1.CodeNoDisruptionBudget)}, "", false},
	// Of volumes.
	{codes{code(v1alpha1.CodeWriterVolume)}, codes{
		code(v1alpha1.CodeVolumeFilling), code(v1alpha1.CodeVolumeFull), code(v1alpha1.CodeNodeDiskFilling), code(v1alpha1.CodeNodeDiskFull),
	}, "PersistentVolumeClaim", false},
	// Of roles.
	{codes{code(v1alpha1.CodeRolesContradict)}, codes{finding.RuleRoleLabelWrong, finding.RuleWriteServiceReachesReplica}, "Pod", false},
	{codes{finding.RuleWriteServiceReachesNothing}, codes{code(v1alpha1.CodeRoleService)}, "Service", false},
	// Of a source that is gone: the pods of its replicas are Ready all the same.
	{codes{finding.RuleSourceUnreachable}, codes{finding.RuleReadyButBroken}, "Pod", false},
	// Of pods that there are not: a Service can't select them, and with such a name of the set there can be none.
	{codes{code(v1alpha1.CodeOrdinalMissing), code(v1alpha1.CodeOrdinalBlocked)}, codes{code(v1alpha1.CodeDNSSelectsNothing)}, "Pod", false},
	{codes{code(v1alpha1.CodeDNSNameTooLong)}, codes{code(v1alpha1.CodeOrdinalMissing)}, "", false},
	// Of names.
	{codes{code(v1alpha1.CodeDNSServiceMissing), code(v1alpha1.CodeDNSNotHeadless), code(v1alpha1.CodeDNSSelectsNothing)}, codes{code(v1alpha1.CodeServiceUnsound)}, "Service", false},
	// A pod that is not ready has no address in DNS: that is reported with the pod.
	{codes{code(v1alpha1.CodePodNotReady), code(v1alpha1.CodeOOMKilled), code(v1alpha1.CodeCrashLoop), code(v1alpha1.CodeUnschedulable), code(v1alpha1.CodeStuckTerminating), code(v1alpha1.CodeAttachedElsewhere)}, codes{code(v1alpha1.CodeDNSNotReady)}, "Pod", false},
	// Of a server that does not answer: why its container does not run says more, and that its pod is not ready says less.
	{codes{code(v1alpha1.CodeOOMKilled), code(v1alpha1.CodeCrashLoop), code(v1alpha1.CodeUnschedulable), code(v1alpha1.CodeStuckTerminating), code(v1alpha1.CodeAttachedElsewhere)}, codes{finding.RuleServerSilent}, "Pod", false},
	{codes{code(v1alpha1.CodeStopped)}, codes{finding.RuleServerSilent}, "Pod", true},
	{codes{finding.RuleServerSilent}, codes{code(v1alpha1.CodePodNotReady)}, "Pod", false},
	// What is not ready because of its node, or on no node because of its claims, says so by naming them.
	{codes{code(v1alpha1.CodeNodeOutOfUse)}, codes{code(v1alpha1.CodePodNotReady)}, "Node", false},
	{codes{code(v1alpha1.CodeClaimNotBound)}, codes{code(v1alpha1.CodeUnschedulable)}, "PersistentVolumeClaim", false},
	// What is being deleted with all that is in it has no pods before long.
	{codes{code(v1alpha1.CodeNamespaceGoing), code(v1alpha1.CodeSetTerminating)}, codes{
		code(v1alpha1.CodeOrdinalMissing), code(v1alpha1.CodeOrdinalBlocked), code(v1alpha1.CodePodNotReady), code(v1alpha1.CodeStuckTerminating), code(v1alpha1.CodeServiceUnsound),
		code(v1alpha1.CodeDNSNotReady), code(v1alpha1.CodeDNSSelectsNothing), code(v1alpha1.CodeDNSServiceMissing), finding.RuleServerSilent,
	}, "", false},
	{codes{code(v1alpha1.CodeNamespaceGoing)}, codes{code(v1alpha1.CodeSetTerminating), code(v1alpha1.CodeClaimTerminating), code(v1alpha1.CodeDNSNamespaceEnding)}, "", false},
	// A pod that has lost the labels of its set is the pod that a Service does not select.
	{codes{code(v1alpha1.CodePodOfOthers)}, codes{code(v1alpha1.CodeDNSSelectsNothing)}, "", false},
}

// explained leaves findings out that others explain, which then name their codes.
func explained(list []v1alpha1.CheckFinding) []v1alpha1.CheckFinding {
	gone := make([]bool, len(list))
	for _, e := range explanations {
		for j := range list {
			if gone[j] || !e.codes.has(list[j].Code) {
				continue
			}
			var by []int
			for i := range list {
				if !gone[i] && e.by.has(list[i].Code) && e.concern(&list[i].Finding, &list[j].Finding) {
					by = append(by, i)
				}
			}
			if len(by) == 0 || !e.cover(list, by, &list[j].Finding) {
				continue
			}
			gone[j] = true
			explainer := &list[by[0]]
			for _, code := range append([]v1alpha1.Code{list[j].Code}, list[j].Also...) {
				if !slices.Contains(explainer.Also, code) {
					explainer.Also = append(explainer.Also, code)
				}
			}
			if !e.meant && finding.CompareSeverity(list[j].Severity, explainer.Severity) > 0 {
				explainer.Severity, explainer.Progressing = list[j].Severity, list[j].Progressing
			}
		}
	}
	var kept []v1alpha1.CheckFinding
	for i := range list {
		if !gone[i] {
			slices.Sort(list[i].Also)
			kept = append(kept, list[i])
		}
	}
	return kept
}

// concern reports whether two findings are about an object of the kind that counts together.
func (e *explanation) concern(by, f *v1alpha1.Finding) bool {
	return e.object == "" || slices.ContainsFunc(ofKind(e.object, by), func(o v1alpha1.ObjectReference) bool { return slices.Contains(ofKind(e.object, f), o) })
}

// cover reports whether all objects that count of a finding are among those of the ones that would explain it.
func (e *explanation) cover(list []v1alpha1.CheckFinding, by []int, f *v1alpha1.Finding) bool {
	return e.object == "" || !slices.ContainsFunc(ofKind(e.object, f), func(o v1alpha1.ObjectReference) bool {
		return !slices.ContainsFunc(by, func(i int) bool { return slices.Contains(ofKind(e.object, &list[i].Finding), o) })
	})
}

// ofKind are a finding's objects of a kind.
func ofKind(kind string, f *v1alpha1.Finding) []v1alpha1.ObjectReference {
	return slices.DeleteFunc(slices.Clone(f.Objects), func(o v1alpha1.ObjectReference) bool { return o.Kind != kind })
}
