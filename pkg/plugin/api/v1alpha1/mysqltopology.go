package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Kinds of the report of kubectl doik mysql-topology.
const (
	KindMySQLTopology     = "MySQLTopology"
	KindMySQLTopologyList = "MySQLTopologyList"
)

// The codes of kubectl doik mysql-topology.
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
	CodeErrantTransactions      Code = "MYSQL020" // a replica has transactions that its source has not
	CodeReplicaWritable         Code = "MYSQL021" // a replica takes writes
	CodeSourceReadOnly          Code = "MYSQL022" // a source takes no writes
	CodeReplicatesFromOutside   Code = "MYSQL023" // a replica's source is no server of its set
	CodeWrongSource             Code = "MYSQL024" // a replica follows another source than the rest of its set
	CodeDuplicateServerID       Code = "MYSQL025" // servers of a set share a server id
	CodeDuplicateServerUUID     Code = "MYSQL026" // servers of a set share a server UUID
	CodeReplicationLag          Code = "MYSQL030" // a replica is late
	CodeLagUnknown              Code = "MYSQL031" // nobody can tell how late a replica is
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
)

// MySQLTopologyList is the report of kubectl doik mysql-topology.
type MySQLTopologyList struct {
	metav1.TypeMeta `json:",inline"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all items together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items are the sets of servers by namespace and name.
	Items []MySQLTopology `json:"items"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// MySQLReplication is the kind of replication in a set.
type MySQLReplication string

// The kinds of replication.
const (
	ReplicationNone         MySQLReplication = "None"
	ReplicationAsynchronous MySQLReplication = "Asynchronous"
	ReplicationSemiSync     MySQLReplication = "SemiSynchronous"
	ReplicationGroup        MySQLReplication = "GroupReplication"
	ReplicationGalera       MySQLReplication = "Galera"
	ReplicationUnknown      MySQLReplication = "Unknown"
)

// MySQLTopology is a set of servers that one object controls, or one operator's cluster.
type MySQLTopology struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the set.
	Metadata ObjectMeta `json:"metadata"`
	// Owner is kind/name of what controls the pods; empty where labels hold the set together.
	Owner string `json:"owner,omitempty"`
	// Flavour is the operator, the chart or the image that the servers come from.
	Flavour     string           `json:"flavour"`
	Replication MySQLReplication `json:"replication"`
	// Servers are in the order of the tree: each is followed by its replicas.
	Servers []MySQLServer `json:"servers"`
	// Services are those that select servers of the set.
	Services []MySQLService `json:"services,omitempty"`
	// Health is ok, progressing, unknown, or the severity of the worst finding above info; Conditions are Ready and Healthy.
	Health     Health      `json:"health"`
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at: the servers that answered.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// MySQLRole is what a server does in its set.
type MySQLRole string

// The roles.
const (
	// RoleSource has replicas, or could have some.
	RoleSource MySQLRole = "Source"
	// RoleReplica replicates from another server.
	RoleReplica MySQLRole = "Replica"
	// RoleRelay does both.
	RoleRelay MySQLRole = "Relay"
	// RoleStandalone is the only server of its set.
	RoleStandalone MySQLRole = "Standalone"
	// RolePrimary and RoleSecondary are those of Group Replication.
	RolePrimary   MySQLRole = "Primary"
	RoleSecondary MySQLRole = "Secondary"
	// RoleNode is a node of a Galera cluster.
	RoleNode MySQLRole = "Node"
	// RoleOutside is a server that is configured for a group and not in it.
	RoleOutside MySQLRole = "Outside"
	// RoleUnknown is that of a server that did not answer.
	RoleUnknown MySQLRole = "Unknown"
)

// MySQLServer is one server.
type MySQLServer struct {
	Pod       string `json:"pod"`
	Container string `json:"container"`
	// Depth is 0 for a server at the root of the tree, one more than its source's for a replica.
	Depth int32 `json:"depth"`
	// Ready is the pod's condition.
	Ready             bool         `json:"ready"`
	Node              string       `json:"node,omitempty"`
	Zone              string       `json:"zone,omitempty"`
	CapacityType      CapacityType `json:"capacityType,omitempty"`
	IP                string       `json:"ip,omitempty"`
	CreationTimestamp metav1.Time  `json:"creationTimestamp,omitzero"`
	// Unreachable is why the server did not answer; all that follows is then unknown.
	Unreachable string `json:"unreachable,omitempty"`
	// Via is port-forward or exec.
	Via string `json:"via,omitempty"`
	// User is the account that asked; empty where a file in the container names it.
	User string    `json:"user,omitempty"`
	Role MySQLRole `json:"role"`
	// LabelledRole is what the operator's role label says: primary or replica.
	LabelledRole string `json:"labelledRole,omitempty"`
	Product      string `json:"product,omitempty"`
	Distribution string `json:"distribution,omitempty"`
	Version      string `json:"version,omitempty"`
	ServerID     *int64 `json:"serverID,omitempty"`
	ServerUUID   string `json:"serverUUID,omitempty"`
	// ReadOnly and SuperReadOnly are the server's settings; MariaDB has no super_read_only.
	ReadOnly      *bool `json:"readOnly,omitempty"`
	SuperReadOnly *bool `json:"superReadOnly,omitempty"`
	// GTIDMode is MySQL's gtid_mode; GTID on MariaDB.
	GTIDMode string `json:"gtidMode,omitempty"`
	// GTIDExecuted is @@gtid_executed, or MariaDB's @@gtid_current_pos.
	GTIDExecuted string `json:"gtidExecuted,omitempty"`
	// Channels are the server's replication channels, from other servers; a group's own are not among them.
	Channels []MySQLChannel `json:"channels,omitempty"`
	// Group is set in Group Replication, Galera in a Galera cluster.
	Group  *MySQLGroupMember `json:"group,omitempty"`
	Galera *GaleraNode       `json:"galera,omitempty"`
	// Answers are the raw rows by statement.
	Answers []MySQLAnswer `json:"answers,omitempty"`
}

// MySQLChannel is one connection from which a replica replicates.
type MySQLChannel struct {
	// Name is empty for the default channel.
	Name   string      `json:"name"`
	Source MySQLSource `json:"source"`
	// Receiver and Applier are Yes, No or Connecting, as SHOW REPLICA STATUS prints them.
	Receiver string `json:"receiver,omitempty"`
	Applier  string `json:"applier,omitempty"`
	// LagMilliseconds is how late the applier is beyond an intended delay; missing where it is unknown.
	LagMilliseconds *int64 `json:"lagMilliseconds,omitempty"`
	// LagFrom says where the lag comes from: commit timestamps, or Seconds_Behind_Source.
	LagFrom string `json:"lagFrom,omitempty"`
	// LagUnknown is why the lag is not known.
	LagUnknown string `json:"lagUnknown,omitempty"`
	// DelaySeconds is the intended delay.
	DelaySeconds int64 `json:"delaySeconds,omitempty"`
	// BehindTransactions counts those of the source that the replica has not applied; missing where GTIDs do not tell.
	BehindTransactions *int64 `json:"behindTransactions,omitempty"`
	// BehindBytes is the distance in the source's binary log, where it is in the same file and there are no GTIDs.
	BehindBytes *int64 `json:"behindBytes,omitempty"`
	// ErrantGTIDs are transactions of the replica that its source has not.
	ErrantGTIDs   string             `json:"errantGTIDs,omitempty"`
	AutoPosition  *bool              `json:"autoPosition,omitempty"`
	ReceiverError *MySQLChannelError `json:"receiverError,omitempty"`
	ApplierError  *MySQLChannelError `json:"applierError,omitempty"`
}

// MySQLSource is where a channel replicates from.
type MySQLSource struct {
	// Host and Port are as the replica was told.
	Host string `json:"host"`
	Port int64  `json:"port,omitempty"`
	UUID string `json:"uuid,omitempty"`
	// ServerID is 0 before the first connection.
	ServerID int64 `json:"serverID,omitempty"`
	// Pod is the server, as namespace/pod if it is of another namespace; empty for a source outside.
	Pod string `json:"pod,omitempty"`
	// Set is the name of the set that the pod belongs to, if it is another one.
	Set string `json:"set,omitempty"`
	// FoundBy tells how the pod was found: uuid, server id, pod name, address or Service.
	FoundBy string `json:"foundBy,omitempty"`
}

// MySQLChannelError is the last error of a receiver or an applier.
type MySQLChannelError struct {
	Number  int64  `json:"number"`
	Message string `json:"message"`
	// Short is the number and the message without what is there for the server's developers; it is no part of reports.
	Short string `json:"-"`
}

// MySQLGroupMember is a member of a group, as it sees itself.
type MySQLGroupMember struct {
	GroupName string `json:"groupName,omitempty"`
	// State is ONLINE, RECOVERING, OFFLINE, ERROR or UNREACHABLE.
	State string `json:"state"`
	Role  string `json:"role,omitempty"`
	// Members and Unreachable count the rows of the member's own view.
	Members     int32 `json:"members"`
	Unreachable int32 `json:"unreachable"`
	// Queue is the number of transactions that wait for certification or application.
	Queue *int64 `json:"queue,omitempty"`
}

// GaleraNode is a node of a Galera cluster, as it sees itself.
type GaleraNode struct {
	ClusterStatus string `json:"clusterStatus,omitempty"`
	ClusterSize   *int64 `json:"clusterSize,omitempty"`
	ClusterUUID   string `json:"clusterUUID,omitempty"`
	// State is that of the node: Synced, Donor/Desynced, Joining, Joined, Initialized.
	State string `json:"state,omitempty"`
	Ready bool   `json:"ready"`
	// FlowControlPaused is the share of the time since the last FLUSH STATUS, 0 to 1, that the node was held up.
	FlowControlPaused string `json:"flowControlPaused,omitempty"`
	ReceiveQueueAvg   string `json:"receiveQueueAvg,omitempty"`
}

// MySQLAnswer is a server's answer to one statement.
type MySQLAnswer struct {
	// Subject is what was asked about.
	Subject   string `json:"subject"`
	Statement string `json:"statement"`
	// Rows are by column name; NULL is null.
	Rows  []map[string]*string `json:"rows,omitempty"`
	Error *MySQLChannelError   `json:"error,omitempty"`
}

// MySQLServicePurpose is what a Service's name, labels or selector say that it is for.
type MySQLServicePurpose string

// The purposes.
const (
	ServiceForWriting MySQLServicePurpose = "Write"
	ServiceForReading MySQLServicePurpose = "Read"
	ServiceForAny     MySQLServicePurpose = "Any"
)

// MySQLService is a Service that selects servers of a set.
type MySQLService struct {
	Name     string              `json:"name"`
	Purpose  MySQLServicePurpose `json:"purpose"`
	Headless bool                `json:"headless,omitempty"`
	// Selects are the set's pods that the selector matches, Reaches those that are ready endpoints.
	Selects []string `json:"selects,omitempty"`
	Reaches []string `json:"reaches,omitempty"`
	// ReachesUnknown is true if endpoints could not be read.
	ReachesUnknown bool `json:"reachesUnknown,omitempty"`
}
