//go:build integration

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// expect waits until a set has the findings of the given codes, and one of them says what is wanted. Without that one is enough.
func expect(n *cluster.Namespace, set, want string, code v1alpha1.Code, says ...string) {
	n.Helper()
	cluster.Eventually(n, 40*time.Second, func() error {
		report := cluster.Report[v1alpha1.StatefulSetStatusList](n, "sts-status", set, "--no-usage")
		s := report.Items[0]
		if got := codes(s); got != want {
			return fmt.Errorf("findings %q, want %q: %+v", got, want, s.Findings)
		}
		message := finding(s, code).Message
		for _, part := range says {
			if !strings.Contains(message, part) {
				return fmt.Errorf("no %q in %q", part, message)
			}
		}
		if len(report.Problems) > 0 {
			return fmt.Errorf("problems %+v", report.Problems)
		}
		return nil
	})
}

// class makes a StorageClass of the lab's provisioner for one test, and returns its name.
func class(n *cluster.Namespace, fields string) string {
	n.Helper()
	name := n.NS + "-class"
	n.Apply(fmt.Sprintf(`{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": %q}, "provisioner": "csi.lab.doik.dev", %s}`, name, fields))
	n.Cleanup(func() { n.TryKubectl("delete", "storageclass", name, "--ignore-not-found") })
	return name
}

// webOf is the study's StatefulSet with claims of a class.
func webOf(n *cluster.Namespace, class string) string {
	return strings.ReplaceAll(n.Manifest("web.yaml"), "accessModes", "storageClassName: "+class+", accessModes")
}

// volumeOf is the volume of the first claim of the set web.
func volumeOf(n *cluster.Namespace) string {
	n.Helper()
	return n.Kubectl("get", "pvc", "www-web-0", "-o", "jsonpath={.spec.volumeName}")
}

// TestAdmission has pods that the admission of the namespace refuses.
func TestAdmission(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.Kubectl("label", "namespace", n.NS, "pod-security.kubernetes.io/enforce=restricted")
	n.Apply(n.Manifest("web.yaml"))
	expect(n, "web", "STS001 STS002", v1alpha1.CodeOrdinalMissing, "web-0 not created: ", `violates PodSecurity "restricted:latest"`)
}

// TestProvisioning has claims that no volume is made for: the provisioner fails, and the pod is on no node.
func TestProvisioning(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	failing := class(n, `"parameters": {"lab.doik.dev/provisioning-failure": "quota of disks exceeded"}, "volumeBindingMode": "Immediate"`)
	n.Apply(webOf(n, failing))
	expect(n, "web", "STS002 STS006 STS007", v1alpha1.CodeClaimNotBound, "www-web-0 is pending: ProvisioningFailed: failed to provision volume", "quota of disks exceeded")

	n.Kubectl("delete", "sts,pvc", "--all")
	n.Apply(strings.Replace(n.Manifest("web.yaml"), "containers:", "nodeSelector: {nosuch: node}\n      containers:", 1))
	expect(n, "web", "STS002 STS006 STS007", v1alpha1.CodeClaimNotBound, "www-web-0 is pending: its volume is made where web-0 is scheduled (WaitForFirstConsumer)")
	if f := finding(n.Web(), v1alpha1.CodeClaimNotBound); f.Severity != v1alpha1.SeverityInfo {
		t.Errorf("a claim that waits for its pod: %s", f.Severity)
	}

	n.Kubectl("delete", "sts,pvc", "--all")
	n.Apply(webOf(n, `""`))
	expect(n, "web", "STS002 STS006 STS007", v1alpha1.CodeClaimNotBound, "it wants no StorageClass, and no volume of its size and access modes is free")
}

