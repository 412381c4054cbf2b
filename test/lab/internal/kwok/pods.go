package kwok

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/podstate"
)

// FollowNodes makes the pods of a node unready when the node goes away, which otherwise is up to whatever notices that
// a kubelet is silent, and ready again when it is back, which is up to the kubelet. kwok does neither, because nothing
// happens to the pods themselves.
func FollowNodes(ctx context.Context, client kubernetes.Interface, nodes cache.SharedIndexInformer, podsOn func(node string) []*corev1.Pod) error {
	_, err := nodes.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(before, after any) {
		was, ok := before.(*corev1.Node)
		is, ok2 := after.(*corev1.Node)
		if !ok || !ok2 || nodeReady(was) == nodeReady(is) {
			return
		}
		for _, pod := range podsOn(is.Name) {
			if err := setReadiness(ctx, client, pod, nodeReady(is)); err != nil {
				klog.FromContext(ctx).Error(err, "Telling a pod that its node has come or gone", "pod", klog.KObj(pod))
			}
		}
	}})
	return err
}

func nodeReady(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

func setReadiness(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, nodeReady bool) error {
	if pod.Status.Phase != corev1.PodRunning || pod.DeletionTimestamp != nil {
		return nil
	}
	conditions := podstate.Status(pod, time.Now()).Conditions
	if !nodeReady {
		conditions = podstate.NodeLost(pod, time.Now())
	}
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": conditions}})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}
