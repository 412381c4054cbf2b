package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Kinds of the report of kubectl doik sts-status.
const (
	KindSetStatus     = "SetStatus"
	KindSetStatusList = "SetStatusList"
)

// SetStatusList is the report of kubectl doik sts-status.
type SetStatusList struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata is where and when the report was made.
	Metadata ReportMeta `json:"metadata"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all items together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items are the selected StatefulSets by namespace and name.
	Items []SetStatus `json:"items"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// SetStatus is one StatefulSet with all its ordinals: those that it has, those that it lacks, and those that it
// had and whose claims are kept.
type SetStatus struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the set.
	Metadata ObjectMeta `json:"metadata"`
	// Controller is the kind of set: a StatefulSet, or what an operator uses in its place.
	Controller SetController `json:"controller"`
	// DatabaseCluster is what the set belongs to with others, as an operator's label or owner says; missing where none does.
	DatabaseCluster string `json:"databaseCluster,omitempty"`
	// Replicas counts pods.
	Replicas ReplicaCounts `json:"replicas"`
	// Operator is what the set, and what it belongs to, say of themselves; missing for StatefulSets.
	Operator *OperatorStatus `json:"operator,omitempty"`
	// Backups is what is known of the backups of the set's database; missing where no operator has it that makes any.
	Backups *BackupStatus `json:"backups,omitempty"`
	// Rollout tells how far the newest revision is.
	Rollout Rollout `json:"rollout"`
	// PodManagementPolicy says in which order pods are made (StatefulSets only).
	PodManagementPolicy PodManagementPolicy `json:"podManagementPolicy,omitempty"`
	// ClaimRetentionPolicy says what becomes of claims (StatefulSets only).
	ClaimRetentionPolicy ClaimRetentionPolicy `json:"claimRetentionPolicy,omitzero"`
	// Service is the governing Service, which gives the pods their DNS names (StatefulSets only).
	Service GoverningService `json:"service,omitzero"`
	// DisruptionBudgets are the names of the PodDisruptionBudgets that select the pods.
	DisruptionBudgets []string `json:"disruptionBudgets,omitempty"`
	// Ordinals are in ascending order.
	Ordinals []Ordinal `json:"ordinals"`
	// Health is ok, progressing, unknown, or the severity of the worst finding above info.
	Health Health `json:"health"`
	// Conditions are Ready and Healthy.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at: ordinals and volumes.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// SetController is a kind of object that numbers pods.
type SetController struct {
	// APIVersion and Kind are those of the object, as in postgresql.cnpg.io/v1 and Cluster.
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Title is what people call it.
	Title string `json:"title"`
	// ByPods is true if the object was not read: of the set is known what its pods tell.
	ByPods bool `json:"byPods,omitempty"`
}

