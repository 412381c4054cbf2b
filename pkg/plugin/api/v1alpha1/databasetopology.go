package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Kinds of the report of kubectl doik topology.
const (
	KindDatabaseTopology     = "DatabaseTopology"
	KindDatabaseTopologyList = "DatabaseTopologyList"
)

// The codes of kubectl doik topology, of MySQL and MariaDB.
const (
	CodeSourceUnreachable         Code = "MYSQL001" // a source does not answer, and no replica receives from it
	CodeSourceUnreachableFromHere Code = "MYSQL002" // a source does not answer the plugin, while a replica receives from it
	CodeNoSource                  Code = "MYSQL003" // no server of a set takes writes
	CodeSeveralSources            Code = "MYSQL004" // several servers of a set take writes of their own
	CodeReplicationCycle          Code = "MYSQL005" // servers replicate from each other
	CodeServerSilent              Code = "MYSQL006" // a server does not answer, or does not run

	CodeApplierError            Code = "MYSQL010" // an applier has stopped with an error
	CodeApplierStopped          Code = "MYSQL011" // an applier has been stopped
	CodeReceiverGaveUp          Code = "MYSQL012" // a receiver has used up its attempts to connect
	CodeReceiverConnecting      Code = "MYSQL013" // a receiver can't connect and goes on trying
	CodeReceiverStopped         Code = "MYSQL014" // a receiver has been stopped
	CodeSourcePurgedNeededLogs  Code = "MYSQL015" // a source has purged binary logs that a replica needs
	CodeReceiverError           Code = "MYSQL016" // a receiver has stopped with another error
	CodeLeftoverChannel         Code = "MYSQL019" // a source still has the channel of a replica
	CodeErrantTransactions      Code = "MYSQL020" // a replica has transactions that its source has not
	CodeReplicaWritable         Code = "MYSQL021" // a replica takes writes
	CodeSourceReadOnly          Code = "MYSQL022" // a source takes no writes
	CodeReplicatesFromOutside   Code = "MYSQL023" // a replica's source is no server of its set
	CodeWrongSource             Code = "MYSQL024" // a replica follows another source than the rest of its set
	CodeDuplicateServerID       Code = "MYSQL025" // servers of a set share a server id
	CodeDuplicateServerUUID     Code = "MYSQL026" // servers of a set share a server UUID
	CodeReplicationLag          Code = "MYSQL030" // a replica is late
	CodeLagUnknown              Code = "MYSQL031" // the lag of a replica is unknown
	CodeDelayedReplica          Code = "MYSQL032" // a replica is late on purpose
	CodeSemiSyncBlocked         Code = "MYSQL033" // commits wait for replicas that are not there
	CodeSemiSyncFellBack        Code = "MYSQL034" // semi-synchronous replication has become asynchronous
	CodeGTIDModeMixed           Code = "MYSQL040" // servers of a set differ in gtid_mode
	CodeNotAutoPosition         Code = "MYSQL041" // a channel goes by file and position where it could go by GTID
	CodeCannotBePromoted        Code = "MYSQL042" // a replica writes no binary log that others could follow
	CodeReplicaOlder            Code = "MYSQL043" // a replica's version is older than its source's
	CodeGRNoQuorum              Code = "MYSQL050" // a group has lost its majority
	CodeGRMemberNotOnline       Code = "MYSQL051" // a member of a group is not ONLINE, or not in its view
	CodeGRMemberOutsideWritable Code = "MYSQL052" // a server outside its group takes writes
	CodeGRSplitView             Code = "MYSQL053" // members of a group see different groups
	CodeGaleraNonPrimary        Code = "MYSQL060" // a Galera node belongs to no primary component
	CodeGaleraSizeMismatch      Code = "MYSQL061" // a Galera cluster has another size than its set
	CodeGaleraSplitUUID         Code = "MYSQL062" // Galera nodes of a set belong to different clusters
	CodeGaleraNotSynced         Code = "MYSQL063" // a Galera node is not synced
	CodeGaleraFlowControl       Code = "MYSQL064" // a slow Galera node holds the others up

	CodeReadyButBroken             Code = "MYSQL070" // a pod is Ready though its replication is broken
	CodeRoleLabelWrong             Code = "MYSQL071" // a pod's role label says something else than the server
	CodeWriteServiceReachesReplica Code = "MYSQL072" // a Service for writing reaches a server that takes no writes
	CodeReadServiceReachesBroken   Code = "MYSQL073" // a Service for reading reaches a broken or stale replica
	CodeReadServiceReachesSource   Code = "MYSQL074" // a Service for reading reaches the source too
	CodePrimaryOnSpot              Code = "MYSQL075" // the source runs on capacity that the provider takes away
	CodeReplicasTogether           Code = "MYSQL076" // all replicas are on the source's node, or in its zone
	CodeWriteServiceReachesNothing Code = "MYSQL079" // a Service for writing reaches no server

	CodeRefusesClients    Code = "MYSQL100" // a server refuses clients, or is about to
	CodeWritesHang        Code = "MYSQL101" // sessions wait for a lock on all tables, for their commit or for a table, and go on waiting
	CodeInRecoveryMode    Code = "MYSQL102" // InnoDB runs in a mode that is for saving damaged data
	CodeReplicationFilter Code = "MYSQL103" // a filter keeps changes from a replica
	CodeStreamStalled     Code = "MYSQL104" // a receiver is connected and receives nothing of what its source has
	CodeSourceByAddress   Code = "MYSQL105" // a replica knows its source by a pod's IP address
	CodeServiceMixesSets  Code = "MYSQL106" // a Service leads to servers that have nothing in common
)

