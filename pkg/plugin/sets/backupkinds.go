package sets

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// backupKinds are the objects that tell of backups. Words and fields are those of the operators' own types: api/v1 of CloudNativePG 1.30,
// api/v1alpha1 and pkg/condition of mariadb-operator 0.38, mysqloperator/controller/backup of MySQL Operator, api/v1 of Percona Operator for MySQL,
// pkg/apis/pxc/v1 of that for XtraDB Cluster. MOCO makes a CronJob that its cluster owns.
var backupKinds = [...]backupKind{
	{Kind{Group: "postgresql.cnpg.io", Resource: "backups", Name: "Backup", versions: []string{"v1"}}, nil, decodeCNPGBackup},
	{Kind{Group: "postgresql.cnpg.io", Resource: "scheduledbackups", Name: "ScheduledBackup", versions: []string{"v1"}}, nil, decodeCNPGSchedule},
	{Kind{Group: "k8s.mariadb.com", Resource: "backups", Name: "Backup", versions: []string{"v1alpha1"}}, nil, decodeMariaDBBackup},
	{Kind{Group: "k8s.mariadb.com", Resource: "physicalbackups", Name: "PhysicalBackup", versions: []string{"v1alpha1"}}, nil, decodeMariaDBBackup},
	{Kind{Group: "mysql.oracle.com", Resource: "mysqlbackups", Name: "MySQLBackup", versions: []string{"v2"}}, nil, decodeMySQLBackup},
	{Kind{Group: "mysql.oracle.com", Resource: "innodbclusters", Name: "InnoDBCluster", versions: []string{"v2"}}, nil, decodeInnoDBCluster},
	{Kind{Group: "ps.percona.com", Resource: "perconaservermysqlbackups", Name: "PerconaServerMySQLBackup", versions: []string{"v1", "v1alpha1"}}, nil, decodePerconaBackup},
	{Kind{Group: "ps.percona.com", Resource: "perconaservermysqls", Name: "PerconaServerMySQL", versions: []string{"v1", "v1alpha1"}}, nil, decodePerconaCluster},
	{Kind{Group: "pxc.percona.com", Resource: "perconaxtradbclusterbackups", Name: "PerconaXtraDBClusterBackup", versions: []string{"v1"}}, nil, decodePerconaBackup},
	{Kind{Group: "pxc.percona.com", Resource: "perconaxtradbclusters", Name: "PerconaXtraDBCluster", versions: []string{"v1"}}, nil, decodePerconaCluster},
	{Kind{Group: "batch", Resource: "cronjobs", Name: "CronJob", versions: []string{"v1"}}, []string{"k8s.mariadb.com", "moco.cybozu.com"}, decodeCronJob},
}

func decodeCNPGBackup(o *backupObject) (Backups, error) {
	var b struct {
		Spec struct {
			Cluster struct {
				Name string `json:"name"`
			} `json:"cluster"`
		} `json:"spec"`
		Status struct {
			Phase   string      `json:"phase"`
			Error   string      `json:"error"`
			Stopped metav1.Time `json:"stoppedAt"`
			Ended   metav1.Time `json:"reconciliationTerminatedAt"`
		} `json:"status"`
	}
	err := into(o.object, &b)
	return o.run(o.cluster("Cluster", b.Spec.Cluster.Name), ofState(b.Status.Phase, "completed", "failed", "invalid backup definition"), b.Status.Error, b.Status.Stopped, b.Status.Ended), err
}

func decodeCNPGSchedule(o *backupObject) (Backups, error) {
	var b struct {
		Spec struct {
			Cluster struct {
				Name string `json:"name"`
			} `json:"cluster"`
			Schedule string `json:"schedule"`
			Suspend  bool   `json:"suspend"`
		} `json:"spec"`
		Status struct {
			Error string `json:"error"`
		} `json:"status"`
	}
	err := into(o.object, &b)
	return Backups{Schedules: []BackupSchedule{{
		Ref: o.ref(), Of: o.cluster("Cluster", b.Spec.Cluster.Name), Cron: b.Spec.Schedule, Suspended: b.Spec.Suspend, Error: b.Status.Error, Since: o.CreationTimestamp,
	}}}, err
}

