package streaming

import "github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"

// The codes that only PostgreSQL has. Those of the general rules have its family before the rule's number.
const (
	codeWALRemoved       v1alpha1.Code = "PG015" // write-ahead log that a standby needs has been removed
	codeReadOnly         v1alpha1.Code = "PG022" // a primary takes no writes
	codeSyncMissing      v1alpha1.Code = "PG033" // commits wait for standbys that are not there
	codeStandbyNewer     v1alpha1.Code = "PG043" // a standby is of another major version than its source
	codeOldTimeline      v1alpha1.Code = "PG050" // a standby is on another timeline than its source
	codeOtherCluster     v1alpha1.Code = "PG051" // servers of a set have different system identifiers
	codeReplayWaits      v1alpha1.Code = "PG052" // replay waits for queries, or has stopped because of settings
	codeSlotHoldsWAL     v1alpha1.Code = "PG053" // a slot that nobody uses keeps write-ahead log
	codeSlotLost         v1alpha1.Code = "PG054" // a slot has lost what it kept, or is about to
	codeArchivingFails   v1alpha1.Code = "PG055" // write-ahead log is not archived
	codeWraparound       v1alpha1.Code = "PG056" // a database is near the end of its transaction ids
	codeSubscriptionDown v1alpha1.Code = "PG057" // a subscription is off, or fails
	codeVacuumHeld       v1alpha1.Code = "PG058" // a slot or a standby keeps dead rows from being removed
)
