package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// nodeOf runs a kubectl line with the names of pods' nodes in it, where the pods stand in braces.
func nodeOf(line string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		var words []string
		for _, word := range strings.Fields(line) {
			if pod, braced := strings.CutPrefix(word, "{"); braced {
				word = node(s, strings.TrimSuffix(pod, "}"))
			}
			words = append(words, word)
		}
		s.Kubectl(words...)
	}
}

func node(s *Set, pod string) string {
	s.Helper()
	return s.Kubectl("get", "pod", pod, "-o", "jsonpath={.spec.nodeName}")
}

// spare is the other node of the zone of a pod's node.
func spare(s *Set, pod string) string {
	s.Helper()
	return strings.TrimSuffix(node(s, pod), "1") + "2"
}

const zoneLabel = "topology.kubernetes.io/zone"

// inOneZone moves the node of web-2 into the zone of web-0's: nodes are what they are labelled. apart takes it back.
func inOneZone(s *Set) {
	s.Helper()
	s.Kubectl("label", "--overwrite", "node", node(s, "web-2"), zoneLabel+"="+strings.TrimSuffix(node(s, "web-0"), "1"))
}

func apart(s *Set) {
	s.Helper()
	last := node(s, "web-2")
	s.Kubectl("label", "--overwrite", "node", last, zoneLabel+"="+strings.TrimSuffix(last, "1"))
}

