package stsstatus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// backupGrace is how long a backup may take beyond what its schedule has it.
const backupGrace = 15 * time.Minute

// backups is what is known of the backups of a set's database.
type backups struct {
	sets.Backups
	of sets.Ref
	// unread is why nothing is concluded from what is missing.
	unread string
}

// backupsOf are those of a set; nil where no operator is known to make any.
func (x *index) backupsOf(apiVersion, kind string, meta *metav1.ObjectMeta) *backups {
	of, known := sets.BackedUp(apiVersion, kind, meta)
	if !known || !slices.Contains(x.Read, subjectBackups) { // as in older snapshots
		return nil
	}
	b := &backups{Backups: x.Backups.Of(of), of: of}
	for _, subject := range sets.BackupSubjects(of) {
		if problem, failed := x.Problems[subject]; failed {
			b.unread = finding.Why(problem)
		}
	}
	return b
}

// status is what the report has of them.
func (b *backups) status() *v1alpha1.BackupStatus {
	if b == nil {
		return nil
	}
	s := &v1alpha1.BackupStatus{Of: sets.RefOf(b.of.Kind, b.of.Name), LastSuccess: metav1.NewTime(b.LastSuccess()), Unknown: b.unread}
	if r := b.Newest(sets.BackupFailed); r != nil {
		s.LastFailure = r.At
	}
	if r := b.Newest(sets.BackupRunning); r != nil {
		s.Running = r.At
	}
	for i := range b.Schedules {
		schedule := &b.Schedules[i]
		s.Schedules = append(s.Schedules, v1alpha1.BackupSchedule{Name: sets.RefOf(schedule.Kind, schedule.Name), Cron: schedule.Cron, Suspended: schedule.Suspended})
	}
	return s
}

// lastFailed reports whether a backup has failed since the last that succeeded.
func lastFailed(b *v1alpha1.BackupStatus) bool {
	return b != nil && b.LastFailure.After(b.LastSuccess.Time)
}

// findings are what is wrong with them.
func (b *backups) findings(set string, now time.Time) []v1alpha1.Finding {
	if b == nil || b.unread != "" {
		return nil
	}
	var list []v1alpha1.Finding
	last := b.LastSuccess()
	since := "none has succeeded that is known of"
	if !last.IsZero() {
		since = fmt.Sprintf("the last that succeeded is %s old", duration.HumanDuration(now.Sub(last)))
	}
	if r := b.Newest(sets.BackupFailed); r != nil && r.At.After(last) {
		list = append(list, finding.New(v1alpha1.CodeBackupFailed, v1alpha1.SeverityWarning, []string{set}, describeRef(r.Ref),
			"the backup %s failed %s ago%s; %s", r.Name, duration.HumanDuration(now.Sub(r.At.Time)), after(": ", objects.OneLine(r.Message)), since))
	}
	active := 0
	for i := range b.Schedules {
		schedule := &b.Schedules[i]
		switch {
		case schedule.Error != "":
			active++
			list = append(list, finding.New(v1alpha1.CodeBackupFailed, v1alpha1.SeverityWarning, []string{set}, describeRef(schedule.Ref),
				"the schedule %s makes no backups: %s; %s", schedule.Name, objects.OneLine(schedule.Error), since))
		case schedule.Suspended:
		default:
			active++
			list = append(list, b.overdue(schedule, set, since, now)...)
		}
	}
	switch {
	case active > 0:
	case len(b.Schedules) > 0:
		list = append(list, finding.New(v1alpha1.CodeNoBackup, v1alpha1.SeverityInfo, []string{set}, describeRef(b.Schedules[0].Ref),
			"no backups are made: %s suspended; %s", are(len(b.Schedules), "its schedule is", "its schedules are"), since))
	case len(b.Runs) == 0:
		list = append(list, finding.New(v1alpha1.CodeNoBackup, v1alpha1.SeverityInfo, []string{set}, "",
			"no backup of %s is known of: its operator has neither made one nor a schedule for it", sets.RefOf(b.of.Kind, b.of.Name)))
	case last.IsZero() && b.Newest(sets.BackupFailed) != nil:
	default:
		list = append(list, finding.New(v1alpha1.CodeNoBackup, v1alpha1.SeverityInfo, []string{set}, "",
			"its operator has no schedule for backups of %s; %s", sets.RefOf(b.of.Kind, b.of.Name), since))
	}
	return list
}

// overdue reports a schedule by which two backups should have been made since the last that succeeded.
func (b *backups) overdue(schedule *sets.BackupSchedule, set, since string, now time.Time) []v1alpha1.Finding {
	from := b.LastSuccess()
	if schedule.Since.After(from) {
		from = schedule.Since.Time
	}
	if from.IsZero() { // since when there is this schedule is not known
		return []v1alpha1.Finding{finding.New(v1alpha1.CodeNoBackup, v1alpha1.SeverityInfo, []string{set}, describeRef(schedule.Ref),
			"no backup is known of yet that has succeeded; the schedule of %s is %s", schedule.Name, objects.OneLine(schedule.Cron))}
	}
	second, err := secondTime(schedule.Cron, schedule.TimeZone, from)
	if err != nil {
		return []v1alpha1.Finding{finding.New(v1alpha1.CodeNoBackup, v1alpha1.SeverityInfo, []string{set}, describeRef(schedule.Ref),
			"the schedule of %s can't be understood (%s), so whether a backup is overdue is unknown; %s", schedule.Name, objects.OneLine(schedule.Cron), since)}
	}
	if second.IsZero() || now.Sub(second) < backupGrace {
		return nil
	}
	f := finding.New(v1alpha1.CodeBackupOverdue, v1alpha1.SeverityWarning, []string{set}, describeRef(schedule.Ref),
		"no backup has succeeded for %s, although the schedule of %s is %s: %s", duration.HumanDuration(now.Sub(from)), schedule.Name, objects.OneLine(schedule.Cron), since)
	if r := b.Newest(sets.BackupRunning); r != nil {
		f.Message += fmt.Sprintf(", and %s has not ended for %s", r.Name, duration.HumanDuration(now.Sub(r.At.Time)))
	}
	return []v1alpha1.Finding{f}
}

// crontab reads schedules with and without seconds: CloudNativePG has them, Kubernetes has none.
var crontab = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// secondTime is the second time after another at which a schedule acts; zero if it never does. A zone that is not known counts as UTC.
func secondTime(text, zone string, from time.Time) (time.Time, error) {
	if strings.Contains(text, "TZ=") { // the parser panics at some of them, and no operator takes any
		return time.Time{}, fmt.Errorf("schedule %q", text)
	}
	schedule, err := crontab.Parse(text)
	if err != nil {
		return time.Time{}, err
	}
	location, err := time.LoadLocation(cmp.Or(zone, "UTC"))
	if err != nil {
		location = time.UTC
	}
	first := schedule.Next(from.In(location))
	if first.IsZero() {
		return first, nil
	}
	return schedule.Next(first), nil
}

// describeRef is a command that shows an object; of a part of one, the object.
func describeRef(r sets.Ref) string {
	name, _, _ := strings.Cut(r.Name, "/")
	return fmt.Sprintf("kubectl describe %s.%s %s -n %s", strings.ToLower(r.Kind), r.Group, name, r.Namespace)
}

func are(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}
