package faults

import (
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// onA runs a kubectl line about the node a1 or a2 of the test, named {a1} and {a2} in it.
func onA(line string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		s.Kubectl(strings.Fields(strings.NewReplacer("{a1}", s.NS+"-a1", "{a2}", s.NS+"-a2").Replace(line))...)
	}
}

// pinned makes the set web of one pod on a1, whose zone it shares with a2, with more labels on both and its pod as a change of its manifest
// wants it.
func pinned(labels1, labels2 string, change ...string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		zone := "topology.kubernetes.io/zone=" + s.NS + " "
		s.Fleet(cluster.Machine{Name: "a1", Labels: zone + "set-web= " + labels1}, cluster.Machine{Name: "a2", Labels: zone + labels2})
		s.Apply(strings.NewReplacer(change...).Replace(s.Spread("web", 1, false)))
		s.Kubectl("rollout", "status", "sts/web", "--timeout=300s")
		s.Kubectl("label", "node", s.NS+"-a2", "set-web=")
	}
}

// tolerates is a change of a set's manifest: its pods tolerate one more.
func tolerates(toleration string) []string {
	return []string{"tolerations: [{key: test, operator: Exists}]", "tolerations: [{key: test, operator: Exists}, " + toleration + "]"}
}

// reports makes the node a1 report a condition, as its kubelet, or who watches it, writes it.
func reports(kind, status, message string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		s.Kubectl("patch", "node", s.NS+"-a1", "--subresource=status", "--type=strategic", "-p",
			fmt.Sprintf(`{"status": {"conditions": [{"type": %q, "status": %q, "reason": "Test", "message": %q}]}}`, kind, status, message))
	}
}

// refuses is what is found where a2 does not take the pod of a1.
func refuses(why string) []Expect {
	return []Expect{{
		Code: v1alpha1.CodeZoneBound, Severity: warning, Object: "persistentvolumeclaim/NS/data-web-0",
		Words: "the volume of NS/data-web-0 is bound to zone …, where only NS-a1 takes its pod, not NS-a2 (" + why + "): if it goes away, its pod can't start",
	}}
}

// goes is what is found of a node that goes.
func goes(cause string) []Expect {
	return []Expect{{Code: v1alpha1.CodeNodeGoing, Severity: bad, Object: "pod/NS/web-0", Words: "NS-a1 is going away (" + cause + ") and runs NS/web-0"}}
}

