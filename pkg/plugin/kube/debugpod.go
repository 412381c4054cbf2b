package kube

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

const (
	// debugImageTag has dig, nslookup, curl and openssl. A release pins it further, see debugImageDigest.
	debugImageTag = "nicolaka/netshoot:v0.13"
	// DebugContainer is the name of the debug pod's container.
	DebugContainer = "debug"

	debugPodPrefix = "kubectl-doik-"

	// Labels of debug pods. The other labels of a pod may be those of a workload: these tell which pods are ours.
	debugComponentLabel = "doik.dev/component"
	debugComponent      = "debug-pod"
	debugRunLabel       = "doik.dev/run"

	// neverReady is a condition that is never set: a pod that wears a workload's labels must not be sent its traffic.
	neverReady = "doik.dev/never-ready"
	// debugUser is an arbitrary user, as runAsNonRoot asks for.
	debugUser = 65532

	// creationPatience is how long an interrupted command waits for a creation under way: only when it has ended can the pod
	// be removed.
	creationPatience = 2 * time.Second
	// removalPatience bounds the removal, which the command's own context does not: that may have ended.
	removalPatience = 5 * time.Second
	// leftoverSlack is added to the deadline of a pod before another run takes it for a leftover.
	leftoverSlack = 10 * time.Second
)

// debugImageDigest is what the tag stood for when a release was made: its linker flags set it, sha256:… It is empty in other builds.
var debugImageDigest string

// DefaultDebugImage is the image of the debug pod where the user names none.
func DefaultDebugImage() string {
	if debugImageDigest == "" {
		return debugImageTag
	}
	return debugImageTag + "@" + debugImageDigest
}

// DebugPod is a short-lived pod to run programs in: as any user without rights may have it (Pod Security level restricted), without
// the token of a service account, never ready, on Linux. Its program does nothing and ends by itself.
type DebugPod struct {
	Namespace string
	// Image has a sh and a sleep.
	Image string
	// PullSecret is the name of a secret of the namespace, Node that of a node; both may be empty.
	PullSecret, Node string
	// Labels are worn beside those that tell whose the pod is.
	Labels map[string]string
	// Lifetime is when the pod ends by itself, if it is not removed.
	Lifetime time.Duration
	// Progress is called with what is being waited for. It may be nil.
	Progress func(text string)
}

// LeftBehindError says that a pod could not be removed.
type LeftBehindError struct {
	Namespace, Name string
	Err             error
}

func (e *LeftBehindError) Error() string {
	return fmt.Sprintf("the debug pod %s could not be removed: %s; it exits by itself, or remove it with kubectl delete pod %s -n %s",
		e.Name, oneLine(Explain(e.Err)), e.Name, e.Namespace)
}

func (e *LeftBehindError) Unwrap() error { return e.Err }

// WithDebugPod makes a debug pod, waits until it runs, calls use with it, and removes it, whatever has happened and whether or
// not the context has ended. Debug pods that earlier runs were killed over, and that have outlived their time, go with it. A pod
// that can't start is an error at once, with the reason of the scheduler or of the kubelet. A pod that could not be removed is a
// *LeftBehindError beside the error of use. It needs the rights to create, get, list, watch and delete pods.
func (c *Cluster) WithDebugPod(ctx context.Context, p DebugPod, use func(pod *corev1.Pod) error) (err error) {
	progress := p.Progress
	if progress == nil {
		progress = func(string) {}
	}
	progress("creating the debug pod")
	pod, err := c.createPod(ctx, p.object())
	if pod == nil {
		return err
	}
	defer func() {
		if removal := c.removeDebugPods(ctx, pod); removal != nil {
			err = errors.Join(err, &LeftBehindError{Namespace: pod.Namespace, Name: pod.Name, Err: removal})
		}
	}()
	if err != nil {
		return err
	}
	running, err := c.waitRunning(ctx, pod, progress)
	if err != nil {
		return err
	}
	return use(running)
}

// IsDebugPod tells by its name whether a pod is a debug pod of this or another run: Services may select it by a workload's labels.
func IsDebugPod(name string) bool { return strings.HasPrefix(name, debugPodPrefix) }

