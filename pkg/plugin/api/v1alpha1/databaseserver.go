package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ServerAnnotation on a pod says that it runs a database server, where neither labels nor image, command and port of a container show it: mysql
// or mariadb, or mysql/CONTAINER where it is not the only container. Any other word, such as none, says that it runs none.
const ServerAnnotation = "doik.dev/server"

// DatabaseRole is what a server does in its set.
type DatabaseRole string

const (
	// RoleSource has replicas, or could have some.
	RoleSource DatabaseRole = "Source"
	// RoleReplica replicates from another server.
	RoleReplica DatabaseRole = "Replica"
	// RoleRelay does both.
	RoleRelay DatabaseRole = "Relay"
	// RoleStandalone is the only server of its set.
	RoleStandalone DatabaseRole = "Standalone"
	// RolePrimary is a member of Group Replication that takes writes.
	RolePrimary DatabaseRole = "Primary"
	// RoleSecondary is a member of Group Replication that takes none.
	RoleSecondary DatabaseRole = "Secondary"
	// RoleNode is a node of a Galera cluster.
	RoleNode DatabaseRole = "Node"
	// RoleOutside is a server that is configured for a group and not in it.
	RoleOutside DatabaseRole = "Outside"
	// RoleUnknown is that of a server that did not answer.
	RoleUnknown DatabaseRole = "Unknown"
)

// Via is the way on which a server is asked.
type Via string

const (
	// ViaPortForward is a connection through the API server to the pod's port.
	ViaPortForward Via = "port-forward"
	// ViaExec is the client in the server's own container.
	ViaExec Via = "exec"
)

// LabelledRole is what a role label says of a pod, in whatever words of its operator.
type LabelledRole string

const (
	// LabelledPrimary means that the pod's server takes the writes.
	LabelledPrimary LabelledRole = "primary"
	// LabelledReplica means that it does not.
	LabelledReplica LabelledRole = "replica"
)

// DatabaseProduct is a line of servers that speak the same statements.
type DatabaseProduct string

const (
	// ProductMySQL is Oracle's server, and those made from it: Percona Server, Percona XtraDB Cluster, Aurora.
	ProductMySQL DatabaseProduct = "MySQL"
	// ProductMariaDB has statements, columns and GTIDs of its own.
	ProductMariaDB DatabaseProduct = "MariaDB"
	// ProductPostgreSQL is PostgreSQL.
	ProductPostgreSQL DatabaseProduct = "PostgreSQL"
)

// DatabaseDistribution is a server made from a product.
type DatabaseDistribution string

const (
	// DistributionPercona is Percona Server.
	DistributionPercona DatabaseDistribution = "Percona Server"
	// DistributionXtraDB is Percona XtraDB Cluster, with Galera.
	DistributionXtraDB DatabaseDistribution = "Percona XtraDB Cluster"
)

// GTIDMode says whether transactions have global identifiers, in the words of MySQL's gtid_mode.
type GTIDMode string

const (
	// GTIDOff means that they have none.
	GTIDOff GTIDMode = "OFF"
	// GTIDOffPermissive means that new ones have none, and replicated ones may have some.
	GTIDOffPermissive GTIDMode = "OFF_PERMISSIVE"
	// GTIDOnPermissive means that new ones have some, and replicated ones need not have any.
	GTIDOnPermissive GTIDMode = "ON_PERMISSIVE"
	// GTIDOn means that all have some.
	GTIDOn GTIDMode = "ON"
	// GTIDMariaDB means those of MariaDB, which all its transactions have.
	GTIDMariaDB GTIDMode = "GTID"
)