// TestZoneGone has a pod whose volume is in a zone that has no usable node left, then no node at all.
func TestZoneGone(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	name := node(n, "")
	n.Apply(strings.NewReplacer("replicas: 2", "replicas: 1", "containers:", "tolerations: [{key: test, operator: Exists}]\n      nodeSelector: {topology.kubernetes.io/zone: "+zoneOf(n)+"}\n      containers:").
		Replace(n.Manifest("web.yaml")))
	n.RolledOut()
	volume := volumeOf(n)
	n.Kubectl("cordon", name)
	n.Kubectl("delete", "pod", "web-0")
	expect(n, "web", "STS006", v1alpha1.CodeUnschedulable, "web-0 is on no node: ",
		"; its volume "+volume+" can be reached from zone "+zoneOf(n)+" only, and no node there can be used: "+name+" is not ready or cordoned")
	n.Kubectl("delete", "node", name)
	expect(n, "web", "STS006", v1alpha1.CodeUnschedulable, "; its volume "+volume+" can be reached from zone "+zoneOf(n)+" only, and there is no node there")
}

// TestVolumesLeftBehind has volumes that keep the data of deleted claims, while a new claim gets another volume, then none; and
// one whose reclaiming fails.
func TestVolumesLeftBehind(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	retaining := class(n, `"reclaimPolicy": "Retain", "volumeBindingMode": "Immediate"`)
	n.Apply(strings.Replace(webOf(n, retaining), "replicas: 2", "replicas: 1", 1))
	n.RolledOut()
	kept := volumeOf(n)
	remove := func(volume string) { n.TryKubectl("delete", "pv", volume, "--wait=false") }
	t.Cleanup(func() { remove(kept) })
	anew := func() { // the claim goes and comes back
		n.Kubectl("scale", "sts/web", "--replicas=0")
		n.Kubectl("wait", "--for=delete", "pod/web-0", "--timeout=60s")
		n.Kubectl("delete", "pvc", "www-web-0")
		n.Kubectl("scale", "sts/web", "--replicas=1")
	}
	anew()
	n.RolledOut()
	second := volumeOf(n)
	t.Cleanup(func() { remove(second) })
	// Volumes that no claim has are looked for where a claim has none, or there are many: here they would cost a list of all.
	if got := codes(n.Web()); got != "" {
		t.Errorf("findings %s", got)
	}

	n.Kubectl("patch", "pv", second, "--type=merge", "-p", `{"spec": {"persistentVolumeReclaimPolicy": "Recycle"}}`)
	n.Kubectl("delete", "storageclass", retaining)
	anew()
	cluster.Eventually(t, 30*time.Second, func() error {
		found := 0
		for _, f := range n.Web().Findings {
			switch {
			case f.Code != v1alpha1.CodeVolumeNotBound || f.Severity != v1alpha1.SeverityError:
			case f.Message == "volume "+kept+" has the data of an earlier claim www-web-0, and is released; the present claim is pending and does not get it":
				found++
			case strings.HasPrefix(f.Message, "volume "+second+" of claim www-web-0 has failed: "):
				found++
			}
		}
		if found != 2 {
			return fmt.Errorf("findings %+v", n.Web().Findings)
		}
		return nil
	})
	expect(n, "web", "STS006 STS007 STS017", v1alpha1.CodeClaimNotBound, "there is no StorageClass "+retaining)
}