// object is the pod as it is created. Its name is chosen here, so that it is known even if the API server's answer gets lost.
func (p *DebugPod) object() *corev1.Pod {
	run := strings.ToLower(rand.Text()[:10])
	labels := map[string]string{"app.kubernetes.io/name": "kubectl-doik", "app.kubernetes.io/managed-by": "kubectl-doik"}
	maps.Copy(labels, p.Labels)
	labels[debugComponentLabel], labels[debugRunLabel] = debugComponent, run
	seconds := max(1, int64(p.Lifetime/time.Second))
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: debugPodPrefix + run, Labels: labels},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         &seconds,
			TerminationGracePeriodSeconds: new(int64(1)),
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
			NodeSelector:                  map[string]string{corev1.LabelOSStable: "linux"},
			ReadinessGates:                []corev1.PodReadinessGate{{ConditionType: neverReady}},
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(debugUser)), RunAsGroup: new(int64(debugUser)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: DebugContainer, Image: p.Image, ImagePullPolicy: corev1.PullIfNotPresent, Command: Idle(p.Lifetime),
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: apiresource.MustParse("10m"), corev1.ResourceMemory: apiresource.MustParse("32Mi")},
					Limits:   corev1.ResourceList{corev1.ResourceCPU: apiresource.MustParse("1"), corev1.ResourceMemory: apiresource.MustParse("128Mi")},
				},
				SecurityContext: restricted(),
			}},
		},
	}
	if p.PullSecret != "" {
		pod.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: p.PullSecret}}
	}
	if p.Node != "" {
		// Through the scheduler, which says why a node won't do; its taints don't matter if it is asked for by name.
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{
				{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{p.Node}},
			}}},
		}}}
		pod.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	}
	return pod
}

// Idle is a program that does nothing, ends after a time, and ends at once when it is told to (SIGTERM), which the first process
// of a container does not do by itself.
func Idle(lifetime time.Duration) []string {
	return []string{"sh", "-c", fmt.Sprintf("trap 'exit 0' TERM INT; sleep %d & wait", max(1, int64(lifetime/time.Second)))}
}

// restricted is what the Pod Security level of that name asks of a container, and a read-only file system.
func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), RunAsNonRoot: new(true),
		RunAsUser: new(int64(debugUser)), RunAsGroup: new(int64(debugUser)),
		Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

// createPod creates a pod. With an error and a pod it is not known whether the pod exists: the context has ended meanwhile, or
// the answer has got lost. With an error and no pod it does not exist.
func (c *Cluster) createPod(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// A request that is cut off may still make the pod, after its removal has found nothing: it is let run to its end.
	request, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(creationPatience):
			cut()
		case <-request.Done():
		}
	})()
	created := &corev1.Pod{}
	err := c.core().Post().Namespace(pod.Namespace).Resource(pods.name).Body(pod).Do(request).Into(created)
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return created, ctx.Err()
	case errors.As(err, &status) && !isTimeout(err): // refused
		return nil, fmt.Errorf("creating the debug pod: %w", err)
	}
	return pod, deadline(ctx, err)
}

// waitRunning watches a pod until its container runs.
func (c *Cluster) waitRunning(ctx context.Context, pod *corev1.Pod, progress func(string)) (*corev1.Pod, error) {
	latest, err := c.untilPod(ctx, pod, func(pod *corev1.Pod) (bool, error) {
		running, err := started(pod)
		if !running && err == nil {
			progress(waitingFor(pod))
		}
		return running, err
	})
	switch {
	case ctx.Err() != nil:
		return nil, c.neverStarted(ctx, latest)
	case errors.Is(err, errPodDeleted):
		return nil, fmt.Errorf("the debug pod %s was deleted by someone else", latest.Name)
	case err != nil:
		return nil, err
	}
	return latest, nil
}

// waitingReasons are those of a container that won't start without a change to the pod or to what it needs. The kubelet goes on
// trying all the same.
var waitingReasons = []string{
	"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed",
	"CreateContainerConfigError", "CreateContainerError", "RunContainerError",
}

// started reports whether a debug pod's container runs, or why it won't.
func started(pod *corev1.Pod) (bool, error) {
	if c := objects.PodCondition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
		return false, fmt.Errorf("the debug pod can't be scheduled: %s", c.Message)
	}
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name != DebugContainer {
			continue
		}
		switch running, err := containerStarted(&pod.Status.ContainerStatuses[i]); {
		case err != nil:
			return false, fmt.Errorf("the debug pod can't start on node %s: %w", pod.Spec.NodeName, err)
		case running:
			return true, nil
		}
	}
	switch {
	case objects.Terminating(pod):
		return false, errors.New("the debug pod was deleted by someone else")
	case objects.PodFinished(pod):
		return false, fmt.Errorf("the debug pod exited on node %s before it could be used: %s", pod.Spec.NodeName, objects.Because(pod.Status.Reason, pod.Status.Message))
	}
	return false, nil
}

