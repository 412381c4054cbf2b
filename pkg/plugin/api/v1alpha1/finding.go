package v1alpha1

// Severity says how much a finding matters. The order is info, warning, error, critical.
type Severity string

const (
	// SeverityInfo is informational and needs no action: a healthy set may have it.
	SeverityInfo Severity = "info"
	// SeverityWarning will become an outage unless it is fixed.
	SeverityWarning Severity = "warning"
	// SeverityError is something that does not work now.
	SeverityError Severity = "error"
	// SeverityCritical is data at risk or a whole service down.
	SeverityCritical Severity = "critical"
)

// Severities lists every severity, the mildest first.
var Severities = [...]Severity{SeverityInfo, SeverityWarning, SeverityError, SeverityCritical}

// Code names a kind of finding for good: a code is never given another meaning. docs/findings.md has a section for each.
type Code string

// The codes of kubectl doik sts-status.
const (
	CodeOrdinalMissing     Code = "STS001" // an ordinal has no pod, and no other ordinal explains it
	CodeOrdinalBlocked     Code = "STS002" // an ordinal waits for a lower one
	CodePodNotReady        Code = "STS003" // a pod is not ready
	CodeOOMKilled          Code = "STS004" // a container was killed for exceeding its memory limit
	CodeCrashLoop          Code = "STS005" // a container keeps ending and is started with growing delays
	CodeUnschedulable      Code = "STS006" // the scheduler found no node for a pod
	CodeClaimNotBound      Code = "STS007" // a claim is pending or has lost its volume
	CodeClaimTerminating   Code = "STS008" // a claim has been deleted and waits for its pod to end
	CodeStuckTerminating   Code = "STS009" // a pod is still there after its grace period
	CodeVolumeFilling      Code = "STS010" // a volume is at least 80 % full
	CodeVolumeFull         Code = "STS011" // a volume is at least 90 % full
	CodeInodesFilling      Code = "STS012" // a volume's inodes are at least 80 % used
	CodeInodesFull         Code = "STS013" // a volume's inodes are at least 90 % used
	CodeResizePending      Code = "STS014" // a claim asks for a larger volume than it has
	CodeResizeFailed       Code = "STS015" // a volume could not be made larger
	CodeClaimDiffers       Code = "STS016" // a claim differs from the set's template
	CodeVolumeNotBound     Code = "STS017" // a volume with the data of a claim is released or failed
	CodeAttachedElsewhere  Code = "STS018" // a volume is attached to another node than its pod's
	CodeReclaimDelete      Code = "STS019" // volumes are deleted with their claims
	CodeServiceUnsound     Code = "STS020" // the governing Service is missing, not headless or does not select the pods
	CodeRolloutStuck       Code = "STS021" // a rolling update waits for a pod that does not become ready
	CodeVolumeAtRisk       Code = "STS022" // the volume of a claim has been deleted, is another claim's, can't be written to, or is unhealthy
	CodeClaimShared        Code = "STS023" // pods of others mount a claim of the set
	CodePodOfOthers        Code = "STS024" // the name of an ordinal's pod is taken by a pod that is not the set's
	CodeStranger           Code = "STS025" // pods that are not the set's have the labels of its selector
	CodeNamespaceGoing     Code = "STS026" // the namespace is being deleted, with all that is in it
	CodePodEvicted         Code = "STS027" // pods of an ordinal have been evicted, preempted or rejected
	CodeControllerBehind   Code = "STS028" // the controller has not acted on the newest state of the set
	CodeSetTerminating     Code = "STS029" // the set has been deleted, and is still there
	CodeClaimsRetained     Code = "STS030" // claims are kept of ordinals that the set no longer has
	CodeSharedNode         Code = "STS031" // several ordinals are on one node
	CodeSharedZone         Code = "STS032" // all ordinals are in one zone
	CodeNoDisruptionBudget Code = "STS033" // no PodDisruptionBudget selects the pods
	CodeUpdateOnDelete     Code = "STS034" // pods keep an older revision until they are deleted
	CodeBudgetUnusable     Code = "STS035" // the PodDisruptionBudgets of the pods let no pod be evicted, whatever they say
	CodePodResize          Code = "STS036" // the resources that a pod asks for are not applied to its containers
	CodeVolumeModify       Code = "STS037" // a claim does not get the VolumeAttributesClass that it asks for
	CodeOperatorReports    Code = "STS038" // the operator of a set says that something is wrong with it
	CodeStopped            Code = "STS039" // pods, servers or the operator are stopped on purpose
	CodeClaimUnusable      Code = "STS040" // the operator of a set can't use claims of it
	CodeLabelledRoles      Code = "STS041" // role labels name no primary, or more than one
	CodeRoleService        Code = "STS042" // a Service selects by role, and no pod has the role
	CodeBudgetBlocks       Code = "STS043" // a PodDisruptionBudget never lets a pod be evicted
	CodeOrphans            Code = "STS044" // pods are left of a StatefulSet that is gone
	CodeBackupFailed       Code = "STS045" // the newest backup of a database failed
	CodeBackupOverdue      Code = "STS046" // no backup has succeeded for twice as long as its schedule has it
	CodeNoBackup           Code = "STS047" // no backup of a database is known of, or none is made any more
)

