package faults

import (
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// measures makes the kubelet report of the volume of web-1 what the lab's annotations say, and measuresNothing takes them back.
func measures(what string) func(*Set) {
	return kubectl("annotate pvc data-web-1 lab.doik.dev/" + strings.ReplaceAll(what, " ", " lab.doik.dev/"))
}

var measuresNothing = kubectl("annotate pvc data-web-1 lab.doik.dev/used- lab.doik.dev/inodes- lab.doik.dev/inodes-used-")

// resizer writes what a resizer would about the claim of web-1: nothing resizes volumes in the lab.
func resizer(status string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		s.Kubectl("patch", "pvc", "data-web-1", "--subresource=status", "--type=merge", "-p", `{"status": `+status+`}`)
	}
}

// template recreates the set web, with claims of a size from now on.
func template(size string) func(*Set) {
	return func(s *Set) {
		s.Helper()
		s.Kubectl("delete", "sts", "web", "--cascade=orphan")
		s.Apply(strings.Replace(inOrder(s.Spread("web", 3, true)), "storage: 1Gi", "storage: "+size, 1))
	}
}

const claim = "persistentvolumeclaim/data-web-1"

// volumes has what can go wrong with claims and volumes.
var volumes = Bed{
	Name: "volumes", Machine: Lab,
	New: threeZones,
	Faults: []Fault{{
		Name: "a volume fills up", Always: true, Check: "STS010",
		Inject: measures("used=85%"),
		Want:   []Expect{{Code: v1alpha1.CodeVolumeFilling, Severity: warning, Object: claim, Words: "data-web-1 is 85% full"}},
		Repair: measuresNothing,
	}, {
		Name: "a volume is nearly full", Check: "STS011",
		Inject: measures("used=95%"),
		Want:   []Expect{{Code: v1alpha1.CodeVolumeFull, Severity: bad, Object: claim, Words: "data-web-1 is 95% full"}},
		Repair: measuresNothing,
	}, {
		Name: "inodes are used up", Check: "STS012",
		Inject: measures("inodes=1000 inodes-used=85%"),
		Want:   []Expect{{Code: v1alpha1.CodeInodesFilling, Severity: warning, Object: claim, Words: "data-web-1 has used 85% of its inodes"}},
		Repair: measuresNothing,
	}, {
		Name: "nearly all inodes are used", Check: "STS013",
		Inject: measures("inodes=1000 inodes-used=95%"),
		Want:   []Expect{{Code: v1alpha1.CodeInodesFull, Severity: bad, Object: claim, Words: "data-web-1 has used 95% of its inodes"}},
		Repair: measuresNothing,
	}, {
		Name: "a volume is to grow, and does not", Check: "STS014",
		Inject: kubectl(`patch pvc data-web-1 -p {"spec":{"resources":{"requests":{"storage":"2Gi"}}}}`),
		Want: []Expect{ // the first sentence ends with the controllers' own event
			{Code: v1alpha1.CodeResizePending, Severity: warning, Object: claim, Words: "data-web-1 requests 2Gi and has 1Gi: expansion has not started"},
			{Code: v1alpha1.CodeClaimDiffers, Severity: info, Object: claim, Words: "data-web-1 requested 2Gi, more than the template data says (1Gi), which is what new ordinals get"},
		},
		Then: []Step{{
			Do:    resizer(`{"conditions": [{"type": "FileSystemResizePending", "status": "True", "message": "Waiting for user to (re-)start a pod to finish file system resize of volume on node."}]}`),
			Want:  []Expect{{Code: v1alpha1.CodeResizePending, Severity: warning, Object: claim, Words: "expansion is in progress; FileSystemResizePending: Waiting for user"}},
			Check: "STS014",
		}, {
			Do: resizer(`{"conditions": [{"type": "ControllerResizeError", "status": "True", "reason": "Infeasible", "message": "volume is too large"}],
				"allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"}}`),
			Want:  []Expect{{Code: v1alpha1.CodeResizeFailed, Severity: bad, Object: claim, Words: "data-web-1 requests 2Gi and has 1Gi: expansion failed: Infeasible: volume is too large"}},
			Check: "STS015",
		}},
		Repair: resizer(`{"conditions": null, "allocatedResourceStatuses": null, "capacity": {"storage": "2Gi"}}`),
	}, {
		Name: "a claim does not get its VolumeAttributesClass", Check: "STS037",
		Inject: resizer(`{"modifyVolumeStatus": {"targetVolumeAttributesClassName": "fast", "status": "Infeasible"}, "conditions": [{"type": "ModifyVolumeError", "status": "True", "message": "iops out of range"}]}`),
		Want:   []Expect{{Code: v1alpha1.CodeVolumeModify, Severity: warning, Object: claim, Words: "data-web-1 asks for the VolumeAttributesClass fast and has none: its driver refuses: iops out of range"}},
		Repair: resizer(`{"conditions": null, "modifyVolumeStatus": null}`),
	}, {
		Name: "the template's claims are larger", Check: "STS016", // those that are there stay small
		Inject: template("4Gi"),
		Want:   []Expect{{Code: v1alpha1.CodeClaimDiffers, Severity: warning, Object: claim, Words: "less than the template data says (4Gi)"}},
		Repair: template("1Gi"),
	}, {
		Name: "a claim is deleted under its pod", Check: "STS008", // and can't be taken back
		Inject: kubectl("delete pvc data-web-1 --wait=false"),
		Want:   []Expect{{Code: v1alpha1.CodeClaimTerminating, Severity: critical, Object: claim, Words: "data-web-1 has been deleted: it is removed as soon as web-1 ends"}},
		Then: []Step{{ // then the volume of another one
			Do:    removeVolume,
			Want:  []Expect{{Code: v1alpha1.CodeClaimNotBound, Severity: critical, Object: "persistentvolumeclaim/data-web-2", Words: "data-web-2 has lost its volume"}},
			Check: "STS007 STS008",
		}},
	}},
}