// The codes of kubectl doik topology, of PostgreSQL.
const (
	CodePostgresSourceUnreachable         Code = "PG001" // a primary does not answer, and no standby receives from it
	CodePostgresSourceUnreachableFromHere Code = "PG002" // a primary does not answer the plugin, while a standby receives from it
	CodePostgresNoPrimary                 Code = "PG003" // no server of a set takes writes
	CodePostgresSeveralPrimaries          Code = "PG004" // several servers of a set take writes of their own
	CodePostgresReplicationCycle          Code = "PG005" // standbys receive from each other
	CodePostgresServerSilent              Code = "PG006" // a server does not answer, or does not run
	CodePostgresReplayPaused              Code = "PG011" // replay has been paused
	CodePostgresReceiverConnecting        Code = "PG013" // a standby receives nothing, and goes on trying
	CodePostgresReceiverStopped           Code = "PG014" // a standby receives nothing, and does not try
	CodePostgresWALRemoved                Code = "PG015" // write-ahead log that a standby needs has been removed
	CodePostgresReadOnly                  Code = "PG022" // a primary takes no writes
	CodePostgresFromOutside               Code = "PG023" // a standby's source is no server of its set
	CodePostgresWrongSource               Code = "PG024" // a standby follows another source than the rest of its set
	CodePostgresLag                       Code = "PG030" // a standby is late
	CodePostgresLagUnknown                Code = "PG031" // the lag of a standby is unknown
	CodePostgresDelayedStandby            Code = "PG032" // a standby is late on purpose
	CodePostgresSyncMissing               Code = "PG033" // commits wait for standbys that are not there
	CodePostgresOtherVersion              Code = "PG043" // a standby is of another major version than its source
	CodePostgresOldTimeline               Code = "PG050" // a standby is on another timeline than its source
	CodePostgresOtherCluster              Code = "PG051" // servers of a set have different system identifiers
	CodePostgresReplayWaits               Code = "PG052" // replay waits for queries, or has stopped because of settings
	CodePostgresSlotHoldsWAL              Code = "PG053" // an unused slot keeps write-ahead log
	CodePostgresSlotLost                  Code = "PG054" // a slot has lost what it kept, or is about to
	CodePostgresArchivingFails            Code = "PG055" // write-ahead log is not archived
	CodePostgresWraparound                Code = "PG056" // a database is near the end of its transaction ids
	CodePostgresSubscriptionDown          Code = "PG057" // a subscription is off, or has no worker
	CodePostgresVacuumHeld                Code = "PG058" // a slot keeps dead rows from being removed
	CodePostgresReadyButBroken            Code = "PG070" // a pod is Ready though its replication is broken
	CodePostgresRoleLabelWrong            Code = "PG071" // a pod's role label says something else than the server
	CodePostgresWriteReachesStandby       Code = "PG072" // a Service for writing reaches a standby
	CodePostgresReadReachesBroken         Code = "PG073" // a Service for reading reaches a broken or stale standby
	CodePostgresReadReachesPrimary        Code = "PG074" // a Service for reading reaches the primary too
	CodePostgresPrimaryOnSpot             Code = "PG075" // the primary runs on capacity that the provider takes away
	CodePostgresStandbysTogether          Code = "PG076" // all standbys are on the primary's node, or in its zone
	CodePostgresWriteReachesNothing       Code = "PG079" // a Service for writing reaches no server
	CodePostgresRefusesClients            Code = "PG100" // a server refuses clients, or is about to
	CodePostgresStreamStalled             Code = "PG104" // a connection to a standby is open and dead
	CodePostgresSourceByAddress           Code = "PG105" // a standby knows its source by a pod's IP address
	CodePostgresServiceMixesSets          Code = "PG106" // a Service leads to servers that have nothing in common
)

