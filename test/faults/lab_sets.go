package faults

import (
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// sets has what operators use in the place of StatefulSets: their kinds as the API has them with the smallest of schemas, objects that say what the
// operators' do, and pods and claims that these own. The scheduler, the volumes and the pods are as real as elsewhere in the lab.
var sets = Bed{
	Name: "sets", Machine: Lab,
	Faults: []Fault{{
		Name: "all is well", Always: true, // with every kind that is known, and one that is not
		Inject: func(s *Set) {
			cnpg.make(s, "", "")
			strimzi.make(s, "", "")
			kubeBlocks.make(s, "", "")
			kruise.make(s, "", "")
			unheardOf.make(s, "", "")
		},
		Want: []Expect{{Code: v1alpha1.CodeNoDisruptionBudget, Severity: info, Object: "cluster/pg", Words: "no PodDisruptionBudget selects the pods"}},
	}, {
		Name: "an instance is not there", Always: true, Check: "STS001",
		Inject: func(s *Set) {
			cnpg.make(s, "", "danglingPVC: [pg-3, pg-3-wal]")
			s.Kubectl("delete", "pod", "pg-3")
			late(s, "cluster.postgresql.cnpg.io/pg")
		},
		Want: []Expect{{Code: v1alpha1.CodeOrdinalMissing, Severity: bad, Object: "pod/pg-3", Words: "pg-3 not created: RecreatingPod: no quota is left → kubectl describe cluster.postgresql.cnpg.io pg -n NS"}},
	}, {
		Name: "the operator has given up", Check: "STS038",
		Inject: func(s *Set) {
			cnpg.make(s, "", "phase: Cluster is unrecoverable and needs manual intervention, phaseReason: no primary is left")
		},
		Want: []Expect{{Code: v1alpha1.CodeOperatorReports, Severity: critical, Object: "cluster/pg", Words: "the operator says: Cluster is unrecoverable and needs manual intervention: no primary is left"}},
	}, {
		Name: "WAL is not archived", Check: "STS038",
		Inject: func(s *Set) {
			cnpg.make(s, "", `conditions: [{type: ContinuousArchiving, status: "False", reason: ContinuousArchivingFailing, message: "unexpected failure invoking barman-cloud-wal-archive", lastTransitionTime: "2026-11-28T19:29:49Z"}]`)
		},
		Want: []Expect{{Code: v1alpha1.CodeOperatorReports, Severity: warning, Object: "cluster/pg", Words: "WAL is not archived, and is kept on the primary's volume until it is: ContinuousArchivingFailing: unexpected failure"}},
	}, {
		Name: "a server is fenced", Check: "STS039",
		Inject: func(s *Set) {
			cnpg.make(s, `annotations: {cnpg.io/fencedInstances: '["pg-2"]'}`, "")
			state("pg-2", "not-ready")(s)
		},
		Want: []Expect{{Code: v1alpha1.CodeStopped, Severity: warning, Object: "pod/pg-2", Words: "pg-2 is fenced: its server is stopped on purpose while the pod runs → kubectl annotate cluster.postgresql.cnpg.io pg -n NS cnpg.io/fencedInstances-"}},
	}, {
		Name: "a cluster is hibernated", // on purpose
		Inject: func(s *Set) {
			cnpg.make(s, `annotations: {cnpg.io/hibernation: "on"}`, "")
			s.Kubectl("delete", "pod", "pg-1", "pg-2", "pg-3")
		},
		Want: []Expect{{Code: v1alpha1.CodeStopped, Severity: info, Object: "cluster/pg", Words: "the cluster is hibernated: it has no pods on purpose, and its claims are kept"}},
	}, {
		Name: "claims can't be used", Check: "STS040",
		Inject: func(s *Set) { cnpg.make(s, "", "unusablePVC: [pg-9-wal]") },
		Want:   []Expect{{Code: v1alpha1.CodeClaimUnusable, Severity: bad, Object: "persistentvolumeclaim/pg-9-wal", Words: "the operator can't use pg-9-wal"}},
	}, {
		// https://github.com/cloudnative-pg/cloudnative-pg/issues/8791
		Name: "claims are smaller than what their cluster asks for", Check: "STS016", // and its status says nothing of it
		Inject: func(s *Set) {
			cnpg.make(s, "", "")
			s.Kubectl("patch", "clusters.postgresql.cnpg.io", "pg", "--type=merge", "-p", `{"spec": {"walStorage": {"size": "2Gi"}}}`)
		},
		Want: []Expect{{Code: v1alpha1.CodeClaimDiffers, Severity: warning, Object: "persistentvolumeclaim/pg-1-wal", Words: "pg-1-wal, pg-2-wal, pg-3-wal requested 1Gi, less than the 2Gi that cluster/pg asks for"}},
	}, {
		Name: "no pod has the label of the primary", Always: true, Check: "STS041 STS042",
		Inject: func(s *Set) {
			cnpg.make(s, "", "")
			s.Kubectl("label", "pod", "pg-1", "--overwrite", "cnpg.io/instanceRole=replica")
		},
		Want: []Expect{
			{Code: v1alpha1.CodeLabelledRoles, Severity: bad, Object: "pod/pg-1", Words: "no pod is labelled primary (cnpg.io/instanceRole): pg-1, pg-2, pg-3"},
			{Code: v1alpha1.CodeRoleService, Severity: bad, Object: "service/pg-rw", Words: "the Service pg-rw selects cnpg.io/instanceRole=primary, which none of 3 pods has: it leads nowhere"},
		},
	}, {
		Name: "two pods have the label of the primary", Check: "STS041",
		Inject: func(s *Set) {
			cnpg.make(s, "", "")
			s.Kubectl("label", "pod", "pg-2", "--overwrite", "cnpg.io/instanceRole=primary")
		},
		Want: []Expect{{Code: v1alpha1.CodeLabelledRoles, Severity: bad, Object: "pod/pg-2", Words: "2 pods are labelled primary (cnpg.io/instanceRole): pg-1, pg-2"}},
	}, {
		Name: "a WAL volume is full and the data volume is not", Always: true, Check: "STS011",
		Inject: func(s *Set) {
			cnpg.make(s, "", "")
			s.Kubectl("annotate", "pvc", "pg-2-wal", "lab.doik.dev/used=95%")
		},
		Want: []Expect{{Code: v1alpha1.CodeVolumeFull, Severity: bad, Object: "persistentvolumeclaim/pg-2-wal", Words: "pg-2-wal is 95% full"}},
	}, {
		Name: "the primary's volume is full, as its label has it", Always: true, Check: "CHECK004[STS011]",
		Inject: func(s *Set) {
			cnpg.make(s, "", "")
			s.Kubectl("annotate", "pvc", "pg-1", "lab.doik.dev/used=95%")
		},
		Want: []Expect{{Code: v1alpha1.CodeWriterVolume, Severity: critical, Object: "persistentvolumeclaim/pg-1", Words: "pg-1 is 95% full, and pg-1 is labelled primary: all writes stop when it is full"}},
	}, {
		Name: "the primary's node is about to go, as its label has it", Check: "CHECK001[NODE007]",
		Inject: func(s *Set) {
			cnpg.make(s, "", "")
			s.Kubectl("taint", "node", node(s, "pg-1"), going)
		},
		Want: []Expect{{Code: v1alpha1.CodeWriterGoing, Severity: bad, Object: "pod/pg-1", Words: "pg-1 is labelled primary, and its node NS-n…is about to go away (…): switch over to a healthy replica now"}},
	}, {
		Name: "servers of one cluster, each of a set of its own, are in one zone", Always: true, Check: "CHECK005[NODE004] | CHECK005[NODE004 NODE006]", // some may be on one node
		Inject: oneZoneEach,
		Want: []Expect{
			{Code: v1alpha1.CodeZoneLoss, Severity: warning, Object: "pod/hippo-a-0", Words: "would not survive the loss of zone NS-0 (hippo-a-0, hippo-b-0, hippo-c-0): 0 of 3 pods are left"},
			{Code: v1alpha1.CodeMajorityInZone, Severity: warning, Object: "statefulset/NS/hippo-a", Words: "database cluster NS/hippo: all 3 pods are on zone NS-0, and losing it takes them all down"},
		},
	}, {
		Name: "a Kafka cluster is not ready", Check: "STS038",
		Inject: func(s *Set) {
			strimzi.make(s, "", "")
			s.status("kafka", "events", `{conditions: [{type: NotReady, status: "True", reason: InvalidResourceException, message: "storage can't be made smaller", lastTransitionTime: "2026-11-28T19:29:49.123456Z"}], observedGeneration: 1}`)
		},
		Want: []Expect{{Code: v1alpha1.CodeOperatorReports, Severity: bad, Object: "kafka/events", Words: "it is not ready: InvalidResourceException: storage can't be made smaller"}},
	}, {
		Name: "reconciliation is paused, and a broker is not there", Check: "STS001 STS039",
		Inject: func(s *Set) {
			strimzi.make(s, `annotations: {strimzi.io/pause-reconciliation: "true"}`, "")
			s.Kubectl("delete", "pod", "events-broker-2")
		},
		Want: []Expect{
			{Code: v1alpha1.CodeStopped, Severity: warning, Object: "strimzipodset/events-broker", Words: "the operator leaves strimzipodset/events-broker alone, as it was told to (the annotation strimzi.io/pause-reconciliation: true): of 3 pods 2 are ready"},
			{Code: v1alpha1.CodeOrdinalMissing, Severity: bad, Object: "pod/events-broker-2", Words: "events-broker-2 not created"},
		},
	}, {
		Name: "the operator does not run", Always: true, Check: "STS028",
		Inject: func(s *Set) {
			strimzi.make(s, "", "")
			s.Kubectl("patch", "strimzipodset.core.strimzi.io", "events-broker", "--type=merge", "-p", `{"spec": {"selector": {"matchLabels": {"more": "labels"}}}}`)
		},
		Want: []Expect{{Code: v1alpha1.CodeControllerBehind, Severity: bad, Object: "strimzipodset/events-broker", Words: "the operator has not acted on the newest state of strimzipodset/events-broker for "}},
	}, {
		Name: "an instance has failed", Check: "STS003 STS038",
		Inject: func(s *Set) {
			kubeBlocks.make(s, "", `conditions: [{type: InstanceFailure, status: "True", reason: InstanceFailure, message: '["kb-mysql-1"]', lastTransitionTime: "2026-11-28T19:29:49Z"}]`)
			hasRun("kb-mysql-1")(s)
			state("kb-mysql-1", "not-ready")(s)
		},
		Want: []Expect{{Code: v1alpha1.CodeOperatorReports, Severity: bad, Object: "instanceset/kb-mysql", Words: "instances have failed: InstanceFailure: [\"kb-mysql-1\"]"}},
	}, {
		Name: "an ordinal is left out, and its pod is still there", // which is on its way out
		Inject: func(s *Set) {
			kruise.make(s, "", "")
			s.Kubectl("patch", "statefulset.apps.kruise.io", "ads", "--type=merge", "-p", `{"spec": {"reserveOrdinals": [1]}}`)
			s.status("statefulset.apps.kruise.io", "ads", "{observedGeneration: 2, replicas: 3, readyReplicas: 3, updatedReplicas: 3}")
		},
		Want: []Expect{{Code: v1alpha1.CodeOrdinalMissing, Severity: info, Object: "pod/ads-3", Words: "ads-3 not created yet ("}},
	}, {
		Name: "a StatefulSet is deleted without its pods", Always: true, Check: "STS044",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Kubectl("delete", "sts", "web", "--cascade=orphan")
		},
		Want: []Expect{{Code: v1alpha1.CodeOrphans, Severity: warning, Object: "pod/web-0", Words: "web-0 is left of the StatefulSet web, which is gone: nothing creates it again when it ends"}},
	}, {
		Name: "a budget lets no pod go", Always: true, Check: "STS043",
		Inject: func(s *Set) {
			oneOfTwo("web")(s)
			s.Apply(`{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: all}, spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}}`)
		},
		Want: []Expect{{Code: v1alpha1.CodeBudgetBlocks, Severity: warning, Object: "poddisruptionbudget/all", Words: "the PodDisruptionBudget all (minAvailable 1, 1 pods) never lets a pod be evicted: drains"}},
	}, {
		// https://github.com/strimzi/strimzi-kafka-operator/issues/12310
		Name: "a backup has failed, and the one before is old", Always: true, Check: "STS045",
		Inject: func(s *Set) {
			cnpg.make(s, "", `conditions: [{type: LastBackupSucceeded, status: "False", reason: LastBackupFailed, message: no space left}]`)
			s.backup(&cnpgBackups, "daily-1", "cluster: {name: pg}", fmt.Sprintf("phase: completed, stoppedAt: %q", ago(50*time.Hour)))
			s.backup(&cnpgBackups, "daily-2", "cluster: {name: pg}", fmt.Sprintf("phase: failed, error: no space left, stoppedAt: %q", ago(2*time.Hour)))
			s.backup(&cnpgBackups, "other", "cluster: {name: another}", "phase: failed")
		},
		Want: []Expect{{Code: v1alpha1.CodeBackupFailed, Severity: warning, Object: "cluster/pg", Words: "the backup daily-2 failed 120m ago: no space left; the last that succeeded is 2d2h old"}},
		Then: []Step{{ // the next one succeeds, and then the schedule is suspended
			Do: func(s *Set) {
				s.backup(&cnpgBackups, "daily-3", "cluster: {name: pg}", fmt.Sprintf("phase: completed, stoppedAt: %q", ago(time.Hour)))
				s.backup(&cnpgSchedules, "daily", `cluster: {name: pg}, schedule: "0 0 2 * * *", suspend: true`, "{}")
				s.status("clusters.postgresql.cnpg.io", "pg", `{conditions: []}`)
			},
			Want: []Expect{{Code: v1alpha1.CodeNoBackup, Severity: info, Object: "cluster/pg", Words: "no backups are made: its schedule is suspended; the last that succeeded is 60m old"}},
		}},
		Repair: func(s *Set) {
			s.Kubectl("delete", "backups.postgresql.cnpg.io,scheduledbackups.postgresql.cnpg.io", "--all")
		},
	}, {
		Name: "backups are overdue", Always: true, Check: "STS046",
		Inject: func(s *Set) {
			s.define(&perconaBackups)
			s.define(&perconaClusters)
			s.threeZones()
			s.Apply(strings.Replace(s.Spread("shop-mysql", 2, false), `, set-shop-mysql: ""`, "", 1))
			s.Kubectl("rollout", "status", "sts/shop-mysql", "--timeout=300s")
			s.Apply(`{apiVersion: ps.percona.com/v1, kind: PerconaServerMySQL, metadata: {name: shop}, spec: {backup: {schedule: [{name: hourly, schedule: "0 * * * *"}]}}}`)
			uid := s.Kubectl("get", "perconaservermysqls", "shop", "-o", "jsonpath={.metadata.uid}")
			s.Kubectl("patch", "sts", "shop-mysql", "--type=merge", "-p", fmt.Sprintf(`{"metadata": {"ownerReferences": [{"apiVersion": "ps.percona.com/v1", "kind": "PerconaServerMySQL", "name": "shop", "uid": %q, "controller": true}]}}`, uid))
			s.backup(&perconaBackups, "cron-1", "clusterName: shop", fmt.Sprintf("state: Succeeded, completed: %q", ago(5*time.Hour)))
			s.backup(&perconaBackups, "cron-2", "clusterName: shop", "state: Running")
		},
		Want: []Expect{{Code: v1alpha1.CodeBackupOverdue, Severity: warning, Object: "statefulset/shop-mysql", Words: "no backup has succeeded for 5h, although the schedule of shop/hourly is 0 * * * *: the last that succeeded is 5h old, and cron-2 has not ended for … → kubectl describe perconaservermysql.ps.percona.com shop -n NS"}},
		Repair: func(s *Set) {
			s.status("perconaservermysqlbackups.ps.percona.com", "cron-2", fmt.Sprintf("{state: Succeeded, completed: %q}", ago(time.Minute)))
		},
	}, {
		Name: "a budget counts what has no scale", Always: true, Check: "STS035",
		Inject: func(s *Set) {
			strimzi.make(s, "", "")
			s.Apply(`{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: kafka}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: events-broker}}}}`)
		},
		Want: []Expect{{Code: v1alpha1.CodeBudgetUnusable, Severity: warning, Object: "poddisruptionbudget/kafka", Words: "the PodDisruptionBudget kafka can't be evaluated, and so lets no pod be evicted: "}},
	}},
}