// decodeMariaDBBackup reads an object that is one backup or, with a schedule, the newest of many. A Job that has failed is complete, for its reason tells
// only that; a CronJob's is not, and its reason is Scheduled.
func decodeMariaDBBackup(o *backupObject) (Backups, error) {
	var b struct {
		Spec struct {
			MariaDB struct {
				Name      string `json:"name"`
				Namespace string `json:"namespace"`
			} `json:"mariaDbRef"`
			Schedule *struct {
				Cron    string `json:"cron"`
				Suspend bool   `json:"suspend"`
			} `json:"schedule"`
		} `json:"spec"`
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	err := into(o.object, &b)
	of := o.cluster("MariaDB", b.Spec.MariaDB.Name)
	if b.Spec.MariaDB.Namespace != "" {
		of.Namespace = b.Spec.MariaDB.Namespace
	}
	var list Backups
	state, message, at := BackupRunning, "", metav1.Time{}
	for _, c := range conditionsOf(b.Status.Conditions, "Complete") {
		at = c.LastTransitionTime
		switch state = ofState(c.Reason, "", "JobFailed", "Failed"); {
		case c.Message == "Failed":
			state = BackupFailed
		case state == BackupFailed:
			message = c.Message
		case c.Status == metav1.ConditionTrue:
			state = BackupSucceeded
		}
	}
	if b.Spec.Schedule == nil || state != BackupRunning { // one that waits for its time is no backup
		list = o.run(of, state, message, at)
	}
	if s := b.Spec.Schedule; s != nil {
		list.Schedules = []BackupSchedule{{Ref: o.ref(), Of: of, Cron: s.Cron, Suspended: s.Suspend, Since: o.CreationTimestamp}}
	}
	return list, err
}

func decodeMySQLBackup(o *backupObject) (Backups, error) {
	var b struct {
		Spec struct {
			Cluster string `json:"clusterName"`
		} `json:"spec"`
		Status struct {
			Status  string `json:"status"`
			Message string `json:"message"`
			Ended   string `json:"completionTime"`
		} `json:"status"`
	}
	err := into(o.object, &b)
	ended, _ := time.Parse(time.RFC3339, b.Status.Ended) // a text there: without it, it is as old as its object
	return o.run(o.cluster("InnoDBCluster", b.Spec.Cluster), ofState(b.Status.Status, "Completed", "Error"), b.Status.Message, metav1.NewTime(ended)), err
}

func decodeInnoDBCluster(o *backupObject) (Backups, error) {
	var c struct {
		Spec struct {
			Schedules []struct {
				Name     string `json:"name"`
				Schedule string `json:"schedule"`
				Enabled  bool   `json:"enabled"`
			} `json:"backupSchedules"`
		} `json:"spec"`
	}
	err := into(o.object, &c)
	var list Backups
	for _, s := range c.Spec.Schedules {
		list.Schedules = append(list.Schedules, o.part(s.Name, s.Schedule, !s.Enabled))
	}
	return list, err
}

// part is a schedule that is a part of the cluster's object.
func (o *backupObject) part(name, cron string, suspended bool) BackupSchedule {
	ref := o.ref()
	ref.Name += "/" + name
	return BackupSchedule{Ref: ref, Of: o.ref(), Cron: cron, Suspended: suspended}
}

func decodePerconaBackup(o *backupObject) (Backups, error) {
	var b struct {
		Spec struct {
			Cluster    string `json:"clusterName"`
			PXCCluster string `json:"pxcCluster"`
		} `json:"spec"`
		Status struct {
			State   string      `json:"state"`
			Message string      `json:"stateDescription"`
			Error   string      `json:"error"`
			Ended   metav1.Time `json:"completed"`
		} `json:"status"`
	}
	err := into(o.object, &b)
	of, message := o.cluster("PerconaServerMySQL", b.Spec.Cluster), b.Status.Message
	if b.Spec.PXCCluster != "" {
		of, message = o.cluster("PerconaXtraDBCluster", b.Spec.PXCCluster), b.Status.Error
	}
	return o.run(of, ofState(b.Status.State, "Succeeded", "Failed", "Error"), message, b.Status.Ended), err
}

func decodePerconaCluster(o *backupObject) (Backups, error) {
	var c struct {
		Spec struct {
			Backup struct {
				Schedule []struct {
					Name     string `json:"name"`
					Schedule string `json:"schedule"`
				} `json:"schedule"`
			} `json:"backup"`
		} `json:"spec"`
	}
	err := into(o.object, &c)
	var list Backups
	for _, s := range c.Spec.Backup.Schedule {
		list.Schedules = append(list.Schedules, o.part(s.Name, s.Schedule, false))
	}
	return list, err
}

// decodeCronJob reads one that an operator has made: what owns it is a cluster, or what makes its backups.
func decodeCronJob(o *backupObject) (Backups, error) {
	var c struct {
		Spec struct {
			Schedule string `json:"schedule"`
			TimeZone string `json:"timeZone"`
			Suspend  bool   `json:"suspend"`
		} `json:"spec"`
		Status struct {
			LastSuccess metav1.Time `json:"lastSuccessfulTime"`
		} `json:"status"`
	}
	of, owned := o.owner()
	if !owned {
		return Backups{}, nil
	}
	err := into(o.object, &c)
	return Backups{Schedules: []BackupSchedule{{
		Ref: o.ref(), Of: of, Cron: c.Spec.Schedule, TimeZone: c.Spec.TimeZone, Suspended: c.Spec.Suspend, Since: o.CreationTimestamp, LastSuccess: c.Status.LastSuccess,
	}}}, err
}
