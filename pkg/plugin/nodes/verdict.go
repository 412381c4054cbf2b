package nodes

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

const (
	// reportDelay is how long after a pod's creation the kubelet has measured its volumes at the latest.
	reportDelay = 3 * time.Minute
	// notReadYet is why usage is unknown before the first answer.
	notReadYet = "it has not been read yet"
)

// conclude fills in what was looked at, and the verdict.
func (x *index) conclude(report *v1alpha1.NodeCapacityList, now time.Time) {
	report.Checked = x.checked(report, now)
	selected := len(report.Items) > 0
	report.Conditions = []v1alpha1.Condition{
		finding.Ready(selected, Ready(report), false), finding.Healthy(selected, Findings(report), report.Checked),
	}
}

// checked is what was looked at: the selected nodes and, where they are shown, the volumes of their stateful pods.
func (x *index) checked(report *v1alpha1.NodeCapacityList, now time.Time) []v1alpha1.CheckedPart {
	nodes := v1alpha1.CheckedPart{Part: v1alpha1.PartNodes, Number: int32(len(report.Items)), Of: int32(len(report.Items))}
	if problem, failed := x.Problems[subjectPods]; failed {
		finding.AddGap(&nodes, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Reason: "the pods on them: " + finding.Why(problem)})
	}
	list := []v1alpha1.CheckedPart{nodes}
	if volumes := x.volumesPart(report, now); volumes.Of > 0 {
		list = append(list, volumes)
	}
	return list
}

func (x *index) volumesPart(report *v1alpha1.NodeCapacityList, now time.Time) v1alpha1.CheckedPart {
	part := v1alpha1.CheckedPart{Part: v1alpha1.PartVolumes}
	for i := range report.Items {
		_, failed := x.UsageFailed[report.Items[i].Metadata.Name]
		for _, pod := range report.Items[i].StatefulPods {
			young := now.Sub(pod.CreationTimestamp.Time) < reportDelay
			for _, c := range pod.Claims {
				switch {
				case c.Usage == nil && c.UsageUnknown == "":
					continue
				case c.Usage != nil:
					part.Number++
				case failed:
					finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapUnread, Number: 1, Reason: c.UsageUnknown})
				case x.UsagePending, young:
					finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapPending, Number: 1, Reason: c.UsageUnknown})
				default:
					finding.AddGap(&part, v1alpha1.Gap{Kind: v1alpha1.GapNotCovered, Number: 1, Reason: c.UsageUnknown})
				}
				part.Of++
			}
		}
	}
	return part
}

// Healthy reports whether all nodes are ready, nothing is wrong or on its way, and everything could be read but what is allowed to be
// unknown.
func Healthy(report *v1alpha1.NodeCapacityList, allowed []v1alpha1.CheckPart) bool {
	return Ready(report) && finding.Healthy(true, Findings(report), finding.Allow(report.Checked, allowed)).Status == metav1.ConditionTrue
}