// DatabaseTopologyList is the report of kubectl doik topology, and mysql-topology.
type DatabaseTopologyList struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata is where and when the report was made.
	Metadata ReportMeta `json:"metadata"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all items together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items are the sets of servers by namespace and name.
	Items []DatabaseTopology `json:"items"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// DatabaseReplication is the kind of replication in a set.
type DatabaseReplication string

const (
	// ReplicationNone means that no server replicates from another.
	ReplicationNone DatabaseReplication = "None"
	// ReplicationAsynchronous means that a source waits for no replica.
	ReplicationAsynchronous DatabaseReplication = "Asynchronous"
	// ReplicationSemiSync means that a source waits until replicas have received a transaction.
	ReplicationSemiSync DatabaseReplication = "SemiSynchronous"
	// ReplicationSynchronous means that a primary waits until standbys have written or replayed a commit.
	ReplicationSynchronous DatabaseReplication = "Synchronous"
	// ReplicationGroup means Group Replication.
	ReplicationGroup DatabaseReplication = "GroupReplication"
	// ReplicationGalera means a Galera cluster.
	ReplicationGalera DatabaseReplication = "Galera"
	// ReplicationUnknown means that servers that did not answer could tell.
	ReplicationUnknown DatabaseReplication = "Unknown"
)

// DatabaseTopology is a set of servers that one object controls, or one operator's cluster.
type DatabaseTopology struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the set.
	Metadata ObjectMeta `json:"metadata"`
	// Owner is what controls the pods; it is missing where labels hold the set together.
	Owner *ObjectReference `json:"owner,omitempty"`
	// Engine is the line of database servers: MySQL, which MariaDB is of too.
	Engine string `json:"engine"`
	// Flavour is the operator, the chart or the image that the servers come from.
	Flavour string `json:"flavour"`
	// Replication is how the servers replicate.
	Replication DatabaseReplication `json:"replication"`
	// Servers are in the order of the tree: each is followed by its replicas.
	Servers []DatabaseServer `json:"servers"`
	// Services are those that select servers of the set.
	Services []DatabaseService `json:"services,omitempty"`
	// Health is ok, progressing, unknown, or the severity of the worst finding above info.
	Health Health `json:"health"`
	// Conditions are Ready and Healthy.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at: the servers that answered.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// ServicePurpose is what a Service's name, labels or selector say that it is for.
type ServicePurpose string

const (
	// ServiceForWriting is to reach the server that takes writes.
	ServiceForWriting ServicePurpose = "Write"
	// ServiceForReading is to reach servers with fresh data.
	ServiceForReading ServicePurpose = "Read"
	// ServiceForAny means that nothing says so.
	ServiceForAny ServicePurpose = "Any"
)

// DatabaseService is a Service that selects servers of a set.
type DatabaseService struct {
	// Name is the Service's.
	Name string `json:"name"`
	// Purpose is what it is for.
	Purpose ServicePurpose `json:"purpose"`
	// Headless is true if it has no cluster IP.
	Headless bool `json:"headless,omitempty"`
	// Selects and Reaches are the set's pods that the selector matches, and those of them that are ready endpoints.
	Selects []string `json:"selects,omitempty"`
	Reaches []string `json:"reaches,omitempty"`
	// ReachesUnknown is true if endpoints could not be read.
	ReachesUnknown bool `json:"reachesUnknown,omitempty"`
}
