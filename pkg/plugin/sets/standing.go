package sets

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Standing is how a set is, in its controller's own words.
type Standing string

const (
	// StandingUnknown is that of words that are not known, or of none.
	StandingUnknown Standing = ""
	// StandingFine means that all is as it should be.
	StandingFine Standing = "fine"
	// StandingMoving means that something is being done, which ends by itself.
	StandingMoving Standing = "moving"
	// StandingWaiting means that the controller waits for somebody to decide.
	StandingWaiting Standing = "waiting"
	// StandingFailing means that clients notice it, and that the controller is at it.
	StandingFailing Standing = "failing"
	// StandingBroken means that the controller has given up, or can't begin.
	StandingBroken Standing = "broken"
)

// cnpgPhases are the words of CloudNativePG's status.phase, as releases up to 1.30 write them (the constants Phase… of its api/v1).
var cnpgPhases = map[string]Standing{
	"Cluster in healthy state":                                 StandingFine,
	"Setting up primary":                                       StandingMoving,
	"Creating a new replica":                                   StandingMoving,
	"Upgrading cluster":                                        StandingMoving,
	"Upgrading Postgres major version":                         StandingMoving,
	"Cluster upgrade delayed":                                  StandingMoving,
	"Waiting for the instances to become active":               StandingMoving,
	"Online upgrade in progress":                               StandingMoving,
	"Applying configuration":                                   StandingMoving,
	"Promoting to primary cluster":                             StandingMoving,
	"Switchover in progress":                                   StandingMoving,
	"Primary instance is being restarted in-place":             StandingMoving,
	"Primary instance is being restarted without a switchover": StandingMoving,
	"Waiting for user action":                                  StandingWaiting,
	"Failing over":                                             StandingFailing,
	"Cluster is unrecoverable and needs manual intervention":   StandingBroken,
	"Invalid cluster definition":                               StandingBroken,
	"Unable to create required cluster objects":                StandingBroken,
	"Cluster has incomplete or invalid image catalog":          StandingBroken,
	"Not enough disk space":                                    StandingBroken,
	"Cluster cannot proceed to reconciliation due to an unknown plugin being required":        StandingBroken,
	"Cluster cannot proceed to reconciliation due to an error while interacting with plugins": StandingBroken,
	"Cluster cannot execute instance online upgrade due to missing architecture binary":       StandingBroken,
}

// Standing is how the set says it is, by its phase, and since when, as its condition Ready tells; zero if that does not.
func (s *Set) Standing() (standing Standing, since time.Time) {
	ready := s.Condition("Ready")
	if ready != nil {
		since = ready.LastTransitionTime.Time
	}
	if s.State.Phase != "" {
		standing = cnpgPhases[s.State.Phase]
	}
	return standing, since
}

// Condition is one of the set's own conditions; nil if it has none of the type.
func (s *Set) Condition(kind string) *metav1.Condition {
	for i := range s.State.Conditions {
		if s.State.Conditions[i].Type == kind {
			return &s.State.Conditions[i]
		}
	}
	return nil
}

// Rule is what a condition means if it has a status.
type Rule struct {
	Type   string
	Status metav1.ConditionStatus
	// Reason narrows it down to one of the controller's reasons; empty for any.
	Reason string
	// Says is what it means, before the controller's own words.
	Says string
	// Fatal conditions mean that the set does not work, Mild ones are informational; others are in between.
	Fatal, Mild bool
}

// ConditionLastBackup is CloudNativePG's, of the newest backup.
const ConditionLastBackup = "LastBackupSucceeded"

// conditionRules are what conditions of sets, and of what they belong to, mean. Ready of CloudNativePG says no more than its phase does.
var conditionRules = [...]Rule{
	{Type: "ContinuousArchiving", Status: metav1.ConditionFalse, Says: "WAL is not archived, and is kept on the primary's volume until it is"},
	{Type: ConditionLastBackup, Status: metav1.ConditionFalse, Says: "the last backup has failed"},
	{Type: "ConsistentSystemID", Status: metav1.ConditionFalse, Reason: "Mismatch", Says: "instances are of different databases: their system identifiers differ", Fatal: true},
	{Type: "InstanceFailure", Status: metav1.ConditionTrue, Says: "instances have failed", Fatal: true},
	{Type: "InstanceUpdateRestricted", Status: metav1.ConditionTrue, Says: "an update is held back: it can't be made in place"},
	{Type: "NotReady", Status: metav1.ConditionTrue, Says: "it is not ready", Fatal: true}, // Strimzi
	{Type: "Warning", Status: metav1.ConditionTrue, Says: "its operator warns", Mild: true},
}

// RuleOf is what a condition means; nil if it means nothing wrong.
func RuleOf(c *metav1.Condition) *Rule {
	for i := range conditionRules {
		if r := &conditionRules[i]; r.Type == c.Type && r.Status == c.Status && (r.Reason == "" || r.Reason == c.Reason) {
			return r
		}
	}
	return nil
}
