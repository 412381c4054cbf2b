package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// The codes of kubectl doik check: what shows only where the views of the other subcommands are laid over each other.
const (
	CodeWriterGoing     Code = "CHECK001" // the server that takes the writes is on a node that is about to go
	CodeQuorumAtStake   Code = "CHECK002" // a quorum is on interruptible capacity, on nodes that are about to go away, or on one node
	CodeReadersOneNode  Code = "CHECK003" // all ready endpoints of a Service for reading are on one node
	CodeWriterVolume    Code = "CHECK004" // the volume of the server that takes the writes fills up
	CodeZoneLoss        Code = "CHECK005" // a set would not survive the loss of the zone with most of its pods
	CodeBudgetTooLoose  Code = "CHECK006" // a PodDisruptionBudget lets the quorum, or all pods, be evicted at the same time
	CodeRolesContradict Code = "CHECK007" // label, Service and server disagree on who takes the writes
)

// IgnoreAnnotation on an object says which findings about it are known and accepted, and why: "STS033: one node only".
const IgnoreAnnotation = "doik.dev/ignore"

// Kinds of the report of kubectl doik check.
const (
	KindHealthCheck     = "HealthCheck"
	KindHealthCheckList = "HealthCheckList"
)

// HealthCheckList is the report of kubectl doik check.
type HealthCheckList struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata is where and when the report was made.
	Metadata ReportMeta `json:"metadata"`
	// Items are the StatefulSets by namespace and name, then what else has findings.
	Items []HealthCheck `json:"items"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all items together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Summary counts what was found.
	Summary CheckSummary `json:"summary"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// CheckSummary counts findings that are not ignored, each once: one that several items share is one finding. The table, where one line
// stands for findings that say the same of several objects, counts lines instead.
type CheckSummary struct {
	// Sets, Healthy, Progressing and Unknown count the sets: all, those whose health is ok, and those with that health.
	Sets        int32 `json:"sets"`
	Healthy     int32 `json:"healthy"`
	Progressing int32 `json:"progressing,omitempty"`
	Unknown     int32 `json:"unknown,omitempty"`
	// Claims counts the claims that belong to no set.
	Claims int32 `json:"claims,omitempty"`
	// Findings has the number of findings by severity.
	Findings map[Severity]int32 `json:"findings,omitempty"`
	// Ignored counts the findings that an annotation accepts.
	Ignored int32 `json:"ignored,omitempty"`
}

// CheckSubject is what an item of the report is about.
type CheckSubject string

const (
	// SubjectCluster is what concerns no single set: nodes, the cluster's DNS.
	SubjectCluster CheckSubject = "Cluster"
	// SubjectService is a headless Service without a StatefulSet.
	SubjectService CheckSubject = "Service"
	// SubjectServers is a set of MySQL or MariaDB servers that no single StatefulSet controls.
	SubjectServers CheckSubject = "DatabaseTopology"
	// SubjectVolumes is the claims of a namespace that belong to no set, and volumes that are left of such claims.
	SubjectVolumes CheckSubject = "Volumes"
	// SubjectStatefulSet is a StatefulSet.
	SubjectStatefulSet CheckSubject = "StatefulSet"
	// SubjectSet is what an operator uses in the place of a StatefulSet: controller says what it is.
	SubjectSet CheckSubject = "Set"
)

// HealthCheck is what all subcommands find about one StatefulSet, or about something else.
type HealthCheck struct {
	metav1.TypeMeta `json:",inline"`
	// Subject is what kind of thing it is about.
	Subject CheckSubject `json:"subject"`
	// Metadata names it; it is empty for the cluster, and has the namespace alone for volumes.
	Metadata ObjectMeta `json:"metadata"`
	// Controller is the kind of a set; missing for what is none.
	Controller *SetController `json:"controller,omitempty"`
	// Replicas counts a set's pods.
	Replicas *ReplicaCounts `json:"replicas,omitempty"`
	// Rollout tells how far a set's newest revision is.
	Rollout *Rollout `json:"rollout,omitempty"`
	// Health is ok, progressing, unknown, or the severity of the worst finding above info.
	Health Health `json:"health"`
	// Conditions are Ready and Healthy.
	Conditions []Condition `json:"conditions,omitempty"`
	// Severity is that of the worst finding; missing where there is none.
	Severity Severity `json:"severity,omitempty"`
	// Checked lists what was looked at.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Findings are the worst first.
	Findings []CheckFinding `json:"findings,omitempty"`
	// Ignored are findings that an annotation accepts.
	Ignored []IgnoredFinding `json:"ignored,omitempty"`
}

// CheckFinding is a finding with those that say less about the same thing.
type CheckFinding struct {
	Finding `json:",inline"`
	// Also are the codes of findings that this one explains, and that are left out therefore.
	Also []Code `json:"also,omitempty"`
}

// IgnoredFinding is a finding that was suppressed by an annotation.
type IgnoredFinding struct {
	Finding `json:",inline"`
	// By is the object whose annotation says so.
	By ObjectReference `json:"by"`
	// IgnoreReason is what the annotation gives as the reason; it may be empty.
	IgnoreReason string `json:"ignoreReason,omitempty"`
}