// TestAttachedElsewhere has a pod that can't start because another node still has its volume.
func TestAttachedElsewhere(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	volume := volumeOf(n)
	n.Apply(fmt.Sprintf(`{"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": %q},
		"spec": {"attacher": "csi.lab.doik.dev", "nodeName": "ip-10-9-9-9", "source": {"persistentVolumeName": %q}}}`, n.NS, volume))
	t.Cleanup(func() { n.TryKubectl("delete", "volumeattachment", n.NS, "--wait=false") })
	n.Kubectl("patch", "volumeattachment", n.NS, "--subresource=status", "--type=merge", "-p", `{"status": {"attached": true,
		"detachError": {"message": "rpc error: instance is stopping"}}}`)
	expect(n, "web", "", "")
	n.Kubectl("annotate", "pod", "web-0", "lab.doik.dev/state=creating")
	n.Kubectl("create", "-f", writeEvent(t, n, "Pod", "web-0", "FailedAttachVolume", `Multi-Attach error for volume "`+volume+`" Volume is already exclusively attached to one node and can't be attached to another`))
	expect(n, "web", "STS018", v1alpha1.CodeAttachedElsewhere, "web-0 can't start on ip-10-", "the volume of www-web-0 is still attached to node ip-10-9-9-9",
		"detaching fails: rpc error: instance is stopping", "; FailedAttachVolume: Multi-Attach error")
	n.Kubectl("delete", "volumeattachment", n.NS)
	expect(n, "web", "STS003", v1alpha1.CodePodNotReady, "web-0 is not ready: container nginx: ContainerCreating; FailedAttachVolume: Multi-Attach error")
}

// writeEvent writes a manifest of an event, as a node's or a controller's client would send it, into a file.
func writeEvent(t *testing.T, n *cluster.Namespace, kind, name, reason, message string) string {
	t.Helper()
	uid := n.Kubectl("get", strings.ToLower(kind), name, "-o", "jsonpath={.metadata.uid}")
	now := time.Now().UTC().Format(time.RFC3339)
	return writeFile(t, fmt.Sprintf(`{"apiVersion": "v1", "kind": "Event", "metadata": {"generateName": "event-", "namespace": %q}, "type": "Warning", "reason": %q, "message": %q,
		"involvedObject": {"kind": %q, "namespace": %q, "name": %q, "uid": %q}, "firstTimestamp": %q, "lastTimestamp": %q, "count": 1, "source": {"component": "test"}}`,
		n.NS, reason, message, kind, n.NS, name, uid, now, now))
}

// TestResize asks for a larger volume, which nobody in the lab gives: the controllers' own event says so. What a resizer writes
// is then written in its place.
func TestResize(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	n.Kubectl("patch", "pvc", "www-web-0", "-p", `{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}`)
	expect(n, "web", "STS014 STS016", v1alpha1.CodeResizePending, "www-web-0 asks for 2Gi and has 1Gi: nobody has begun to grow it")
	expect(n, "web", "STS014 STS016", v1alpha1.CodeClaimDiffers, "www-web-0 requested 2Gi, more than the template www says (1Gi), which is what new ordinals get")
	status := func(patch string) {
		n.Kubectl("patch", "pvc", "www-web-0", "--subresource=status", "--type=merge", "-p", `{"status": `+patch+`}`)
	}
	status(`{"conditions": [{"type": "FileSystemResizePending", "status": "True", "message": "Waiting for user to (re-)start a pod to finish file system resize of volume on node."}]}`)
	expect(n, "web", "STS014 STS016", v1alpha1.CodeResizePending, "www-web-0 asks for 2Gi and has 1Gi: it is being grown; FileSystemResizePending: Waiting for user")
	status(`{"conditions": [{"type": "ControllerResizeError", "status": "True", "reason": "Infeasible", "message": "volume is too large"}],
		"allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"}}`)
	expect(n, "web", "STS015 STS016", v1alpha1.CodeResizeFailed, "www-web-0 asks for 2Gi and has 1Gi: growing it failed: Infeasible: volume is too large")
	status(`{"conditions": null, "allocatedResourceStatuses": null, "capacity": {"storage": "2Gi"}}`)
	expect(n, "web", "STS016", "")

	// The same set with a larger template: the claims that are there stay small.
	n.Kubectl("delete", "sts", "web", "--cascade=orphan")
	n.Apply(strings.Replace(n.Manifest("web.yaml"), "storage: 1Gi", "storage: 4Gi", 1))
	expect(n, "web", "STS016", v1alpha1.CodeClaimDiffers, "requested 2Gi, less than the template www says (4Gi)")
	if f := finding(n.Web(), v1alpha1.CodeClaimDiffers); f.Severity != v1alpha1.SeverityWarning {
		t.Errorf("smaller than the template: %s", f.Severity)
	}
}

