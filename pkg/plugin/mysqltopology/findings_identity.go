package mysqltopology

import (
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

// identities tells of servers that others can't tell apart.
func (j *judge) identities() {
	byID, byUUID := map[int64][]*server{}, map[string][]*server{}
	for _, s := range j.set.Servers {
		if s.ID != 0 {
			byID[s.ID] = append(byID[s.ID], s)
		}
		if s.UUID != "" {
			byUUID[s.UUID] = append(byUUID[s.UUID], s)
		}
	}
	evidence := func(list []*server, column string) (all []v1alpha1.Evidence) {
		for _, s := range list {
			all = append(all, quote(s, mysql.SubjectVariables, column)...)
		}
		return all
	}
	for _, s := range j.set.Servers {
		// Galera nodes may share an id on purpose, for GTIDs that are the same everywhere.
		if list := byID[s.ID]; len(list) > 1 && list[0] == s && j.topology.Replication != v1alpha1.ReplicationGalera {
			j.add(v1alpha1.CodeDuplicateServerID, v1alpha1.SeverityError, podNames(list), evidence(list, "server_id"),
				"%s have the same server_id %d: replicas ignore each other's transactions, and a source drops one of two connections", strings.Join(podNames(list), ", "), s.ID)
		}
		if list := byUUID[s.UUID]; len(list) > 1 && list[0] == s {
			j.add(v1alpha1.CodeDuplicateServerUUID, v1alpha1.SeverityCritical, podNames(list), evidence(list, "server_uuid"),
				"%s have the same server_uuid %s: auto.cnf was copied with the data, and their GTIDs can't be told apart", strings.Join(podNames(list), ", "), s.UUID)
		}
	}
	modes := map[string][]*server{}
	var names []string
	for _, s := range j.set.Servers {
		if mode := s.Variables.Text("gtid_mode"); mode != "" {
			if len(modes[mode]) == 0 {
				names = append(names, mode)
			}
			modes[mode] = append(modes[mode], s)
		}
	}
	if len(names) > 1 {
		var parts []string
		for _, mode := range names {
			parts = append(parts, fmt.Sprintf("%s on %s", mode, strings.Join(podNames(modes[mode]), ", ")))
		}
		j.add(v1alpha1.CodeGTIDModeMixed, v1alpha1.SeverityWarning, podNames(j.set.Servers), evidence(j.set.Servers, "gtid_mode"),
			"gtid_mode differs: %s", strings.Join(parts, "; "))
	}
}
