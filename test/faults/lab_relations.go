package faults

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// relations has what shows only where objects are compared with each other: a claim with its volume, a pod with the set whose name it has,
// what has been asked for with what there is.
var relations = Bed{
	Name: "relations", Machine: Lab,
	Faults: []Fault{{
		Name: "a volume is deleted under its claim", Always: true, Check: "STS022",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Kubectl("delete", "pv", volumeOf(s, "data-web-0"), "--wait=false")
		},
		Want: []Expect{{Code: v1alpha1.CodeVolumeAtRisk, Severity: critical, Object: "persistentvolumeclaim/data-web-0", Words: "of data-web-0 has been deleted: it goes as soon as the claim does, and its data are deleted too (reclaim policy Delete); that can't be undone"}},
	}, {
		Name: "a claim asks for a volume that does not exist", Check: "STS007[DNS005 STS006]",
		Inject: pairWith("data", func(manifest string) string {
			return strings.Replace(manifest, "accessModes", "volumeName: nosuch, accessModes", 1)
		}, "web"),
		Want: []Expect{{Code: v1alpha1.CodeClaimNotBound, Severity: bad, Object: "persistentvolumeclaim/data-web-0", Words: "data-web-0 is pending: it asks for the volume nosuch, which does not exist"}},
	}, {
		Name: "a claim asks for another claim's volume", Check: "STS007[DNS005 STS006]",
		Inject: func(s *Set) {
			oneOfTwo("db", "web")(s)
			s.Kubectl("delete", "sts", "web")
			s.Kubectl("delete", "pvc", "data-web-0")
			s.Apply(strings.Replace(s.Spread("web", 1, false), "accessModes", "volumeName: "+volumeOf(s, "data-db-0")+", accessModes", 1))
		},
		Want: []Expect{{Code: v1alpha1.CodeClaimNotBound, Severity: bad, Object: "persistentvolumeclaim/data-web-0", Words: ", which is another claim's: NS/data-db-0"}},
	}, {
		Name: "two sets have the same claim", Always: true, Check: "STS023",
		Inject: func(s *Set) {
			pairWith("data-a", nil, "db")(s)
			s.Apply(strings.ReplaceAll(s.Spread("a-db", 1, false), "set-a-db", "set-db"))
			s.Kubectl("rollout", "status", "sts/a-db", "--timeout=300s")
			s.Kubectl("rollout", "status", "sts/db", "--timeout=300s")
		},
		Want: []Expect{{Code: v1alpha1.CodeClaimShared, Severity: critical, Object: "persistentvolumeclaim/data-a-db-0", Words: "data-a-db-0, which is of db-0, is mounted by a-db-0 of StatefulSet a-db: pods of two sets write to one volume"}},
	}, {
		Name: "a job and a Deployment mount a set's claim", Check: "STS023",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			for _, kind := range []string{"Job", "Deployment"} {
				s.Apply(mounting(s, kind, "data-web-0"))
			}
		},
		Want: []Expect{{Code: v1alpha1.CodeClaimShared, Severity: warning, Object: "persistentvolumeclaim/data-web-0", Words: "data-web-0, which is of web-0, is mounted by copy-…of ReplicaSet copy-"}},
	}, {
		Name: "a former ordinal's claim is being deleted", // nothing brings its data back
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Kubectl("scale", "sts/web", "--replicas=2")
			s.Kubectl("rollout", "status", "sts/web", "--timeout=300s")
			s.Kubectl("scale", "sts/web", "--replicas=1")
			s.Kubectl("wait", "--for=delete", "pod/web-1", "--timeout=300s")
			hold(s, "pvc", "data-web-1")
			s.Kubectl("delete", "pvc", "data-web-1", "--wait=false")
		},
		Want: []Expect{{Code: v1alpha1.CodeClaimTerminating, Severity: info, Object: "persistentvolumeclaim/data-web-1", Words: "data-web-1, of the former ordinal web-1, has been deleted; it has the finalizers "}},
		Then: []Step{{ // and the ordinal can't have it
			Do:    kubectl("scale sts/web --replicas=2"),
			Want:  []Expect{{Code: v1alpha1.CodeClaimTerminating, Severity: bad, Object: "persistentvolumeclaim/data-web-1", Words: "data-web-1 has been deleted, and web-1 can't be created before it is gone"}},
			Check: "STS008",
		}},
	}, {
		Name: "a container is killed for its memory and comes back", Always: true, Check: "STS004",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Kubectl("annotate", "pod", "web-0", "lab.doik.dev/restarts=37")
			state("web-0", "oom-killed")(s)
			s.Finds(nil, Expect{Code: v1alpha1.CodeOOMKilled, Severity: bad, Object: "pod/web-0"})
			s.Kubectl("annotate", "pod", "web-0", "lab.doik.dev/state-")
			s.Kubectl("wait", "--for=condition=Ready", "pod/web-0", "--timeout=300s")
		},
		Want: []Expect{{Code: v1alpha1.CodeOOMKilled, Severity: warning, Object: "pod/web-0", Words: "web-0: container main is ready, but was OOM-killed …restarted 37 times"}},
	}, {
		Name: "a container keeps ending and comes back", Check: "STS005",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			state("web-0", "crash-loop")(s)
			s.Finds(nil, Expect{Code: v1alpha1.CodeCrashLoop, Severity: bad, Object: "pod/web-0"})
			s.Kubectl("annotate", "pod", "web-0", "lab.doik.dev/state-")
			s.Kubectl("wait", "--for=condition=Ready", "pod/web-0", "--timeout=300s")
		},
		Want: []Expect{{Code: v1alpha1.CodeCrashLoop, Severity: warning, Object: "pod/web-0", Words: "web-0: container main is ready, but was restarted 6 times, last …after exit code 1"}},
	}, {
		Name: "a pod is preempted", Check: "STS027",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Apply(fmt.Sprintf(`{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: %s}, value: 1000}`, s.NS))
			s.Cleanup(func() { s.TryKubectl("delete", "priorityclass", s.NS) })
			node := node(s, "web-0")
			s.Apply(fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: batch}, spec: {priorityClassName: %[1]s, nodeSelector: {kubernetes.io/hostname: %[2]s}, tolerations: [{operator: Exists}],
  containers: [{name: main, image: none, resources: {requests: {cpu: %[3]q}}}]}}`, s.NS, node, s.Kubectl("get", "node", node, "-o", "jsonpath={.status.allocatable.cpu}")))
			s.Kubectl("wait", "--for=condition=Ready", "pod/batch", "--timeout=300s")
		},
		Want: []Expect{{Code: v1alpha1.CodePodEvicted, Severity: warning, Object: "pod/web-0", Words: "an earlier pod web-0 was taken away …: Preempted: Preempted by pod "}},
	}, {
		Name: "the namespace is being deleted", Always: true, Check: "STS026[DNS007 DNS028] | STS026[DNS028 STS008 STS029] | STS026[DNS001 DNS028 STS008 STS020 STS029] | STS026[DNS028 STS008 STS020 STS029] | STS026[DNS028]",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			hold(s, "pvc", "data-web-0")
			hold(s, "sts", "web")
			s.Kubectl("delete", "namespace", s.NS, "--wait=false")
			s.Kubectl("wait", "--for=delete", "pod/web-0", "--timeout=300s")
		},
		Want: []Expect{{Code: v1alpha1.CodeNamespaceGoing, Severity: critical, Object: "namespace/NS", Words: "the namespace NS is being deleted, with all sets, claims and Secrets in it (for "}},
	}, {
		Name: "a set is deleted and does not go", // as long as its finalizer may take
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			hold(s, "sts", "web")
			s.Kubectl("delete", "sts", "web", "--wait=false", "--cascade=orphan")
		},
		Want: []Expect{{Code: v1alpha1.CodeSetTerminating, Severity: info, Object: "statefulset/web", Words: "the set was deleted …and is still there: it has the finalizers "}},
	}, {
		Name: "a pod loses the labels of its set", Always: true, Check: "STS024[DNS007]",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Kubectl("label", "pod", "web-0", "app-")
		},
		Want: []Expect{{Code: v1alpha1.CodePodOfOthers, Severity: bad, Object: "pod/web-0", Words: "web-0 exists, but is not the set's: its labels lack app=web; it has data-web-0 mounted → kubectl label pod web-0 -n NS --overwrite app=web"}},
	}, {
		Name: "another pod has the labels of the set", Always: true, Check: "STS025",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Apply(fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: exporter, labels: {app: web}}, spec: {nodeSelector: {test: %s}, tolerations: [{operator: Exists}], containers: [{name: main, image: none}]}}`, s.NS))
			s.Kubectl("wait", "--for=condition=Ready", "pod/exporter", "--timeout=300s")
		},
		Want: []Expect{{Code: v1alpha1.CodeStranger, Severity: bad, Object: "pod/exporter", Words: "exporter (nothing controls it) has the labels of the set's selector, and is not its pod: connections to web go there too"}},
		Then: []Step{{ // which no budget can be computed with
			Do:    apply(budget("web", "web", "1")),
			Want:  []Expect{{Code: v1alpha1.CodeBudgetUnusable, Severity: warning, Object: "poddisruptionbudget/web", Words: "the PodDisruptionBudget web selects pods that nothing controls: how many may be evicted can't be computed"}},
			Check: "STS025 STS035",
		}, { // let alone where what controls them has no number of pods
			Do: func(s *Set) {
				s.Kubectl("patch", "pod", "exporter", "--type=merge", "-p", fmt.Sprintf(`{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "kube-root-ca.crt", "uid": %q, "controller": true}]}}`,
					s.Kubectl("get", "configmap", "kube-root-ca.crt", "-o", "jsonpath={.metadata.uid}")))
			},
			Want:  []Expect{{Code: v1alpha1.CodeBudgetUnusable, Severity: warning, Object: "poddisruptionbudget/web", Words: "the PodDisruptionBudget web can't be evaluated, and so lets no pod be evicted: configmaps does not implement the scale subresource"}},
			Check: "STS025 STS035",
		}},
	}, {
		Name: "two budgets have the same pods", Check: "STS035",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Apply(budget("one", "web", "1"))
			s.Apply(budget("two", "web", "1"))
		},
		Want: []Expect{{Code: v1alpha1.CodeBudgetUnusable, Severity: warning, Object: "poddisruptionbudget/two", Words: "2 PodDisruptionBudgets select the same pods (one, two): the API refuses every eviction of them"}},
	}, {
		Name: "pods wait to be deleted for their update", // as their set says
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Kubectl("patch", "sts", "web", "-p", `{"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}, "template": {"metadata": {"annotations": {"a": "b"}}}}}`)
		},
		Want: []Expect{{Code: v1alpha1.CodeUpdateOnDelete, Severity: info, Object: "pod/web-0", Words: "web-0 is not of the newest revision …with updateStrategy OnDelete, a pod is only replaced once it has been deleted → kubectl delete pod web-0 -n NS"}},
	}, {
		Name: "the scheduler that is asked for does not run", Check: "STS006[DNS005]",
		Inject: pairWith("data", func(manifest string) string {
			return strings.Replace(manifest, "nodeSelector:", "schedulerName: stork\n      nodeSelector:", 1)
		}, "web"),
		Want: []Expect{{Code: v1alpha1.CodeUnschedulable, Severity: bad, Object: "pod/web-0", Words: "and the scheduler stork has said nothing of it: does it run?"}},
	}, {
		Name: "a full volume's class does not allow growing it", Check: "STS011",
		Inject: func(s *Set) {
			name := class(s, `"volumeBindingMode": "WaitForFirstConsumer"`)
			pairWith("data", func(manifest string) string {
				return strings.Replace(manifest, "accessModes", "storageClassName: "+name+", accessModes", 1)
			}, "web")(s)
			s.Kubectl("rollout", "status", "sts/web", "--timeout=300s")
			s.Kubectl("annotate", "pvc", "data-web-0", "lab.doik.dev/used=95%")
		},
		Want: []Expect{{Code: v1alpha1.CodeVolumeFull, Severity: bad, Object: "persistentvolumeclaim/data-web-0", Words: "data-web-0 is 95% full; StorageClass NS-class does not allow growing it → kubectl doik explain STS011"}},
	}, {
		// https://github.com/kubernetes/kubernetes/issues/89910, https://github.com/digitalocean/csi-digitalocean/issues/296
		Name: "a pod needs a claim that does not exist", Check: "STS007[DNS005 STS006]",
		Inject: pairWith("data", func(manifest string) string {
			return strings.Replace(manifest, "containers:", "volumes: [{name: config, persistentVolumeClaim: {claimName: config}}]\n      containers:", 1)
		}, "web"),
		Want: []Expect{{Code: v1alpha1.CodeClaimNotBound, Severity: bad, Object: "persistentvolumeclaim/config", Words: "config does not exist, but web-0 needs it"}},
	}, {
		// https://github.com/kubernetes/kubernetes/issues/137409, https://github.com/kubernetes/kubernetes/issues/67250
		Name: "the first revision never works and the second waits for it", Check: "STS005[DNS005] STS021",
		Inject: func(s *Set) {
			pairWith("data", func(manifest string) string {
				return strings.Replace(inOrder(manifest), "metadata: {labels: {app: web}}", "metadata: {labels: {app: web}, annotations: {lab.doik.dev/state: crash-loop}}", 1)
			}, "web")(s)
			s.Finds(nil, Expect{Code: v1alpha1.CodeCrashLoop, Severity: bad, Object: "pod/web-0"})
			s.Kubectl("patch", "sts", "web", "--type=merge", "-p", `{"spec": {"template": {"metadata": {"annotations": null}}}}`)
		},
		Want: []Expect{{Code: v1alpha1.CodeRolloutStuck, Severity: bad, Object: "pod/web-0", Words: "it waits for web-0, which is not ready; with OrderedReady, it is only replaced once it has been deleted → kubectl delete pod web-0 -n NS"}},
	}, {
		// https://github.com/helm/helm/issues/8674
		Name: "a partition as large as the set", // is a rollout that is complete
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Kubectl("patch", "sts", "web", "--type=merge", "-p", `{"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}, "template": {"metadata": {"annotations": {"a": "b"}}}}}`)
			if r := s.Doik("sts-status", "web", "--for=ready", "--timeout=30s"); r.Code != 0 {
				s.Errorf("--for=ready: exit code %d: %s%s", r.Code, r.Out, r.Err)
			}
		},
		Want: []Expect{{Code: v1alpha1.CodeReclaimDelete, Severity: info}},
	}, {
		// https://github.com/topolvm/topolvm/issues/194, https://github.com/cloudnative-pg/cloudnative-pg/issues/3671
		Name: "the only node that reaches the volume is full", Check: "STS006[DNS005]",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			node := node(s, "web-0")
			s.Kubectl("label", "node", node, "topology.kubernetes.io/zone-")
			s.Kubectl("delete", "sts", "web")
			s.Kubectl("delete", "pvc", "data-web-0")
			s.Kubectl("label", "node", node, "topology.kubernetes.io/zone="+s.NS+"-own")
			s.Kubectl("label", "node", "-l", "test="+s.NS, "set-web-") // the other node would take the pod too
			s.Kubectl("label", "node", node, "set-web=")
			s.ApplySpread("web", 1, false)
			s.Kubectl("label", "node", "-l", "test="+s.NS, "set-web=", "--overwrite")
			s.Apply(fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: batch}, spec: {nodeSelector: {kubernetes.io/hostname: %s}, tolerations: [{operator: Exists}],
  containers: [{name: main, image: none, resources: {requests: {cpu: %dm}}}]}}`, node, 1000*atoi(s, s.Kubectl("get", "node", node, "-o", "jsonpath={.status.allocatable.cpu}"))-600))
			s.Kubectl("wait", "--for=condition=Ready", "pod/batch", "--timeout=300s")
			s.Kubectl("scale", "sts/web", "--replicas=0")
			s.Kubectl("wait", "--for=delete", "pod/web-0", "--timeout=300s")
			s.Apply(fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: more}, spec: {nodeSelector: {kubernetes.io/hostname: %s}, tolerations: [{operator: Exists}],
  containers: [{name: main, image: none, resources: {requests: {cpu: 500m}}}]}}`, node))
			s.Kubectl("wait", "--for=condition=Ready", "pod/more", "--timeout=300s")
			s.Kubectl("scale", "sts/web", "--replicas=1")
		},
		Want: []Expect{{Code: v1alpha1.CodeUnschedulable, Severity: bad, Object: "pod/web-0", Words: "didn't match PersistentVolume's node affinity…; its volume pvc-…can only be reached from zone NS-own (NS-a1)"}},
	}, {
		Name: "the controller can't act on a set", Check: "STS028",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			refuse(s, "statefulsets/status")
			s.Kubectl("patch", "sts", "web", "-p", `{"spec": {"minReadySeconds": 1}}`)
		},
		Want: []Expect{{Code: v1alpha1.CodeControllerBehind, Severity: bad, Object: "statefulset/web", Words: "the StatefulSet controller has not acted on generation 2 for "}},
	}},
}