// TestStuckRollout updates to an image that can't be pulled, and mends the template: in order, the broken pod stays.
func TestStuckRollout(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	template := func(state string) {
		n.Kubectl("patch", "sts", "web", "-p", fmt.Sprintf(`{"spec": {"template": {"metadata": {"annotations": {"lab.doik.dev/state": %q}}}}}`, state))
	}
	template("image-pull")
	expect(n, "web", "STS003 STS021", v1alpha1.CodeRolloutStuck, "is stuck at 1 of 2 pods: it waits for web-1, which is not ready; with OrderedReady it has to be deleted")
	template("ready")
	expect(n, "web", "STS003 STS021", v1alpha1.CodeRolloutStuck, "is stuck at 0 of 2 pods: it waits for web-1")
	n.Kubectl("delete", "pod", "web-1")
	n.RolledOut()
	expect(n, "web", "", "")
}

// TestStuckTerminating has pods that do not go: nobody ends them, and a finalizer holds one.
func TestStuckTerminating(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	release(n, "web")
	n.Kubectl("annotate", "pod", "web-0", "lab.doik.dev/state=stuck-terminating")
	n.Kubectl("patch", "pod", "web-1", "-p", `{"metadata": {"finalizers": ["doik.dev/test"]}}`)
	t.Cleanup(func() {
		n.TryKubectl("patch", "pod", "web-1", "--type=merge", "-p", `{"metadata": {"finalizers": null}}`)
	})
	n.Kubectl("delete", "pod", "web-0", "web-1", "--grace-period=1", "--wait=false")
	expect(n, "web", "STS003", v1alpha1.CodePodNotReady, "web-0 is terminating")
	cluster.Eventually(t, time.Minute, func() error {
		var messages []string
		for _, f := range n.Web().Findings {
			if f.Code == v1alpha1.CodeStuckTerminating {
				messages = append(messages, f.Message)
			}
		}
		if len(messages) != 2 || !strings.HasPrefix(messages[0], "web-0 is still terminating, ") || !strings.HasSuffix(messages[1], ": it has the finalizers doik.dev/test") {
			return fmt.Errorf("%q", messages)
		}
		return nil
	})
}

// TestNodeLost has a pod on a node that no longer reports.
func TestNodeLost(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	name := node(n, "")
	on(n, "lost", name)
	n.Kubectl("annotate", "node", name, "lab.doik.dev/state=not-ready")
	expect(n, "lost", "STS003", v1alpha1.CodePodNotReady, "lost-0 is not ready: its node "+name+" has not been ready for ")
}

