package kube

import (
	"runtime/debug"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

const (
	// SupportedClientSkew is the number of minor versions that client libraries and an API server may differ by
	// (https://kubernetes.io/releases/version-skew-policy/#kubectl).
	SupportedClientSkew = 1
	// SupportedKubeletSkew is the number of minor versions that a kubelet may be older than an API server; it must not be newer
	// (https://kubernetes.io/releases/version-skew-policy/#kubelet).
	SupportedKubeletSkew = 3
)

// LibraryVersion is the version of Kubernetes that the client libraries belong to; empty if the program was built without
// modules.
func LibraryVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, dependency := range info.Deps {
		if dependency.Path == "k8s.io/client-go" {
			// client-go v0.37.2 is that of Kubernetes 1.37.2.
			return strings.Replace(dependency.Version, "v0.", "v1.", 1)
		}
	}
	return ""
}

// ClientSkew compares the minor versions of client libraries and an API server; it is nil where one of them is unknown.
func ClientSkew(client, server string) *v1alpha1.VersionSkew {
	return skew(client, server, SupportedClientSkew, SupportedClientSkew)
}

// KubeletSkew compares the minor versions of a kubelet and an API server; it is nil where one of them is unknown.
func KubeletSkew(kubelet, server string) *v1alpha1.VersionSkew {
	return skew(kubelet, server, SupportedKubeletSkew, 0)
}

// skew compares minor versions: how many may the first be older, how many newer.
func skew(one, server string, older, newer int32) *v1alpha1.VersionSkew {
	a, err := version.ParseSemantic(one)
	b, serverErr := version.ParseSemantic(server)
	if err != nil || serverErr != nil || a.Major() != b.Major() {
		return nil
	}
	minor := int32(a.Minor()) - int32(b.Minor())
	return &v1alpha1.VersionSkew{Minor: minor, Supported: minor >= -older && minor <= newer}
}
