package fleet

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// creators is how many nodes are created at a time.
const creators = 16

// Create creates the nodes; one that exists already stays as it is. It returns the first error.
func Create(ctx context.Context, client kubernetes.Interface, nodes []*corev1.Node) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *corev1.Node)
	var group sync.WaitGroup
	for range min(creators, len(nodes)) {
		group.Go(func() {
			for node := range queue {
				_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
				if err != nil && !apierrors.IsAlreadyExists(err) {
					cancel(err)
				}
			}
		})
	}
	for _, node := range nodes {
		select {
		case queue <- node:
		case <-ctx.Done():
		}
	}
	close(queue)
	group.Wait()
	return context.Cause(ctx)
}
