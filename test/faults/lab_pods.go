package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// threeZones makes the set web of three, each pod on a node of its own, in a zone of its own with another node in it that would take it.
func threeZones(s *Set) {
	s.Helper()
	var machines []cluster.Machine
	for _, zone := range []string{"a", "b", "c"} {
		label := "topology.kubernetes.io/zone=" + s.NS + "-" + zone
		machines = append(machines, cluster.Machine{Name: zone + "1", Labels: label + " set-web="}, cluster.Machine{Name: zone + "2", Labels: label})
	}
	s.Fleet(machines...)
	s.Apply(inOrder(s.Spread("web", 3, true)))
	s.Kubectl("rollout", "status", "sts/web", "--timeout=300s")
	s.Kubectl("label", "nodes", s.NS+"-a2", s.NS+"-b2", s.NS+"-c2", "set-web=")
}

// inOrder is a set whose pods are made one after the other.
func inOrder(manifest string) string {
	return strings.Replace(manifest, "podManagementPolicy: Parallel", "podManagementPolicy: OrderedReady", 1)
}

// oneOfTwo makes sets of one pod, all on the node a1 in a zone with another node, a2, that would take them.
func oneOfTwo(sets ...string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		zone := "topology.kubernetes.io/zone=" + s.NS
		s.Fleet(cluster.Machine{Name: "a1", Labels: zone + " set-" + strings.Join(sets, "= set-") + "="}, cluster.Machine{Name: "a2", Labels: zone})
		for _, set := range sets {
			s.ApplySpread(set, 1, false)
			s.Kubectl("label", "node", s.NS+"-a2", "set-"+set+"=")
		}
	}
}

// state makes the lab show a pod in a state: test/lab/README.md has them all.
func state(pod, state string) func(*Set) {
	return kubectl("annotate --overwrite pod " + pod + " lab.doik.dev/state=" + state)
}

// hasRun waits until a pod's container has run for a while: times are in seconds, and what was ready within the one in which it was started
// can't be told from what never was.
func hasRun(pod string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		cluster.Eventually(s, 20*time.Second, func() error {
			started, err := time.Parse(time.RFC3339, s.Kubectl("get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].state.running.startedAt}"))
			if err != nil || time.Since(started) < 2*time.Second {
				return fmt.Errorf("%s runs since %s: %w", pod, started, err)
			}
			return nil
		})
	}
}

// recovers takes back what state did to web-1.
var recovers = kubectl("annotate pod web-1 lab.doik.dev/state-")