// containerStarted reports whether a container runs, or why it won't.
func containerStarted(status *corev1.ContainerStatus) (bool, error) {
	switch state := status.State; {
	case state.Running != nil:
		return true, nil
	case state.Waiting != nil && slices.Contains(waitingReasons, state.Waiting.Reason):
		return false, fmt.Errorf("%s (image %s)", objects.Because(state.Waiting.Reason, state.Waiting.Message), status.Image)
	case state.Terminated != nil:
		return false, fmt.Errorf("%s (exit code %d, image %s)", objects.Because(state.Terminated.Reason, state.Terminated.Message), state.Terminated.ExitCode, status.Image)
	}
	return false, nil
}

// waitingFor says in what state a pod is that does not run yet.
func waitingFor(pod *corev1.Pod) string {
	scheduled := objects.PodCondition(pod, corev1.PodScheduled)
	// The kubelet tells first that it has taken the pod; pulling is then all that takes long.
	switch {
	case (scheduled == nil || scheduled.Status != corev1.ConditionTrue) && pod.Spec.NodeName == "":
		return "scheduling the debug pod"
	case len(pod.Status.ContainerStatuses) == 0:
		return fmt.Sprintf("starting the debug pod on node %s", pod.Spec.NodeName)
	}
	return fmt.Sprintf("pulling %s on node %s", pod.Spec.Containers[0].Image, pod.Spec.NodeName)
}

// neverStarted is the error of a pod that did not run when the context ended: what was waited for, and what the node complained of.
func (c *Cluster) neverStarted(ctx context.Context, pod *corev1.Pod) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	text := fmt.Sprintf("the debug pod did not start in time, it was still %s", waitingFor(pod))
	if complaint := c.lastComplaint(ctx, pod); complaint != "" {
		text += ": " + complaint
	}
	return errors.New(text + "; raise --timeout, or see kubectl get events -n " + pod.Namespace)
}

// lastComplaint is the latest warning among a pod's events, if they may be read.
func (c *Cluster) lastComplaint(ctx context.Context, pod *corev1.Pod) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), creationPatience)
	defer cancel()
	events := &corev1.EventList{}
	err := c.core().Get().Namespace(pod.Namespace).Resource("events").VersionedParams(&metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.uid": string(pod.UID), "type": corev1.EventTypeWarning}.AsSelector().String(),
	}, parameters).Do(ctx).Into(events)
	if err != nil || len(events.Items) == 0 {
		return ""
	}
	latest := slices.MaxFunc(events.Items, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	return objects.Because(latest.Reason, latest.Message)
}

// removeDebugPods removes a pod, and leftovers of earlier runs beside it. It does so even if the context has ended. The error is
// about the pod itself.
func (c *Cluster) removeDebugPods(ctx context.Context, pod *corev1.Pod) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalPatience)
	defer cancel()
	err := c.deletePod(ctx, pod)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // it is gone already
		err = nil
	}
	if err == nil && !pod.CreationTimestamp.IsZero() {
		c.removeLeftovers(ctx, pod)
	}
	return err
}

// removeLeftovers removes debug pods that have outlived their time, by the API server's clock. Who may not list pods leaves them:
// they have ended by themselves.
func (c *Cluster) removeLeftovers(ctx context.Context, own *corev1.Pod) {
	var leftovers []*corev1.Pod
	_ = c.EachPod(ctx, Query{Namespace: own.Namespace, Selector: debugComponentLabel + "=" + debugComponent}, func(pod *corev1.Pod) {
		if pod.UID != own.UID && !objects.Terminating(pod) && outlived(pod, own.CreationTimestamp.Time) {
			leftovers = append(leftovers, pod)
		}
	})
	for _, pod := range leftovers {
		_ = c.deletePod(ctx, pod)
	}
}

// outlived reports whether a debug pod has ended, or should have.
func outlived(pod *corev1.Pod, now time.Time) bool {
	if objects.PodFinished(pod) {
		return true
	}
	limit := pod.Spec.ActiveDeadlineSeconds
	if limit == nil {
		return false // not made by us
	}
	return now.Sub(pod.CreationTimestamp.Time) > time.Duration(*limit)*time.Second+leftoverSlack
}

// deletePod deletes this very pod, and not one that has its name by now.
func (c *Cluster) deletePod(ctx context.Context, pod *corev1.Pod) error {
	options := &metav1.DeleteOptions{GracePeriodSeconds: new(int64(1))}
	if pod.UID != "" {
		options.Preconditions = &metav1.Preconditions{UID: &pod.UID}
	}
	return c.core().Delete().Namespace(pod.Namespace).Resource(pods.name).Name(pod.Name).Body(options).Do(ctx).Error()
}
