package volumes

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	golden.Cases(t, noon, func(t *testing.T, s *Snapshot, now time.Time, folder string) {
		report := Analyze(s, Selection{}, now)
		golden.Report(t, folder, report, &report.Metadata)
		golden.Fitted(t, folder, func(show printers.Show) printers.Table {
			return Table(report, View{Usage: s.UsageAsked, Show: show, Now: now})
		})
		golden.Tables(t, folder, Table(report, View{Usage: s.UsageAsked, Now: now}), Table(report, View{Usage: s.UsageAsked, Namespaces: true, Now: now}))
	})
}

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(noon.Add(-d)) }

func bound(name string, age time.Duration, conditions ...corev1.PersistentVolumeClaimCondition) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: ago(age)},
		Spec:       corev1.PersistentVolumeClaimSpec{VolumeName: "pv-" + name},
		Status:     corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound, Conditions: conditions},
	}
}

func mounting(name, claim string, phase corev1.PodPhase, ended metav1.Time) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.PodSpec{NodeName: "node-a"}, Status: corev1.PodStatus{Phase: phase}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}}
	if !ended.IsZero() {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: ended}}}}
	}
	return pod
}

// TestUnused tells since when nothing mounts a claim: the claim's condition knows better than the pods that are left.
func TestUnused(t *testing.T) {
	const day = 24 * time.Hour
	unusedFor := func(d time.Duration) corev1.PersistentVolumeClaimCondition {
		return corev1.PersistentVolumeClaimCondition{Type: corev1.PersistentVolumeClaimUnused, Status: corev1.ConditionTrue, LastTransitionTime: ago(d)}
	}
	for name, c := range map[string]struct {
		claim *corev1.PersistentVolumeClaim
		pod   *corev1.Pod
		want  string
	}{
		"by its condition":          {bound("data", 60*day, unusedFor(30*day)), mounting("job", "data", corev1.PodSucceeded, ago(2*day)), "nothing has mounted data for 30d"},
		"by the last pod":           {bound("data", 60*day), mounting("job", "data", corev1.PodSucceeded, ago(9*day)), "nothing has mounted data for 9d; the last pod was job"},
		"for a short while":         {bound("data", 60*day), mounting("job", "data", corev1.PodFailed, ago(2*day)), ""},
		"for long, as far as known": {bound("data", 60*day), nil, "nothing mounts data, which is 60d old; since when is not known"},
		"a new one":                 {bound("data", 2*day), nil, ""},
		"in use":                    {bound("data", 60*day, unusedFor(30*day)), mounting("app", "data", corev1.PodRunning, metav1.Time{}), ""},
	} {
		s := &Snapshot{Claims: []*corev1.PersistentVolumeClaim{c.claim}}
		if c.pod != nil {
			s.Pods = []*corev1.Pod{c.pod}
		}
		got := ""
		for _, f := range Analyze(s, Selection{}, noon).Findings {
			got = f.Message
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestSelection shows what is unused, or used by so much, and only findings about that.
func TestSelection(t *testing.T) {
	seventy, ninety := int32(70), int32(90)
	s := &Snapshot{
		Claims: []*corev1.PersistentVolumeClaim{bound("full", time.Hour), bound("half", time.Hour), bound("spare", 60*24*time.Hour)},
		Pods:   []*corev1.Pod{mounting("a", "full", corev1.PodRunning, metav1.Time{}), mounting("b", "half", corev1.PodRunning, metav1.Time{})},
	}
	s.UsageAsked = true
	s.Usage = map[string]v1alpha1.VolumeUsage{"shop/full": {UsedPercent: &ninety}, "shop/half": {UsedPercent: &seventy}}
	for _, c := range []struct {
		selection Selection
		items     string
		codes     string
	}{
		{Selection{}, "full half spare ", "VOL011 VOL001 "},
		{Selection{Unused: true}, "spare ", "VOL001 "},
		{Selection{MinUse: 80}, "full ", "VOL011 "},
		{Selection{MinUse: 70}, "full half ", "VOL011 "},
		{Selection{MinUse: 91}, "", ""},
	} {
		report := Analyze(s, c.selection, noon)
		items, codes := "", ""
		for _, v := range report.Items {
			items += v.Metadata.Name + " "
		}
		for _, f := range report.Findings {
			codes += string(f.Code) + " "
		}
		if items != c.items || codes != c.codes {
			t.Errorf("%+v: %q with %q, want %q with %q", c.selection, items, codes, c.items, c.codes)
		}
	}
}

// TestLeft has a row of each volume that a claim has left, but of none that is about to be deleted anyway a finding.
func TestLeft(t *testing.T) {
	volume := func(name string, phase corev1.PersistentVolumePhase, policy corev1.PersistentVolumeReclaimPolicy, since time.Duration) corev1.PersistentVolume {
		at := ago(since)
		return corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       corev1.PersistentVolumeSpec{ClaimRef: &corev1.ObjectReference{Namespace: "shop", Name: "data"}, PersistentVolumeReclaimPolicy: policy},
			Status:     corev1.PersistentVolumeStatus{Phase: phase, LastPhaseTransitionTime: &at, Message: "no such disk"},
		}
	}
	for _, c := range []struct {
		volume  corev1.PersistentVolume
		current bool
		want    string
	}{
		{volume("pv-1", corev1.VolumeReleased, corev1.PersistentVolumeReclaimRetain, time.Hour), false, "info volume pv-1 has the data of an earlier claim data, and is released"},
		{volume("pv-1", corev1.VolumeReleased, corev1.PersistentVolumeReclaimRetain, time.Hour), true, "warning volume pv-1 has the data of an earlier claim data, and is released; the current claim has another one, pv-data"},
		{volume("pv-1", corev1.VolumeReleased, corev1.PersistentVolumeReclaimDelete, time.Minute), false, ""},
		{volume("pv-1", corev1.VolumeReleased, corev1.PersistentVolumeReclaimDelete, time.Hour), false, "warning volume pv-1 has the data of an earlier claim data, and is released; its reclaim policy is Delete, and its driver has not deleted it"},
		{volume("pv-1", corev1.VolumeFailed, corev1.PersistentVolumeReclaimDelete, time.Hour), false, "warning volume pv-1 of claim data has failed: no such disk"},
		{volume("pv-data", corev1.VolumeReleased, corev1.PersistentVolumeReclaimRetain, time.Hour), true, "error the volume pv-data of data is released: no such disk"},
		{volume("pv-1", corev1.VolumeBound, corev1.PersistentVolumeReclaimRetain, time.Hour), false, ""},
	} {
		s := &Snapshot{Volumes: []corev1.PersistentVolume{c.volume}, Read: []string{"persistentvolumes"}}
		if c.current {
			s.Claims = []*corev1.PersistentVolumeClaim{bound("data", time.Hour)}
		}
		got := ""
		for _, f := range Analyze(s, Selection{}, noon).Findings {
			got = string(f.Severity) + " " + f.Message
		}
		if got != c.want {
			t.Errorf("%s %s: %q, want %q", c.volume.Name, c.volume.Status.Phase, got, c.want)
		}
	}
}

// TestTimeline tells what happens to claims, and which pods come and go.
func TestTimeline(t *testing.T) {
	item := func(name string, phase v1alpha1.ClaimPhase, pods ...string) v1alpha1.VolumeStatus {
		v := v1alpha1.VolumeStatus{Metadata: v1alpha1.ObjectMeta{Namespace: "shop", Name: name, UID: name}, Claim: v1alpha1.ClaimStatus{Name: name, UID: name, Phase: phase, Volume: "pv-" + name}}
		for _, pod := range pods {
			v.MountedBy = append(v.MountedBy, v1alpha1.VolumeUser{Pod: pod})
		}
		return v
	}
	before := &v1alpha1.VolumeStatusList{Items: []v1alpha1.VolumeStatus{
		item("a", v1alpha1.ClaimBound, "app-1"), item("b", v1alpha1.ClaimPending), item("c", v1alpha1.ClaimBound), item("d", v1alpha1.ClaimReleased),
	}}
	after := &v1alpha1.VolumeStatusList{Items: []v1alpha1.VolumeStatus{
		item("a", v1alpha1.ClaimBound, "app-2"), item("b", v1alpha1.ClaimBound), item("c", v1alpha1.ClaimReleased), item("e", v1alpha1.ClaimTerminating),
	}}
	var got string
	for _, h := range Timeline(before, after, noon) {
		got += h.Text + "\n"
	}
	want := "a no longer mounted by app-1\na mounted by app-2\nb bound\nc: volume pv-c released\ne created\ne terminating\nc deleted\nd: volume pv-d of the deleted claim is gone\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
