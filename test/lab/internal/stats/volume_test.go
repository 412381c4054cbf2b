package stats

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// claim makes a claim of that size, with annotations given as NAME, VALUE….
func claim(name, size string, annotations ...string) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: map[string]string{}},
		Spec: corev1.PersistentVolumeClaimSpec{
			VolumeName: "pvc-" + name,
			Resources:  corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}},
		},
	}
	for i := 0; i < len(annotations); i += 2 {
		c.Annotations["lab.doik.dev/"+annotations[i]] = annotations[i+1]
	}
	return c
}

func TestOfClaimByItself(t *testing.T) {
	seen := map[uint64]bool{}
	for i := range 50 {
		for _, size := range []string{"1Mi", "1Gi", "10Gi", "500Gi", "16Ti"} {
			c := claim(fmt.Sprintf("data-mysql-%d", i), size)
			v, err := OfClaim(c)
			if err != nil {
				t.Fatal(err)
			}
			requested := bytes(resource.MustParse(size))
			share := float64(v.Used) / float64(v.Used+v.Available)
			if v.Capacity >= requested || v.Capacity < requested*9/10 || share < 0.04 || share > 0.61 || v.InodesUsed > v.Inodes || v.Used+v.Available > v.Capacity {
				t.Errorf("%s, %s: implausible: %+v", c.Name, size, v)
			}
			if again, _ := OfClaim(c); again != v {
				t.Errorf("%s, %s: differs the second time", c.Name, size)
			}
			seen[v.Used] = true
		}
	}
	if len(seen) < 200 {
		t.Errorf("only %d different numbers for 250 claims", len(seen))
	}
	if v, _ := OfClaim(claim("data", "10Gi")); v.Capacity != 10464788480 || v.Inodes != 655360 {
		t.Errorf("10Gi: got %+v", v)
	}
	grown := claim("data", "20Gi")
	grown.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")}
	if v, _ := OfClaim(grown); v.Capacity != 10464788480 {
		t.Errorf("a claim that asks for more than it has: got %+v", v)
	}
}

func TestOfClaimAnnotated(t *testing.T) {
	plain, err := OfClaim(claim("data", "10Gi"))
	if err != nil {
		t.Fatal(err)
	}
	usable := plain.Used + plain.Available
	with := func(change func(*Volume)) Volume {
		v := plain
		change(&v)
		return v
	}
	for _, test := range []struct {
		annotations []string
		want        Volume
	}{
		{[]string{"stats", "full"}, with(func(v *Volume) { v.Used, v.Available = usable, 0 })},
		{[]string{"stats", "no-inodes"}, with(func(v *Volume) { v.Inodes, v.InodesUsed = 0, 0 })},
		{[]string{"stats", "inodes-missing"}, with(func(v *Volume) { v.InodesMissing = true })},
		{[]string{"stats", "missing"}, with(func(v *Volume) { v.Missing = true })},
		{[]string{"stats", "block"}, Volume{Capacity: 10 << 30, Block: true}},
		{[]string{"stats", "elastic", "used", "3Gi"}, Volume{Capacity: 1<<63 - 1<<20, Used: 3 << 30, Available: 1<<63 - 1<<20 - 3<<30, Elastic: true}},
		{[]string{"used", "91%"}, with(func(v *Volume) { v.Used, v.Available = 9507690250, usable-9507690250 })},
		{[]string{"used", "0%"}, with(func(v *Volume) { v.Used, v.Available = 0, usable })},
		{[]string{"used", "100%"}, with(func(v *Volume) { v.Used, v.Available = usable, 0 })},
		{[]string{"used", "9.1Gi"}, with(func(v *Volume) { v.Used, v.Available = 9771050599, usable-9771050599 })},
		{[]string{"used", "20Gi"}, with(func(v *Volume) { v.Used, v.Available = 20<<30, 0 })}, // more than there is
		{[]string{"available", "0"}, with(func(v *Volume) { v.Available = 0 })},
		{[]string{"capacity", "4Gi", "used", "50%"}, with(func(v *Volume) {
			v.Capacity, v.Used, v.Available = 4<<30, (4<<30-16<<20)/2, (4<<30-16<<20)/2
		})},
		{[]string{"capacity", "0"}, with(func(v *Volume) { v.Capacity, v.Used, v.Available = 0, 0, 0 })},
		{[]string{"inodes", "1k", "inodes-used", "99%"}, with(func(v *Volume) { v.Inodes, v.InodesUsed = 1000, 990 })},
		{[]string{"inodes", "0"}, with(func(v *Volume) { v.Inodes, v.InodesUsed = 0, 0 })},
		{[]string{"inodes", "10", "inodes-used", "20"}, with(func(v *Volume) { v.Inodes, v.InodesUsed = 10, 20 })},
	} {
		got, err := OfClaim(claim("data", "10Gi", test.annotations...))
		if err != nil || got != test.want {
			t.Errorf("%v: got %+v, %v; want %+v", test.annotations, got, err, test.want)
		}
	}
	for _, annotations := range [][]string{
		{"stats", "bogus"}, {"used", "much"}, {"used", "-1"}, {"used", "101%"}, {"used", "NaN%"}, {"capacity", "50%"}, {"inodes", "10%"},
	} {
		if v, err := OfClaim(claim("data", "10Gi", annotations...)); err == nil {
			t.Errorf("%v: got %+v, want an error", annotations, v)
		}
	}
}