// pairWith makes a set of one pod, with a node to spare, whose claims are of a template, after change has been made to its manifest. It does
// not wait for the pod.
func pairWith(template string, change func(string) string, set string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		zone := "topology.kubernetes.io/zone=" + s.NS
		s.Fleet(cluster.Machine{Name: "a1", Labels: zone + " set-" + set + "="}, cluster.Machine{Name: "a2", Labels: zone + " set-" + set + "="})
		manifest := strings.NewReplacer("metadata: {name: data}", "metadata: {name: "+template+"}", "{name: data, mountPath", "{name: "+template+", mountPath").Replace(s.Spread(set, 1, false))
		if change != nil {
			manifest = change(manifest)
		}
		s.Apply(manifest)
	}
}

// hold keeps an object that is deleted, until the test ends.
func hold(s *Set, kind, name string) {
	s.Helper()
	s.Kubectl("patch", kind, name, "--type=json", "-p", `[{"op": "add", "path": "/metadata/finalizers", "value": ["doik.dev/test"]}]`)
	s.Cleanup(func() { s.TryKubectl("patch", kind, name, "--type=merge", "-p", `{"metadata": {"finalizers": null}}`) })
}

// mounting is a Job or a Deployment whose pod mounts a claim, on the set's node.
func mounting(s *Set, kind, claim string) string {
	version, more := "apps/v1", "selector: {matchLabels: {app: copy}}, "
	restart := "Always"
	if kind == "Job" {
		version, more, restart = "batch/v1", "", "Never"
	}
	return fmt.Sprintf(`{apiVersion: %s, kind: %s, metadata: {name: copy}, spec: {%stemplate: {metadata: {labels: {app: copy}}, spec: {restartPolicy: %s, nodeSelector: {test: %s}, tolerations: [{operator: Exists}],
  containers: [{name: main, image: none, volumeMounts: [{name: data, mountPath: /data}]}], volumes: [{name: data, persistentVolumeClaim: {claimName: %s}}]}}}}`, version, kind, more, restart, s.NS, claim)
}

// refuse makes the API server refuse updates of a resource in the set's namespace, as a webhook that is too strict does.
func refuse(s *Set, resource string) {
	s.Helper()
	s.Cleanup(func() {
		s.TryKubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", s.NS, "--ignore-not-found")
	})
	s.Apply(fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  matchConstraints: {resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: [UPDATE], resources: [%[2]q]}]}
  validations: [{expression: "false", message: refused for a test}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec:
  policyName: %[1]s
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}}
`, s.NS, resource))
	time.Sleep(2 * time.Second) // the API server learns of a policy a moment later
}

func atoi(s *Set, text string) int {
	s.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		s.Fatal(err)
	}
	return n
}
