package claims

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// Measured is how full volumes are, as kubelets or df told. It is a part of commands' snapshots.
type Measured struct {
	// Usage is by namespace/claim.
	Usage map[string]v1alpha1.VolumeUsage `json:"usage,omitempty"`
	// Earlier is what was measured of the same claims before, as far as there is something.
	Earlier map[string]v1alpha1.VolumeUsage `json:"earlier,omitempty"`
	// UsageFailed is by node: its kubelet could not be read.
	UsageFailed map[string]v1alpha1.Problem `json:"usageFailed,omitempty"`
	// DFFailed is by namespace/claim: why df in a container did not tell its usage.
	DFFailed map[string]string `json:"dfFailed,omitempty"`
	// KubeletsAsked is true if kubelets were asked, and not df alone.
	KubeletsAsked bool `json:"kubeletsAsked,omitempty"`
	// UsageAsked is true if usage was requested; UsagePending, that there is no answer yet.
	UsageAsked   bool `json:"usageAsked,omitempty"`
	UsagePending bool `json:"usagePending,omitempty"`
}

// Unknown is a claim whose usage is not known: namespace/name, and its status.
type Unknown struct {
	Claim  string
	Status *v1alpha1.ClaimStatus
}

// UsageProblems adds to a list of problems why usage is unknown, each cause once: the nodes, then claims by claim.
func (m *Measured) UsageProblems(list []v1alpha1.Problem, unknown []Unknown) []v1alpha1.Problem {
	for _, node := range slices.Sorted(maps.Keys(m.UsageFailed)) {
		if p := m.UsageFailed[node]; !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	type cause struct {
		reason  string
		passing bool
	}
	byCause := map[cause][]string{}
	for claim, reason := range m.DFFailed {
		byCause[cause{reason: reason}] = append(byCause[cause{reason: reason}], claim)
	}
	for _, u := range unknown {
		if u.Status.UsageUnknown == notReported || u.Status.UsageUnknown == notMeasured {
			why := cause{u.Status.UsageUnknown, u.Status.UsageGap == v1alpha1.GapPending}
			byCause[why] = append(byCause[why], u.Claim)
		}
	}
	for _, why := range slices.SortedFunc(maps.Keys(byCause), func(a, b cause) int { return cmp.Compare(a.reason, b.reason) }) {
		slices.Sort(byCause[why])
		list = append(list, v1alpha1.Problem{
			Subject: "disk usage of " + finding.Some(slices.Compact(byCause[why])), Reason: v1alpha1.ReasonUnavailable, Message: why.reason, Passing: why.passing,
		})
	}
	return list
}

// AddChecked counts the volume of a claim that is mounted, or may be (pods are unknown), in what was looked at.
func (m *Measured) AddChecked(part *v1alpha1.CheckedPart, mounted bool, c *v1alpha1.ClaimStatus) {
	switch {
	case c.Usage != nil:
		part.Number++
		part.Of++
		return
	case c.UsageGap != "":
		finding.AddGap(part, v1alpha1.Gap{Kind: c.UsageGap, Number: 1, Reason: c.UsageUnknown})
	case mounted && c.VolumeMode == v1alpha1.VolumeBlock:
		finding.AddGap(part, v1alpha1.Gap{Kind: v1alpha1.GapNotCovered, Number: 1, Reason: blockDevice})
	case mounted && !m.UsageAsked:
		finding.AddGap(part, v1alpha1.Gap{Kind: v1alpha1.GapNotAsked, Number: 1, Reason: noUsageAsked})
	default:
		return
	}
	part.Of++
}

// Why the usage of a volume is unknown, beside what a server says.
const (
	// notReported is of one that a kubelet answered without.
	notReported  = "the kubelet does not report it yet"
	notMeasured  = "the kubelet does not report it: its driver does not measure usage"
	notMounted   = "df: no running container has it mounted"
	notReadYet   = "it has not been read yet"
	podsUnread   = "pods could not be read"
	noUsageAsked = "disk usage was skipped (--no-usage)"
	blockDevice  = "volumeMode Block: no file system to measure"
)

// reportDelay is how long after a pod has been given to a kubelet its volumes have been measured at the latest: the kubelet does it
// every minute (volumeStatsAggPeriod), and pods' first containers may take another to start.
const reportDelay = 3 * time.Minute

// usage returns the usage of a mounted claim, or why it isn't known and what that means; none of it if usage was not requested.
func (x *Index) usage(claim types.NamespacedName, pod *corev1.Pod, now time.Time) (*v1alpha1.VolumeUsage, string, v1alpha1.GapKind) {
	if !x.Usage.UsageAsked {
		return nil, "", ""
	}
	if u, ok := x.Usage.Usage[claim.String()]; ok {
		return &u, "", ""
	}
	var reasons []string
	problem, failed := x.Usage.UsageFailed[pod.Spec.NodeName]
	for _, other := range x.Mounting[claim] { // any of their nodes may have been asked
		if !failed {
			problem, failed = x.Usage.UsageFailed[other.Spec.NodeName]
		}
	}
	if failed {
		reasons = append(reasons, problem.Message)
	}
	df, tried := x.Usage.DFFailed[claim.String()]
	if tried {
		reasons = append(reasons, df)
	}
	// The kubelet has answered, and does not measure it: df was a second try.
	answered := x.Usage.KubeletsAsked && !failed
	young := pod.Status.StartTime == nil || now.Sub(pod.Status.StartTime.Time) < reportDelay || !started(pod)
	switch {
	case x.Usage.UsagePending:
		return nil, notReadYet, v1alpha1.GapPending
	case tried && df != notMounted && answered:
		return nil, notMeasured + "; " + df, v1alpha1.GapNotCovered
	case failed || tried && df != notMounted:
		return nil, strings.Join(reasons, "; "), v1alpha1.GapUnread
	case tried && young:
		return nil, df, v1alpha1.GapPending
	case tried:
		return nil, df, v1alpha1.GapNotCovered
	case young:
		return nil, notReported, v1alpha1.GapPending
	}
	return nil, notMeasured, v1alpha1.GapNotCovered
}

// started reports whether a container of a pod has started.
func started(pod *corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses), func(c corev1.ContainerStatus) bool {
		return c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil
	})
}