// nodes has what can go wrong with the nodes of a set.
var nodes = Bed{
	Name: "nodes", Machine: Lab,
	New: threeZones,
	Faults: []Fault{{
		Name: "nodes are spot", Always: true, Check: "NODE011[STS033]",
		Inject: nodeOf("label node {web-0} " + spot),
		Want: []Expect{
			{Code: v1alpha1.CodeOnInterruptible, Severity: info, Object: "pod/NS/web-0", Words: "NS/web: 1 of 3 pods on interruptible capacity (spot): web-0"},
			{Code: v1alpha1.CodeNoBudgetOnSpot, Severity: warning, Object: "statefulset/NS/web", Words: "NS/web: on interruptible capacity (spot) without a PodDisruptionBudget: a drain may evict all its pods at once"},
		},
		Then: []Step{{
			Do:    nodeOf("label node {web-1} " + spot),
			Want:  []Expect{{Code: v1alpha1.CodeMajorityInterruptible, Severity: warning, Words: "NS/web: a majority, 2 of 3 pods, is on spot capacity, and losing it loses the majority: web-0, web-1"}},
			Check: "NODE003 NODE011[STS033]",
		}, {
			Do:    nodeOf("label node {web-2} " + spot),
			Want:  []Expect{{Code: v1alpha1.CodeAllInterruptible, Severity: warning, Words: "NS/web: all 3 pods are on interruptible capacity (spot)"}},
			Check: "NODE002 NODE011[STS033]",
		}, {
			Do:    apply(budget("web", "web", "1")),
			Check: "NODE002",
		}},
		Repair: inTurn(nodeOf("label node {web-0} {web-1} {web-2} "+spotNoMore), kubectl("delete pdb web")),
	}, {
		Name:   "labels contradict each other", // informational
		Inject: nodeOf("label node {web-0} karpenter.sh/capacity-type=on-demand " + spot),
		Want: []Expect{{
			Code: v1alpha1.CodeLabelsConflict, Severity: info,
			Words: "labels of NS-…contradict each other: karpenter.sh/capacity-type=on-demand is used, eks.amazonaws.com/capacityType=SPOT is ignored",
		}},
		Repair: nodeOf("label node {web-0} karpenter.sh/capacity-type- " + spotNoMore),
	}, {
		Name:   "a majority is in one node group", // informational
		Inject: nodeOf("label node {web-0} {web-1} eks.amazonaws.com/nodegroup=db"),
		Want:   []Expect{{Code: v1alpha1.CodeMajorityOfOwner, Severity: info, Words: "NS/web: a majority, 2 of 3 pods, is on ManagedNodeGroup/db, and losing it loses the majority: web-0, web-1"}},
		Repair: nodeOf("label node {web-0} {web-1} eks.amazonaws.com/nodegroup-"),
	}, {
		Name: "a majority is in one zone", Check: "NODE004",
		Inject: inOneZone,
		Want:   []Expect{{Code: v1alpha1.CodeMajorityInZone, Severity: warning, Object: "pod/NS/web-2", Words: "NS/web: a majority, 2 of 3 pods, is on zone NS-…, and losing it loses the majority: web-0, web-2"}},
		Then: []Step{{ // and the pod outside it is not ready
			Do:    state("web-1", "not-ready"),
			Want:  []Expect{{Code: v1alpha1.CodeZoneLoss, Severity: warning, Object: "pod/web-2", Words: "would not survive the loss of zone NS-…(web-0, web-2): 1 of 3 pods are left, of which web-1 is not ready"}},
			Check: "CHECK005[NODE004] STS003[DNS005]",
		}},
		Repair: inTurn(apart, recovers),
	}, {
		Name: "a node is going", Check: "NODE007",
		Inject: nodeOf("taint node {web-2} ToBeDeletedByClusterAutoscaler=1:NoSchedule"),
		Want:   []Expect{{Code: v1alpha1.CodeNodeGoing, Severity: bad, Object: "pod/NS/web-2", Words: "is going away (removed by the cluster autoscaler) and runs NS/web-2"}},
		Repair: nodeOf("taint node {web-2} ToBeDeletedByClusterAutoscaler-"),
	}, {
		Name: "a zone has one node left", Check: "NODE008",
		Inject: func(s *Set) { s.Kubectl("cordon", spare(s, "web-0")) },
		Want:   []Expect{{Code: v1alpha1.CodeZoneBound, Severity: warning, Object: "persistentvolumeclaim/NS/data-web-0", Words: "the volume of NS/data-web-0 is bound to zone NS-…, where NS-…is the only node that takes new pods"}},
		Then: []Step{{ // then none
			Do: nodeOf("cordon {web-0}"),
			Want: []Expect{
				{Code: v1alpha1.CodeZoneBound, Severity: warning, Words: "the volume of NS/data-web-0 is bound to zone NS-…, where no node takes new pods"},
				{Code: v1alpha1.CodeNodeOutOfUse, Severity: warning, Words: "is cordoned and runs NS/web-0: "},
			},
			Check: "NODE008 NODE010",
		}},
		Repair: func(s *Set) { s.Kubectl("uncordon", node(s, "web-0"), spare(s, "web-0")) },
	}, {
		Name: "a node is cordoned", Check: "NODE010",
		Inject: nodeOf("cordon {web-0}"),
		Want:   []Expect{{Code: v1alpha1.CodeNodeOutOfUse, Severity: warning, Object: "pod/NS/web-0", Words: "is cordoned and runs NS/web-0: once deleted, they can't be scheduled there again → kubectl describe node NS-"}},
		Repair: nodeOf("uncordon {web-0}"),
	}, {
		Name: "a kubelet no longer reports", Check: "NODE010[DNS005 STS003]",
		Inject: nodeOf("annotate node {web-1} lab.doik.dev/state=not-ready"),
		Want: []Expect{
			{Code: v1alpha1.CodeNodeOutOfUse, Severity: bad, Object: "pod/NS/web-1", Words: "is not ready for …(Kubelet stopped posting node status) and runs NS/web-1"},
			{Code: v1alpha1.CodePodNotReady, Severity: bad, Object: "pod/web-1", Words: "web-1 is not ready: its node NS-…has not been ready for "},
		},
		Repair: nodeOf("annotate node {web-1} lab.doik.dev/state-"),
	}},
}

// places has sets that are where they should not be.
var places = Bed{
	Name: "places", Machine: Lab,
	Faults: []Fault{{
		Name: "all pods are on one node", Always: true, Check: "CHECK005[NODE006 STS031]",
		Inject: func(s *Set) {
			inZone(s, "a1")
			s.ApplySpread("web", 2, false)
			s.Kubectl("label", "node", s.NS+"-a2", "set-web=")
		},
		Want: []Expect{
			{Code: v1alpha1.CodeMajorityOnNode, Severity: warning, Object: "pod/NS/web-1", Words: "NS/web: both pods are on node NS-a1, and losing it takes them all down: web-0, web-1"},
			{Code: v1alpha1.CodeSharedNode, Severity: info, Object: "node/NS-a1", Words: "web-0, web-1 are on one node: NS-a1"},
		},
	}, {
		Name: "all pods are in one zone", Check: "CHECK005[NODE004 STS032]",
		Inject: func(s *Set) { inZone(s, "a1", "a2"); s.ApplySpread("web", 2, true) },
		Want: []Expect{
			{Code: v1alpha1.CodeMajorityInZone, Severity: warning, Words: "NS/web: both pods are on zone NS-a, and losing it takes them all down: web-0, web-1"},
			{Code: v1alpha1.CodeSharedZone, Severity: info, Words: "all 2 pods are in one zone: NS-a"},
			{Code: v1alpha1.CodeZoneLoss, Severity: warning, Words: "would not survive the loss of zone NS-a (web-0, web-1): 0 of 2 pods are left"},
		},
	}, {
		Name: "a pod of no set is on spot", Check: "NODE001",
		Inject: wikiOnSpot,
		Want:   []Expect{{Code: v1alpha1.CodeOnInterruptible, Severity: warning, Words: "NS/wiki-…mounts wiki and is on interruptible capacity (spot)"}},
	}, {
		Name: "a node can take no more volumes", Check: "NODE009",
		Inject: attachAll,
		Want:   []Expect{{Code: v1alpha1.CodeAttachLimit, Severity: warning, Object: "node/NS-full", Words: "NS-full can't attach any more volumes of NS.example.com: 2 of 2 are attached"}},
	}},
}

