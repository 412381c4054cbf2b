package faults

import (
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// containers has what a kubelet does to pods and says of them, which nothing but a kubelet can be trusted with.
var containers = Bed{
	Name: "containers", Machine: Node,
	Faults: []Fault{{
		Name:   "a startup probe fails", // for as long as it may
		Inject: busy(`startupProbe: {exec: {command: [sh, -c, "echo no socket yet; exit 1"]}, periodSeconds: 1, failureThreshold: 600}`, ""),
		Want:   []Expect{{Code: v1alpha1.CodePodNotReady, Severity: info, Object: "pod/db-0", Words: "db-0 is starting (…container main is running, but its startup probe has not succeeded: no socket yet"}},
	}, {
		Name: "a liveness probe kills a container again and again", Always: true,
		Check:  "STS005[DNS005] | STS005 | ",
		Inject: busy(`livenessProbe: {exec: {command: [sh, -c, "echo it hangs; exit 1"]}, initialDelaySeconds: 3, periodSeconds: 1, failureThreshold: 1}`, ""),
		Want:   []Expect{{Code: v1alpha1.CodeCrashLoop, Severity: bad, Object: "pod/db-0", Words: "db-0: container main is crash-looping, restarted …with exit code 137: killed because its liveness probe failed: it hangs"}},
	}, {
		Name: "a sidecar loses its readiness", Always: true, Check: "STS003[DNS005]",
		Inject: func(s *Set) {
			busy("", `initContainers: [{name: proxy, image: "busybox:1.35", imagePullPolicy: IfNotPresent, restartPolicy: Always, command: [sh, -c, "touch /tmp/up; sleep 100000"],
        readinessProbe: {exec: {command: [cat, /tmp/up]}, periodSeconds: 1, failureThreshold: 1}}]`)(s)
			s.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
			hasRun("db-0")(s)
			s.Kubectl("exec", "db-0", "-c", "proxy", "--", "rm", "/tmp/up")
		},
		Want: []Expect{{Code: v1alpha1.CodePodNotReady, Severity: bad, Object: "pod/db-0", Words: "db-0 is not ready: sidecar container proxy is running, but its readiness probe has not succeeded: cat: can't open '/tmp/up'"}},
	}, {
		Name: "a readiness probe fails now and then", Always: true, // never often enough for the pod to lose its readiness
		Inject: func(s *Set) {
			busy(`readinessProbe: {exec: {command: [sh, -c, "echo >> /tmp/n; if [ $(($(wc -l < /tmp/n) % 4)) = 3 ]; then echo it took too long; exit 1; fi"]}, periodSeconds: 1, failureThreshold: 3}`, "")(s)
			s.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
		},
		Want: []Expect{{Code: v1alpha1.CodePodNotReady, Severity: info, Object: "pod/db-0", Words: "db-0 is ready, but a probe fails now and then, last …: Readiness probe failed: it took too long"}},
	}, {
		Name: "pods are evicted for what they write", Always: true, Check: "STS027 | STS027 STS003[DNS005] | STS003[DNS005] STS027",
		Inject: busy("volumeMounts: [{name: scratch, mountPath: /scratch}]", "volumes: [{name: scratch, emptyDir: {sizeLimit: 1Mi}}]", "head -c 5000000 /dev/zero > /scratch/file; "),
		Want:   []Expect{{Code: v1alpha1.CodePodEvicted, Severity: bad, Object: "pod/db-0", Words: "pods db-0 were taken away in the last …: Evicted: Usage of EmptyDir volume \"scratch\" exceeds the limit"}},
	}, {
		Name: "resources that a node does not have left", Check: "STS036",
		Inject: func(s *Set) {
			busy("resources: {requests: {cpu: 10m}}", "")(s)
			s.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
			// As much as the node has, of which others have some: the API server refuses more.
			s.Kubectl("patch", "pod", "db-0", "--subresource=resize", "-p", fmt.Sprintf(`{"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": %q}}}]}}`,
				s.Kubectl("get", "node", s.Kubectl("get", "pod", "db-0", "-o", "jsonpath={.spec.nodeName}"), "-o", "jsonpath={.status.allocatable.cpu}")))
		},
		Want: []Expect{{Code: v1alpha1.CodePodResize, Severity: warning, Object: "pod/db-0", Words: "db-0: the resources that were changed are not applied yet: Deferred: Node didn't have enough resource: cpu"}},
	}},
}

// busy makes the set db of one pod whose container does nothing, after it has done what it is told, with more of the container's spec, and of
// the pod's.
func busy(ofContainer, ofPod string, does ...string) func(*Set) {
	script := strings.Join(does, "") + "sleep 100000"
	return func(s *Set) {
		s.Helper()
		if ofContainer != "" {
			ofContainer += ", "
		}
		if ofPod != "" {
			ofPod += ", "
		}
		s.ApplyAll(cluster.Service("db", "db", cluster.Headless) + fmt.Sprintf(`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db, replicas: 1, selector: {matchLabels: {app: db}},
  template: {metadata: {labels: {app: db}}, spec: {terminationGracePeriodSeconds: 0, %s
    containers: [{name: main, image: "busybox:1.35", imagePullPolicy: IfNotPresent, %s command: [sh, -c, %q]}]}}}}
---
`, ofPod, ofContainer, script))
	}
}