// pods has what can go wrong with the pods of a set.
var pods = Bed{
	Name: "pods", Machine: Lab,
	New: threeZones,
	Faults: []Fault{{
		Name: "a container keeps ending", Always: true, Check: "STS005[DNS005]",
		Inject: state("web-1", "crash-loop"),
		Want:   []Expect{{Code: v1alpha1.CodeCrashLoop, Severity: bad, Object: "pod/web-1", Words: "web-1: container main is crash-looping, restarted 6 times, last …with exit code 1"}},
		Then: []Step{{ // and holds up those that are to follow
			Do:    kubectl("scale sts/web --replicas=5"),
			Want:  []Expect{{Code: v1alpha1.CodeOrdinalBlocked, Severity: bad, Object: "pod/web-3", Words: "web-3, web-4 are not created: OrderedReady waits for web-1"}},
			Check: "STS002 STS005[DNS005]",
		}},
		Repair: inTurn(kubectl("scale sts/web --replicas=3"), kubectl("delete pod web-1")), // whose restarts are remembered
	}, {
		Name: "a container is killed for its memory", Check: "STS004[DNS005]",
		Inject: state("web-1", "oom-killed"),
		Want:   []Expect{{Code: v1alpha1.CodeOOMKilled, Severity: bad, Object: "pod/web-1", Words: "web-1: container main was OOM-killed"}},
		Repair: kubectl("delete pod web-1"), // what it ended with is remembered
	}, {
		Name: "a readiness probe fails", Check: "STS003[DNS005]",
		Inject: inTurn(hasRun("web-1"), state("web-1", "not-ready")),
		Want:   []Expect{{Code: v1alpha1.CodePodNotReady, Severity: bad, Object: "pod/web-1", Words: "container main is running, but not ready"}},
		Repair: recovers,
	}, {
		Name: "an image can't be pulled", Check: "STS003[DNS005]",
		Inject: state("web-1", "image-pull"),
		Want:   []Expect{{Code: v1alpha1.CodePodNotReady, Severity: bad, Object: "pod/web-1", Words: "web-1 is not ready: container main: ImagePullBackOff"}},
		Repair: recovers,
	}, {
		Name: "a new revision has no image", Always: true, Check: "STS003[DNS005] STS021",
		Inject: kubectl(`patch sts web -p {"spec":{"template":{"metadata":{"annotations":{"lab.doik.dev/state":"image-pull"}}}}}`),
		Want: []Expect{{
			Code: v1alpha1.CodeRolloutStuck, Severity: bad, Object: "pod/web-2",
			Words: "is stuck at 1 of 3 pods: it waits for web-2, which is not ready; with OrderedReady, delete the pod after fixing the template",
		}},
		Then: []Step{{ // the template is fixed: in order, the broken pod stays
			Do:    kubectl("rollout undo sts/web"),
			Want:  []Expect{{Code: v1alpha1.CodeRolloutStuck, Severity: bad, Words: "it waits for web-2"}},
			Check: "STS003[DNS005] STS021",
		}},
		Repair: kubectl("delete pod web-2"),
	}, {
		Name: "the quota of pods is used up", Check: "STS001",
		Inject: func(s *Set) {
			s.Kubectl("create", "quota", "pods", "--hard=pods=3")
			cluster.Eventually(s, 30*time.Second, func() error { // a quota counts only after it has been counted
				if used := s.Kubectl("get", "quota", "pods", "-o", "jsonpath={.status.used.pods}"); used != "3" {
					return fmt.Errorf("used %q", used)
				}
				return nil
			})
			s.Kubectl("scale", "sts/web", "--replicas=4")
		},
		Want:   []Expect{{Code: v1alpha1.CodeOrdinalMissing, Severity: bad, Object: "pod/web-3", Words: `web-3 not created: pods "web-3" is forbidden: exceeded quota: pods`}},
		Repair: inTurn(kubectl("scale sts/web --replicas=3"), kubectl("delete quota pods")),
	}, {
		Name: "a budget lets all pods go", Always: true, Check: "CHECK006",
		Inject: apply(budget("web", "web", `"100%"`)),
		Want:   []Expect{{Code: v1alpha1.CodeBudgetTooLoose, Severity: warning, Object: "poddisruptionbudget/web", Words: "(maxUnavailable 100%) allows evicting 3 of 3 pods at the same time: no pod is left"}},
		Repair: func(s *Set) { // one that lets one pod go is none
			s.Apply(budget("web", "web", "1"))
			s.healthy()
			s.Kubectl("delete", "pdb", "web")
		},
	}, {
		Name:   "claims are kept", // informational
		Inject: kubectl("scale sts/web --replicas=2"),
		Want: []Expect{
			{Code: v1alpha1.CodeClaimsRetained, Severity: info, Object: "persistentvolumeclaim/data-web-2", Words: "the claims of web-2…are kept: scaling up again brings their data back"},
			{Code: v1alpha1.CodeNoDisruptionBudget, Severity: info, Object: "statefulset/web"},
			{Code: v1alpha1.CodeReclaimDelete, Severity: info, Object: "persistentvolumeclaim/data-web-0", Words: "reclaim policy Delete"},
		},
		Repair: kubectl("scale sts/web --replicas=3"),
	}},
}