// OperatorStatus is what an operator says of a set.
type OperatorStatus struct {
	// Phase and Reason are the operator's own words.
	Phase  string `json:"phase,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Conditions are the set's own that matter, and those of what it belongs to.
	Conditions []OperatorCondition `json:"conditions,omitempty"`
	// Paused tells what stops the operator from acting, as it was asked to; missing if nothing does.
	Paused string `json:"paused,omitempty"`
	// Hibernated is true if all pods are stopped on purpose.
	Hibernated bool `json:"hibernated,omitempty"`
	// Fenced are pods whose server is stopped on purpose while they run; * stands for all.
	Fenced []string `json:"fenced,omitempty"`
	// Primary takes the writes.
	Primary string `json:"primary,omitempty"`
	// TargetPrimary is to take them: it is another one during a switchover.
	TargetPrimary string `json:"targetPrimary,omitempty"`
}

// OperatorCondition is a condition in an operator's own words.
type OperatorCondition struct {
	// Type, Status, Reason and Message are the operator's.
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// LastTransitionTime is when the status changed; missing where the operator does not tell.
	LastTransitionTime metav1.Time `json:"lastTransitionTime,omitzero"`
}

// BackupStatus is what an operator says of the backups of a database.
type BackupStatus struct {
	// Of is what is backed up, as kind/name.
	Of string `json:"of"`
	// Unknown is why it is not known how they are; missing where it is.
	Unknown string `json:"unknown,omitempty"`
	// LastSuccess is when a backup succeeded for the last time; missing if none has that is known of.
	LastSuccess metav1.Time `json:"lastSuccess,omitzero"`
	// LastFailure is when one failed for the last time.
	LastFailure metav1.Time `json:"lastFailure,omitzero"`
	// Running is since when one has been running or waiting; missing if none is.
	Running metav1.Time `json:"running,omitzero"`
	// Schedules are what makes them regularly.
	Schedules []BackupSchedule `json:"schedules,omitempty"`
}

// BackupSchedule makes backups regularly.
type BackupSchedule struct {
	// Name is kind/name of the object; of a part of an object, with the part's name behind it.
	Name string `json:"name"`
	// Cron is when, in the form of cron, with or without seconds.
	Cron string `json:"cron"`
	// Suspended is true if it makes none, as it was told to.
	Suspended bool `json:"suspended,omitempty"`
}

// ObjectMeta is the part of an object's metadata that tells which one it is.
type ObjectMeta struct {
	// Namespace is missing for what has none.
	Namespace string `json:"namespace,omitempty"`
	// Name is empty for the cluster as such.
	Name string `json:"name"`
	// UID is missing for what is no object of the API.
	UID string `json:"uid,omitempty"`
	// CreationTimestamp is missing for what is no object of the API.
	CreationTimestamp metav1.Time `json:"creationTimestamp,omitzero"`
}

// ReplicaCounts counts the pods of a set.
type ReplicaCounts struct {
	// Desired, Existing, Ready and Available count the pods that the set should have, that exist, that are ready, and that have been
	// so for minReadySeconds.
	Desired int32 `json:"desired"`
	// DesiredUnknown tells why it is not known how many there should be: Desired is then how many there are.
	DesiredUnknown GapKind `json:"desiredUnknown,omitempty"`
	Existing       int32   `json:"existing"`
	Ready          int32   `json:"ready"`
	Available      int32   `json:"available"`
}

// PodManagementPolicy says in which order the pods of a StatefulSet are made and deleted.
type PodManagementPolicy string

const (
	// PodsOrderedReady means one after the other: each waits for the one before it to be ready.
	PodsOrderedReady PodManagementPolicy = "OrderedReady"
	// PodsParallel means all at the same time.
	PodsParallel PodManagementPolicy = "Parallel"
)

// UpdateStrategy says how pods get a new revision.
type UpdateStrategy string

const (
	// UpdateRolling means that they are replaced one after the other, the highest ordinal first.
	UpdateRolling UpdateStrategy = "RollingUpdate"
	// UpdateOnDelete means that a pod gets it when it is deleted.
	UpdateOnDelete UpdateStrategy = "OnDelete"
)

// Rollout tells which revisions the pods have.
type Rollout struct {
	// Strategy says how pods get a new revision (StatefulSets only).
	Strategy UpdateStrategy `json:"strategy,omitempty"`
	// Revision is the hash of the newest revision of the template.
	Revision string `json:"revision,omitempty"`
	// Updated is the number of pods that have it.
	Updated int32 `json:"updated"`
	// Partition is the lowest ordinal to update (RollingUpdate only).
	Partition int32 `json:"partition,omitempty"`
	// Complete is true if every ordinal that should have the newest revision has it.
	Complete bool `json:"complete"`
}

// ClaimRetention is what becomes of claims.
type ClaimRetention string

const (
	// ClaimsRetained means that they are kept, with their data.
	ClaimsRetained ClaimRetention = "Retain"
	// ClaimsDeleted means that they are deleted.
	ClaimsDeleted ClaimRetention = "Delete"
)

// ClaimRetentionPolicy is what becomes of claims on the two occasions.
type ClaimRetentionPolicy struct {
	// WhenDeleted and WhenScaled are for a set that is deleted, and for one that is scaled down.
	WhenDeleted ClaimRetention `json:"whenDeleted"`
	WhenScaled  ClaimRetention `json:"whenScaled"`
}

// ServiceState says whether a governing Service does its work.
type ServiceState string

const (
	// ServiceSound means headless, and its selector matches the template's labels.
	ServiceSound ServiceState = "Sound"
	// ServiceUnnamed means the set names no Service.
	ServiceUnnamed ServiceState = "Unnamed"
	// ServiceMissing means no Service of that name.
	ServiceMissing ServiceState = "Missing"
	// ServiceNotHeadless means the Service has a cluster IP.
	ServiceNotHeadless ServiceState = "NotHeadless"
	// ServiceNotSelecting means the Service's selector does not match the template's labels.
	ServiceNotSelecting ServiceState = "NotSelecting"
	// ServiceUnknown means the Service could not be read.
	ServiceUnknown ServiceState = "Unknown"
)

// GoverningService is the Service that .spec.serviceName names.
type GoverningService struct {
	// Name is missing where the set names no Service.
	Name string `json:"name,omitempty"`
	// State says whether it does its work.
	State ServiceState `json:"state"`
	// Selects is the number of the set's pods that its selector matches.
	Selects int32 `json:"selects"`
	// Others is the number of other pods that it matches too, of those that have to do with the set.
	Others int32 `json:"others,omitempty"`
}

// OrdinalState says what there is of an ordinal.
type OrdinalState string

const (
	// OrdinalPresent means the ordinal has a pod.
	OrdinalPresent OrdinalState = "Present"
	// OrdinalMissing means the set should have this ordinal, but it has no pod.
	OrdinalMissing OrdinalState = "Missing"
	// OrdinalBlocked means like missing, because a lower ordinal is not ready (OrderedReady).
	OrdinalBlocked OrdinalState = "Blocked"
	// OrdinalRetained means the set has been scaled below this ordinal; its claims are kept.
	OrdinalRetained OrdinalState = "Retained"
	// OrdinalSurplus means the set has been scaled below this ordinal; its pod is still there.
	OrdinalSurplus OrdinalState = "Surplus"
	// OrdinalStopped means the pod is stopped on purpose, and its claims are kept.
	OrdinalStopped OrdinalState = "Stopped"
	// OrdinalUnknown means pods could not be read.
	OrdinalUnknown OrdinalState = "Unknown"
)

// Ordinal is one place in a StatefulSet.
type Ordinal struct {
	// Ordinal is its number; 0 where names have none.
	Ordinal int32 `json:"ordinal"`
	// PodName is the name that the ordinal's pod has or would have.
	PodName string `json:"podName"`
	// State says what there is of it.
	State OrdinalState `json:"state"`
	// Reason explains a state other than Present.
	Reason string `json:"reason,omitempty"`
	// WaitsFor is the pod that has to be ready, or available, before this ordinal's is made (Blocked only).
	WaitsFor string `json:"waitsFor,omitempty"`
	// Pod is the ordinal's pod; it is missing where the ordinal has none.
	Pod *PodStatus `json:"pod,omitempty"`
	// Claims are those of the set's templates in their order, then the others that the pod mounts.
	Claims []ClaimStatus `json:"claims,omitempty"`
}

// PodStatus is the pod of an ordinal.
type PodStatus struct {
	// UID is the pod's.
	UID string `json:"uid"`
	// Status is what kubectl get pods prints in its column STATUS.
	Status string `json:"status"`
	// Ready is the pod's condition.
	Ready bool `json:"ready"`
	// Role is what an operator's label says of the server in it; missing where none does.
	Role LabelledRole `json:"role,omitempty"`
	// ContainersReady and Containers count those that are ready, and all.
	ContainersReady int32 `json:"containersReady"`
	Containers      int32 `json:"containers"`
	// Restarts is the sum of the containers' restarts.
	Restarts int32 `json:"restarts"`
	// LastRestart is the time at which a container ended for the last time, if one did.
	LastRestart *metav1.Time `json:"lastRestart,omitempty"`
	// Node is missing where the pod has not been scheduled.
	Node string `json:"node,omitempty"`
	// Zone is that of the node, as topology.kubernetes.io/zone of the pod or of the node tells it.
	Zone string `json:"zone,omitempty"`
	// CapacityType is that of the node; it is missing where nodes were not read.
	CapacityType CapacityType `json:"capacityType,omitempty"`
	// IP is the pod's first address.
	IP string `json:"ip,omitempty"`
	// DNSName is the name that the governing Service gives the pod, without the cluster's domain.
	DNSName string `json:"dnsName,omitempty"`
	// Revision is the hash of the revision of the template that the pod was made from.
	Revision string `json:"revision,omitempty"`
	// CreationTimestamp is the pod's.
	CreationTimestamp metav1.Time `json:"creationTimestamp"`
	// DeletionTimestamp is the end of the grace period of a pod that has been deleted.
	DeletionTimestamp *metav1.Time `json:"deletionTimestamp,omitempty"`
}
