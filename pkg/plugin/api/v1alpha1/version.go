package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// KindVersion is the kind of the report of kubectl doik version.
const KindVersion = "Version"

// Version is the report of kubectl doik version.
type Version struct {
	metav1.TypeMeta `json:",inline"`
	Client          ClientVersion `json:"client"`
	// Server is missing with --client and where the API server did not answer.
	Server *ServerVersion `json:"server,omitempty"`
	// Skew is missing where one of the versions is unknown.
	Skew *VersionSkew `json:"skew,omitempty"`
}

// ClientVersion is that of the plugin.
type ClientVersion struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	// Kubernetes is the version of Kubernetes that the client libraries belong to.
	Kubernetes string `json:"kubernetes,omitempty"`
	GoVersion  string `json:"goVersion"`
	// Platform is os/architecture.
	Platform string `json:"platform"`
}

// ServerVersion is that of the API server.
type ServerVersion struct {
	Version  string `json:"version"`
	Platform string `json:"platform,omitempty"`
}

// VersionSkew compares the client libraries with the API server.
type VersionSkew struct {
	// Minor is the client's minor version less the server's.
	Minor     int32 `json:"minor"`
	Supported bool  `json:"supported"`
}
