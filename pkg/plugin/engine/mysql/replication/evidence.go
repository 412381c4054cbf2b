package replication

import (
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// quote is what a server answered to the statement of a subject: the columns that it has of those named.
func quote(s *dbstate.Server, subject mysql.Subject, columns ...string) []v1alpha1.Evidence {
	row, statement, ok := rowOf(s.State, subject)
	if !ok {
		return nil
	}
	return unlessEmpty(quoteRow(s, statement, row, columns))
}

// quoteChannel is that of a channel's row, with the channel's name where it has one.
func quoteChannel(c *dbstate.Link, s *dbstate.Server, columns ...string) []v1alpha1.Evidence {
	if c.Name != "" {
		columns = append([]string{"Channel_Name", "Connection_name"}, columns...)
	}
	d := OfChannel(c.Channel)
	return unlessEmpty(quoteRow(s, d.Statement, d.Row, columns))
}

// unlessEmpty leaves out what has none of the columns.
func unlessEmpty(e v1alpha1.Evidence) []v1alpha1.Evidence {
	if len(e.Values) == 0 {
		return nil
	}
	return []v1alpha1.Evidence{e}
}

// quoteRow is a row, without the columns that it does not have.
func quoteRow(s *dbstate.Server, statement string, row mysql.Row, columns []string) v1alpha1.Evidence {
	e := v1alpha1.Evidence{Object: finding.Ref("pod/" + s.Pod.Name), Query: statement, Values: map[string]string{}}
	for _, column := range columns {
		if value, ok := row[column]; ok {
			e.Values[column] = "NULL"
			if value != nil {
				e.Values[column] = objects.OneLine(*value)
			}
		}
	}
	return e
}

// Columns of the two threads, in the words of all versions.
var (
	receiverColumns = []string{"Replica_IO_Running", "Slave_IO_Running", "Last_IO_Errno", "Last_IO_Error", "Source_Host", "Master_Host"}
	applierColumns  = []string{"Replica_SQL_Running", "Slave_SQL_Running", "Last_SQL_Errno", "Last_SQL_Error"}
	leftoverColumns = []string{
		"Replica_IO_Running", "Slave_IO_Running", "Replica_SQL_Running", "Slave_SQL_Running", "Source_Host", "Master_Host", "Source_Log_File", "Master_Log_File", "Source_UUID", "Retrieved_Gtid_Set",
	}
	lagColumns = []string{"Seconds_Behind_Source", "Seconds_Behind_Master", "SQL_Delay", "SQL_Remaining_Delay"}
)

// proof is what a general rule rests on.
func proof(of dbtopology.Proof, s *dbstate.Server, c *dbstate.Link) []v1alpha1.Evidence {
	switch of {
	case dbtopology.ProofOfWrites:
		return quote(s, mysql.SubjectVariables, "read_only")
	case dbtopology.ProofOfRole:
		return quote(s, mysql.SubjectVariables, "read_only", "super_read_only")
	case dbtopology.ProofOfReceiver:
		return quoteChannel(c, s, receiverColumns...)
	case dbtopology.ProofOfCycle:
		return quoteChannel(c, s, "Source_Host", "Source_UUID", "Master_Host", "Master_Server_Id")
	case dbtopology.ProofOfSource:
		return quoteChannel(c, s, "Source_Host", "Source_Port", "Source_UUID", "Source_Server_Id", "Master_Host", "Master_Port", "Master_UUID", "Master_Server_Id")
	case dbtopology.ProofOfLag:
		evidence := quoteChannel(c, s, lagColumns...)
		if c.LagFrom == v1alpha1.LagFromCommits || c.LagFrom == v1alpha1.LagFromApplying {
			evidence = append(evidence, quote(s, mysql.SubjectWorkers, "APPLYING_TRANSACTION", "APPLYING_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP", "APPLYING_TRANSACTION_START_APPLY_TIMESTAMP", "LAST_APPLIED_TRANSACTION")...)
		}
		return evidence
	}
	return nil
}
