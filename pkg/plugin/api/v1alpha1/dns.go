package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// The codes of kubectl doik dns.
const (
	CodeDNSServiceMissing  Code = "DNS001" // the Service that a StatefulSet names does not exist
	CodeDNSNotHeadless     Code = "DNS002" // the Service that a StatefulSet names has a cluster IP or is of another type
	CodeDNSOtherService    Code = "DNS003" // a headless Service selects the pods of a set that names another Service, or none
	CodeDNSNoHostname      Code = "DNS004" // pods of a headless Service have no hostname or another subdomain
	CodeDNSNotReady        Code = "DNS005" // pods are left out because they are not ready
	CodeDNSUnnamedPort     Code = "DNS006" // a port without a name has no SRV records
	CodeDNSSelectsNothing  Code = "DNS007" // a Service's selector matches no pod
	CodeDNSNegativeCache   Code = "DNS008" // a cache said that a name does not exist, and later it did
	CodeDNSServersDisagree Code = "DNS009" // DNS servers answer differently
	CodeDNSNodeLocalCache  Code = "DNS010" // a NodeLocal DNSCache stands between pods and the DNS servers
	CodeDNSNetworkPolicy   Code = "DNS011" // NetworkPolicies leave out port 53
	CodeDNSNoServer        Code = "DNS012" // there is no DNS Service, or none of its servers is ready
	CodeDNSSearchPath      Code = "DNS013" // short names are not found, or are found elsewhere
	CodeDNSMissing         Code = "DNS014" // records are missing, and no other finding says why
	CodeDNSStale           Code = "DNS015" // records of pods that are gone or not ready are still given out
	CodeDNSNoAnswer        Code = "DNS016" // DNS servers do not answer
	CodeDNSFailure         Code = "DNS017" // DNS servers answer with an error: SERVFAIL, REFUSED
	CodeDNSNameTooLong     Code = "DNS018" // a pod's or a set's name is too long for DNS or for a label
	CodeDNSExtra           Code = "DNS019" // records that nothing in the API accounts for
	CodeDNSTCP             Code = "DNS020" // DNS works over UDP and not over TCP
	CodeDNSPodPolicy       Code = "DNS021" // the pods of a set don't use the cluster's DNS
	CodeDNSDomainDiffers   Code = "DNS022" // pods ask for another domain than the DNS servers have
	CodeDNSAsksElsewhere   Code = "DNS023" // pods ask an address behind which there is no DNS server
	CodeDNSServerNotReady  Code = "DNS024" // a DNS server is not ready while others are
	CodeDNSTargetPort      Code = "DNS025" // a port of a Service leads to a container port that its pods don't have
	CodeDNSSliceWrong      Code = "DNS026" // EndpointSlices and pods contradict each other
	CodeDNSOtherFamily     Code = "DNS027" // DNS servers say that a name which exists does not, when asked for addresses of another family
	CodeDNSNamespaceEnding Code = "DNS028" // a namespace is being deleted: what becomes of its names is not judged
	CodeDNSNodeWithout     Code = "DNS029" // pods of a node have no DNS server: its cache is not ready, or the DNS Service stays on the node
	CodeDNSServerRestarts  Code = "DNS030" // a DNS server is restarted again and again
)

// Kinds of the report of kubectl doik dns.
const (
	KindHeadlessDNS     = "HeadlessDNS"
	KindHeadlessDNSList = "HeadlessDNSList"
)