// startless has what keeps pods from being made, from starting and from going. None of it is repaired.
var startless = Bed{
	Name: "startless", Machine: Lab,
	Faults: []Fault{{
		Name: "the admission refuses all pods", Always: true, Check: "STS001[DNS007] STS002",
		Inject: func(s *Set) {
			s.Kubectl("label", "namespace", s.NS, "pod-security.kubernetes.io/enforce=restricted")
			s.Apply(s.Manifest("web.yaml"))
		},
		Want: []Expect{{Code: v1alpha1.CodeOrdinalMissing, Severity: bad, Object: "pod/web-0", Words: `web-0 not created: …violates PodSecurity "restricted:latest"`}},
	}, {
		Name: "the provisioner fails", Check: "STS002 STS007[DNS005 STS006]",
		Inject: func(s *Set) {
			s.Apply(webOf(s, class(s, `"parameters": {"lab.doik.dev/provisioning-failure": "quota of disks exceeded"}, "volumeBindingMode": "Immediate"`)))
		},
		Want: []Expect{
			{Code: v1alpha1.CodeClaimNotBound, Severity: bad, Object: "persistentvolumeclaim/www-web-0", Words: "www-web-0 is pending: ProvisioningFailed: failed to provision volume…quota of disks exceeded"},
			{Code: v1alpha1.CodeUnschedulable, Severity: bad, Object: "pod/web-0", Words: "web-0 is not scheduled: …unbound immediate PersistentVolumeClaims"},
		},
	}, {
		Name: "there is no such StorageClass", Check: "STS002 STS007[DNS005 STS006]",
		Inject: func(s *Set) { s.Apply(webOf(s, "nosuch")) },
		Want:   []Expect{{Code: v1alpha1.CodeClaimNotBound, Severity: bad, Object: "persistentvolumeclaim/www-web-0", Words: "www-web-0 is pending: StorageClass nosuch does not exist"}},
	}, {
		Name: "no volume is free", Check: "STS002 STS007[DNS005 STS006]",
		Inject: func(s *Set) { s.Apply(webOf(s, `""`)) },
		Want:   []Expect{{Code: v1alpha1.CodeClaimNotBound, Severity: bad, Words: "it has an empty StorageClass, and no volume of its size and access modes is available"}},
	}, leftBehind, {
		Name: "no node is as the pod wants it", Check: "STS002 STS006[DNS005]",
		Inject: func(s *Set) {
			s.Apply(strings.Replace(s.Manifest("web.yaml"), "containers:", "nodeSelector: {nosuch: node}\n      containers:", 1))
		},
		Want: []Expect{
			{Code: v1alpha1.CodeUnschedulable, Severity: bad, Object: "pod/web-0"},
			{Code: v1alpha1.CodeClaimNotBound, Severity: info, Words: "www-web-0 is pending: it waits for web-0 to be scheduled (WaitForFirstConsumer)"},
		},
	}, {
		Name: "a volume's zone has no node left", Check: "NODE008",
		Inject: func(s *Set) {
			s.Fleet(cluster.Machine{Name: "a1", Labels: "topology.kubernetes.io/zone=" + s.NS + "-a set-web="})
			s.ApplySpread("web", 1, false)
		},
		Want: []Expect{{Code: v1alpha1.CodeZoneBound, Severity: warning, Object: "node/NS-a1", Words: "the volume of NS/data-web-0 is bound to zone NS-a, where NS-a1 is the only node that takes new pods"}},
		Then: []Step{{
			Do:    func(s *Set) { s.Kubectl("cordon", s.NS+"-a1"); s.Kubectl("delete", "pod", "web-0") },
			Want:  []Expect{{Code: v1alpha1.CodeUnschedulable, Severity: bad, Object: "pod/web-0", Words: "; its volume pvc-…can only be reached from zone NS-a, and no node there is usable: NS-a1 is not ready or cordoned"}},
			Check: "STS006[DNS005]",
		}, {
			Do:    func(s *Set) { s.Kubectl("delete", "node", s.NS+"-a1") },
			Want:  []Expect{{Code: v1alpha1.CodeUnschedulable, Severity: bad, Object: "pod/web-0", Words: "; its volume pvc-…can only be reached from zone NS-a, and no node exists there"}},
			Check: "STS006[DNS005]",
		}},
	}, {
		Name: "another node still has the volume", Check: "STS018[DNS005]",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			attachElsewhere(s)
			state("web-0", "creating")(s)
		},
		Want: []Expect{{
			Code: v1alpha1.CodeAttachedElsewhere, Severity: bad, Object: "node/ip-10-9-9-9",
			Words: "web-0 can't start on NS-a1: the volume of data-web-0 is still attached to node ip-10-9-9-9…detaching fails: rpc error: instance is stopping; FailedAttachVolume: Multi-Attach error",
		}},
		Then: []Step{{
			Do:    func(s *Set) { s.Kubectl("delete", "volumeattachment", s.NS) },
			Want:  []Expect{{Code: v1alpha1.CodePodNotReady, Severity: bad, Object: "pod/web-0", Words: "web-0 is not ready: container main: ContainerCreating; FailedAttachVolume: Multi-Attach error"}},
			Check: "STS003[DNS005]",
		}},
	}, {
		Name: "pods do not go", Check: "",
		Inject: func(s *Set) { // one is never ended, and a finalizer holds the other
			oneOfTwo("web", "db")(s)
			s.Cleanup(func() { // or they would keep their namespace
				s.TryKubectl("delete", "sts", "--all", "--cascade=orphan")
				s.TryKubectl("annotate", "pods", "--all", "lab.doik.dev/state-")
				s.TryKubectl("patch", "pod", "db-0", "--type=merge", "-p", `{"metadata": {"finalizers": null}}`)
			})
			state("web-0", "stuck-terminating")(s)
			s.Kubectl("patch", "pod", "db-0", "-p", `{"metadata": {"finalizers": ["doik.dev/test"]}}`)
			s.Kubectl("delete", "pod", "web-0", "db-0", "--grace-period=1", "--wait=false")
		},
		Want: []Expect{
			{Code: v1alpha1.CodePodNotReady, Severity: info, Object: "pod/web-0", Words: "web-0 is terminating"},
			{Code: v1alpha1.CodePodNotReady, Severity: info, Object: "pod/db-0", Words: "db-0 is terminating"},
		},
		Then: []Step{{ // their grace period is long over
			Want: []Expect{
				{Code: v1alpha1.CodeStuckTerminating, Severity: bad, Object: "pod/web-0", Words: "web-0 is still terminating, "},
				{Code: v1alpha1.CodeStuckTerminating, Severity: bad, Object: "pod/db-0", Words: ": it has the finalizers doik.dev/test"},
			},
			Check: "STS009[DNS005]",
		}},
	}},
}

