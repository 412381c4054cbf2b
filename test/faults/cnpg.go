package faults

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

const (
	operator  = "deployment/cnpg-controller-manager"
	fence     = "cnpg.io/fencedInstances"
	hibernate = "cnpg.io/hibernation"
	noImage   = "ghcr.io/cloudnative-pg/postgresql:17-none"
	walFill   = "/var/lib/postgresql/wal/fill"
	// postmaster is the first process of a server: below it, the operator's instance manager lives on.
	postmaster = "$(head -n 1 /var/lib/postgresql/data/pgdata/postmaster.pid)"
	// waiting are the reasons for which containers wait.
	waiting = ".status['initContainerStatuses','containerStatuses'][*].state.waiting.reason"
)

// cnpgOnNode has what can go wrong with a Cluster of CloudNativePG, through its operator.
var cnpgOnNode = Bed{
	Name: "cnpg", Machine: Node, OwnCluster: true,
	New: func(s *Set) {
		cluster.CloudNativePG(s)
		s.ApplyPostgres()
		s.asTheOperatorMakesIt()
	},
	Healthy: func(s *Set) { s.PostgresHealthy() },
	Faults: []Fault{{
		Name: "an instance is fenced", Always: true,
		Inject: func(s *Set) {
			pod := s.Replica()
			s.annotate(fmt.Sprintf(`%s=["%s"]`, fence, pod))
			s.Kubectl("wait", "--for=condition=Ready=False", "pod/"+pod, "--timeout=180s")
		},
		Want:   []Expect{{Code: v1alpha1.CodeStopped, Severity: warning, Object: "cluster/shop", Words: " is fenced: its server is stopped on purpose while the pod runs → kubectl annotate cluster.postgresql.cnpg.io shop -n NS cnpg.io/fencedInstances-"}},
		Check:  "STS039[PG006]",
		Repair: func(s *Set) { s.annotate(fence + "-") },
	}, {
		Name: "a backup fails", // there is no store for it
		Inject: func(s *Set) {
			s.Apply(`{apiVersion: postgresql.cnpg.io/v1, kind: Backup, metadata: {name: by-hand}, spec: {cluster: {name: shop}}}`)
			s.Kubectl("wait", "backups.postgresql.cnpg.io/by-hand", "--for=jsonpath={.status.phase}=failed", "--timeout=120s")
		},
		Want:  []Expect{{Code: v1alpha1.CodeBackupFailed, Severity: warning, Object: "cluster/shop", Words: "the backup by-hand failed … ago: …; none has succeeded that is known of → kubectl describe backup.postgresql.cnpg.io by-hand -n NS"}},
		Check: "STS045",
		Repair: func(s *Set) { // the operator would keep its condition until another backup ends
			s.Kubectl("delete", "backups.postgresql.cnpg.io", "by-hand")
			s.withoutCondition("LastBackupSucceeded")
		},
	}, {
		Name: "the cluster is hibernated",
		Inject: func(s *Set) {
			s.annotate(hibernate + "=on")
			s.Kubectl("wait", "--for=condition="+hibernate, "cluster/shop", "--timeout=300s")
		},
		Want:   []Expect{{Code: v1alpha1.CodeStopped, Severity: info, Object: "cluster/shop", Words: "the cluster is hibernated: it has no pods on purpose, and its claims are kept"}},
		Repair: func(s *Set) { s.annotate(hibernate + "=off") },
	}, {
		Name: "an instance can't be scheduled",
		Inject: func(s *Set) {
			node, pod := theNode(s), s.Replica()
			s.Cleanup(func() { s.TryKubectl("uncordon", node) })
			s.Kubectl("cordon", node)
			s.Kubectl("delete", "pod", pod, "--grace-period=1")
			cluster.Eventually(s, time.Minute, func() error { return s.says("Unschedulable", "pod/"+pod, ".status.conditions[*].reason") })
		},
		Want:   []Expect{{Code: v1alpha1.CodeUnschedulable, Severity: bad, Words: " is not scheduled: 0/1 nodes are available: 1 node(s) were unschedulable"}},
		Check:  "NODE010 STS006[PG006]",
		Repair: func(s *Set) { s.Kubectl("uncordon", theNode(s)) },
	}, {
		// https://github.com/cloudnative-pg/cloudnative-pg/issues/10761
		Name: "an instance is missing and the operator is away", Always: true,
		Inject: func(s *Set) {
			scaleOperator(s, 0)
			s.Kubectl("delete", "pod", s.Replica(), "--grace-period=1")
		},
		Want:   []Expect{{Code: v1alpha1.CodeOrdinalMissing, Severity: info, Object: "cluster/shop", Words: " not created yet ("}}, // ten minutes later it is an error
		Repair: func(s *Set) { scaleOperator(s, 1) },
	}, {
		Name: "a switchover hangs", // the server that is to be the primary does not answer
		Inject: func(s *Set) {
			pod := s.Replica()
			s.inInstance(pod, "kill -STOP "+postmaster)
			promote(s, pod)
			cluster.Eventually(s, time.Minute, func() error { return s.says("Switchover in progress", "cluster/shop", ".status.phase") })
		},
		Want: []Expect{
			{Code: v1alpha1.CodeOperatorReports, Severity: info, Object: "cluster/shop", Words: "the operator says: Switchover in progress: Switching over to shop-"},
			{Code: v1alpha1.CodeLabelledRoles, Severity: info, Words: "no pod is labelled primary (cnpg.io/instanceRole): "},
			{Code: v1alpha1.CodeRoleService, Severity: info, Object: "service/shop-rw", Words: "the Service shop-rw selects cnpg.io/instanceRole=primary, which none of 3 pods has: it leads nowhere"},
		},
		// What the operator takes for a moment, the servers tell: the old primary is shut down, and the new one hangs.
		Check: "PG006[STS003] PG013 PG070 PG073 PG079[STS042] | PG006 PG013 PG070 PG073 PG079[STS042] | PG006[STS003] PG013 PG070 PG073 | PG013 PG070 PG073",
		Repair: func(s *Set) { // its container may have been started again
			s.TryKubectl("exec", s.Postgres(".status.targetPrimary"), "-c", "postgres", "--", "sh", "-c", "kill -CONT "+postmaster)
		},
	}, {
		Name: "a WAL volume fills up", // the volume of the data does not
		Inject: func(s *Set) {
			s.inInstance(s.Instances("primary"), `set -- $(df -B1 --output=used,avail /var/lib/postgresql/wal | tail -1); head -c $((($1 + $2) * 93 / 100 - $1)) /dev/zero > `+walFill+`; sync`)
		},
		Want:   []Expect{{Code: v1alpha1.CodeWriterVolume, Severity: critical, Words: "-wal is 9…% full, and shop-…takes the writes: all writes stop when it is full"}},
		Check:  "CHECK004[STS011]",
		Repair: func(s *Set) { s.inInstance(s.Instances("primary"), "rm "+walFill+"; sync") },
	}, {
		// https://github.com/cloudnative-pg/cloudnative-pg/issues/7150
		Name: "the WAL volume of the primary is full",
		Inject: func(s *Set) {
			pod := s.Instances("primary")
			s.TryKubectl("exec", pod, "-c", "postgres", "--", "sh", "-c", "cat /dev/zero > "+walFill)
			s.TryKubectl("exec", pod, "-c", "postgres", "--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do psql -c 'CREATE TABLE IF NOT EXISTS fill (i int)' -c 'INSERT INTO fill SELECT generate_series(1, 500000)'; done")
			cluster.Eventually(s, 2*time.Minute, func() error { return s.says("Not enough disk space", "cluster/shop", ".status.phase") })
		},
		Want: []Expect{
			{Code: v1alpha1.CodeOperatorReports, Severity: critical, Object: "cluster/shop", Words: "the operator says: Not enough disk space: Insufficient disk space detected in one or more pods"},
			{Code: v1alpha1.CodeCrashLoop, Severity: bad, Words: ": container postgres is crash-looping, restarted …with exit code 4"},
		},
		Check:  "CHECK004[STS011] PG001[PG070] PG073 PG079 STS005 STS038 | PG001[PG070] PG073 PG079 STS005 STS038 | CHECK004[STS011] STS005 STS038 | STS005 STS038",
		Repair: emptyWAL,
	}, {
		Name: "a cluster has no image to begin with", Always: true,
		Inject: func(s *Set) {
			s.Apply(newCluster(noImage, ""))
			cluster.Eventually(s, time.Minute, func() error { return s.says("ImagePull", "pods", ".items[*]"+waiting) })
		},
		Want:   []Expect{{Code: v1alpha1.CodeOrdinalMissing, Severity: bad, Object: "cluster/broken", Words: "2 of 2 pods not created: broken-1-initdb-…is to prepare broken-1, and is not ready: container …ImagePull"}},
		Check:  "STS001",
		Repair: deleteCluster,
	}, {
		Name: "a cluster can't be initialized",
		Inject: func(s *Set) {
			s.Apply(newCluster("ghcr.io/cloudnative-pg/postgresql:17", `bootstrap: {initdb: {postInitSQL: ["SELECT 1/0"]}},`))
			cluster.Eventually(s, 2*time.Minute, func() error {
				return s.says("Error", "pods", ".items[*].status.containerStatuses[*].state.terminated.reason")
			})
		},
		Want:   []Expect{{Code: v1alpha1.CodeOrdinalMissing, Severity: bad, Object: "cluster/broken", Words: "2 of 2 pods not created: broken-1-initdb-…is to prepare broken-1, and is not ready: container initdb ended with exit code 1"}},
		Check:  "STS001",
		Repair: deleteCluster,
	}, {
		Name: "a new image is not there",
		Inject: func(s *Set) {
			setImage(s, noImage)
			cluster.Eventually(s, 2*time.Minute, func() error {
				return s.says("ImagePull", "pods", ".items[*]"+waiting)
			})
		},
		Want:  []Expect{{Code: v1alpha1.CodePodNotReady, Severity: bad, Words: " is not ready: …ImagePull"}},
		Check: "PG006[STS003]",
		Repair: func(s *Set) {
			setImage(s, "ghcr.io/cloudnative-pg/postgresql:17")
			for _, pod := range strings.Fields(s.Instances("")) { // the operator does not replace what does not start
				if s.says("ImagePull", "pod/"+pod, waiting) == nil {
					s.Kubectl("delete", "pod", pod, "--grace-period=1")
				}
			}
		},
	}, {
		Name: "a second budget is over the instances", Always: true,
		Inject: func(s *Set) {
			s.Apply(`{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: mine}, spec: {maxUnavailable: 1, selector: {matchLabels: {cnpg.io/cluster: shop}}}}`)
			s.Kubectl("wait", "--for=jsonpath={.status.expectedPods}=3", "pdb/mine", "--timeout=60s")
		},
		Want:   []Expect{{Code: v1alpha1.CodeBudgetUnusable, Severity: warning, Object: "poddisruptionbudget/mine", Words: "2 PodDisruptionBudgets select the same pods (mine, shop"}},
		Check:  "STS035",
		Repair: kubectl("delete pdb mine"),
	}, {
		Name:   "a replica's claim is deleted",
		Inject: func(s *Set) { s.Kubectl("delete", "pvc", s.Replica(), "--wait=false") },
		Want: []Expect{
			{Code: v1alpha1.CodeClaimTerminating, Severity: critical, Words: " has been deleted: it is removed as soon as shop-…ends, "},
			{Code: v1alpha1.CodeClaimUnusable, Severity: bad, Object: "cluster/shop", Words: "the operator can't use shop-…-wal: a claim of the same instance is missing"},
		},
		Check: "STS008 STS040",
		Then: []Step{{ // with its pod it goes: the operator makes the pod again for the claim of the WAL, and it waits for ever
			Do: func(s *Set) {
				pod := s.Kubectl("get", "pvc", "-o", "jsonpath={.items[?(@.metadata.deletionTimestamp)].metadata.name}")
				s.Kubectl("delete", "pod", pod, "--grace-period=1")
				cluster.Eventually(s, time.Minute, func() error { return s.says("Unschedulable", "pod/"+pod, ".status.conditions[*].reason") })
				cluster.Eventually(s, time.Minute, func() error { return s.says(pod+"-wal", "cluster/shop", ".status.unusablePVC") })
			},
			Want:  []Expect{{Code: v1alpha1.CodeClaimNotBound, Severity: bad, Words: " does not exist, but shop-…needs it"}},
			Check: "STS007[PG006 STS006] STS040 | STS006[PG006] STS007 STS040",
		}},
		Repair: func(s *Set) { // an instance is made in its place, with its name
			claim := s.Postgres(".status.unusablePVC[0]")
			s.Kubectl("delete", "pvc", claim, "--wait=false")
			s.Kubectl("delete", "pod", strings.TrimSuffix(claim, "-wal"), "--grace-period=1")
		},
	}},
}