// setKind is a kind of set, with one object of it and its pods.
type setKind struct {
	group, version, plural, kind, name string
	// scale says that the kind has a subresource scale.
	scale bool
	spec  string
	// status is what a healthy one says; more may follow.
	status string
	// pods are its pods with their claims: pg-1: pg-1 pg-1-wal.
	pods string
	// labels are those of the pods beside app; subdomain is their Service.
	labels func(pod string) string
	more   string
}

var (
	cnpg = setKind{
		group: "postgresql.cnpg.io", version: "v1", plural: "clusters", kind: "Cluster", name: "pg", scale: true,
		spec:   "instances: 3, storage: {size: 1Gi}, walStorage: {size: 1Gi}",
		status: "instances: 3, readyInstances: 3, phase: Cluster in healthy state, currentPrimary: pg-1, targetPrimary: pg-1, instanceNames: [pg-1, pg-2, pg-3]",
		pods:   "pg-1: pg-1 pg-1-wal; pg-2: pg-2 pg-2-wal; pg-3: pg-3 pg-3-wal",
		labels: func(pod string) string {
			role := "replica"
			if pod == "pg-1" {
				role = "primary"
			}
			return "cnpg.io/cluster: pg, cnpg.io/instanceName: " + pod + ", cnpg.io/podRole: instance, cnpg.io/instanceRole: " + role
		},
		more: `
apiVersion: v1
kind: Service
metadata: {name: pg-rw}
spec: {selector: {cnpg.io/cluster: pg, cnpg.io/instanceRole: primary}, ports: [{name: postgres, port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: pg-ro}
spec: {selector: {cnpg.io/cluster: pg, cnpg.io/instanceRole: replica}, ports: [{name: postgres, port: 5432}]}
`,
	}
	strimzi = setKind{
		group: "core.strimzi.io", version: "v1beta2", plural: "strimzipodsets", kind: "StrimziPodSet", name: "events-broker",
		spec:   "selector: {matchLabels: {strimzi.io/cluster: events}}, pods: [" + strings.Join([]string{kafkaPod(0), kafkaPod(1), kafkaPod(2)}, ", ") + "]",
		status: "observedGeneration: 1, pods: 3, readyPods: 3, currentPods: 3",
		pods:   "events-broker-0: data-0-events-broker-0; events-broker-1: data-0-events-broker-1; events-broker-2: data-0-events-broker-2",
		labels: func(string) string { return "strimzi.io/cluster: events, strimzi.io/kind: Kafka" },
		more: `
apiVersion: kafka.strimzi.io/v1beta2
kind: Kafka
metadata: {name: events}
spec: {}
`,
	}
	kubeBlocks = setKind{
		group: "workloads.kubeblocks.io", version: "v1", plural: "instancesets", kind: "InstanceSet", name: "kb-mysql", scale: true,
		spec:   "replicas: 3, instances: [{name: big, replicas: 1}], template: {}, volumeClaimTemplates: [{metadata: {name: data}}]",
		status: "observedGeneration: 1, replicas: 3, readyReplicas: 3, updatedReplicas: 3",
		pods:   "kb-mysql-0: data-kb-mysql-0; kb-mysql-1: data-kb-mysql-1; kb-mysql-big-0: data-kb-mysql-big-0",
		labels: func(string) string { return "app.kubernetes.io/managed-by: kubeblocks, app.kubernetes.io/instance: kb" },
	}
	kruise = setKind{
		group: "apps.kruise.io", version: "v1beta1", plural: "statefulsets", kind: "StatefulSet", name: "ads", scale: true,
		spec:   "replicas: 3, serviceName: ads, template: {}, volumeClaimTemplates: [{metadata: {name: data}}]",
		status: "observedGeneration: 1, replicas: 3, readyReplicas: 3, updatedReplicas: 3",
		pods:   "ads-0: data-ads-0; ads-1: data-ads-1; ads-2: data-ads-2",
		labels: func(string) string { return "set: ads" },
	}
	// unheardOf is a kind that no table has: its scale tells how many pods it wants.
	unheardOf = setKind{
		group: "databases.example.com", version: "v1", plural: "things", kind: "Thing", name: "thing", scale: true,
		spec:   "replicas: 2",
		status: "replicas: 2",
		pods:   "thing-a: thing-data-a; thing-b: thing-data-b",
		labels: func(string) string { return "set: thing" },
	}
	cnpgBackups     = setKind{group: "postgresql.cnpg.io", version: "v1", plural: "backups", kind: "Backup"}
	cnpgSchedules   = setKind{group: "postgresql.cnpg.io", version: "v1", plural: "scheduledbackups", kind: "ScheduledBackup"}
	perconaBackups  = setKind{group: "ps.percona.com", version: "v1", plural: "perconaservermysqlbackups", kind: "PerconaServerMySQLBackup"}
	perconaClusters = setKind{group: "ps.percona.com", version: "v1", plural: "perconaservermysqls", kind: "PerconaServerMySQL"}
	kafkas          = setKind{group: "kafka.strimzi.io", version: "v1beta2", plural: "kafkas", kind: "Kafka"}
)

