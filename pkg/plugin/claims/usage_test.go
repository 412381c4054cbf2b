package claims

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// measured is a volume of 100 bytes in use of 1000, some time after noon.
func measured(after time.Duration, used int64) v1alpha1.VolumeUsage {
	percent := int32(used / 10)
	return v1alpha1.VolumeUsage{CapacityBytes: 1000, UsedBytes: used, AvailableBytes: 1000 - used, UsedPercent: &percent, Time: metav1.NewTime(noon.Add(after))}
}

// TestFullAt goes by the times at which two measurements were made, and says nothing of what is far off.
func TestFullAt(t *testing.T) {
	for name, c := range map[string]struct {
		earlier, now v1alpha1.VolumeUsage
		want         string // after noon
	}{
		"100 bytes in a minute":     {measured(0, 100), measured(time.Minute, 200), "9m0s"},
		"two too close":             {measured(0, 100), measured(10*time.Second, 200), ""},
		"the same twice":            {measured(0, 100), measured(time.Minute, 100), ""},
		"emptied":                   {measured(0, 200), measured(time.Minute, 100), ""},
		"in two months":             {measured(0, 100), measured(7*24*time.Hour, 200), ""},
		"full":                      {measured(0, 900), measured(time.Minute, 1000), "1m0s"},
		"the kubelet's old figures": {measured(time.Minute, 100), measured(time.Minute, 100), ""},
	} {
		got := ""
		if at := fullAt(&c.earlier, &c.now); at != nil {
			got = at.Sub(noon).String()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestRemembered compares with a measurement that is neither too new nor hours old.
func TestRemembered(t *testing.T) {
	var b before
	for minute := range 200 {
		b = b.then(measured(time.Duration(minute)*time.Minute, 0))
		if apart := minute - int(b.first.Time.Sub(noon)/time.Minute); minute > 20 && (apart < 5 || apart > 16) {
			t.Fatalf("minute %d is compared with one %d minutes before", minute, apart)
		}
	}
}

// TestOnNodeDisk knows volumes that are directories on a disk of the node from others that are not as large as they are said to be.
func TestOnNodeDisk(t *testing.T) {
	affinity := func(key string) *corev1.VolumeNodeAffinity {
		return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{"a"}}},
		}}}}
	}
	hostPath := corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/opt/a"}}
	local := corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: "/opt/a"}}
	csi := corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "x"}}
	for name, c := range map[string]struct {
		source   corev1.PersistentVolumeSource
		affinity *corev1.VolumeNodeAffinity
		capacity string
		size     int64
		want     bool
	}{
		"hostPath":                       {hostPath, nil, "1Gi", 100 << 30, true},
		"hostPath of a small disk":       {hostPath, nil, "1Ti", 100 << 30, true},
		"local-path":                     {local, affinity(corev1.LabelHostname), "1Gi", 100 << 30, true},
		"a disk of its own":              {local, affinity(corev1.LabelHostname), "101Gi", 100 << 30, false},
		"EBS":                            {csi, affinity(corev1.LabelTopologyZone), "100Gi", 98 << 30, false},
		"EBS that was said to be small":  {csi, affinity("topology.ebs.csi.aws.com/zone"), "1Gi", 98 << 30, false},
		"NFS":                            {csi, nil, "1Gi", 98 << 30, false},
		"directories by a driver of CSI": {csi, affinity("topology.hostpath.csi/node"), "1Gi", 98 << 30, true},
	} {
		size := resource.MustParse(c.capacity)
		volume := corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv"}, Spec: corev1.PersistentVolumeSpec{PersistentVolumeSource: c.source, NodeAffinity: c.affinity}}
		x := NewIndex(Facts{Volumes: []corev1.PersistentVolume{volume}, Usage: &Measured{}})
		status := &v1alpha1.ClaimStatus{Volume: "pv", Capacity: &size, Details: Details(&volume), Usage: &v1alpha1.VolumeUsage{CapacityBytes: c.size}}
		if got := x.onNodeDisk(types.NamespacedName{Namespace: "shop", Name: "data"}, status, "a"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestDisks counts a disk once, with the newest of what was measured of it.
func TestDisks(t *testing.T) {
	older, newer, other := measured(0, 850), measured(time.Minute, 910), measured(0, 950)
	disks := Disks([]Placed{
		{"shop", "node-b", &v1alpha1.ClaimStatus{Name: "x", OnNodeDisk: true, Usage: &older}},
		{"shop", "node-b", &v1alpha1.ClaimStatus{Name: "y", OnNodeDisk: true, Usage: &newer}},
		{"shop", "node-a", &v1alpha1.ClaimStatus{Name: "z", OnNodeDisk: true, Usage: &older}},
		{"shop", "node-a", &v1alpha1.ClaimStatus{Name: "own", Usage: &other}},
	})
	var got string
	for _, f := range DiskFindings(disks, noon) {
		got += string(f.Severity) + " " + string(f.Code) + " " + f.Message + "\n"
	}
	want := "warning VOL002 the disk of node node-a that holds z is 85% full\nerror VOL003 the disk of node node-b that holds x, y is 91% full\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
