package provisioner

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
)

func waitingClass() *storagev1.StorageClass {
	return &storagev1.StorageClass{
		ObjectMeta:        metav1.ObjectMeta{Name: ClassName},
		Provisioner:       Driver,
		VolumeBindingMode: new(storagev1.VolumeBindingWaitForFirstConsumer),
	}
}

// scheduledClaim is a claim that the control plane has handed to the provisioner.
func scheduledClaim() *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "www-web-0", UID: "1234", Annotations: map[string]string{
			annProvisioner: Driver, annSelectedNode: "node",
		}},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: new(ClassName),
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
}

func TestWantsVolume(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*corev1.PersistentVolumeClaim, *storagev1.StorageClass)
		want   bool
	}{
		"scheduled": {func(*corev1.PersistentVolumeClaim, *storagev1.StorageClass) {}, true},
		"not scheduled": {func(c *corev1.PersistentVolumeClaim, _ *storagev1.StorageClass) {
			delete(c.Annotations, annSelectedNode)
		}, false},
		"someone else's": {func(c *corev1.PersistentVolumeClaim, _ *storagev1.StorageClass) {
			c.Annotations[annProvisioner] = "other"
		}, false},
		"bound": {func(c *corev1.PersistentVolumeClaim, _ *storagev1.StorageClass) { c.Spec.VolumeName = "pv" }, false},
		"going": {func(c *corev1.PersistentVolumeClaim, _ *storagev1.StorageClass) {
			c.DeletionTimestamp = new(metav1.Now())
		}, false},
		"binds immediately": {func(c *corev1.PersistentVolumeClaim, s *storagev1.StorageClass) {
			delete(c.Annotations, annSelectedNode)
			s.VolumeBindingMode = nil
		}, true},
		"the old annotation": {func(c *corev1.PersistentVolumeClaim, _ *storagev1.StorageClass) {
			delete(c.Annotations, annProvisioner)
			c.Annotations[annProvisionerBeta] = Driver
		}, true},
	} {
		claim, class := scheduledClaim(), waitingClass()
		test.change(claim, class)
		if got := wantsVolume(claim, class); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
}

func TestNewVolume(t *testing.T) {
	claim, class := scheduledClaim(), waitingClass()
	class.MountOptions = []string{"noatime"}
	volume := newVolume(claim, class, "ap-northeast-2a")
	switch spec := volume.Spec; {
	case volume.Name != "pvc-1234", volume.Annotations[annProvisionedBy] != Driver,
		spec.CSI == nil || spec.CSI.Driver != Driver || spec.CSI.FSType != "ext4" || !strings.HasPrefix(spec.CSI.VolumeHandle, "vol-0") || len(spec.CSI.VolumeHandle) != 21,
		spec.Capacity.Storage().String() != "1Gi", spec.ClaimRef.UID != "1234", spec.ClaimRef.Name != "www-web-0",
		spec.StorageClassName != ClassName, *spec.VolumeMode != corev1.PersistentVolumeFilesystem, len(spec.MountOptions) != 1,
		spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete,
		spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0].Values[0] != "ap-northeast-2a":
		t.Errorf("got %+v", volume)
	}

	claim.Spec.VolumeMode = new(corev1.PersistentVolumeBlock)
	class.ReclaimPolicy = new(corev1.PersistentVolumeReclaimRetain)
	volume = newVolume(claim, class, "")
	switch spec := volume.Spec; {
	case spec.CSI.FSType != "", *spec.VolumeMode != corev1.PersistentVolumeBlock, spec.NodeAffinity != nil,
		spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimRetain:
		t.Errorf("block volume: got %+v", volume)
	}
}

func TestWantsDeletion(t *testing.T) {
	released := func() *corev1.PersistentVolume {
		volume := newVolume(scheduledClaim(), waitingClass(), "")
		volume.Status.Phase = corev1.VolumeReleased
		return volume
	}
	for name, test := range map[string]struct {
		change func(*corev1.PersistentVolume)
		want   bool
	}{
		"released": {func(*corev1.PersistentVolume) {}, true},
		"bound":    {func(v *corev1.PersistentVolume) { v.Status.Phase = corev1.VolumeBound }, false},
		"retained": {func(v *corev1.PersistentVolume) {
			v.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
		}, false},
		"someone else's": {func(v *corev1.PersistentVolume) { v.Annotations = nil }, false},
		"going":          {func(v *corev1.PersistentVolume) { v.DeletionTimestamp = new(metav1.Now()) }, false},
	} {
		volume := released()
		test.change(volume)
		if got := wantsDeletion(volume); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
}

func TestFailure(t *testing.T) {
	claim, class := scheduledClaim(), waitingClass()
	if err := failure(claim, class); err != nil {
		t.Error(err)
	}
	class.Parameters = map[string]string{annotation.ProvisioningFailure: "of the class"}
	if err := failure(claim, class); err == nil || !strings.HasSuffix(err.Error(), "of the class") {
		t.Errorf("got %v", err)
	}
	claim.Annotations[annotation.ProvisioningFailure] = "of the claim"
	if err := failure(claim, class); err == nil || !strings.HasSuffix(err.Error(), "of the claim") {
		t.Errorf("got %v", err)
	}
}

// TestRun follows a claim through a failure, its volume, and the volume's end.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	claim := scheduledClaim()
	claim.Annotations[annotation.ProvisioningFailure] = "no space"
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node", Labels: map[string]string{corev1.LabelTopologyZone: "ap-northeast-2b"}}}
	client := fake.NewClientset(claim, node, waitingClass())
	factory := informers.NewSharedInformerFactory(client, 0)
	p, err := New(client, factory)
	if err != nil {
		t.Fatal(err)
	}
	factory.Start(ctx.Done())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()

	wait := func(what string, condition func() bool) {
		t.Helper()
		for !condition() {
			select {
			case <-ctx.Done():
				t.Fatal("no ", what)
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	wait("event", func() bool {
		events, err := client.CoreV1().Events("default").List(ctx, metav1.ListOptions{})
		if err != nil {
			return false
		}
		for _, event := range events.Items {
			if event.Reason == "ProvisioningFailed" && event.Type == corev1.EventTypeWarning && strings.Contains(event.Message, "no space") {
				return true
			}
		}
		return false
	})

	delete(claim.Annotations, annotation.ProvisioningFailure)
	if _, err := client.CoreV1().PersistentVolumeClaims("default").Update(ctx, claim, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	var volume *corev1.PersistentVolume
	wait("volume", func() bool {
		volume, err = client.CoreV1().PersistentVolumes().Get(ctx, "pvc-1234", metav1.GetOptions{})
		return err == nil
	})

	volume.Status.Phase = corev1.VolumeReleased
	if _, err := client.CoreV1().PersistentVolumes().UpdateStatus(ctx, volume, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	wait("deletion", func() bool {
		_, err := client.CoreV1().PersistentVolumes().Get(ctx, "pvc-1234", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	cancel()
	<-done
}
