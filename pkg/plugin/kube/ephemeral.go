package kube

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// EphemeralContainer is a container to run programs in inside an existing pod, with the pod's network and resolv.conf. It can't be
// removed from its pod; its program ends.
type EphemeralContainer struct {
	Namespace, Pod string
	// Image has a sh and a sleep.
	Image string
	// Lifetime is when its program ends by itself, if it is not ended.
	Lifetime time.Duration
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// WithEphemeralContainer adds an ephemeral container to a pod, waits until it runs, calls use with the pod and the container's
// name, and ends its program, whatever has happened and whether or not the context has ended. It needs the rights to get and watch
// pods, to patch pods/ephemeralcontainers, and to create and get pods/exec.
func (c *Cluster) WithEphemeralContainer(ctx context.Context, e EphemeralContainer, use func(pod *corev1.Pod, container string) error) error {
	progress := e.Progress
	if progress == nil {
		progress = func(string) {}
	}
	name := "kubectl-doik-" + strings.ToLower(rand.Text()[:10])
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"ephemeralContainers": []corev1.EphemeralContainer{{
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: name, Image: e.Image, ImagePullPolicy: corev1.PullIfNotPresent, Command: Idle(e.Lifetime), SecurityContext: restricted(),
		},
	}}}})
	if err != nil {
		return err
	}
	progress("adding an ephemeral container to " + e.Pod)
	pod := &corev1.Pod{}
	err = c.core().Patch(types.StrategicMergePatchType).Namespace(e.Namespace).Resource(pods.name).Name(e.Pod).
		SubResource("ephemeralcontainers").Body(patch).Do(ctx).Into(pod)
	if err != nil {
		return err
	}
	defer func() {
		// Its first process takes SIGTERM for a reason to end.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalPatience)
		defer cancel()
		_, _ = c.Exec(ctx, Container{Namespace: e.Namespace, Pod: e.Pod, Name: name}, "kill", "1")
	}()
	pod, err = c.waitEphemeral(ctx, pod, name, progress)
	if err != nil {
		return err
	}
	return use(pod, name)
}

// waitEphemeral watches a pod until one of its ephemeral containers runs.
func (c *Cluster) waitEphemeral(ctx context.Context, pod *corev1.Pod, name string, progress func(string)) (*corev1.Pod, error) {
	latest, err := c.untilPod(ctx, pod, func(pod *corev1.Pod) (bool, error) {
		running, err := ephemeralStarted(pod, name)
		if !running && err == nil {
			progress("starting an ephemeral container in " + pod.Name)
		}
		return running, err
	})
	switch {
	case err == nil:
		return latest, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, ctx.Err()
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the ephemeral container of pod %s did not start in time: raise --timeout, or see kubectl describe pod %s -n %s", latest.Name, latest.Name, latest.Namespace)
	case errors.Is(err, errPodDeleted):
		return nil, fmt.Errorf("pod %s has been deleted", latest.Name)
	}
	return nil, err
}

func ephemeralStarted(pod *corev1.Pod, name string) (bool, error) {
	for i := range pod.Status.EphemeralContainerStatuses {
		if status := &pod.Status.EphemeralContainerStatuses[i]; status.Name == name {
			running, err := containerStarted(status)
			if err != nil {
				return false, fmt.Errorf("the ephemeral container can't start in pod %s: %w", pod.Name, err)
			}
			return running, nil
		}
	}
	return false, nil
}
