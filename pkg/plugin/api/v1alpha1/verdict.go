package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Health is the verdict on an item of a report: ok, progressing, unknown, or the severity of the worst finding above info. ok is
// claimed only of what was seen.
type Health string

// The order is ok, progressing, unknown, then the severities.
const (
	// HealthOK means that everything that was to be looked at was looked at, and nothing is wrong.
	HealthOK Health = "ok"
	// HealthProgressing means that something is on its way, as in a healthy start or rollout, and not late.
	HealthProgressing Health = "progressing"
	// HealthUnknown means that nothing wrong was seen, and something could not be read.
	HealthUnknown Health = "unknown"
	// HealthWarning, HealthError and HealthCritical mean that the worst finding has that severity.
	HealthWarning  Health = "warning"
	HealthError    Health = "error"
	HealthCritical Health = "critical"
)

// CheckPart is one of the views that a verdict rests on, as the column CHECKED of kubectl doik check names them.
type CheckPart string

const (
	// PartOrdinals means the ordinals of StatefulSets.
	PartOrdinals CheckPart = "ordinals"
	// PartVolumes means mounted volumes, and how full they are.
	PartVolumes CheckPart = "volumes"
	// PartDNS means records, and whether they resolve.
	PartDNS CheckPart = "DNS"
	// PartNodes means nodes.
	PartNodes CheckPart = "nodes"
	// PartServers means database servers that are asked.
	PartServers CheckPart = "servers"
	// PartEndpoint means the way to the API server.
	PartEndpoint CheckPart = "endpoint"
)

// CheckParts lists every part in the order in which reports have them.
var CheckParts = [...]CheckPart{PartOrdinals, PartVolumes, PartDNS, PartNodes, PartServers, PartEndpoint}

// CheckedPart is what was looked at of one part.
type CheckedPart struct {
	// Part is which one.
	Part CheckPart `json:"part"`
	// Number counts the ordinals, mounted volumes with known usage, DNS records that were resolved, nodes, servers that answered.
	Number int32 `json:"number"`
	// Of is how many there are; it differs from that number where some were not looked at.
	Of int32 `json:"of"`
	// Gaps say what was not looked at, and why.
	Gaps []Gap `json:"gaps,omitempty"`
}

// GapKind says what it means that something was not looked at.
type GapKind string

const (
	// GapUnread means that it could not be read: no right, no login, no answer. Health is unknown unless something worse was found.
	GapUnread GapKind = "Unread"
	// GapPending means that it is not there yet, and not late: a kubelet reports a new volume up to a minute later.
	GapPending GapKind = "Pending"
	// GapNotAsked means that the user left it out. It changes neither health nor exit code.
	GapNotAsked GapKind = "NotAsked"
	// GapNotCovered means that this way of asking can't see it. It changes neither health nor exit code.
	GapNotCovered GapKind = "NotCovered"
)

// Gap is something of a part that was not looked at.
type Gap struct {
	// Kind says what it means.
	Kind GapKind `json:"kind"`
	// Number counts what was not looked at; it is missing where that can't be counted.
	Number int32 `json:"number,omitempty"`
	// Reason says in a few words what it is and why, and how it can be seen where there is a way.
	Reason string `json:"reason"`
}

// ConditionType is Ready or Healthy.
type ConditionType string

const (
	// ConditionReady is True if everything that is wanted is there and ready: pods of the newest revision, servers that replicate.
	ConditionReady ConditionType = "Ready"
	// ConditionHealthy is True if everything was looked at and no finding is above info.
	ConditionHealthy ConditionType = "Healthy"
)

// ConditionReason is why a condition has its status.
type ConditionReason string

const (
	// ReasonAllReady makes Ready True: everything is.
	ReasonAllReady ConditionReason = "AllReady"
	// ReasonNothingFound makes Healthy True: everything was looked at, and nothing is wrong.
	ReasonNothingFound ConditionReason = "NothingFound"
	// ReasonNotReady makes Ready False: something is not.
	ReasonNotReady ConditionReason = "NotReady"
	// ReasonFindings makes Healthy False: there are findings above info.
	ReasonFindings ConditionReason = "Findings"
	// ReasonProgressing makes Healthy False: something is on its way, and not late.
	ReasonProgressing ConditionReason = "Progressing"
	// ReasonNoneSelected makes both False: there is nothing that could be so.
	ReasonNoneSelected ConditionReason = "NoneSelected"
	// ReasonNotRead makes either Unknown: what it rests on could not be read.
	ReasonNotRead ConditionReason = "NotRead"
)

// Condition is what scripts wait for and decide on.
type Condition struct {
	// Type is which condition it is.
	Type ConditionType `json:"type"`
	// Status says whether it is so.
	Status metav1.ConditionStatus `json:"status"`
	// Reason is why.
	Reason ConditionReason `json:"reason"`
	// Message is one sentence; it is missing where the reason says it all.
	Message string `json:"message,omitempty"`
}