// inZone makes the nodes a1 and a2 in one zone; the set web may go to those that are named.
func inZone(s *Set, of ...string) {
	s.Helper()
	machines := []cluster.Machine{{Name: "a1"}, {Name: "a2"}}
	for i := range machines {
		machines[i].Labels = zoneLabel + "=" + s.NS + "-a"
		if i < len(of) {
			machines[i].Labels += " set-web="
		}
	}
	s.Fleet(machines...)
}

// wikiOnSpot makes a Deployment with a claim, on a spot node.
func wikiOnSpot(s *Set) {
	s.Helper()
	s.Fleet(cluster.Machine{Name: "spot", Labels: spot})
	s.Apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: wiki}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: wiki}
spec:
  selector: {matchLabels: {app: wiki}}
  template:
    metadata: {labels: {app: wiki}}
    spec:
      nodeSelector: {test: %s}
      tolerations: [{operator: Exists}]
      containers: [{name: main, image: none}]
      volumes: [{name: wiki, persistentVolumeClaim: {claimName: wiki}}]
`, s.NS))
	s.Kubectl("rollout", "status", "deployment/wiki", "--timeout=300s")
}

// attachAll has the control plane attach as many volumes to a node as it takes: the real attach-detach controller, with the test in
// the place of the driver.
func attachAll(s *Set) {
	s.Helper()
	name := s.Fleet(cluster.Machine{Name: "full", Labels: "set-one= set-two=", Annotations: "volumes.kubernetes.io/controller-managed-attach-detach=true"})[0] // as kubelets say
	driver := s.NS + ".example.com"
	s.Apply(fmt.Sprintf(`{"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": %q}, "spec": {"drivers": [{"name": %q, "nodeID": "i-1", "topologyKeys": [], "allocatable": {"count": 2}}]}}`, name, driver))
	s.Cleanup(func() { s.TryKubectl("delete", "csinode", name, "--ignore-not-found") })
	for _, set := range []string{"one", "two"} {
		volume := s.NS + "-" + set
		s.Apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: %[1]s}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {storage: 1Gi}
  storageClassName: ""
  persistentVolumeReclaimPolicy: Retain
  csi: {driver: %[2]s, volumeHandle: %[1]s}
  claimRef: {namespace: %[3]s, name: data-%[4]s-0}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-%[4]s-0, labels: {app: %[4]s}}
spec: {accessModes: [ReadWriteOnce], storageClassName: "", volumeName: %[1]s, resources: {requests: {storage: 1Gi}}}
`, volume, driver, s.NS, set))
		s.Cleanup(func() { s.TryKubectl("delete", "pv", volume, "--wait=false") })
		s.ApplySpread(set, 1, false)
		cluster.Eventually(s, 60*time.Second, func() error {
			for line := range strings.Lines(s.Kubectl("get", "volumeattachments", "-o", `jsonpath={range .items[*]}{.metadata.name} {.spec.source.persistentVolumeName}{"\n"}{end}`)) {
				if attachment, of, _ := strings.Cut(strings.TrimSpace(line), " "); of == volume {
					s.Kubectl("patch", "volumeattachment", attachment, "--subresource=status", "--type=merge", "-p", `{"status": {"attached": true}}`)
					return nil
				}
			}
			return fmt.Errorf("no VolumeAttachment of %s", volume)
		})
	}
}