// taints has nodes that take no pods, or not these, and what is wrong with nodes. Each is in the words of those who write it.
var taints = Bed{
	Name: "taints", Machine: Lab,
	Faults: []Fault{{
		Name: "a zone's other node is tainted", Always: true, Check: "NODE008",
		Inject: inTurn(oneOfTwo("web"), onA("taint node {a2} dedicated=batch:NoSchedule")),
		Want:   refuses("taint dedicated=batch:NoSchedule"),
		Then: []Step{{ // then the pod's own
			Do: onA("taint node {a1} dedicated=batch:NoSchedule"),
			Want: []Expect{
				{Code: v1alpha1.CodeZoneBound, Severity: warning, Words: "where no node takes its pod, not NS-a1, NS-a2 (taint dedicated=batch:NoSchedule): once deleted, its pod can't start again"},
				{Code: v1alpha1.CodeNodeTainted, Severity: warning, Object: "pod/NS/web-0", Words: "NS-a1 has the taint dedicated=batch:NoSchedule, which NS/web-0 does not tolerate: once deleted, it can't be scheduled there again → kubectl describe node NS-a1"},
			},
			Check: "NODE008 NODE013",
		}},
	}, {
		Name: "a pool of its own", Check: "", // both nodes are tainted, and the pod tolerates that
		Inject: inTurn(pinned("", "", tolerates("{key: dedicated, value: db}")...), onA("taint node {a1} {a2} dedicated=db:NoSchedule")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeTainted, Severity: info, Words: "NS-a1 has the taint dedicated=db:NoSchedule, which its stateful pods tolerate"}},
	}, {
		Name: "a zone's other node runs Windows", Check: "NODE008",
		Inject: inTurn(oneOfTwo("web"), onA("label node {a2} kubernetes.io/os=windows")),
		Want:   refuses("windows"),
	}, {
		Name: "a zone's other node is of Fargate", Check: "NODE008",
		Inject: inTurn(pinned("", "eks.amazonaws.com/compute-type=fargate", tolerates("{operator: Exists}")...), onA("taint node {a2} eks.amazonaws.com/compute-type=fargate:NoSchedule")),
		Want:   refuses("Fargate"),
	}, {
		Name: "a zone's other node has another architecture", Check: "NODE008",
		Inject: pinned("kubernetes.io/arch=amd64", "kubernetes.io/arch=arm64", `set-web: ""`, `set-web: "", kubernetes.io/arch: amd64`),
		Want:   refuses("not kubernetes.io/arch=amd64"),
	}, {
		Name: "a pod wants another pool than the zone's other node is of", Check: "NODE008",
		Inject: pinned("pool=db", "pool=web", "affinity: {}",
			"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: pool, operator: In, values: [db]}]}]}}}"),
		Want: refuses("node affinity"),
	}, {
		Name: "a zone's other node is too small", Check: "NODE008",
		Inject: inTurn(oneOfTwo("web"), func(s *Set) {
			s.Kubectl("patch", "node", s.NS+"-a2", "--subresource=status", "--type=merge", "-p", `{"status": {"allocatable": {"cpu": "100m"}}}`)
		}),
		Want: refuses("too small"),
	}, {
		Name: "a zone's other node is drained by CAST AI", Check: "NODE008", // which says so by a label too
		Inject: inTurn(oneOfTwo("web"), onA("label node {a2} autoscaling.cast.ai/draining=rebalancing")),
		Want:   []Expect{{Code: v1alpha1.CodeZoneBound, Severity: warning, Words: "where NS-a1 is the only node that takes new pods"}},
	}, {
		Name: "a zone's other node has only just come", Check: "", // aws-efs-csi-driver#1613, karpenter#1772: it is in earnest when the taint stays
		Inject: inTurn(oneOfTwo("web"), onA("taint node {a2} efs.csi.aws.com/agent-not-ready:NoSchedule")),
		Want:   []Expect{{Code: v1alpha1.CodeZoneBound, Severity: info, Words: "where only NS-a1 takes its pod, not NS-a2 (taint efs.csi.aws.com/agent-not-ready:NoSchedule)"}},
	}, {
		Name: "a spot node of AKS without its label", Check: "NODE002 NODE011",
		Inject: inTurn(pinned("kubernetes.azure.com/agentpool=sp", "kubernetes.azure.com/agentpool=sp", tolerates("{key: kubernetes.azure.com/scalesetpriority, operator: Exists}")...),
			onA("taint node {a1} kubernetes.azure.com/scalesetpriority=spot:NoSchedule")),
		Want: []Expect{{Code: v1alpha1.CodeAllInterruptible, Severity: warning, Words: "NS/web: its only pod is on interruptible capacity (spot)"}},
	}, {
		Name: "labels of the cluster's own", Check: "NODE002 NODE011",
		Inject: inTurn(oneOfTwo("web"), onA("label node {a1} tier=cheap")),
		Args:   []string{"--spot-label=tier=cheap"},
		Want:   []Expect{{Code: v1alpha1.CodeAllInterruptible, Severity: warning, Words: "NS/web: its only pod is on interruptible capacity (spot)"}},
		Then: []Step{{ // what a platform says, and is not so
			Do:   onA("label node {a1} tier=dear --overwrite " + spot),
			Args: []string{"--on-demand-label=tier=dear"},
			Want: []Expect{{Code: v1alpha1.CodeLabelsConflict, Severity: info, Words: "labels of NS-a1 contradict each other: tier=dear is used, eks.amazonaws.com/capacityType=SPOT is ignored"}},
		}},
	}, {
		Name: "AKS drains a node", Check: "NODE007",
		Inject: inTurn(oneOfTwo("web"), onA("taint node {a1} remediator.kubernetes.azure.com/unschedulable:NoSchedule")),
		Want:   goes("remediated by AKS"),
		Then: []Step{{ // in the words of CAST AI
			Do:    onA("taint node {a1} remediator.kubernetes.azure.com/unschedulable- autoscaling.cast.ai/draining=true:NoSchedule"),
			Want:  goes("drained by CAST AI"),
			Check: "NODE007",
		}, { // of kured, which cordons it
			Do:    inTurn(onA("taint node {a1} autoscaling.cast.ai/draining-"), onA("cordon {a1}"), onA("annotate node {a1} weave.works/kured-reboot-in-progress=2026-11-29T12:00:00Z")),
			Want:  goes("rebooted by kured"),
			Check: "NODE007",
		}, { // of Azure, as a condition
			Do:    inTurn(onA("uncordon {a1}"), onA("annotate node {a1} weave.works/kured-reboot-in-progress-"), reports("VMEventScheduled", "True", "Preempt Scheduled: Mon, 02 Mar 2026 19:01:45 GMT")),
			Want:  goes("preempted by Azure"),
			Check: "NODE007",
		}},
	}, {
		Name: "the autoscaler's mark stays", Check: "NODE007", // kubernetes/autoscaler#5657
		Inject: inTurn(oneOfTwo("web"), onA("taint node {a1} ToBeDeletedByClusterAutoscaler=1680700000:NoSchedule")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeGoing, Severity: bad, Words: "NS-a1 is going away (removed by the cluster autoscaler; marked …y…ago) and runs NS/web-0"}},
	}, {
		Name: "a taint evicts pods after a while", Check: "NODE013",
		Inject: inTurn(pinned("", "", tolerates("{key: quarantine, operator: Exists, effect: NoExecute, tolerationSeconds: 600}")...), onA("taint node {a1} quarantine=x:NoExecute")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeTainted, Severity: warning, Object: "pod/NS/web-0", Words: "NS-a1 has the taint quarantine=x:NoExecute, which NS/web-0 tolerates for 10m only: it is evicted then"}},
	}, {
		Name: "a taint of Kubernetes' own by hand", Check: "NODE013", // kubernetes/kubernetes#107543
		Inject: inTurn(pinned("", "", tolerates("{key: node.kubernetes.io/unschedulable, operator: Exists, effect: NoExecute, tolerationSeconds: 600}")...), onA("taint node {a1} node.kubernetes.io/unschedulable:NoExecute")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeTainted, Severity: warning, Words: "NS-a1 has the taint node.kubernetes.io/unschedulable:NoExecute (cordoned), which NS/web-0 tolerates for 10m only: it is evicted then"}},
	}, {
		Name: "a taint evicts a pod that does not go", Check: "NODE013 | NODE013 STS009[DNS005]", // kubernetes/kubernetes#90794
		Inject: inTurn(oneOfTwo("web"), func(s *Set) {
			s.Cleanup(func() { s.TryKubectl("annotate", "pods", "--all", "lab.doik.dev/state-") }) // or it would keep its namespace
		}, state("web-0", "stuck-terminating"), onA("taint node {a1} quarantine=x:NoExecute")),
		Want: []Expect{{Code: v1alpha1.CodeNodeTainted, Severity: warning, Object: "pod/NS/web-0", Words: "NS-a1 has the taint quarantine=x:NoExecute, which NS/web-0 does not tolerate: it is being evicted"}},
	}, {
		Name: "a volume is stuck on a node", Check: "NODE013", // kubernetes/kubernetes#55946
		Inject: inTurn(oneOfTwo("web"), onA("taint node {a1} NodeWithImpairedVolumes=true:NoSchedule")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeTainted, Severity: warning, Words: "NS-a1 has the taint NodeWithImpairedVolumes=true:NoSchedule (a volume of EBS is stuck there), which NS/web-0 does not tolerate"}},
	}, {
		Name: "Cilium is updated", Check: "",
		Inject: inTurn(oneOfTwo("web"), onA("taint node {a1} node.cilium.io/agent-not-ready:NoSchedule")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeTainted, Severity: info, Words: "(Cilium's agent is not ready), which NS/web-0 does not tolerate"}},
	}, {
		Name: "a drain that a budget holds up", Check: "NODE010 STS043", // kubereboot/kured#63, Azure/AKS#3439
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Apply(budget("web", "web", "0"))
			s.Apply(fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}, annotations: {lab.doik.dev/state: stuck-terminating}}
    spec:
      nodeSelector: {kubernetes.io/hostname: %s-a1}
      tolerations: [{key: test, operator: Exists}]
      containers: [{name: main, image: none}]