func TestSummary(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	block := claim("block", "3Gi")
	block.Spec.VolumeMode = new(corev1.PersistentVolumeBlock)
	unbound := claim("unbound", "1Gi")
	unbound.Spec.VolumeName = ""
	claims := map[string]*corev1.PersistentVolumeClaim{}
	for _, c := range []*corev1.PersistentVolumeClaim{
		claim("data", "10Gi"), claim("web-0-scratch", "2Gi", "stats", "inodes-missing"), claim("gone", "1Gi", "stats", "missing"), block, unbound,
	} {
		claims[c.Name] = c
	}
	find := func(_, name string) *corev1.PersistentVolumeClaim { return claims[name] }
	byClaim := func(volume, claim string) corev1.Volume {
		return corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}
	}
	pod := func(name string, phase corev1.PodPhase, started bool) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Status: corev1.PodStatus{Phase: phase}}
		if started {
			p.Status.StartTime = new(metav1.NewTime(now.Add(-time.Minute)))
		}
		return p
	}
	web := pod("web-0", corev1.PodRunning, true)
	web.Spec.Volumes = []corev1.Volume{
		byClaim("data", "data"),
		{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}},
		byClaim("gone", "gone"), byClaim("raw", "block"), byClaim("later", "unbound"), byClaim("never", "nope"),
		{Name: "cache", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
	}
	web.Status.ContainerStatuses = []corev1.ContainerStatus{
		{Name: "nginx", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now.Add(-time.Minute))}}},
		{Name: "waits", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}},
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}

	summary, err := Summary(node, []*corev1.Pod{web, pod("new", corev1.PodPending, false), pod("done", corev1.PodSucceeded, true)}, find, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(summary.Pods) != 1 || len(summary.Pods[0].Containers) != 1 || summary.Node.NodeName != "n" {
		t.Fatalf("got %+v", summary)
	}
	var got []string
	for _, v := range summary.Pods[0].VolumeStats {
		ref := "-"
		if v.PVCRef != nil {
			ref = v.PVCRef.Namespace + "/" + v.PVCRef.Name
		}
		got = append(got, fmt.Sprintf("%s %s inodes=%t", v.Name, ref, v.Inodes != nil))
	}
	want := []string{"data default/data inodes=true", "scratch default/web-0-scratch inodes=false", "raw default/block inodes=true", "cache - inodes=true"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("volumes: got %q, want %q", got, want)
	}
	raw := summary.Pods[0].VolumeStats[2]
	if *raw.CapacityBytes != 3<<30 || *raw.UsedBytes != 0 || *raw.AvailableBytes != 0 || *raw.Inodes != 0 {
		t.Errorf("block volume: got %+v", raw)
	}

	claims["data"] = claim("data", "10Gi", "used", "much")
	if _, err := Summary(node, []*corev1.Pod{web}, find, now); err == nil {
		t.Error("an annotation that can't be read is not reported")
	}
}

func TestFileSystems(t *testing.T) {
	claims := map[string]*corev1.PersistentVolumeClaim{"data": claim("data", "10Gi", "stats", "missing"), "shared": claim("shared", "1Gi", "stats", "elastic")}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{
		{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}},
		{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}},
		{Name: "shared", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "shared"}}},
	}}}
	container := &corev1.Container{VolumeMounts: []corev1.VolumeMount{
		{Name: "data", MountPath: "/var/lib/mysql"}, {Name: "shared", MountPath: "/shared"}, {Name: "token", MountPath: "/run/token"}, {Name: "unknown", MountPath: "/x"},
	}}
	systems, err := FileSystems(pod, container, func(_, name string) *corev1.PersistentVolumeClaim { return claims[name] })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range systems {
		got = append(got, s.Device+" "+s.MountPoint)
	}
	want := []string{"overlay /", "tmpfs /dev", "/dev/nvme1n1 /var/lib/mysql", "127.0.0.1:/ /shared", "tmpfs /run/token"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	numbers, _ := OfClaim(claims["data"])
	if systems[2].Capacity != numbers.Capacity || systems[2].Used != numbers.Used {
		t.Errorf("df's numbers %+v differ from the kubelet's %+v", systems[2], numbers)
	}
}
