package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Kinds of the report of kubectl doik reads.
const (
	KindDatabaseReads     = "DatabaseReads"
	KindDatabaseReadsList = "DatabaseReadsList"
)

// The codes of kubectl doik reads, of MySQL and MariaDB.
const (
	CodeEndpointSilent    Code = "MYSQL090" // a ready endpoint never answered
	CodeUnknownServer     Code = "MYSQL091" // a server answered that the Service does not have
	CodeReadsBroken       Code = "MYSQL092" // a broken or stale replica answered
	CodeReadsSource       Code = "MYSQL093" // the source answered
	CodeConnectionsFailed Code = "MYSQL094" // connections to the Service failed
	CodeReadsSticky       Code = "MYSQL095" // the Service sends each client to one server
	CodeNoEndpoints       Code = "MYSQL096" // the Service has no ready endpoint
)

// DatabaseReadsList is the report of kubectl doik reads, and mysql-reads.
type DatabaseReadsList struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata is where and when the report was made.
	Metadata ReportMeta `json:"metadata"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all items together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items has one Service.
	Items []DatabaseReads `json:"items"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// SessionAffinity says whether a Service sends a client to the same server again.
type SessionAffinity string

const (
	// AffinityNone means to any server each time.
	AffinityNone SessionAffinity = "None"
	// AffinityClientIP means to the same, for some hours.
	AffinityClientIP SessionAffinity = "ClientIP"
)

// TrafficPolicy says which servers of a Service clients in the cluster reach.
type TrafficPolicy string

const (
	// TrafficCluster means all of them.
	TrafficCluster TrafficPolicy = "Cluster"
	// TrafficLocal means those on the client's own node.
	TrafficLocal TrafficPolicy = "Local"
)

// DatabaseReads is how a Service spreads connections over servers.
type DatabaseReads struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the Service.
	Metadata ObjectMeta `json:"metadata"`
	// ClusterIP is the Service's address; None for a headless Service.
	ClusterIP string `json:"clusterIP,omitempty"`
	// Port is the Service's port to which the connections were made.
	Port int32 `json:"port"`
	// Router is what the Service leads to where that is no server itself, but passes connections on to servers: HAProxy, MySQL Router, ProxySQL or
	// MaxScale.
	Router string `json:"router,omitempty"`
	// ReadyEndpoints counts the Service's endpoints that are ready: of servers, or of the router.
	ReadyEndpoints int32 `json:"readyEndpoints"`
	// SessionAffinity says whether a client comes to the same server again.
	SessionAffinity SessionAffinity `json:"sessionAffinity"`
	// InternalTrafficPolicy says which servers a client reaches.
	InternalTrafficPolicy TrafficPolicy `json:"internalTrafficPolicy"`
	// From is the pod in which the connections were made.
	From string `json:"from"`
	// Connections and Failed count those that were made, and those of them that had no answer.
	Connections int64 `json:"connections"`
	Failed      int64 `json:"failed"`
	// Servers are the endpoints, and those that answered though they are none; behind a router, the servers of the set.
	Servers []DatabaseReader `json:"servers"`
	// Errors are why connections failed, by message.
	Errors []DatabaseReadFailure `json:"errors,omitempty"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// DatabaseReader is one server behind a Service.
type DatabaseReader struct {
	// Pod is the pod, or the host name of a server that is none that is known.
	Pod string `json:"pod"`
	// Known is false for a server that answered and is no pod that the Service selects, or, behind a router, no pod of the set.
	Known bool `json:"known"`
	// Endpoint is true if the pod is a ready endpoint.
	Endpoint bool `json:"endpoint"`
	// Routed is true for a server that stands behind a router, which is why it is no endpoint.
	Routed bool `json:"routed,omitempty"`
	// ServerID is @@server_id; it is missing where the server did not tell.
	ServerID *int64 `json:"serverID,omitempty"`
	// Role is what it does in its set; Unknown where it did not tell.
	Role DatabaseRole `json:"role"`
	// Broken says why readers should not be sent there.
	Broken string `json:"broken,omitempty"`
	// Answers counts the connections that it answered.
	Answers int64 `json:"answers"`
	// SharePercent is that of the answers, rounded.
	SharePercent int32 `json:"sharePercent"`
	// MedianMilliseconds, P95Milliseconds and SlowestMilliseconds are from the start of a client to its end; they are missing without
	// answers.
	MedianMilliseconds  *int64 `json:"medianMilliseconds,omitempty"`
	P95Milliseconds     *int64 `json:"p95Milliseconds,omitempty"`
	SlowestMilliseconds *int64 `json:"slowestMilliseconds,omitempty"`
}

// DatabaseReadFailure is why connections failed, and how many.
type DatabaseReadFailure struct {
	// Message is the client's.
	Message string `json:"message"`
	// Count is the number of connections that failed with it.
	Count int64 `json:"count"`
}