`, s.NS))
			s.Kubectl("rollout", "status", "deployment/app", "--timeout=300s")
			s.Cleanup(func() { // or it would keep its namespace
				s.TryKubectl("delete", "deployment", "app")
				s.TryKubectl("annotate", "pods", "--all", "lab.doik.dev/state-")
			})
			if r := s.TryKubectl("drain", s.NS+"-a1", "--ignore-daemonsets", "--timeout=8s"); r.Code == 0 {
				s.Fatal("it has been drained")
			}
		},
		Want: []Expect{{Code: v1alpha1.CodeNodeOutOfUse, Severity: warning, Object: "pod/NS/web-0", Words: "NS-a1 is being drained (1 pod is being evicted) and runs NS/web-0: once evicted, they can't be scheduled there again → kubectl describe node NS-a1"}},
	}, {
		Name: "a node is short of disk space", Always: true, Check: "NODE014",
		Inject: inTurn(oneOfTwo("web"), reports("DiskPressure", "True", "kubelet has disk pressure")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeTroubled, Severity: warning, Object: "pod/NS/web-0", Words: "NS-a1 reports DiskPressure…(kubelet has disk pressure) and runs NS/web-0: pods may be evicted from it, and none is scheduled there meanwhile → kubectl describe node NS-a1"}},
		Then: []Step{{
			Do:    inTurn(reports("DiskPressure", "False", ""), reports("MemoryPressure", "True", ""), reports("PIDPressure", "True", "")),
			Want:  []Expect{{Code: v1alpha1.CodeNodeTroubled, Severity: warning, Words: "reports MemoryPressure"}, {Code: v1alpha1.CodeNodeTroubled, Severity: warning, Words: "reports PIDPressure"}},
			Check: "NODE014",
		}},
	}, {
		Name: "a node has no routes", Check: "NODE014", // kubernetes/kubernetes#73777
		Inject: inTurn(oneOfTwo("web"), reports("NetworkUnavailable", "True", "RouteController failed to create a route")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeTroubled, Severity: bad, Words: "NS-a1 reports NetworkUnavailable…(RouteController failed to create a route) and runs NS/web-0: its network is not set up"}},
	}, {
		Name: "a node's file system is read-only", Check: "NODE014", // kubernetes/node-problem-detector#1071, kubernetes/kubernetes#99126
		Inject: inTurn(oneOfTwo("web"), reports("ReadonlyFilesystem", "True", "Remounting filesystem read-only")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeTroubled, Severity: bad, Words: "NS-a1 reports ReadonlyFilesystem…(Remounting filesystem read-only) and runs NS/web-0"}},
		Then: []Step{{ // what EKS' agent says by False
			Do:    inTurn(reports("ReadonlyFilesystem", "False", ""), reports("StorageReady", "False", "EBSInstanceIOPSExceeded")),
			Want:  []Expect{{Code: v1alpha1.CodeNodeTroubled, Severity: bad, Words: "NS-a1 reports StorageReady=False…(EBSInstanceIOPSExceeded)"}},
			Check: "NODE014",
		}},
	}, {
		// What is True while all is well (k3s-io/k3s#8997), and what is unknown.
		Name: "conditions that say that all is well", Check: "",
		Inject: inTurn(oneOfTwo("web"), reports("EtcdIsVoter", "True", "Node is a voting member of the etcd cluster"), reports("KernelReady", "True", ""), reports("IsChained", "True", "")),
		Want:   []Expect{{Code: v1alpha1.CodeNodeTroubled, Severity: info, Words: "NS-a1 reports IsChained"}},
	}},
}