// DatabaseServer is one server.
type DatabaseServer struct {
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
	// Via is the way to the server.
	Via Via `json:"via,omitempty"`
	// User is the account that asked; empty where a file in the container names it.
	User string `json:"user,omitempty"`
	// Role is what the server does in its set.
	Role DatabaseRole `json:"role"`
	// LabelledRole is what the operator's role label says; it is missing where there is no such label.
	LabelledRole LabelledRole `json:"labelledRole,omitempty"`
	// Product is the line of servers that it belongs to.
	Product DatabaseProduct `json:"product,omitempty"`
	// Distribution is what the server calls itself beyond the product; missing where that is nothing known.
	Distribution DatabaseDistribution `json:"distribution,omitempty"`
	// Version is the number: 8.4.2.
	Version string `json:"version,omitempty"`
	// ReadOnly says whether the server refuses the writes of ordinary accounts.
	ReadOnly *bool `json:"readOnly,omitempty"`
	// Channels are the server's replication channels, from other servers; a group's own are not among them.
	Channels []DatabaseChannel `json:"channels,omitempty"`
	// MySQL is what only MySQL and MariaDB have; it is missing for other engines, and where the server did not answer.
	MySQL *MySQLServer `json:"mysql,omitempty"`
	// Postgres is what only PostgreSQL has; it is missing for other engines, and where the server did not answer.
	Postgres *PostgresServer `json:"postgres,omitempty"`
	// Answers are the raw rows by statement.
	Answers []DatabaseAnswer `json:"answers,omitempty"`
}

// MySQLServer is what only servers of MySQL and MariaDB have.
type MySQLServer struct {
	// ServerID is @@server_id; it is missing where the server has none.
	ServerID *int64 `json:"serverID,omitempty"`
	// ServerUUID is @@server_uuid; it is missing on MariaDB.
	ServerUUID string `json:"serverUUID,omitempty"`
	// SuperReadOnly says whether the server refuses the writes of all accounts; it is missing on MariaDB.
	SuperReadOnly *bool `json:"superReadOnly,omitempty"`
	// GTIDMode says whether transactions have identifiers; it is missing where the server does not know of them.
	GTIDMode GTIDMode `json:"gtidMode,omitempty"`
	// GTIDExecuted is @@gtid_executed, or MariaDB's @@gtid_current_pos.
	GTIDExecuted string `json:"gtidExecuted,omitempty"`
	// Group is the server's part in its group; it is missing where the server is configured for none.
	Group *MySQLGroupMember `json:"group,omitempty"`
	// Galera is the node's part in its cluster; it is missing where the server is no node of a Galera cluster.
	Galera *GaleraNode `json:"galera,omitempty"`
}

// PostgresServer is what only servers of PostgreSQL have.
type PostgresServer struct {
	// SystemIdentifier is what all servers of a cluster share: it was given when the data folder was made.
	SystemIdentifier string `json:"systemIdentifier,omitempty"`
	// Timeline is the server's: it goes up with each promotion. It is missing where it is unknown.
	Timeline int64 `json:"timeline,omitempty"`
	// InRecovery is true for a standby, and for a server that recovers from a crash.
	InRecovery bool `json:"inRecovery"`
	// LSN is how far a primary has written its write-ahead log, or how far a standby has replayed it.
	LSN string `json:"lsn,omitempty"`
	// ReceivedLSN is how far a standby has received it.
	ReceivedLSN string `json:"receivedLSN,omitempty"`
	// Slots are the server's replication slots.
	Slots []PostgresSlot `json:"slots,omitempty"`
	// Archiving is what the server says of archiving its write-ahead log; it is missing where that is not switched on.
	Archiving *PostgresArchiving `json:"archiving,omitempty"`
}

// PostgresSlot is a replication slot, which keeps write-ahead log for who receives it.
type PostgresSlot struct {
	// Name is the slot's.
	Name string `json:"name"`
	// Logical is true for a slot of logical replication, or of logical decoding.
	Logical bool `json:"logical,omitempty"`
	// Active is true while somebody receives through it.
	Active bool `json:"active"`
	// HeldBytes is how much write-ahead log it keeps.
	HeldBytes int64 `json:"heldBytes"`
	// WALStatus is reserved, extended, unreserved or lost, in the server's words; it is missing before PostgreSQL 13, and for a slot that was never used.
	WALStatus string `json:"walStatus,omitempty"`
	// Synced is true for a standby's copy of a slot of its source.
	Synced bool `json:"synced,omitempty"`
}