func kafkaPod(n int) string {
	name := fmt.Sprintf("events-broker-%d", n)
	return fmt.Sprintf("{apiVersion: v1, kind: Pod, metadata: {name: %[1]s}, spec: {containers: [], volumes: [{name: data-0, persistentVolumeClaim: {claimName: data-0-%[1]s}}]}}", name)
}

// crd is the kind's definition. Its objects may have any field.
func (k *setKind) crd() string {
	scale := ""
	if k.scale {
		field := "replicas"
		if k.kind == "Cluster" {
			field = "instances"
		}
		scale = fmt.Sprintf(", scale: {specReplicasPath: .spec.%[1]s, statusReplicasPath: .status.%[1]s}", field)
	}
	return fmt.Sprintf(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[1]s.%[2]s}
spec:
  group: %[2]s
  scope: Namespaced
  names: {plural: %[1]s, singular: %[3]s, kind: %[4]s}
  versions: [{name: %[5]s, served: true, storage: true, subresources: {status: {}%[6]s},
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`, k.plural, k.group, strings.ToLower(k.kind), k.kind, k.version, scale)
}

// make makes an object of the kind with more metadata and status, on nodes of its own in three zones, and what its operator makes of it.
func (k *setKind) make(s *Set, metadata, status string) {
	s.Helper()
	s.define(k)
	if k.kind == "StrimziPodSet" {
		s.define(&kafkas)
	}
	if k.more != "" {
		s.Apply(k.more)
	}
	labels := k.labels("")
	if metadata != "" {
		metadata = ", " + metadata
	}
	s.Apply(fmt.Sprintf("{apiVersion: %s/%s, kind: %s, metadata: {name: %s, labels: {%s}%s}, spec: {%s}}", k.group, k.version, k.kind, k.name, labels, metadata, k.spec))
	resource := k.plural + "." + k.group
	uid := s.Kubectl("get", resource, k.name, "-o", "jsonpath={.metadata.uid}")
	if status != "" {
		status = ", " + status
	}
	s.status(resource, k.name, "{"+without(k.status, status)+status+"}")
	pods := strings.Split(k.pods, "; ")
	s.threeZones()
	var manifest strings.Builder
	wait := []string{"wait", "--for=condition=Ready", "--timeout=300s"}
	for i, line := range pods {
		pod, claims, _ := strings.Cut(line, ": ")
		owner := fmt.Sprintf("ownerReferences: [{apiVersion: %s/%s, kind: %s, name: %s, uid: %s, controller: true}]", k.group, k.version, k.kind, k.name, uid)
		var mounts, volumes []string
		for j, claim := range strings.Fields(claims) {
			fmt.Fprintf(&manifest, "---\n{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: %s, %s}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}\n", claim, owner)
			mounts = append(mounts, fmt.Sprintf("{name: v%d, mountPath: /v%d}", j, j))
			volumes = append(volumes, fmt.Sprintf("{name: v%d, persistentVolumeClaim: {claimName: %s}}", j, claim))
		}
		fmt.Fprintf(&manifest, "---\n{apiVersion: v1, kind: Pod, metadata: {name: %s, labels: {app: %s, %s}, %s}, spec: {nodeSelector: {topology.kubernetes.io/zone: %s-%d}, tolerations: [{operator: Exists}], containers: [{name: main, image: none, volumeMounts: [%s]}], volumes: [%s]}}\n",
			pod, k.name, k.labels(pod), owner, s.NS, i, strings.Join(mounts, ", "), strings.Join(volumes, ", "))
		wait = append(wait, "pod/"+pod)
	}
	s.Apply(manifest.String())
	s.Kubectl(wait...)
}

// oneZoneEach makes a database cluster as Crunchy's operator does: a StatefulSet for each server. All are in one zone.
func oneZoneEach(s *Set) {
	s.Helper()
	s.threeZones()
	for _, name := range []string{"a", "b", "c"} {
		role := "replica"
		if name == "a" {
			role = "master"
		}
		set := "hippo-" + name
		manifest := s.Spread(set, 1, false)
		manifest = strings.Replace(manifest, "metadata: {labels: {app: "+set+"}}", "metadata: {labels: {app: "+set+", postgres-operator.crunchydata.com/cluster: hippo, postgres-operator.crunchydata.com/role: "+role+"}}", 1)
		manifest = strings.Replace(manifest, "set-"+set+`: ""`, "topology.kubernetes.io/zone: "+s.NS+"-0", 1)
		s.Apply(manifest)
	}
	for _, name := range []string{"a", "b", "c"} {
		s.Kubectl("rollout", "status", "sts/hippo-"+name, "--timeout=300s")
	}
}

// threeZones makes two nodes in each of three zones, once.
func (s *Set) threeZones() {
	s.Helper()
	if s.Kubectl("get", "nodes", "-l", "test="+s.NS, "-o", "name") != "" {
		return
	}
	var machines []cluster.Machine
	for i := range 6 {
		machines = append(machines, cluster.Machine{Name: fmt.Sprintf("n%d", i), Labels: fmt.Sprintf("topology.kubernetes.io/zone=%s-%d", s.NS, i%3)})
	}
	s.Fleet(machines...)
}

// without leaves out of a healthy status what another says too.
func without(status, other string) string {
	if strings.Contains(other, "phase:") {
		return strings.Replace(status, "phase: Cluster in healthy state, ", "", 1)
	}
	return status
}

// define adds a kind to the API, for all tests.
func (s *Set) define(k *setKind) {
	s.Helper()
	if r := cluster.Run(s, k.crd(), "kubectl", "apply", "--server-side", "--force-conflicts", "-f", "-"); r.Code != 0 {
		s.Fatal(r.Err)
	}
	s.Kubectl("wait", "--for=condition=Established", "--timeout=300s", "crd/"+k.plural+"."+k.group)
}

// status writes what an operator says of an object.
func (s *Set) status(resource, name, status string) {
	s.Helper()
	s.Kubectl("patch", resource, name, "--subresource=status", "--type=merge", "-p", asJSON(s, "{status: "+status+"}"))
}

// backup makes an object of a kind that tells of backups, with what an operator says of it.
func (s *Set) backup(k *setKind, name, spec, status string) {
	s.Helper()
	s.define(k)
	s.Apply(fmt.Sprintf("{apiVersion: %s/%s, kind: %s, metadata: {name: %s}, spec: {%s}}", k.group, k.version, k.kind, name, spec))
	s.status(k.plural+"."+k.group, name, "{"+strings.Trim(status, "{}")+"}")
}

// ago is a time of a while ago, as the API writes it.
func ago(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }

// late lets an operator warn of its set, as it does when it can't go on.
func late(s *Set, ref string) {
	s.Helper()
	uid := s.Kubectl("get", ref, "-o", "jsonpath={.metadata.uid}")
	s.Apply(fmt.Sprintf(`{apiVersion: v1, kind: Event, metadata: {name: pg-warning}, type: Warning, reason: RecreatingPod, message: no quota is left, lastTimestamp: %q, reportingComponent: cloudnative-pg,
  involvedObject: {apiVersion: postgresql.cnpg.io/v1, kind: Cluster, name: pg, namespace: %s, uid: %s}}`, time.Now().UTC().Format(time.RFC3339), s.NS, uid))
}

func asJSON(s *Set, flow string) string {
	s.Helper()
	text, err := yaml.YAMLToJSON([]byte(flow))
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// CloudNativePG makes the Cluster pg of three instances in the lab, as its operator would.
func CloudNativePG(n *cluster.Namespace) { n.Helper(); cnpg.make(&Set{Namespace: n}, "", "") }

// Strimzi makes the StrimziPodSet events-broker of three brokers in the lab.
func Strimzi(n *cluster.Namespace) { n.Helper(); strimzi.make(&Set{Namespace: n}, "", "") }