// HeadlessDNSList is the report of kubectl doik dns.
type HeadlessDNSList struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata is where and when the report was made.
	Metadata ReportMeta `json:"metadata"`
	// Vantage is where the questions were asked.
	Vantage DNSVantage `json:"vantage"`
	// Conditions are Ready (all endpoints are) and Healthy, of all Services together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all Services together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items are the Services by namespace and name.
	Items []HeadlessDNS `json:"items"`
	// Gaps are what was not looked at of DNS as such, such as UDP where the servers were asked through a port-forward.
	Gaps []Gap `json:"gaps,omitempty"`
	// Findings are about DNS itself and no single Service, the worst first.
	Findings []Finding `json:"findings,omitempty"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// DNSVantageKind says who asked.
type DNSVantageKind string

const (
	// VantageDebugPod means a pod that was made for it and has been removed.
	VantageDebugPod DNSVantageKind = "DebugPod"
	// VantagePod means a container of a pod that was there.
	VantagePod DNSVantageKind = "Pod"
	// VantageEphemeral means an ephemeral container that was added to a pod.
	VantageEphemeral DNSVantageKind = "EphemeralContainer"
	// VantageServers means that each DNS server was asked through a port-forward, from no pod.
	VantageServers DNSVantageKind = "DNSServers"
	// VantageNone means that nothing was asked: there was nothing to ask, or no way to ask.
	VantageNone DNSVantageKind = "None"
)

// DNSTool is a program that asks DNS servers: the best that a container has.
type DNSTool string

const (
	// ToolDig is dig of BIND.
	ToolDig DNSTool = "dig"
	// ToolNslookup is nslookup of BIND.
	ToolNslookup DNSTool = "nslookup"
	// ToolBusyBox is nslookup of BusyBox, which asks for any type.
	ToolBusyBox DNSTool = "busybox-nslookup"
	// ToolOldBusyBox is nslookup of older BusyBoxes, which knows addresses only.
	ToolOldBusyBox DNSTool = "old-nslookup"
	// ToolGetent is getent, which resolves names as programs do and knows addresses only.
	ToolGetent DNSTool = "getent"
)

// DNSVantage is where the questions were asked.
type DNSVantage struct {
	// Kind is what asked.
	Kind DNSVantageKind `json:"kind"`
	// Namespace, Pod and Container name the container in which the questions were asked; they are missing where no pod asked.
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod,omitempty"`
	Container string `json:"container,omitempty"`
	// Node is the node of that pod.
	Node string `json:"node,omitempty"`
	// Image is the image of that container.
	Image string `json:"image,omitempty"`
	// Tool is the program in the container that asked; it is missing where no pod asked.
	Tool DNSTool `json:"tool,omitempty"`
	// Nameservers, Search and Options are those of resolv.conf.
	Nameservers []string `json:"nameservers,omitempty"`
	Search      []string `json:"search,omitempty"`
	Options     []string `json:"options,omitempty"`
	// ClusterDomain is the domain of the cluster's names, without a dot at its end: cluster.local.
	ClusterDomain string `json:"clusterDomain,omitempty"`
	// Service is namespace/name of the cluster's DNS Service, as far as it was found.
	Service string `json:"service,omitempty"`
	// Servers are the pods behind the cluster's DNS Service.
	Servers []DNSServer `json:"servers,omitempty"`
	// ServedDomain is the domain that the DNS servers give the names of Services, where they were asked for it.
	ServedDomain string `json:"servedDomain,omitempty"`
	// Pods is what pods are given to resolve names with, where no pod asked.
	Pods *PodResolution `json:"pods,omitempty"`
}

// PodResolution is what pods are given to resolve names with.
type PodResolution struct {
	// Source is where it was read: node/NAME is its kubelet's configuration, pod/NAMESPACE/NAME a resolv.conf.
	Source string `json:"source"`
	// Nameservers are empty if pods have those of their node.
	Nameservers []string `json:"nameservers,omitempty"`
	// Domain is the cluster's domain in their search path; it is empty if there is none.
	Domain string `json:"domain,omitempty"`
	// Service is namespace/name of the Service that has the first of the name servers' addresses, if one is known to have it.
	Service string `json:"service,omitempty"`
}

// DNSServer is a pod behind the cluster's DNS Service.
type DNSServer struct {
	// Pod is namespace/name; it is missing where the endpoint is no pod.
	Pod string `json:"pod,omitempty"`
	// Address is an IP address.
	Address string `json:"address"`
	// Port is the one for TCP, on the pod.
	Port int32 `json:"port"`
	// Ready is true if it gets questions from the Service.
	Ready bool `json:"ready"`
	// Terminating means that it is about to end.
	Terminating bool `json:"terminating,omitempty"`
	// Node is the node that it runs on, as far as its EndpointSlice says.
	Node string `json:"node,omitempty"`
}