// PostgresArchiving is what a server says of archiving its write-ahead log.
type PostgresArchiving struct {
	// LastArchived and LastFailed are when it last did, and when it last could not; they are missing for never.
	LastArchived *metav1.Time `json:"lastArchived,omitempty"`
	LastFailed   *metav1.Time `json:"lastFailed,omitempty"`
	// Waiting counts the segments that wait to be archived; it is missing where the account may not see them.
	Waiting *int64 `json:"waiting,omitempty"`
}

// ThreadState says whether a thread of replication runs, as SHOW REPLICA STATUS prints it.
type ThreadState string

const (
	// ThreadRuns means that it does.
	ThreadRuns ThreadState = "Yes"
	// ThreadStopped means that it does not.
	ThreadStopped ThreadState = "No"
	// ThreadConnecting means that a receiver is not connected to its source, and tries to be.
	ThreadConnecting ThreadState = "Connecting"
)

// LagSource is what a replica's lag is taken from.
type LagSource string

const (
	// LagFromCommits means the time at which the channel's own source committed what the replica applies: performance_schema has it, in
	// microseconds. When a transaction was committed first, on the source of a source or before a dump, does not count.
	LagFromCommits LagSource = "commit timestamps"
	// LagFromSeconds means Seconds_Behind_Source (or Seconds_Behind_Master), which counts whole seconds: where there are no commit timestamps,
	// or these say more because the source's clock is behind.
	LagFromSeconds LagSource = "seconds behind"
	// LagFromPositions means that the replica has applied all that its source has: its lag is 0 however long nothing was written.
	LagFromPositions LagSource = "positions"
	// LagFromSource means what the source has measured, from when it wrote something to when the replica said that it had applied that.
	LagFromSource LagSource = "source"
	// LagFromReplayed means the time of the last commit that the replica has applied, while it holds others that it has not.
	LagFromReplayed LagSource = "last replayed commit"
	// LagFromApplying means the time for which the replica has been applying the same transaction: it is at least so late.
	LagFromApplying LagSource = "time applying"
)

// DatabaseChannel is one connection from which a replica replicates.
type DatabaseChannel struct {
	// Name is the channel's; empty for the default channel.
	Name string `json:"name"`
	// Source is where it replicates from.
	Source DatabaseSource `json:"source"`
	// Receiver and Applier say whether the threads that receive and that apply transactions run; they are missing where that is unknown.
	Receiver ThreadState `json:"receiver,omitempty"`
	Applier  ThreadState `json:"applier,omitempty"`
	// LagMilliseconds is how late the applier is beyond an intended delay; missing where it is unknown.
	LagMilliseconds *int64 `json:"lagMilliseconds,omitempty"`
	// LagFrom says what the lag is taken from.
	LagFrom LagSource `json:"lagFrom,omitempty"`
	// LagUnknown is why the lag is not known.
	LagUnknown string `json:"lagUnknown,omitempty"`
	// DelaySeconds is the intended delay.
	DelaySeconds int64 `json:"delaySeconds,omitempty"`
	// BehindBytes is the distance in the source's log; missing where it can't be told, and where the engine counts transactions.
	BehindBytes *int64 `json:"behindBytes,omitempty"`
	// ReceiverError and ApplierError are the last errors of the two; missing where there is none.
	ReceiverError *DatabaseError `json:"receiverError,omitempty"`
	ApplierError  *DatabaseError `json:"applierError,omitempty"`
	// MySQL is what only channels of MySQL and MariaDB have; it is missing for other engines.
	MySQL *MySQLChannel `json:"mysql,omitempty"`
	// Postgres is what only channels of PostgreSQL have; it is missing for other engines.
	Postgres *PostgresChannel `json:"postgres,omitempty"`
}

