package nameserver

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// installed is the Corefile that a new lab has.
func installed(t *testing.T) string {
	t.Helper()
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	for {
		var object corev1.ConfigMap
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			t.Fatal("no Corefile")
		} else if err != nil {
			t.Fatal(err)
		}
		if corefile := object.Data[corefileKey]; corefile != "" {
			return corefile
		}
	}
}

func TestSimulated(t *testing.T) {
	for _, test := range []struct{ corefile, want string }{
		{installed(t), `dns://.:0 {
	bind 127.0.0.1
	user-of-the-lab somebody
	cache 30 {
		disable success cluster.local in-addr.arpa ip6.arpa
		disable denial cluster.local in-addr.arpa ip6.arpa
	}
	errors
	kubernetes-of-the-lab cluster.local in-addr.arpa ip6.arpa {
		pods insecure
		fallthrough in-addr.arpa ip6.arpa
		ttl 30
	}
	loadbalance
}`},
		{"cluster.local fd00::/8 {\n bind 0.0.0.0\n forward . 192.0.2.1\n}\ndns://example.org:5353 {\n errors\n}", `dns://cluster.local:0, dns://fd00::/8:0 {
	bind 127.0.0.1
	user-of-the-lab somebody
}

dns://example.org:0 {
	bind 127.0.0.1
	user-of-the-lab somebody
	errors
}`},
	} {
		got, err := simulated(test.corefile, "somebody")
		if err != nil || string(got) != test.want {
			t.Errorf("got %s, %v, want %s", got, err, test.want)
		}
	}
	if got, err := simulated(".:53 {", "somebody"); err == nil {
		t.Errorf("got %s", got)
	}
}

func TestRuns(t *testing.T) {
	pod := func(node, state string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"lab.doik.dev/state": state}},
			Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "coredns", Image: "registry.k8s.io/coredns/coredns:v1"}}},
		}
	}
	for state, want := range map[string]bool{"": true, "not-ready": true, "stuck-terminating": true, "crash-loop": false, "image-pull": false, "creating": false} {
		if got := runs(pod("node", state)); got != want {
			t.Errorf("%q: %t", state, got)
		}
	}
	if runs(pod("", "")) {
		t.Error("it runs on no node")
	}
	if other := pod("node", ""); !isServer(other) {
		t.Error("it is no server")
	} else if other.Spec.Containers[0].Image = "nginx"; isServer(other) {
		t.Error("nginx is a server")
	}
	if !strings.Contains(string(manifests), "image: registry.k8s.io/coredns/coredns:v") {
		t.Error("the lab's own servers are none")
	}
}
