package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// KindVersion is the kind of the report of kubectl doik version.
const KindVersion = "Version"

// Version is the report of kubectl doik version.
type Version struct {
	metav1.TypeMeta `json:",inline"`
	// Client is the plugin's version.
	Client ClientVersion `json:"client"`
	// Server is the API server's version; it is missing with --client and where the API server did not answer.
	Server *ServerVersion `json:"server,omitempty"`
	// Skew says whether the two go together; it is missing where one of them is unknown.
	Skew *VersionSkew `json:"skew,omitempty"`
}

// ClientVersion is that of the plugin.
type ClientVersion struct {
	// Version is that of the release, or of the Go module: v1.2.3.
	Version string `json:"version"`
	// Commit is the hash of the commit that it was built from; it is missing where the build does not tell.
	Commit string `json:"commit,omitempty"`
	// Kubernetes is the version of Kubernetes that the client libraries belong to.
	Kubernetes string `json:"kubernetes,omitempty"`
	// GoVersion is the version of Go that it was built with.
	GoVersion string `json:"goVersion"`
	// Platform is os/architecture.
	Platform string `json:"platform"`
}

// ServerVersion is that of the API server.
type ServerVersion struct {
	// Version is as the server tells it: v1.35.1.
	Version string `json:"version"`
	// Platform is os/architecture.
	Platform string `json:"platform,omitempty"`
}

// VersionSkew compares the client libraries with the API server.
type VersionSkew struct {
	// Minor is the client's minor version less the server's.
	Minor int32 `json:"minor"`
	// Supported is true if Kubernetes supports the two together.
	Supported bool `json:"supported"`
}
