//go:build linux

package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
)

func TestParseParameters(t *testing.T) {
	for _, test := range []struct {
		name  string
		given map[string]string
		mkfs  string // of file f
		err   string // a part of it
	}{
		{name: "none", mkfs: "mkfs.ext4 -q -F -m 0 f"},
		{name: "both", given: map[string]string{"reservedBlocksPercent": "5", "inodes": "64"}, mkfs: "mkfs.ext4 -q -F -m 5 -N 64 f"},
		{name: "unknown", given: map[string]string{"fsType": "xfs"}, err: `unknown parameter "fsType"`},
		{name: "no number", given: map[string]string{"inodes": "many"}, err: `"many" is not a whole number`},
		{name: "too much", given: map[string]string{"reservedBlocksPercent": "51"}, err: "not between 0 and 50"},
		{name: "too little", given: map[string]string{"inodes": "0"}, err: "less than 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := parseParameters(test.given)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(p.mkfs("f"), " "); got != test.mkfs {
				t.Errorf("got %q, want %q", got, test.mkfs)
			}
		})
	}
}

// memory is disks that remember what they were asked.
type memory struct {
	made, removed []string
	block         bool
	err           error
}

func (m *memory) create(_ context.Context, name string, _ int64, block bool, _ parameters) (string, error) {
	m.made, m.block = append(m.made, name), block
	return "/volumes/" + name, m.err
}

func (m *memory) remove(_ context.Context, name string) error {
	m.removed = append(m.removed, name)
	return m.err
}

// newTestController returns a controller whose caches hold the objects.
func newTestController(t *testing.T, disks disks, objects ...runtime.Object) (*controller, *record.FakeRecorder) {
	t.Helper()
	c := newController(fake.NewClientset(objects...), disks, "node")
	events := record.NewFakeRecorder(10)
	c.events = events
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() {
		cancel()
		c.informers.Shutdown()
		c.broadcast.Shutdown()
		c.queue.ShutDown()
	})
	c.informers.Start(ctx.Done())
	c.informers.WaitForCacheSync(ctx.Done())
	return c, events
}

func class(mode storagev1.VolumeBindingMode, parameters map[string]string) *storagev1.StorageClass {
	return &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: "class"}, Provisioner: provisionerName, VolumeBindingMode: &mode, Parameters: parameters,
	}
}

func claim(change func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	name := "class"
	c := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "data", UID: "1", Annotations: map[string]string{}},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &name,
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			},
		},
	}
	if change != nil {
		change(c)
	}
	return c
}

func TestProvision(t *testing.T) {
	immediate := class(storagev1.VolumeBindingImmediate, nil)
	waits := class(storagev1.VolumeBindingWaitForFirstConsumer, nil)
	selected := func(node string) func(*corev1.PersistentVolumeClaim) {
		return func(c *corev1.PersistentVolumeClaim) { c.Annotations[annotationSelectedNode] = node }
	}
	for _, test := range []struct {
		name  string
		class *storagev1.StorageClass
		claim *corev1.PersistentVolumeClaim
		disk  error
		made  bool
		event string // a part of it; "" for none
	}{
		{name: "immediate", class: immediate, claim: claim(nil), made: true, event: "ProvisioningSucceeded"},
		{name: "no consumer yet", class: waits, claim: claim(nil)},
		{name: "consumer here", class: waits, claim: claim(selected("node")), made: true, event: "ProvisioningSucceeded"},
		{name: "consumer elsewhere", class: waits, claim: claim(selected("other"))},
		{name: "bound", class: immediate, claim: claim(func(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = "pvc-1" })},
		{
			name: "many writers", class: immediate, event: "ProvisioningFailed access modes [ReadWriteMany]",
			claim: claim(func(c *corev1.PersistentVolumeClaim) {
				c.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
			}),
		},
		{
			name: "wrong parameter", class: class(storagev1.VolumeBindingImmediate, map[string]string{"inodes": "0"}), claim: claim(nil),
			event: "ProvisioningFailed parameter inodes",
		},
		{name: "full disk", class: immediate, claim: claim(nil), disk: errors.New("no space"), event: "ProvisioningFailed no space"},
	} {
		t.Run(test.name, func(t *testing.T) {
			disk := &memory{err: test.disk}
			c, events := newTestController(t, disk, test.class, test.claim)
			err := c.sync(t.Context(), object{"default", "data"})
			if failed := strings.Contains(test.event, "Failed"); failed != (err != nil) {
				t.Errorf("error %v, want one: %v", err, failed)
			}
			select {
			case event := <-events.Events:
				if test.event == "" || !strings.Contains(event, test.event) {
					t.Errorf("event %q, want %q", event, test.event)
				}
			default:
				if test.event != "" {
					t.Errorf("no event, want %q", test.event)
				}
			}
			volume, err := c.client.CoreV1().PersistentVolumes().Get(t.Context(), "pvc-1", metav1.GetOptions{})
			if made := err == nil; made != test.made {
				t.Fatalf("volume made: %v, want %v", made, test.made)
			}
			if test.made && (volume.Spec.Local.Path != "/volumes/pvc-1" || volume.Spec.ClaimRef.Name != "data") {
				t.Errorf("volume %+v", volume.Spec)
			}
		})
	}
}

func TestReclaim(t *testing.T) {
	for _, test := range []struct {
		name   string
		phase  corev1.PersistentVolumePhase
		policy corev1.PersistentVolumeReclaimPolicy
		by     string
		gone   bool
	}{
		{"released", corev1.VolumeReleased, corev1.PersistentVolumeReclaimDelete, provisionerName, true},
		{"retained", corev1.VolumeReleased, corev1.PersistentVolumeReclaimRetain, provisionerName, false},
		{"bound", corev1.VolumeBound, corev1.PersistentVolumeReclaimDelete, provisionerName, false},
		{"someone else's", corev1.VolumeReleased, corev1.PersistentVolumeReclaimDelete, "other", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			disk := &memory{}
			c, _ := newTestController(t, disk, &corev1.PersistentVolume{
				ObjectMeta: metav1.ObjectMeta{Name: "pvc-1", Annotations: map[string]string{annotationProvisionedBy: test.by}},
				Spec:       corev1.PersistentVolumeSpec{PersistentVolumeReclaimPolicy: test.policy},
				Status:     corev1.PersistentVolumeStatus{Phase: test.phase},
			})
			if err := c.sync(t.Context(), object{name: "pvc-1"}); err != nil {
				t.Fatal(err)
			}
			_, err := c.client.CoreV1().PersistentVolumes().Get(t.Context(), "pvc-1", metav1.GetOptions{})
			if gone := apierrors.IsNotFound(err); gone != test.gone {
				t.Errorf("object gone: %v, want %v", gone, test.gone)
			}
			if removed := slices.Equal(disk.removed, []string{"pvc-1"}); removed != test.gone {
				t.Errorf("removed %v, want it to be %v", disk.removed, test.gone)
			}
		})
	}
}