// HeadlessDNS is a Service with the records that its name and its pods' names should have, and those they have.
type HeadlessDNS struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the Service.
	Metadata ObjectMeta `json:"metadata"`
	// State says whether it gives pods their names.
	State ServiceState `json:"state"`
	// StatefulSets are those that name it as their Service.
	StatefulSets []string `json:"statefulSets,omitempty"`
	// PublishNotReadyAddresses means that pods have records before they are ready.
	PublishNotReadyAddresses bool `json:"publishNotReadyAddresses,omitempty"`
	// IPFamilies are those of the Service's spec.
	IPFamilies []IPFamily `json:"ipFamilies,omitempty"`
	// ReadyEndpoints and Endpoints count those of its EndpointSlices.
	ReadyEndpoints int32 `json:"readyEndpoints"`
	Endpoints      int32 `json:"endpoints"`
	// TerminatingEndpoints counts those that are not ready because their pods are about to end.
	TerminatingEndpoints int32 `json:"terminatingEndpoints,omitempty"`
	// Records are those of the Service first, then pod by pod, then PTR.
	Records []DNSRecord `json:"records"`
	// Gaps are what was not looked at of this Service.
	Gaps []Gap `json:"gaps,omitempty"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// IPFamily is a family of addresses.
type IPFamily string

const (
	// FamilyIPv4 has A records.
	FamilyIPv4 IPFamily = "IPv4"
	// FamilyIPv6 has AAAA records.
	FamilyIPv6 IPFamily = "IPv6"
)

// DNSVerdict compares what is observed with what is expected.
type DNSVerdict string

const (
	// VerdictOK means that both are the same.
	VerdictOK DNSVerdict = "ok"
	// VerdictMissing means that records are missing.
	VerdictMissing DNSVerdict = "missing"
	// VerdictStale means that there are records of pods that are gone or no longer ready.
	VerdictStale DNSVerdict = "stale"
	// VerdictExtra means that there are other records that were not expected.
	VerdictExtra DNSVerdict = "extra"
	// VerdictError means that the question was not answered, or with an error.
	VerdictError DNSVerdict = "error"
	// VerdictPending means that they differ, as they do for a moment after a pod has come, become ready or gone.
	VerdictPending DNSVerdict = "pending"
	// VerdictUnknown means that the question could not be asked.
	VerdictUnknown DNSVerdict = "unknown"
)

// DNSRecordType is a type of DNS records.
type DNSRecordType string

const (
	// RecordA is an address of IPv4.
	RecordA DNSRecordType = "A"
	// RecordAAAA is an address of IPv6.
	RecordAAAA DNSRecordType = "AAAA"
	// RecordSRV is the port and the name of a server.
	RecordSRV DNSRecordType = "SRV"
	// RecordPTR is the name of an address.
	RecordPTR DNSRecordType = "PTR"
)

// DNSRecord is a name and a type with what is expected and what is observed.
type DNSRecord struct {
	// Name ends with a dot, unless it was looked up through the search path.
	Name string `json:"name"`
	// Type is that of the records.
	Type DNSRecordType `json:"type"`
	// TCP means that the question was asked over TCP.
	TCP bool `json:"tcp,omitempty"`
	// Search means that the name was looked up through the search path.
	Search bool `json:"search,omitempty"`
	// Pod is the pod that it is about; empty for a Service's own.
	Pod string `json:"pod,omitempty"`
	// Expected and Observed are addresses, names, or port and target of SRV (their priority and weight are the server's to choose).
	Expected []string `json:"expected"`
	// NoneExpected says why there should be no record.
	NoneExpected string   `json:"noneExpected,omitempty"`
	Observed     []string `json:"observed"`
	// Verdict compares the two.
	Verdict DNSVerdict `json:"verdict"`
	// Reason explains a verdict other than ok.
	Reason string `json:"reason,omitempty"`
	// Answers are one for each server that was asked, and for each time.
	Answers []DNSAnswer `json:"answers,omitempty"`
}

// DNSTransport is what DNS servers are asked over.
type DNSTransport string

const (
	// TransportUDP is what clients ask over first.
	TransportUDP DNSTransport = "UDP"
	// TransportTCP is for answers that do not fit into UDP.
	TransportTCP DNSTransport = "TCP"
)

// DNSStatus is how a lookup ended: a response code of DNS, or why there is none. Others are possible: rare response codes are RCODE and
// their name or number.
type DNSStatus string

const (
	// StatusNoError means that the name exists. It need not have a record of the type.
	StatusNoError DNSStatus = "NOERROR"
	// StatusNXDomain means that the name does not exist.
	StatusNXDomain DNSStatus = "NXDOMAIN"
	// StatusServFail means that the server failed.
	StatusServFail DNSStatus = "SERVFAIL"
	// StatusRefused means that the server refused to answer.
	StatusRefused DNSStatus = "REFUSED"
	// StatusTimeout means that no answer came in time.
	StatusTimeout DNSStatus = "TIMEOUT"
	// StatusUnreachable means that the server could not be reached: connection refused, no route.
	StatusUnreachable DNSStatus = "UNREACHABLE"
	// StatusNotFound is what getent reports every failure.
	StatusNotFound DNSStatus = "NOTFOUND"
	// StatusUnsupported means that the tool can't ask this.
	StatusUnsupported DNSStatus = "UNSUPPORTED"
	// StatusInvalid means that the answer could not be understood.
	StatusInvalid DNSStatus = "INVALID"
	// StatusNotAsked means that it was not asked: no answer came before, or time ran out.
	StatusNotAsked DNSStatus = "NOTASKED"
)

// DNSAnswer is one answer to a question.
type DNSAnswer struct {
	// Server is the address of the server; it is missing where the tool does not tell.
	Server string `json:"server,omitempty"`
	// ServerPod is the pod with that address, if one has it.
	ServerPod string `json:"serverPod,omitempty"`
	// Transport is what the answer came over.
	Transport DNSTransport `json:"transport"`
	// Status is how the lookup ended.
	Status DNSStatus `json:"status"`
	// FullName is the name that was found by way of the search path.
	FullName string `json:"fullName,omitempty"`
	// Data are the records: addresses, names, or port and target of SRV.
	Data []string `json:"data,omitempty"`
	// TTLSeconds is the least of the records'; it is missing where there are none, or the tool does not tell.
	TTLSeconds *int64 `json:"ttlSeconds,omitempty"`
	// NegativeTTLSeconds is for how long a negative answer is kept; it is missing where the tool does not tell.
	NegativeTTLSeconds *int64 `json:"negativeTTLSeconds,omitempty"`
	// Microseconds is the time that it took. dig measures it; other tools' is that of the whole program, in steps of 10,000.
	Microseconds *int64 `json:"microseconds,omitempty"`
	// Truncated means that the answer did not fit into UDP.
	Truncated bool `json:"truncated,omitempty"`
	// Detail is the tool's or the network's own word on a failure.
	Detail string `json:"detail,omitempty"`
	// Again means that it was asked a second time, after a negative answer had left the caches.
	Again bool `json:"again,omitempty"`
}