// volumeOf is the volume of a claim.
func volumeOf(s *Set, claim string) string {
	s.Helper()
	return s.Kubectl("get", "pvc", claim, "-o", "jsonpath={.spec.volumeName}")
}

// removeVolume removes the volume of web-2 from under its claim, against the controllers' will.
func removeVolume(s *Set) {
	s.Helper()
	volume := volumeOf(s, "data-web-2")
	free := []string{"patch", "pv", volume, "--type=merge", "-p", `{"metadata": {"finalizers": null}}`}
	s.Kubectl(free...)
	s.Kubectl("delete", "pv", volume, "--wait=false")
	s.TryKubectl(free...) // the controller may have put it back
}

// leftBehind has volumes with the data of claims that were deleted, which the present claim does not get.
var leftBehind = Fault{
	Name: "volumes keep the data of deleted claims", Check: "STS007[DNS005 STS006] STS017",
	Inject: leaveBehind,
	Want: []Expect{
		{Code: v1alpha1.CodeVolumeNotBound, Severity: bad, Words: "has the data of an earlier claim www-web-0, and is released; the current claim is pending and does not get it"},
		{Code: v1alpha1.CodeVolumeNotBound, Severity: bad, Words: "of claim www-web-0 has failed: "},
		{Code: v1alpha1.CodeClaimNotBound, Severity: bad, Words: "StorageClass NS-class does not exist"},
	},
}

// leaveBehind makes the claim of web-0 three times: the first volume is kept, the second can't be reclaimed, and there is no third.
func leaveBehind(s *Set) {
	s.Helper()
	retaining := class(s, `"reclaimPolicy": "Retain", "volumeBindingMode": "Immediate"`)
	s.Apply(strings.Replace(webOf(s, retaining), "replicas: 2", "replicas: 1", 1))
	s.RolledOut()
	keep := func() string {
		volume := volumeOf(s, "www-web-0")
		s.Cleanup(func() { s.TryKubectl("delete", "pv", volume, "--wait=false") })
		return volume
	}
	recreate := func() {
		s.Kubectl("scale", "sts/web", "--replicas=0")
		s.Kubectl("wait", "--for=delete", "pod/web-0", "--timeout=300s")
		s.Kubectl("delete", "pvc", "www-web-0")
		s.Kubectl("scale", "sts/web", "--replicas=1")
	}
	keep()
	recreate()
	s.RolledOut()
	s.Finds(nil, Expect{Code: v1alpha1.CodeVolumeNotBound, Severity: warning, Words: "has the data of an earlier claim www-web-0, and is released; the current claim has another one, pvc-"})
	s.checks("STS017 | NODE008 STS017") // the volume is in whatever zone
	s.Kubectl("patch", "pv", keep(), "--type=merge", "-p", `{"spec": {"persistentVolumeReclaimPolicy": "Recycle"}}`)
	s.Kubectl("delete", "storageclass", retaining)
	recreate()
}
