package kube

import (
	"testing"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestSkew(t *testing.T) {
	for _, test := range []struct {
		skew        func(string, string) *v1alpha1.VersionSkew
		one, server string
		minor       int32
		known, ok   bool
	}{
		{ClientSkew, "v1.37.2", "v1.37.0", 0, true, true},
		{ClientSkew, "v1.37.2", "v1.36.3-eks-ae9a62a", 1, true, true},
		{ClientSkew, "v1.37.2", "v1.38.0+k3s1", -1, true, true},
		{ClientSkew, "v1.37.2", "v1.33.1", 4, true, false},
		{ClientSkew, "", "v1.33.1", 0, false, false},
		{ClientSkew, "v1.37.2", "unknown", 0, false, false},
		{KubeletSkew, "v1.33.1-eks-ae9a62a", "v1.36.3-eks-ae9a62a", -3, true, true},
		{KubeletSkew, "v1.32.1", "v1.36.3", -4, true, false},
		{KubeletSkew, "v1.37.0", "v1.36.3", 1, true, false},
	} {
		got := test.skew(test.one, test.server)
		if (got != nil) != test.known || got != nil && (got.Minor != test.minor || got.Supported != test.ok) {
			t.Errorf("%s, %s: %+v", test.one, test.server, got)
		}
	}
}
