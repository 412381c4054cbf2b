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

const (
	// ReplicationNone means that no server replicates from another.
	ReplicationNone MySQLReplication = "None"
	// ReplicationAsynchronous means that a source waits for no replica.
	ReplicationAsynchronous MySQLReplication = "Asynchronous"
	// ReplicationSemiSync means that a source waits until replicas have received a transaction.
	ReplicationSemiSync MySQLReplication = "SemiSynchronous"
	// ReplicationGroup means Group Replication.
	ReplicationGroup MySQLReplication = "GroupReplication"
	// ReplicationGalera means a Galera cluster.
	ReplicationGalera MySQLReplication = "Galera"
	// ReplicationUnknown means that servers that did not answer could tell.
	ReplicationUnknown MySQLReplication = "Unknown"
)

// MySQLTopology is a set of servers that one object controls, or one operator's cluster.
type MySQLTopology struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the set.
	Metadata ObjectMeta `json:"metadata"`
	// Owner is kind/name of what controls the pods; empty where labels hold the set together.
	Owner string `json:"owner,omitempty"`
	// Flavour is the operator, the chart or the image that the servers come from.
	Flavour string `json:"flavour"`
	// Replication is how the servers replicate.
	Replication MySQLReplication `json:"replication"`
	// Servers are in the order of the tree: each is followed by its replicas.
	Servers []MySQLServer `json:"servers"`
	// Services are those that select servers of the set.
	Services []MySQLService `json:"services,omitempty"`
	// Health is ok, progressing, unknown, or the severity of the worst finding above info.
	Health Health `json:"health"`
	// Conditions are Ready and Healthy.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at: the servers that answered.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// MySQLRole is what a server does in its set.
type MySQLRole string

const (
	// RoleSource has replicas, or could have some.
	RoleSource MySQLRole = "Source"
	// RoleReplica replicates from another server.
	RoleReplica MySQLRole = "Replica"
	// RoleRelay does both.
	RoleRelay MySQLRole = "Relay"
	// RoleStandalone is the only server of its set.
	RoleStandalone MySQLRole = "Standalone"
	// RolePrimary is a member of Group Replication that takes writes.
	RolePrimary MySQLRole = "Primary"
	// RoleSecondary is a member of Group Replication that takes none.
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
	// Pod and Container are where it runs.
	Pod       string `json:"pod"`
	Container string `json:"container"`
	// Depth is 0 for a server at the root of the tree, one more than its source's for a replica.
	Depth int32 `json:"depth"`
	// Ready is the pod's condition.
	Ready bool `json:"ready"`
	// Node is the pod's node; it is missing where the pod has none.
	Node string `json:"node,omitempty"`
	// Zone and CapacityType are the node's; they are missing where nodes were not read.
	Zone         string       `json:"zone,omitempty"`
	CapacityType CapacityType `json:"capacityType,omitempty"`
	// IP is the pod's address.
	IP string `json:"ip,omitempty"`
	// CreationTimestamp is the pod's.
	CreationTimestamp metav1.Time `json:"creationTimestamp,omitzero"`
	// Unreachable is why the server did not answer; all that follows is then unknown.
	Unreachable string `json:"unreachable,omitempty"`
	// Via is port-forward or exec.
	Via string `json:"via,omitempty"`
	// User is the account that asked; empty where a file in the container names it.
	User string `json:"user,omitempty"`
	// Role is what the server does in its set.
	Role MySQLRole `json:"role"`
	// LabelledRole is what the operator's role label says: primary or replica.
	LabelledRole string `json:"labelledRole,omitempty"`
	// Product is MySQL or MariaDB.
	Product string `json:"product,omitempty"`
	// Distribution is what the server calls itself beyond the product: Percona Server, Percona XtraDB Cluster.
	Distribution string `json:"distribution,omitempty"`
	// Version is the number: 8.4.2.
	Version string `json:"version,omitempty"`
	// ServerID is @@server_id; it is missing where the server has none.
	ServerID *int64 `json:"serverID,omitempty"`
	// ServerUUID is @@server_uuid; it is missing on MariaDB.
	ServerUUID string `json:"serverUUID,omitempty"`
	// ReadOnly and SuperReadOnly are the server's settings; MariaDB has no super_read_only.
	ReadOnly      *bool `json:"readOnly,omitempty"`
	SuperReadOnly *bool `json:"superReadOnly,omitempty"`
	// GTIDMode is MySQL's gtid_mode; GTID on MariaDB.
	GTIDMode string `json:"gtidMode,omitempty"`
	// GTIDExecuted is @@gtid_executed, or MariaDB's @@gtid_current_pos.
	GTIDExecuted string `json:"gtidExecuted,omitempty"`
	// Channels are the server's replication channels, from other servers; a group's own are not among them.
	Channels []MySQLChannel `json:"channels,omitempty"`
	// Group is the server's part in its group; it is missing where the server is configured for none.
	Group *MySQLGroupMember `json:"group,omitempty"`
	// Galera is the node's part in its cluster; it is missing where the server is no node of a Galera cluster.
	Galera *GaleraNode `json:"galera,omitempty"`
	// Answers are the raw rows by statement.
	Answers []MySQLAnswer `json:"answers,omitempty"`
}

