package replication

import (
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// identities reports servers that others can't tell apart.
func identities(j *dbtopology.Judge) {
	byID, byUUID := map[int64][]*dbstate.Server{}, map[string][]*dbstate.Server{}
	for _, s := range j.Set.Servers {
		if s.ID != 0 {
			byID[s.ID] = append(byID[s.ID], s)
		}
		if s.UUID != "" {
			byUUID[s.UUID] = append(byUUID[s.UUID], s)
		}
	}
	evidence := func(list []*dbstate.Server, column string) (all []v1alpha1.Evidence) {
		for _, s := range list {
			all = append(all, quote(s, mysql.SubjectVariables, column)...)
		}
		return all
	}
	for _, s := range j.Set.Servers {
		// Galera nodes may share an id on purpose, for GTIDs that are the same everywhere.
		if list := byID[s.ID]; len(list) > 1 && list[0] == s && j.Report.Replication != v1alpha1.ReplicationGalera {
			j.Add(v1alpha1.CodeDuplicateServerID, v1alpha1.SeverityError, dbtopology.PodNames(list), evidence(list, "server_id"),
				"%s have the same server_id %d: replicas ignore each other's transactions, and a source drops one of two connections", strings.Join(dbtopology.PodNames(list), ", "), s.ID)
		}
		if list := byUUID[s.UUID]; len(list) > 1 && list[0] == s {
			j.Add(v1alpha1.CodeDuplicateServerUUID, v1alpha1.SeverityCritical, dbtopology.PodNames(list), evidence(list, "server_uuid"),
				"%s have the same server_uuid %s: auto.cnf was copied with the data, so their GTIDs can't be told apart", strings.Join(dbtopology.PodNames(list), ", "), s.UUID)
		}
	}
	modes := map[string][]*dbstate.Server{}
	var names []string
	for _, s := range j.Set.Servers {
		if mode := Of(s.State).Variables.Text("gtid_mode"); mode != "" {
			if len(modes[mode]) == 0 {
				names = append(names, mode)
			}
			modes[mode] = append(modes[mode], s)
		}
	}
	if len(names) > 1 {
		var parts []string
		for _, mode := range names {
			parts = append(parts, fmt.Sprintf("%s on %s", mode, strings.Join(dbtopology.PodNames(modes[mode]), ", ")))
		}
		j.Add(v1alpha1.CodeGTIDModeMixed, v1alpha1.SeverityWarning, dbtopology.PodNames(j.Set.Servers), evidence(j.Set.Servers, "gtid_mode"),
			"gtid_mode differs: %s", strings.Join(parts, "; "))
	}
}
