package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Kinds of the report of kubectl doik endpoint.
const (
	KindClusterEndpoint     = "ClusterEndpoint"
	KindClusterEndpointList = "ClusterEndpointList"
)

// The codes of kubectl doik endpoint.
const (
	CodeServerUnreachable    Code = "ENDP001" // the API server does not answer on the way that the kubeconfig shows
	CodeNameUnresolved       Code = "ENDP002" // the server's name can't be resolved on the workstation
	CodeCertificateExpiring  Code = "ENDP003" // the certificate has expired, is not valid yet, or ends within 30 days
	CodeNameNotCovered       Code = "ENDP004" // the certificate is not for the name that clients ask for
	CodeCertificateUntrusted Code = "ENDP005" // the kubeconfig's authority has not signed the certificate
	CodeVerificationOff      Code = "ENDP006" // insecure-skip-tls-verify, or no TLS at all
	CodeProxyInTheWay        Code = "ENDP007" // a proxy is between the workstation and the API server
	CodeFewServers           Code = "ENDP008" // fewer than two API servers
	CodeClientSkew           Code = "ENDP009" // client libraries and API server are too many minor versions apart
	CodeKubeletSkew          Code = "ENDP010" // kubelets are too old for the API server, or newer than it
	CodeResolvesDifferently  Code = "ENDP011" // the name leads to different networks, depending on who asks
	CodePublicEndpoint       Code = "ENDP012" // the endpoint is open to the internet; publicAccessCidrs can't be seen
	CodeAccessAmbiguous      Code = "ENDP013" // private here and in the cluster: asking a resolver on the internet would tell
	CodeUnusualAddresses     Code = "ENDP014" // an answer mixes public and private addresses
	CodeKubeconfigLeadsHere  Code = "ENDP015" // the server is this machine, the name in tls-server-name another one: a tunnel
	CodeClusterLookupFailed  Code = "ENDP016" // the server's name can't be resolved in the cluster
)

// ClusterEndpointList is the report of kubectl doik endpoint.
type ClusterEndpointList struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata is where and when the report was made.
	Metadata ReportMeta `json:"metadata"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all items together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items has one item, the endpoint of the kubeconfig's context.
	Items []ClusterEndpoint `json:"items"`
	// Problems are what could not be read.
	Problems []Problem `json:"problems,omitempty"`
}

// ClusterEndpoint is the way to a cluster's API servers: from this workstation, from the cluster's nodes, and back to the
// kubelets.
type ClusterEndpoint struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the cluster: as its provider does if that is known, else as the kubeconfig does.
	Metadata ObjectMeta `json:"metadata"`
	// Access says from where the endpoint can be reached.
	Access EndpointAccess `json:"access"`
	// Server is what the kubeconfig, kubectl's flags and the environment say.
	Server EndpointServer `json:"server"`
	// Provider is who runs the cluster, where that shows.
	Provider ClusterProvider `json:"provider"`
	// Resolutions are what the server's name leads to, by who was asked.
	Resolutions []Resolution `json:"resolutions"`
	// APIServers are those behind the Service kubernetes. They show in every access mode, and prove none.
	APIServers []APIServer `json:"apiServers,omitempty"`
	// APIServersUnknown is the reason why they are not known.
	APIServersUnknown string `json:"apiServersUnknown,omitempty"`
	// Certificate is what the server presents; missing where it could not be asked, and without TLS.
	Certificate *ServingCertificate `json:"certificate,omitempty"`
	// Version is the API server's, and what goes with it; it is missing where the API server did not answer.
	Version *EndpointVersion `json:"version,omitempty"`
	// Paths are the three ways between control plane, nodes and users.
	Paths []EndpointPath `json:"paths"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// AccessMode says from where an endpoint can be reached. The first three are what Amazon EKS calls them.
type AccessMode string

const (
	// AccessPublic means from the internet only: nodes use the public addresses too.
	AccessPublic AccessMode = "Public"
	// AccessPublicAndPrivate means public addresses on the internet and private ones in the cluster's network.
	AccessPublicAndPrivate AccessMode = "PublicAndPrivate"
	// AccessPrivate means from the cluster's network, and those that are connected to it, only.
	AccessPrivate AccessMode = "Private"
	// AccessPublicAtLeast means public; whether there are private addresses as well is not known.
	AccessPublicAtLeast AccessMode = "PublicAtLeast"
	// AccessPrivateAtLeast means private; whether there are public addresses as well is not known.
	AccessPrivateAtLeast AccessMode = "PrivateAtLeast"
	// AccessLocal means this machine: a cluster on it, or a tunnel that begins on it.
	AccessLocal AccessMode = "Local"
	// AccessUnknown means that the answers don't tell, or contradict each other.
	AccessUnknown AccessMode = "Unknown"
)

// Confidence says how sure a conclusion is.
type Confidence string

const (
	// ConfidenceHigh means that the answers leave no other conclusion.
	ConfidenceHigh Confidence = "high"
	// ConfidenceMedium means that they fit the conclusion, and hardly another one.
	ConfidenceMedium Confidence = "medium"
	// ConfidenceLow means that they fit others too.
	ConfidenceLow Confidence = "low"
)