// says reports an error unless an object has words at a path.
func (s *Set) says(words, object, path string) error {
	s.Helper()
	if r := s.TryKubectl("get", object, "-o", "jsonpath={"+path+"}"); !strings.Contains(r.Out, words) {
		return fmt.Errorf("%s has %q at %s, not %q: %s", object, r.Out, path, words, r.Err)
	}
	return nil
}

// none waits until kubectl get finds nothing.
func (s *Set) none(what ...string) {
	s.Helper()
	cluster.Eventually(s, 2*time.Minute, func() error {
		if left := s.Kubectl(append([]string{"get", "-o", "name"}, what...)...); left != "" {
			return fmt.Errorf("left: %s", left)
		}
		return nil
	})
}

// asTheOperatorMakesIt looks for what the API says of a healthy Cluster of the real operator, which is what the plugin goes by, and whether its commands
// have anything against it.
func (s *Set) asTheOperatorMakesIt() {
	s.Helper()
	pods, replicas, primary := strings.Fields(s.Instances("")), strings.Fields(s.Instances("replica")), s.Instances("primary")
	if fmt.Sprint(pods) != "[shop-1 shop-2 shop-3]" || len(replicas) != 2 || !slices.Contains(pods, primary) {
		s.Errorf("pods %v, replicas %v, primary %s", pods, replicas, primary)
	}
	if got, want := s.Postgres(".status.readyInstances} {.status.instanceNames} {.status.currentPrimary"), `3 ["shop-1","shop-2","shop-3"] `+primary; got != want {
		s.Errorf("status %s, want %s", got, want)
	}
	if got, want := s.Kubectl("get", "pvc", "-o", "jsonpath={range .items[*]}{.metadata.name} {.metadata.labels.cnpg\\.io/pvcRole} {.status.phase}, {end}"),
		"shop-1 PG_DATA Bound, shop-1-wal PG_WAL Bound, shop-2 PG_DATA Bound, shop-2-wal PG_WAL Bound, shop-3 PG_DATA Bound, shop-3-wal PG_WAL Bound,"; got != want {
		s.Errorf("claims %s, want %s", got, want)
	}
	for _, args := range [][]string{{"sts-status"}, {"check"}, {"nodes"}} {
		if r := s.Doik(args...); r.Code != 0 {
			s.Errorf("%s: exit code %d\n%s%s", args, r.Code, r.Out, r.Err)
		}
	}
}

