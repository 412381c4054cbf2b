package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// ofShop is the claim of the Deployment shop.
const ofShop = "persistentvolumeclaim/files"

// shop makes two nodes in a zone, and the Deployment shop of one pod with the claim files, which is annotated for the lab's kubelets.
func shop(annotations string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		zone := "topology.kubernetes.io/zone=" + s.NS + " set-shop="
		s.Fleet(cluster.Machine{Name: "a1", Labels: zone}, cluster.Machine{Name: "a2", Labels: zone})
		s.Apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files, annotations: {%s}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
%s`, annotations, podOf(s, "files", 6)))
		s.Kubectl("rollout", "status", "deploy/shop", "--timeout=300s")
	}
}

// podOf is the spec of a pod that mounts a claim, so far indented.
func podOf(s *Set, claim string, indent int) string {
	text := fmt.Sprintf(`nodeSelector: {test: %s, set-shop: ""}
tolerations: [{key: test, operator: Exists}]
containers: [{name: main, image: none, volumeMounts: [{name: data, mountPath: /data}]}]
volumes: [{name: data, persistentVolumeClaim: {claimName: %s}}]
`, s.NS, claim)
	space := strings.Repeat(" ", indent)
	return space + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+space) + "\n"
}

// filesStatus writes what a resizer or a driver would about the claim files.
func filesStatus(status string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		s.Kubectl("patch", "pvc", "files", "--subresource=status", "--type=merge", "-p", `{"status": `+status+`}`)
	}
}

// filesMeasure makes the kubelet report of the claim files what the annotations say.
func filesMeasure(what string) func(*Set) {
	return kubectl("annotate --overwrite pvc files lab.doik.dev/" + strings.ReplaceAll(what, " ", " lab.doik.dev/"))
}

// directories makes two pods on one node, whose volumes are directories on its disk: the kubelet does not measure them, df shows the disk.
func directories(s *Set) {
	s.Helper()
	zone := "topology.kubernetes.io/zone=" + s.NS + " set-shop="
	s.Fleet(cluster.Machine{Name: "a1", Labels: zone})
	for _, name := range []string{"left", "right"} {
		volume := s.NS + "-" + name
		s.Cleanup(func() { s.TryKubectl("delete", "pv", volume, "--wait=false", "--ignore-not-found") })
		s.Apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: %[1]s}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  hostPath: {path: /opt/local-path-provisioner/%[2]s}
  claimRef: {namespace: %[3]s, name: %[2]s}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %[2]s, annotations: {lab.doik.dev/stats: missing, lab.doik.dev/capacity: 100Gi, lab.doik.dev/used: "85%%"}}
spec: {accessModes: [ReadWriteOnce], storageClassName: "", volumeName: %[1]s, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: %[2]s}
spec:
%[4]s`, volume, name, s.NS, podOf(s, name, 2)))
	}
	s.Kubectl("wait", "--for=condition=Ready", "pod/left", "pod/right", "--timeout=300s")
}