// TestPlacement puts ordinals on one node, in one zone, and under a disruption budget.
func TestPlacement(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	has := func(want ...v1alpha1.Code) {
		t.Helper()
		cluster.Eventually(t, 20*time.Second, func() error {
			var got []v1alpha1.Code
			for _, f := range cluster.Report[v1alpha1.StatefulSetStatusList](n, "sts-status", "web").Items[0].Findings {
				if f.Severity != v1alpha1.SeverityInfo {
					return fmt.Errorf("%+v", f)
				}
				got = append(got, f.Code)
			}
			if !slices.Equal(got, want) {
				return fmt.Errorf("findings %v, want %v", got, want)
			}
			return nil
		})
	}
	first := node(n, "")
	second := n.NS + "-second"
	n.Kubectl("get", "node", first)
	n.Apply(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": %q, "labels": {"kubernetes.io/hostname": %q, "topology.kubernetes.io/zone": %q}},
		"spec": {"taints": [{"key": "test", "value": %q, "effect": "NoSchedule"}]}}`, second, second, zoneOf(n), n.NS))
	t.Cleanup(func() { n.TryKubectl("delete", "node", second) })
	n.Kubectl("wait", "--for=condition=Ready", "node/"+second, "--timeout=30s")
	placed := func(where string) string {
		return strings.Replace(n.Manifest("web.yaml"), "containers:", "tolerations: [{key: test, operator: Exists}]\n      "+where+"\n      containers:", 1)
	}
	n.Apply(placed("nodeSelector: {kubernetes.io/hostname: " + first + "}"))
	n.RolledOut()
	has(v1alpha1.CodeReclaimDelete, v1alpha1.CodeSharedNode, v1alpha1.CodeNoDisruptionBudget)
	n.Kubectl("create", "poddisruptionbudget", "web", "--selector=app=nginx", "--min-available=1")
	has(v1alpha1.CodeReclaimDelete, v1alpha1.CodeSharedNode)
	n.Kubectl("delete", "sts,pvc", "--all")

	n.Apply(placed(`nodeSelector: {topology.kubernetes.io/zone: ` + zoneOf(n) + `}
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: nginx}}}]`))
	n.RolledOut()
	has(v1alpha1.CodeReclaimDelete, v1alpha1.CodeSharedZone)
}

// TestRequests counts what a healthy set costs: five requests, and one for each of its nodes.
func TestRequests(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.ApplyWeb()
	log := n.Doik("sts-status", "web", "-v=6").Err
	if got := strings.Count(log, `"Response"`); got != 5+2 {
		t.Errorf("%d requests, want 5 and one for each of 2 nodes:\n%s", got, log)
	}
	for _, url := range []string{"/statefulsets/web", "/pods?", "/persistentvolumeclaims?", "/services/nginx", "/poddisruptionbudgets?"} {
		if !strings.Contains(log, url) {
			t.Errorf("no %s in\n%s", url, log)
		}
	}
}

// TestKindsOfClaims has several templates, a raw block device, a generic ephemeral volume and ordinals that begin with 3.
func TestKindsOfClaims(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.Apply(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: mix}
spec:
  serviceName: ""
  replicas: 2
  ordinals: {start: 3}
  podManagementPolicy: Parallel
  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Retain}
  selector: {matchLabels: {app: mix}}
  template:
    metadata: {labels: {app: mix}}
    spec:
      containers:
      - name: main
        image: none
        volumeMounts: [{name: data, mountPath: /data}, {name: scratch, mountPath: /scratch}]
        volumeDevices: [{name: raw, devicePath: /dev/raw}]
      volumes:
      - {name: scratch, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
  - metadata: {name: raw}
    spec: {accessModes: [ReadWriteOnce], volumeMode: Block, resources: {requests: {storage: 2Gi}}}
`)
	n.Kubectl("rollout", "status", "sts/mix", "--timeout=60s")
	cluster.Eventually(t, 20*time.Second, func() error {
		var rows []string
		for line := range strings.Lines(n.MustDoik("sts-status", "mix", "--no-headers")) {
			fields := strings.Fields(line)
			used := "used"
			if fields[7] == "n/a" {
				used = "n/a"
			}
			rows = append(rows, fmt.Sprintf("%s %s %s %s", fields[0], fields[4], fields[6], used))
		}
		want := []string{
			"mix-3 data-mix-3 1Gi used", "mix-3 raw-mix-3 2Gi n/a", "mix-3 mix-3-scratch 1Gi used",
			"mix-4 data-mix-4 1Gi used", "mix-4 raw-mix-4 2Gi n/a", "mix-4 mix-4-scratch 1Gi used",
		}
		if !slices.Equal(rows, want) {
			return fmt.Errorf("%q, want %q", rows, want)
		}
		return nil
	})
	if text := n.MustDoik("sts-status", "mix"); !strings.HasPrefix(text, "mix   2/2 ready   rollout ") || !strings.Contains(text, "   Parallel   claims: delete when scaled, retain when deleted   no governing Service\n") {
		t.Error(text)
	}
}
