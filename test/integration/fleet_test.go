//go:build integration

package integration

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

const (
	podsPerNode = 6
	// creators is how many requests are on their way at a time.
	creators = 48
)

// BenchmarkNodes looks at all nodes, each with six pods of databases on it, beside what one would type to see half of it. It
// loads whatever lab is up; the large one is made by
//
//	test/lab/up -nodes 5000 -components nodes
//
// without controllers and scheduler, which nothing here needs.
func BenchmarkNodes(b *testing.B) {
	n := cluster.NewNamespace(b)
	nodes := strings.Fields(n.Kubectl("get", "nodes", "-o", "name"))
	load(n, nodes, len(nodes)*podsPerNode)
	for name, ours := range map[string][]string{"table": nil, "wide": {"-o", "wide"}, "json": {"-o", "json"}} {
		b.Run(name, func(b *testing.B) {
			compare(b, append([]string{"kubectl-doik", "nodes"}, ours...), append([]string{"kubectl", "get", "nodes,pods", "-A"}, ours...))
		})
	}
}

// load creates pods of the study's MySQL directly on nodes, in sets of three, as an operator does, and waits until they run. A
// ConfigMap stands for the operator's object.
func load(n *cluster.Namespace, nodes []string, pods int) {
	n.Helper()
	client := rawClient(n)
	create := func(resource string, object runtime.Object) metav1.Object {
		answer := object.DeepCopyObject()
		err := client.Post().Namespace(n.NS).Resource(resource).Body(object).Do(context.Background()).Into(answer)
		if err != nil && !apierrors.IsAlreadyExists(err) {
			n.Error(err)
		}
		return answer.(metav1.Object)
	}
	var set appsv1.StatefulSet
	for _, document := range strings.Split(n.Manifest("mysql.yaml"), "\n---\n") {
		if strings.Contains(document, "kind: StatefulSet") {
			if err := yaml.UnmarshalStrict([]byte(document), &set); err != nil {
				n.Fatal(err)
			}
		}
	}
	create("serviceaccounts", &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}) // a controller's work, if there is one
	started := time.Now()
	inParallel((pods+2)/3, func(i int) {
		name := fmt.Sprintf("db-%05d", i)
		owner := create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}})
		for ordinal := range min(3, pods-3*i) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", name, ordinal), Labels: map[string]string{"app": name}}}
			pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: name, UID: owner.GetUID(), Controller: new(true)}}
			pod.Spec = *set.Spec.Template.Spec.DeepCopy()
			pod.Spec.NodeName = strings.TrimPrefix(nodes[(3*i+ordinal)%len(nodes)], "node/")
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data-" + pod.Name},
			}})
			create("pods", pod)
		}
	})
	if n.Failed() {
		n.FailNow()
	}
	n.Logf("%d nodes; %d pods created in %s", len(nodes), pods, time.Since(started).Round(time.Second))
	cluster.Eventually(n, 15*time.Minute, func() error {
		if waiting := strings.Count(n.Kubectl("get", "pods", "--field-selector=status.phase!=Running", "-o", "name"), "/"); waiting > 0 {
			time.Sleep(5 * time.Second)
			return fmt.Errorf("%d pods do not run", waiting)
		}
		return nil
	})
	n.Logf("they run after %s", time.Since(started).Round(time.Second))
}

func rawClient(n *cluster.Namespace) *rest.RESTClient {
	n.Helper()
	config, err := genericclioptions.NewConfigFlags(true).ToRESTConfig()
	if err != nil {
		n.Fatal(err)
	}
	config.QPS, config.GroupVersion, config.APIPath = -1, &schema.GroupVersion{Version: "v1"}, "/api"
	config.ContentType, config.NegotiatedSerializer = "application/vnd.kubernetes.protobuf", scheme.Codecs.WithoutConversion()
	client, err := rest.RESTClientFor(config)
	if err != nil {
		n.Fatal(err)
	}
	return client
}

// inParallel calls do with every number below a total.
func inParallel(total int, do func(int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(creators, total) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < total; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
}