// MySQLChannel is what only channels of MySQL and MariaDB have.
type MySQLChannel struct {
	// BehindTransactions counts those of the source that the replica has not applied; missing where GTIDs do not tell.
	BehindTransactions *int64 `json:"behindTransactions,omitempty"`
	// SecondsBehind is Seconds_Behind_Source (or Seconds_Behind_Master) as the server counts it: from the time of the statement where it was first
	// run. It is missing where the server does not count.
	SecondsBehind *int64 `json:"secondsBehind,omitempty"`
	// ErrantGTIDs are transactions of the replica that its source has not.
	ErrantGTIDs string `json:"errantGTIDs,omitempty"`
	// AutoPosition is true if the channel goes by GTID, false if it goes by file and position; missing where the server does not tell.
	AutoPosition *bool `json:"autoPosition,omitempty"`
}

// PostgresChannel is what only a standby of PostgreSQL has.
type PostgresChannel struct {
	// SentLSN, FlushedLSN and ReplayedLSN are how far the source has sent, and how far the standby said that it has got; they are missing where the
	// source does not tell.
	SentLSN     string `json:"sentLSN,omitempty"`
	FlushedLSN  string `json:"flushedLSN,omitempty"`
	ReplayedLSN string `json:"replayedLSN,omitempty"`
	// State and SyncState are the source's words for it: streaming, catchup; async, sync, quorum, potential.
	State     string `json:"state,omitempty"`
	SyncState string `json:"syncState,omitempty"`
	// Slot is that of its source through which it receives; missing without one.
	Slot string `json:"slot,omitempty"`
	// HeldBytes is how much write-ahead log its slot keeps on the source.
	HeldBytes *int64 `json:"heldBytes,omitempty"`
}

// SourceClue is what tells which server a channel replicates from, the best first.
type SourceClue string

const (
	// ClueUUID is the source's UUID, as the replica knows it.
	ClueUUID SourceClue = "uuid"
	// ClueServerID is the source's server id, as the replica knows it.
	ClueServerID SourceClue = "server id"
	// ClueReceiver is what the source says of who receives from it.
	ClueReceiver SourceClue = "receiver"
	// CluePodName is the host that the replica was told, which is or begins with a pod's name.
	CluePodName SourceClue = "pod name"
	// ClueAddress is the host that the replica was told, which is a pod's address.
	ClueAddress SourceClue = "address"
	// ClueService is the host that the replica was told, which is that of a Service that leads there.
	ClueService SourceClue = "Service"
)

// DatabaseSource is where a channel replicates from.
type DatabaseSource struct {
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
	// FoundBy is how the pod was found; it is missing where none was.
	FoundBy SourceClue `json:"foundBy,omitempty"`
}

// DatabaseError is the last error of a receiver or an applier, or what a server answered in place of rows.
type DatabaseError struct {
	// Number is the server's number of the error, 0 for a server that has none.
	Number int64 `json:"number"`
	// State is the error's SQLSTATE, where the server's errors have no numbers.
	State string `json:"state,omitempty"`
	// Message is the server's.
	Message string `json:"message"`
	// Short is the number and the message without what is there for the server's developers; it is no part of reports.
	Short string `json:"-"`
}

// GroupState is the state of a member of Group Replication, in the server's words.
type GroupState string

const (
	// GroupOnline means that it takes part.
	GroupOnline GroupState = "ONLINE"
	// GroupRecovering means that it is catching up, to take part then.
	GroupRecovering GroupState = "RECOVERING"
	// GroupOffline means that Group Replication does not run there.
	GroupOffline GroupState = "OFFLINE"
	// GroupError means that it has failed, and has left the group.
	GroupError GroupState = "ERROR"
	// GroupUnreachable means that the others can't reach it.
	GroupUnreachable GroupState = "UNREACHABLE"
)

