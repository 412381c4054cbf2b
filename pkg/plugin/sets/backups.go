package sets

import (
	"cmp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Backups is what operators say of the backups of databases: those that were made, and what makes them.
type Backups struct {
	Runs      []BackupRun      `json:"runs,omitempty"`
	Schedules []BackupSchedule `json:"schedules,omitempty"`
}

// Ref names an object in a namespace: what is backed up, or what makes backups.
type Ref struct {
	Namespace string `json:"namespace"`
	Group     string `json:"group"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
}

// BackupState is how a backup went.
type BackupState string

// The states of a backup.
const (
	BackupSucceeded BackupState = "Succeeded"
	BackupFailed    BackupState = "Failed"
	// BackupRunning is one that has not ended, also one that has not begun.
	BackupRunning BackupState = "Running"
)

// BackupRun is one backup.
type BackupRun struct {
	Ref     `json:",inline"`
	Of      Ref         `json:"of"`
	State   BackupState `json:"state"`
	Message string      `json:"message,omitempty"`
	// At is when it ended; of one that has not, when its object was made.
	At metav1.Time `json:"at"`
}

// BackupSchedule is what makes backups regularly.
type BackupSchedule struct {
	Ref `json:",inline"`
	Of  Ref `json:"of"`
	// Cron is when, with or without a field for seconds; in TimeZone, which is UTC if empty.
	Cron      string `json:"cron"`
	TimeZone  string `json:"timeZone,omitempty"`
	Suspended bool   `json:"suspended,omitempty"`
	// Error is what its operator says is wrong with it.
	Error string `json:"error,omitempty"`
	// Since is when it was made; missing of one that is part of another object.
	Since metav1.Time `json:"since,omitzero"`
	// LastSuccess is when a CronJob's Job succeeded for the last time.
	LastSuccess metav1.Time `json:"lastSuccess,omitzero"`
}

// backupKind is a kind of object that tells of backups.
type backupKind struct {
	Kind
	// of are the groups whose clusters it tells of: its own, if there are none.
	of     []string
	decode func(o *backupObject) (Backups, error)
}

// backedUp are the kinds of objects that are backed up, with their groups.
var backedUp = map[string]string{
	"Cluster": "postgresql.cnpg.io", "MariaDB": "k8s.mariadb.com", "InnoDBCluster": "mysql.oracle.com", "PerconaServerMySQL": "ps.percona.com",
	"PerconaXtraDBCluster": "pxc.percona.com", "MySQLCluster": "moco.cybozu.com",
}

// withoutData are the components of such clusters whose sets hold no data that is backed up.
var withoutData = []string{"haproxy", "proxysql", "orchestrator", "orc", "router"}

// BackedUp is what is backed up of a set, by its own kind or by what owns it; false if the kinds of backups are not known that there are of it.
func BackedUp(apiVersion, kind string, meta *metav1.ObjectMeta) (Ref, bool) {
	if slices.Contains(withoutData, meta.Labels["app.kubernetes.io/component"]) {
		return Ref{}, false
	}
	group, _, _ := strings.Cut(apiVersion, "/")
	if backedUp[kind] == group && group != "" {
		return Ref{meta.Namespace, group, kind, meta.Name}, true
	}
	for i := range meta.OwnerReferences {
		owner := &meta.OwnerReferences[i]
		if group, _, _ := strings.Cut(owner.APIVersion, "/"); backedUp[owner.Kind] == group {
			return Ref{meta.Namespace, group, owner.Kind, owner.Name}, true
		}
	}
	return Ref{}, false
}

// backupObject is what all kinds have in common, with the object itself.
type backupObject struct {
	metav1.ObjectMeta
	object map[string]any
	kind   *Kind
}

func (o *backupObject) ref() Ref { return Ref{o.Namespace, o.kind.Group, o.kind.Name, o.Name} }

// cluster is what an object says that it is of.
func (o *backupObject) cluster(kind, name string) Ref {
	return Ref{o.Namespace, backedUp[kind], kind, name}
}

// owner is what owns an object.
func (o *backupObject) owner() (Ref, bool) {
	owner := metav1.GetControllerOfNoCopy(o)
	if owner == nil {
		return Ref{}, false
	}
	group, _, _ := strings.Cut(owner.APIVersion, "/")
	return Ref{o.Namespace, group, owner.Kind, owner.Name}, true
}

// run is the object as one backup.
func (o *backupObject) run(of Ref, state BackupState, message string, ended ...metav1.Time) Backups {
	at := o.CreationTimestamp
	if state != BackupRunning {
		for _, t := range ended {
			if !t.IsZero() {
				at = t
				break
			}
		}
	}
	return Backups{Runs: []BackupRun{{Ref: o.ref(), Of: of, State: state, Message: message, At: at}}}
}

// ofState is the state that an operator's word stands for.
func ofState(word string, succeeded string, failed ...string) BackupState {
	switch {
	case word == succeeded:
		return BackupSucceeded
	case slices.Contains(failed, word):
		return BackupFailed
	}
	return BackupRunning
}

// add adds what another object says.
func (b *Backups) add(other Backups) {
	b.Runs, b.Schedules = append(b.Runs, other.Runs...), append(b.Schedules, other.Schedules...)
}

// settle brings together what several objects say of one schedule, and keeps of the backups that which tells how things are: of each cluster the newest
// of each state. Of CronJobs remain those that are not another schedule's.
func (b *Backups) settle() {
	var jobs, schedules []BackupSchedule
	for _, s := range b.Schedules {
		if s.Kind == "CronJob" {
			jobs = append(jobs, s)
		} else {
			schedules = append(schedules, s)
		}
	}
	for _, job := range jobs {
		at := slices.IndexFunc(schedules, func(s BackupSchedule) bool { return s.Ref == job.Of })
		switch {
		case at >= 0:
			schedules[at].LastSuccess = job.LastSuccess
		case backedUp[job.Of.Kind] == job.Of.Group:
			schedules = append(schedules, job)
		}
	}
	b.Schedules = schedules
	slices.SortFunc(b.Schedules, func(x, y BackupSchedule) int { return compareRefs(x.Ref, y.Ref) })
	slices.SortFunc(b.Runs, func(x, y BackupRun) int { return cmp.Or(y.At.Compare(x.At.Time), compareRefs(x.Ref, y.Ref)) })
	type kept struct {
		of    Ref
		state BackupState
	}
	seen := map[kept]bool{}
	b.Runs = slices.DeleteFunc(b.Runs, func(r BackupRun) bool {
		key := kept{r.Of, r.State}
		defer func() { seen[key] = true }()
		return seen[key]
	})
}

func compareRefs(a, b Ref) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

// Of are the backups of one cluster.
func (b *Backups) Of(cluster Ref) Backups {
	var list Backups
	for _, r := range b.Runs {
		if r.Of == cluster {
			list.Runs = append(list.Runs, r)
		}
	}
	for _, s := range b.Schedules {
		if s.Of == cluster {
			list.Schedules = append(list.Schedules, s)
		}
	}
	return list
}

// Newest is the newest backup in a state; nil if there is none.
func (b *Backups) Newest(state BackupState) *BackupRun {
	var newest *BackupRun
	for i := range b.Runs {
		if r := &b.Runs[i]; r.State == state && (newest == nil || newest.At.Before(&r.At)) {
			newest = r
		}
	}
	return newest
}

// LastSuccess is when a backup succeeded for the last time, as far as is known; zero if never.
func (b *Backups) LastSuccess() time.Time {
	var last time.Time
	if r := b.Newest(BackupSucceeded); r != nil {
		last = r.At.Time
	}
	for i := range b.Schedules {
		if t := b.Schedules[i].LastSuccess.Time; t.After(last) {
			last = t
		}
	}
	return last
}

// BackupSubjects are the keys of problems with what tells of a cluster's backups.
func BackupSubjects(of Ref) []string {
	var list []string
	for i := range backupKinds {
		if k := &backupKinds[i]; k.tellsOf(of) {
			list = append(list, k.subject())
		}
	}
	return list
}

func (k *backupKind) subject() string { return k.Resource + "." + k.Group }

func (k *backupKind) tellsOf(r Ref) bool { return k.Group == r.Group || slices.Contains(k.of, r.Group) }