func (s *Set) annotate(annotation string) {
	s.Helper()
	s.Kubectl("annotate", "cluster/shop", annotation, "--overwrite")
}

// withoutCondition takes a condition out of the cluster's status.
func (s *Set) withoutCondition(kind string) {
	s.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(s.Kubectl("get", "cluster/shop", "-o", "jsonpath={.status.conditions}")), &list); err != nil {
		s.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(c map[string]any) bool { return c["type"] == kind })
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": list}})
	if err != nil {
		s.Fatal(err)
	}
	s.Kubectl("patch", "cluster/shop", "--subresource=status", "--type=merge", "-p", string(patch))
}

// inInstance runs a script in an instance's server container.
func (s *Set) inInstance(pod, script string) {
	s.Helper()
	s.Kubectl("exec", pod, "-c", "postgres", "--", "sh", "-ec", script)
}

// scaleOperator stops the operator, or starts it, and waits for that.
func scaleOperator(s *Set, replicas int) {
	s.Helper()
	s.Kubectl("-n", "cnpg-system", "scale", operator, fmt.Sprintf("--replicas=%d", replicas))
	if replicas == 0 {
		s.none("-n", "cnpg-system", "pods")
		return
	}
	s.Kubectl("-n", "cnpg-system", "rollout", "status", operator, "--timeout=300s")
}