// class makes a StorageClass of the lab's provisioner for one test, and returns its name.
func class(s *Set, fields string) string {
	s.Helper()
	name := s.NS + "-class"
	s.Apply(fmt.Sprintf(`{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": %q}, "provisioner": "csi.lab.doik.dev", %s}`, name, fields))
	s.Cleanup(func() { s.TryKubectl("delete", "storageclass", name, "--ignore-not-found") })
	return name
}

// webOf is the study's StatefulSet with claims of a class.
func webOf(s *Set, class string) string {
	s.Helper()
	return strings.ReplaceAll(s.Manifest("web.yaml"), "accessModes", "storageClassName: "+class+", accessModes")
}

// attachElsewhere attaches the volume of web-0 to a node that is gone, and reports it as the controller does.
func attachElsewhere(s *Set) {
	s.Helper()
	volume := volumeOf(s, "data-web-0")
	s.Apply(fmt.Sprintf(`{"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": %q},
		"spec": {"attacher": "csi.lab.doik.dev", "nodeName": "ip-10-9-9-9", "source": {"persistentVolumeName": %q}}}`, s.NS, volume))
	s.Cleanup(func() { s.TryKubectl("delete", "volumeattachment", s.NS, "--wait=false", "--ignore-not-found") })
	s.Kubectl("patch", "volumeattachment", s.NS, "--subresource=status", "--type=merge", "-p", `{"status": {"attached": true,
		"detachError": {"message": "rpc error: instance is stopping"}}}`)
	now := time.Now().UTC().Format(time.RFC3339)
	s.Apply(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Event", "metadata": {"name": "attach"}, "type": "Warning", "reason": "FailedAttachVolume",
		"message": "Multi-Attach error for volume %[1]s: Volume is already exclusively attached to one node and can't be attached to another",
		"involvedObject": {"kind": "Pod", "namespace": %[2]q, "name": "web-0", "uid": %[3]q}, "firstTimestamp": %[4]q, "lastTimestamp": %[4]q, "count": 1, "source": {"component": "test"}}`,
		volume, s.NS, s.Kubectl("get", "pod", "web-0", "-o", "jsonpath={.metadata.uid}"), now))
}
