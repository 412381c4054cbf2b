package kube

import (
	"context"
	"errors"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// errPodDeleted says that a pod that was waited for has been deleted.
var errPodDeleted = errors.New("the pod has been deleted")

// untilPod watches a pod, from the state that is given on, until done is true of it or is an error. The pod that it returns is the last that
// was seen, also with an error: that of done, errPodDeleted, that of a watch that can't begin, or any once the context has ended. A watch
// goes on where it ends, as watches do now and then; it takes no permission to list pods.
func (c *Cluster) untilPod(ctx context.Context, pod *corev1.Pod, done func(*corev1.Pod) (bool, error)) (*corev1.Pod, error) {
	for {
		if ok, err := done(pod); ok || err != nil {
			return pod, err
		}
		err := c.untilChange(ctx, pod, func(latest *corev1.Pod) (bool, error) {
			pod = latest
			return done(latest)
		})
		if err == nil || ctx.Err() != nil || !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			return pod, err
		}
		// The state from which the watch was to go on is too old: go on from the present one.
		present, err := get[corev1.Pod](ctx, c, pods, pod.Namespace, pod.Name)
		switch {
		case apierrors.IsNotFound(err):
			return pod, errPodDeleted
		case err != nil:
			return pod, err
		}
		pod = present
	}
}

// untilChange watches a pod from a state on until done is true of what it has changed to, or is an error.
func (c *Cluster) untilChange(ctx context.Context, pod *corev1.Pod, done func(*corev1.Pod) (bool, error)) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	changes := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, pod.Name).String()
		o.Watch = true
		w, err := c.core().Get().Namespace(pod.Namespace).Resource(pods.name).VersionedParams(&o, parameters).Watch(ctx)
		if err != nil { // which would be retried forever, with a line in the log each time
			giveUp(err)
			return nil, io.EOF
		}
		return w, nil
	}}
	_, err := watchtools.Until(ctx, pod.ResourceVersion, changes, func(change watch.Event) (bool, error) {
		switch change.Type {
		case watch.Error:
			return false, apierrors.FromObject(change.Object)
		case watch.Deleted:
			return false, errPodDeleted
		}
		latest, isPod := change.Object.(*corev1.Pod)
		if !isPod {
			return false, nil
		}
		return done(latest)
	})
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	return err
}