// EndpointAccess is the verdict on an endpoint.
type EndpointAccess struct {
	// Mode is from where the endpoint can be reached.
	Mode AccessMode `json:"mode"`
	// Confidence is how sure the mode is.
	Confidence Confidence `json:"confidence"`
	// PublicAccess and PrivateAccess are true if it can be reached over the internet, and from the cluster's network at private addresses; they
	// are missing where that is not known.
	PublicAccess  *bool `json:"publicAccess,omitempty"`
	PrivateAccess *bool `json:"privateAccess,omitempty"`
	// Evidence is what the verdict and the provider are concluded from.
	Evidence []EndpointEvidence `json:"evidence"`
}

// EndpointEvidence is one observation and what it means.
type EndpointEvidence struct {
	// Source is who or what was observed: workstation, resolver 1.1.1.1, cluster, nodes, kubeconfig, server name, server version; conclusion
	// for what follows from the rest.
	Source string `json:"source"`
	// Message is what was observed, and what it means, in one sentence.
	Message string `json:"message"`
}

// EndpointServer is the server as clients on this workstation see it.
type EndpointServer struct {
	// Context and Cluster are names in the kubeconfig; both are empty in a pod.
	Context string `json:"context,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	// URL is where requests are sent, without user and password.
	URL string `json:"url"`
	// Host and Port are those of the URL.
	Host string `json:"host"`
	Port int32  `json:"port"`
	// TLSServerName is the name that the certificate should have, if that is not the host.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// InsecureSkipTLSVerify is true if the certificate is not verified.
	InsecureSkipTLSVerify bool `json:"insecureSkipTLSVerify,omitempty"`
	// Proxy is the one that connections go through; it is missing if they go straight to the server.
	Proxy *EndpointProxy `json:"proxy,omitempty"`
}

// EndpointProxy is a proxy between the workstation and the API server.
type EndpointProxy struct {
	// URL is the proxy's, without a password.
	URL string `json:"url"`
	// Source is where it is set: proxy-url in the kubeconfig, or the name of an environment variable.
	Source string `json:"source"`
}

// ClusterProvider is who runs a cluster.
type ClusterProvider struct {
	// Name is EKS, GKE, AKS, k3s, RKE2, kind, minikube, or what nodes report (OKE, OpenShift, kOps, …); empty if nothing tells.
	Name string `json:"name,omitempty"`
	// Region and ClusterName are the provider's own; empty if nothing tells.
	Region      string `json:"region,omitempty"`
	ClusterName string `json:"clusterName,omitempty"`
}

// AddressScope says which networks an address belongs to.
type AddressScope string

const (
	// ScopePublic is an address that the internet routes.
	ScopePublic AddressScope = "Public"
	// ScopePrivate is an address of RFC 1918 or a unique local one (fc00::/7).
	ScopePrivate AddressScope = "Private"
	// ScopeShared is an address of RFC 6598 (100.64.0.0/10): of carriers, of VPNs, of pods in a VPC. The internet does not route it.
	ScopeShared AddressScope = "Shared"
	// ScopeLinkLocal is an address of one link (169.254.0.0/16, fe80::/10).
	ScopeLinkLocal AddressScope = "LinkLocal"
	// ScopeLoopback is the machine itself.
	ScopeLoopback AddressScope = "Loopback"
	// ScopeSpecial is a special-purpose address: for documentation, benchmarks, multicast, reserved.
	ScopeSpecial AddressScope = "Special"
)

// EndpointAddress is an address with its scope.
type EndpointAddress struct {
	// IP is an address of IPv4 or IPv6.
	IP string `json:"ip"`
	// Scope says which networks it belongs to.
	Scope AddressScope `json:"scope"`
}

// ResolutionFrom says who looked a name up.
type ResolutionFrom string

const (
	// FromWorkstation means this machine, as its programs do.
	FromWorkstation ResolutionFrom = "workstation"
	// FromResolver means the DNS server of --resolver.
	FromResolver ResolutionFrom = "resolver"
	// FromCluster means a pod in the cluster.
	FromCluster ResolutionFrom = "cluster"
)

// ResolutionResult says how a lookup ended.
type ResolutionResult string

const (
	// ResolutionAnswered means that there are addresses.
	ResolutionAnswered ResolutionResult = "Answered"
	// ResolutionLiteral means that the server is an IP address: no lookup is needed.
	ResolutionLiteral ResolutionResult = "Literal"
	// ResolutionNotFound means that the name does not exist, or has no address.
	ResolutionNotFound ResolutionResult = "NotFound"
	// ResolutionTimeout means that no answer came in time.
	ResolutionTimeout ResolutionResult = "Timeout"
	// ResolutionNotAsked means that the lookup could not be made: the debug pod was refused, or did not start.
	ResolutionNotAsked ResolutionResult = "NotAsked"
	// ResolutionFailed means any other failure: SERVFAIL, REFUSED, no way to the server.
	ResolutionFailed ResolutionResult = "Failed"
)

// Resolution is a lookup of the server's name.
type Resolution struct {
	// From is who looked it up.
	From ResolutionFrom `json:"from"`
	// Server is who was asked, where that is known: the address of --resolver, the DNS server of the debug pod.
	Server string `json:"server,omitempty"`
	// Node is where the debug pod ran.
	Node string `json:"node,omitempty"`
	// Name is the name that was looked up.
	Name string `json:"name"`
	// Result says how the lookup ended.
	Result ResolutionResult `json:"result"`
	// Message explains a result without addresses.
	Message string `json:"message,omitempty"`
	// Addresses are in ascending order, those of IPv4 first.
	Addresses []EndpointAddress `json:"addresses,omitempty"`
	// Milliseconds is the time that the lookup took on the workstation; missing where it was not measured.
	Milliseconds *int64 `json:"milliseconds,omitempty"`
}

// APIServer is an endpoint of the Service kubernetes in the namespace default: on Amazon EKS an address of an elastic network
// interface that the control plane has in the cluster's subnets.
type APIServer struct {
	// Address is where it listens.
	Address EndpointAddress `json:"address"`
	// Port is missing where the EndpointSlice names none.
	Port int32 `json:"port,omitempty"`
	// Node is the node that has this address, if one has.
	Node string `json:"node,omitempty"`
	// Zone is the one that it is in; empty where nothing tells.
	Zone string `json:"zone,omitempty"`
	// ZoneFrom says how the zone is known.
	ZoneFrom ZoneSource `json:"zoneFrom,omitempty"`
	// NearNode is the node that an inferred zone is taken from.
	NearNode string `json:"nearNode,omitempty"`
}

// ZoneSource is what tells a zone.
type ZoneSource string

const (
	// ZoneFromEndpointSlice means that the EndpointSlice names the zone.
	ZoneFromEndpointSlice ZoneSource = "EndpointSlice"
	// ZoneFromNode means that it is the zone of the node that has the address.
	ZoneFromNode ZoneSource = "Node"
	// ZoneInferred means that it is the zone of a node whose address is near, likely in the same subnet.
	ZoneInferred ZoneSource = "Inferred"
)

// ServingCertificate is the certificate that a server presents.
type ServingCertificate struct {
	// Subject and Issuer are distinguished names: CN=kube-apiserver.
	Subject string `json:"subject,omitempty"`
	Issuer  string `json:"issuer,omitempty"`
	// DNSNames and IPAddresses are what it is for.
	DNSNames    []string `json:"dnsNames,omitempty"`
	IPAddresses []string `json:"ipAddresses,omitempty"`
	// NotBefore and NotAfter are from when and until when it is valid.
	NotBefore metav1.Time `json:"notBefore"`
	NotAfter  metav1.Time `json:"notAfter"`
	// Name is what clients ask for: the tls-server-name of the kubeconfig, else the host.
	Name string `json:"name"`
	// CoversName is true if the certificate is for that name.
	CoversName bool `json:"coversName"`
	// Trusted is true if an authority of the kubeconfig (of the system, where the kubeconfig has none) has signed it.
	Trusted bool `json:"trusted"`
	// Untrusted says why not.
	Untrusted string `json:"untrusted,omitempty"`
}

// EndpointVersion is the version of the API server, and what others have to go with it.
type EndpointVersion struct {
	ServerVersion `json:",inline"`
	// Client is the version of Kubernetes that the plugin's client libraries belong to.
	Client string `json:"client,omitempty"`
	// Skew is the client libraries' minor version less the API server's; it is missing where one of the two is unknown.
	Skew *VersionSkew `json:"skew,omitempty"`
	// Kubelets are the nodes' versions, the oldest first; missing where nodes could not be read.
	Kubelets []KubeletVersion `json:"kubelets,omitempty"`
	// KubeletsUnknown is the reason why they are not known.
	KubeletsUnknown string `json:"kubeletsUnknown,omitempty"`
}

// KubeletVersion is a version that kubelets have.
type KubeletVersion struct {
	// Version is as nodes tell it: v1.35.1.
	Version string `json:"version"`
	// Nodes counts the nodes that have it.
	Nodes int32 `json:"nodes"`
	// Skew is the kubelet's minor version less the API server's.
	Skew *VersionSkew `json:"skew,omitempty"`
}

// EndpointEnd is an end of a way that connections take.
type EndpointEnd string

const (
	// EndUser is this workstation.
	EndUser EndpointEnd = "user"
	// EndNode is a node with its kubelet and pods.
	EndNode EndpointEnd = "node"
	// EndAPIServer is the API server, as clients reach it.
	EndAPIServer EndpointEnd = "API server"
	// EndControlPlane is the API server, as it reaches others.
	EndControlPlane EndpointEnd = "control plane"
	// EndKubelet is the kubelet of a node.
	EndKubelet EndpointEnd = "kubelet"
)

// EndpointPath is the way that connections take from one part of the cluster to another.
type EndpointPath struct {
	// From and To are the two ends.
	From EndpointEnd `json:"from"`
	To   EndpointEnd `json:"to"`
	// Way is one sentence.
	Way string `json:"way"`
}