// GroupRole is what a member of Group Replication does, in the server's words.
type GroupRole string

const (
	// GroupPrimary takes writes.
	GroupPrimary GroupRole = "PRIMARY"
	// GroupSecondary takes none.
	GroupSecondary GroupRole = "SECONDARY"
)

// MySQLGroupMember is a member of a group, as it sees itself.
type MySQLGroupMember struct {
	// GroupName is @@group_replication_group_name, a UUID.
	GroupName string `json:"groupName,omitempty"`
	// State is the member's own.
	State GroupState `json:"state"`
	// Role is what the member does in its group; it is missing where the member is not in it, and on MySQL 5.7.
	Role GroupRole `json:"role,omitempty"`
	// Members and Unreachable count the rows of the member's own view.
	Members     int32 `json:"members"`
	Unreachable int32 `json:"unreachable"`
	// Queue is the number of transactions that wait for certification or application.
	Queue *int64 `json:"queue,omitempty"`
}

// GaleraStatus says whether a node's component is the one that goes on, in the server's words. Others are possible: releases spell them
// differently.
type GaleraStatus string

const (
	// GaleraPrimary means that it has the majority, and goes on.
	GaleraPrimary GaleraStatus = "Primary"
	// GaleraNonPrimary means that it has not, and takes no queries.
	GaleraNonPrimary GaleraStatus = "non-Primary"
	// GaleraDisconnected means that the node is connected to no component.
	GaleraDisconnected GaleraStatus = "Disconnected"
)

// GaleraState says how far a node is with taking part, in the server's words. Others are possible: releases add what they are about to do.
type GaleraState string

const (
	// GaleraSynced means that it takes part.
	GaleraSynced GaleraState = "Synced"
	// GaleraDonor means that it gives its data to another node, and lags meanwhile.
	GaleraDonor GaleraState = "Donor/Desynced"
	// GaleraJoining means that it gets its data from another node.
	GaleraJoining GaleraState = "Joining"
	// GaleraJoined means that it has its data, and catches up.
	GaleraJoined GaleraState = "Joined"
	// GaleraInitialized means that it has not joined.
	GaleraInitialized GaleraState = "Initialized"
)

// GaleraNode is a node of a Galera cluster, as it sees itself.
type GaleraNode struct {
	// ClusterStatus is wsrep_cluster_status: whether the node's component may go on.
	ClusterStatus GaleraStatus `json:"clusterStatus,omitempty"`
	// ClusterSize is wsrep_cluster_size: the number of nodes in the node's component.
	ClusterSize *int64 `json:"clusterSize,omitempty"`
	// ClusterUUID is wsrep_cluster_state_uuid, which all nodes of a cluster share.
	ClusterUUID string `json:"clusterUUID,omitempty"`
	// State is wsrep_local_state_comment: how far the node is.
	State GaleraState `json:"state,omitempty"`
	// Ready is wsrep_ready: the node takes queries.
	Ready bool `json:"ready"`
	// FlowControlPaused is wsrep_flow_control_paused: the share of the time since the last FLUSH STATUS, 0 to 1, that the node was held up.
	FlowControlPaused *float64 `json:"flowControlPaused,omitempty"`
	// ReceiveQueueAvg is wsrep_local_recv_queue_avg: the average length of the queue of received transactions since the last FLUSH STATUS.
	ReceiveQueueAvg *float64 `json:"receiveQueueAvg,omitempty"`
}

// DatabaseAnswer is a server's answer to one statement.
type DatabaseAnswer struct {
	// Subject is what was asked about.
	Subject string `json:"subject"`
	// Statement is what was sent.
	Statement string `json:"statement"`
	// Rows are by column name; NULL is null.
	Rows []map[string]*string `json:"rows,omitempty"`
	// Error is what the server answered in place of rows.
	Error *DatabaseError `json:"error,omitempty"`
}