// promote does what kubectl cnpg promote does.
func promote(s *Set, pod string) {
	s.Helper()
	s.Kubectl("patch", "cluster/shop", "--subresource=status", "--type=merge", "-p", fmt.Sprintf(
		`{"status": {"targetPrimary": %q, "targetPrimaryTimestamp": %q, "phase": "Switchover in progress", "phaseReason": "Switching over to %[1]s"}}`,
		pod, time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")))
}

func setImage(s *Set, image string) {
	s.Helper()
	s.Kubectl("patch", "cluster/shop", "--type=merge", "-p", fmt.Sprintf(`{"spec": {"imageName": %q}}`, image))
}

// newCluster is the Cluster broken. More of its spec may be given, and ends with a comma.
func newCluster(image, spec string) string {
	return fmt.Sprintf(`{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {name: broken}, spec: {instances: 2, imageName: %q, %s
  storage: {size: 256Mi}, walStorage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 128Mi}}}}`, image, spec)
}

// deleteCluster waits until nothing is left of it.
func deleteCluster(s *Set) {
	s.Helper()
	s.Kubectl("delete", "cluster/broken")
	s.Kubectl("delete", "pods", "-l", "cnpg.io/cluster=broken", "--grace-period=1", "--ignore-not-found")
	s.none("pods,pvc", "-l", "cnpg.io/cluster=broken")
}

// emptyWAL removes what fills a WAL volume, from another pod: the instance's container does not start.
func emptyWAL(s *Set) {
	s.Helper()
	pod := s.Postgres(".status.currentPrimary")
	s.Apply(fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: broom}, spec: {restartPolicy: Never, volumes: [{name: wal, persistentVolumeClaim: {claimName: %s-wal}}],
  containers: [{name: main, image: "busybox:1.35", command: [rm, -f, /wal/fill], volumeMounts: [{name: wal, mountPath: /wal}]}]}}`, pod))
	s.Kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/broom", "--timeout=120s")
	s.Kubectl("delete", "pod", "broom")
	s.Kubectl("delete", "pod", pod, "--grace-period=1") // with how often its container has ended
}