// forgotten makes a claim that nothing has mounted for a month, as the API server says where it keeps that, and a volume that is left of another.
func forgotten(s *Set) {
	s.Helper()
	retaining := class(s, `"reclaimPolicy": "Retain", "volumeBindingMode": "Immediate"`)
	for _, name := range []string{"files", "old"} {
		s.Apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %s}
spec: {accessModes: [ReadWriteOnce], storageClassName: %s, resources: {requests: {storage: 1Gi}}}
`, name, retaining))
		s.Kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/"+name, "--timeout=60s")
		volume := volumeOf(s, name)
		s.Cleanup(func() { s.TryKubectl("delete", "pv", volume, "--wait=false", "--ignore-not-found") })
	}
	s.Kubectl("delete", "pvc", "old")
	filesStatus(fmt.Sprintf(`{"conditions": [{"type": "Unused", "status": "True", "lastTransitionTime": %q}]}`, time.Now().Add(-30*24*time.Hour).UTC().Format(time.RFC3339)))(s)
}

// claims has what can go wrong with claims that belong to no set.
var claims = Bed{
	Name: "claims", Machine: Lab,
	Faults: []Fault{{
		Name: "the volume of a Deployment fills up", Always: true, Check: "VOL010",
		Inject: shop(`lab.doik.dev/used: "85%"`),
		Want:   []Expect{{Code: v1alpha1.CodeFreeFilling, Severity: warning, Object: ofShop, Words: "files is 85% full…kubectl patch pvc files -n NS"}},
		Then: []Step{{
			Do:    filesMeasure("used=95%"),
			Want:  []Expect{{Code: v1alpha1.CodeFreeFull, Severity: bad, Object: ofShop, Words: "files is 95% full"}},
			Check: "VOL011",
		}, {
			Do:    filesMeasure("used=10% inodes=1000 inodes-used=85%"),
			Want:  []Expect{{Code: v1alpha1.CodeFreeInodesFilling, Severity: warning, Object: ofShop, Words: "files has used 85% of its inodes"}},
			Check: "VOL012",
		}, {
			Do:    filesMeasure("inodes-used=95%"),
			Want:  []Expect{{Code: v1alpha1.CodeFreeInodesFull, Severity: bad, Object: ofShop, Words: "files has used 95% of its inodes"}},
			Check: "VOL013",
		}},
	}, {
		Name: "the volume of a Deployment is to change, and does not", Always: true, Check: "VOL014",
		Inject: inTurn(shop(`lab.doik.dev/used: "10%"`), kubectl(`patch pvc files -p {"spec":{"resources":{"requests":{"storage":"2Gi"}}}}`)),
		Want:   []Expect{{Code: v1alpha1.CodeFreeResizePending, Severity: warning, Object: ofShop, Words: "files requests 2Gi and has 1Gi: expansion has not started"}},
		Then: []Step{{
			Do: filesStatus(`{"conditions": [{"type": "ControllerResizeError", "status": "True", "reason": "Infeasible", "message": "volume is too large"}],
				"allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"}}`),
			Want:  []Expect{{Code: v1alpha1.CodeFreeResizeFailed, Severity: bad, Object: ofShop, Words: "files requests 2Gi and has 1Gi: expansion failed: Infeasible: volume is too large"}},
			Check: "VOL015",
		}, {
			Do:    filesStatus(`{"conditions": [{"type": "ModifyVolumeError", "status": "True", "message": "iops out of range"}], "allocatedResourceStatuses": null, "capacity": {"storage": "2Gi"}, "modifyVolumeStatus": {"targetVolumeAttributesClassName": "fast", "status": "Infeasible"}}`),
			Want:  []Expect{{Code: v1alpha1.CodeFreeVolumeModify, Severity: warning, Object: ofShop, Words: "files asks for the VolumeAttributesClass fast and has none: its driver refuses: iops out of range"}},
			Check: "VOL037",
		}},
	}, {
		Name: "volumes are directories on a disk that fills up", Always: true, Check: "VOL002",
		Inject: directories,
		Want:   []Expect{{Code: v1alpha1.CodeNodeDiskFilling, Severity: warning, Object: "persistentvolumeclaim/right", Words: "the disk of node NS-a1 that holds left, right is 85% full"}},
		Then: []Step{{
			Do:    kubectl("annotate --overwrite pvc left right lab.doik.dev/used=95%"),
			Want:  []Expect{{Code: v1alpha1.CodeNodeDiskFull, Severity: bad, Object: "node/NS-a1", Words: "the disk of node NS-a1 that holds left, right is 95% full"}},
			Check: "VOL003",
		}},
	}, {
		Name: "the kernel stops writing to a volume", Always: true, Check: "VOL022",
		Inject: shop(`lab.doik.dev/stats: missing, lab.doik.dev/mount: "rw,relatime,emergency_ro"`),
		Want:   []Expect{{Code: v1alpha1.CodeFreeVolumeAtRisk, Severity: bad, Object: ofShop, Words: "files can only be read in shop-…, which is to write to it (mounted emergency_ro)"}},
	}, {
		Name: "a claim has no class that exists, another one is deleted under its pod", Check: "VOL007",
		Inject: inTurn(shop(""), apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: typo}
spec: {accessModes: [ReadWriteOnce], storageClassName: no-such-class, resources: {requests: {storage: 1Gi}}}
`)),
		Want: []Expect{{Code: v1alpha1.CodeFreeNotBound, Severity: bad, Object: "persistentvolumeclaim/typo", Words: "typo is pending: StorageClass no-such-class does not exist"}},
		Then: []Step{{
			Do:    kubectl("delete pvc files --wait=false"),
			Want:  []Expect{{Code: v1alpha1.CodeFreeTerminating, Severity: critical, Object: ofShop, Words: "files has been deleted: it is removed as soon as shop-…ends, with its data (reclaim policy Delete)"}},
			Check: "VOL007 VOL008",
		}},
	}, {
		Name:   "a claim and a volume are forgotten", // informational
		Inject: forgotten,
		Want: []Expect{
			{Code: v1alpha1.CodeVolumeUnused, Severity: info, Object: ofShop, Words: "nothing has mounted files for 30d; it holds 1Gi"},
			{Code: v1alpha1.CodeFreeVolumeNotBound, Severity: info, Object: "persistentvolumeclaim/old", Words: "has the data of an earlier claim old, and is released"},
		},
	}},
}