// MySQLChannel is one connection from which a replica replicates.
type MySQLChannel struct {
	// Name is the channel's; empty for the default channel.
	Name string `json:"name"`
	// Source is where it replicates from.
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
	ErrantGTIDs string `json:"errantGTIDs,omitempty"`
	// AutoPosition is true if the channel goes by GTID, false if it goes by file and position; missing where the server does not tell.
	AutoPosition *bool `json:"autoPosition,omitempty"`
	// ReceiverError and ApplierError are the last errors of the two; missing where there is none.
	ReceiverError *MySQLChannelError `json:"receiverError,omitempty"`
	ApplierError  *MySQLChannelError `json:"applierError,omitempty"`
}

// MySQLSource is where a channel replicates from.
type MySQLSource struct {
	// Host and Port are as the replica was told.
	Host string `json:"host"`
	Port int64  `json:"port,omitempty"`
	// UUID is the source's @@server_uuid, as the replica knows it; missing on MariaDB and before the first connection.
	UUID string `json:"uuid,omitempty"`
	// ServerID is the source's @@server_id, as the replica knows it; missing before the first connection.
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
	// Number is the server's number of the error.
	Number int64 `json:"number"`
	// Message is the server's.
	Message string `json:"message"`
	// Short is the number and the message without what is there for the server's developers; it is no part of reports.
	Short string `json:"-"`
}

// MySQLGroupMember is a member of a group, as it sees itself.
type MySQLGroupMember struct {
	// GroupName is @@group_replication_group_name, a UUID.
	GroupName string `json:"groupName,omitempty"`
	// State is ONLINE, RECOVERING, OFFLINE, ERROR or UNREACHABLE.
	State string `json:"state"`
	// Role is PRIMARY or SECONDARY; it is missing where the member is not in its group.
	Role string `json:"role,omitempty"`
	// Members and Unreachable count the rows of the member's own view.
	Members     int32 `json:"members"`
	Unreachable int32 `json:"unreachable"`
	// Queue is the number of transactions that wait for certification or application.
	Queue *int64 `json:"queue,omitempty"`
}

// GaleraNode is a node of a Galera cluster, as it sees itself.
type GaleraNode struct {
	// ClusterStatus is wsrep_cluster_status: Primary, non-Primary or Disconnected.
	ClusterStatus string `json:"clusterStatus,omitempty"`
	// ClusterSize is wsrep_cluster_size: the number of nodes in the node's component.
	ClusterSize *int64 `json:"clusterSize,omitempty"`
	// ClusterUUID is wsrep_cluster_state_uuid, which all nodes of a cluster share.
	ClusterUUID string `json:"clusterUUID,omitempty"`
	// State is wsrep_local_state_comment, in the server's words: Synced, Donor/Desynced, Joining, Joined, Initialized.
	State string `json:"state,omitempty"`
	// Ready is wsrep_ready: the node takes queries.
	Ready bool `json:"ready"`
	// FlowControlPaused is wsrep_flow_control_paused: the share of the time since the last FLUSH STATUS, 0 to 1, that the node was held up.
	FlowControlPaused string `json:"flowControlPaused,omitempty"`
	// ReceiveQueueAvg is wsrep_local_recv_queue_avg: the average length of the queue of received transactions since the last FLUSH STATUS.
	ReceiveQueueAvg string `json:"receiveQueueAvg,omitempty"`
}

// MySQLAnswer is a server's answer to one statement.
type MySQLAnswer struct {
	// Subject is what was asked about.
	Subject string `json:"subject"`
	// Statement is what was sent.
	Statement string `json:"statement"`
	// Rows are by column name; NULL is null.
	Rows []map[string]*string `json:"rows,omitempty"`
	// Error is what the server answered in place of rows.
	Error *MySQLChannelError `json:"error,omitempty"`
}

// MySQLServicePurpose is what a Service's name, labels or selector say that it is for.
type MySQLServicePurpose string

const (
	// ServiceForWriting is to reach the server that takes writes.
	ServiceForWriting MySQLServicePurpose = "Write"
	// ServiceForReading is to reach servers with fresh data.
	ServiceForReading MySQLServicePurpose = "Read"
	// ServiceForAny means that nothing says so.
	ServiceForAny MySQLServicePurpose = "Any"
)

// MySQLService is a Service that selects servers of a set.
type MySQLService struct {
	// Name is the Service's.
	Name string `json:"name"`
	// Purpose is what it is for.
	Purpose MySQLServicePurpose `json:"purpose"`
	// Headless is true if it has no cluster IP.
	Headless bool `json:"headless,omitempty"`
	// Selects and Reaches are the set's pods that the selector matches, and those of them that are ready endpoints.
	Selects []string `json:"selects,omitempty"`
	Reaches []string `json:"reaches,omitempty"`
	// ReachesUnknown is true if endpoints could not be read.
	ReachesUnknown bool `json:"reachesUnknown,omitempty"`
}