// Finding is one thing that is wrong, or informational, about an object.
type Finding struct {
	// Code is the stable name of this kind of finding, such as STS010.
	Code Code `json:"code"`
	// Severity is info, warning, error or critical.
	Severity Severity `json:"severity"`
	// Progressing means that it looks as a healthy start or rollout does, and is not late: the severity is info until it is.
	Progressing bool `json:"progressing,omitempty"`
	// Objects are what the finding is about; the first is its subject.
	Objects []ObjectReference `json:"objects,omitempty"`
	// Message says in one sentence what is wrong, and why, with the evidence.
	Message string `json:"message"`
	// Remedy is what to do next.
	Remedy Remedy `json:"remedy,omitzero"`
	// Evidence are the answers that the finding rests on, where they are of another server than Kubernetes.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Remedy is what to do about a finding.
type Remedy struct {
	// Command is one to run next; it is missing where none is known.
	Command string `json:"command,omitempty"`
	// Explain is the command that explains the finding's code.
	Explain string `json:"explain,omitempty"`
}

// ObjectReference names an object.
type ObjectReference struct {
	// Kind is as in the object's manifest: Pod, PersistentVolumeClaim.
	Kind string `json:"kind"`
	// Namespace is missing for objects that are in none, such as nodes.
	Namespace string `json:"namespace,omitempty"`
	// Name is the object's.
	Name string `json:"name"`
}

// Evidence is what an object answered to a question.
type Evidence struct {
	// Object is who answered.
	Object ObjectReference `json:"object"`
	// Query is what was asked: an SQL statement.
	Query string `json:"query"`
	// Values are the columns that count.
	Values map[string]string `json:"values,omitempty"`
}

// ProblemReason classifies why something could not be read.
type ProblemReason string

const (
	// ReasonForbidden means the user lacks a right.
	ReasonForbidden ProblemReason = "Forbidden"
	// ReasonTimeout means no answer before the deadline.
	ReasonTimeout ProblemReason = "Timeout"
	// ReasonNotFound means the object does not exist (any more).
	ReasonNotFound ProblemReason = "NotFound"
	// ReasonUnavailable means the server answered that it can't, or the connection failed.
	ReasonUnavailable ProblemReason = "Unavailable"
	// ReasonInvalid means the answer could not be understood.
	ReasonInvalid ProblemReason = "Invalid"
	// ReasonRefused means a database server answered and did not accept the account, or there is no account to try.
	ReasonRefused ProblemReason = "Refused"
	// ReasonRefusesClients means a database server answered that it accepts no more clients, whichever the account.
	ReasonRefusesClients ProblemReason = "RefusesClients"
	// ReasonNotListening means nothing listens at a database server's port or socket.
	ReasonNotListening ProblemReason = "NotListening"
	// ReasonNotRunning means the container of a database server does not run.
	ReasonNotRunning ProblemReason = "NotRunning"
)

// Problem is something that could not be read. It stands beside the data that was read.
type Problem struct {
	// Subject is what could not be read: "usage on node ip-10-1-3", "Services in namespace shop".
	Subject string `json:"subject"`
	// Reason classifies the cause.
	Reason ProblemReason `json:"reason"`
	// Message is the cause in one line.
	Message string `json:"message"`
	// Remedy says what would make it readable.
	Remedy string `json:"remedy,omitempty"`
	// Passing means that it goes away by waiting: a watch does not report it. It is no part of a report.
	Passing bool `json:"-"`
}
