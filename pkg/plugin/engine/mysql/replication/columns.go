package replication

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// columns are those that only this engine has; wide are shown with -o wide.
var (
	columns = printers.Columns[dbtopology.Row]{
		printers.Narrow("GTID", gtid),
		printers.Narrow("ID", dbtopology.Known(func(s *v1alpha1.DatabaseServer) string {
			if own(s).ServerID == nil {
				return ""
			}
			return fmt.Sprint(*own(s).ServerID)
		})),
	}
	wide = printers.Columns[dbtopology.Row]{
		printers.Wide("UUID", dbtopology.Known(func(s *v1alpha1.DatabaseServer) string { return own(s).ServerUUID })),
	}
)

// gtid is what a source has, and how far a replica is from it: = or -2 trx.
func gtid(r dbtopology.Row) printers.Cell {
	c := r.Channel
	switch {
	case r.Unknown():
		return printers.Unknown
	case r.Server.MySQL == nil, c == nil && own(r.Server).GTIDExecuted == "":
		return printers.None
	case c == nil:
		return printers.Text(abbreviated(own(r.Server).GTIDExecuted))
	case ownChannel(c).BehindTransactions == nil && c.BehindBytes == nil && ownChannel(c).ErrantGTIDs == "":
		return printers.Unknown
	}
	var cell printers.Cell
	switch {
	case ownChannel(c).BehindTransactions != nil && *ownChannel(c).BehindTransactions > 0:
		cell.Text = fmt.Sprintf("-%d trx", *ownChannel(c).BehindTransactions)
	case c.BehindBytes != nil && *c.BehindBytes > 0:
		cell.Text = fmt.Sprintf("-%d B", *c.BehindBytes)
	default:
		cell.Text = "="
	}
	if ownChannel(c).ErrantGTIDs != "" {
		cell.Level = printers.Alarm
		if set, err := mysql.ParseGTIDSet(ownChannel(c).ErrantGTIDs); err == nil {
			cell.Text += fmt.Sprintf(", errant %d", set.Count())
		} else {
			cell.Text += ", errant " + ownChannel(c).ErrantGTIDs
		}
	}
	return cell
}

// abbreviated shortens UUIDs to their beginnings, and a set of many servers to its first.
func abbreviated(executed string) string {
	set, err := mysql.ParseGTIDSet(executed)
	if err != nil {
		return executed // MariaDB's are short
	}
	sources := slices.Sorted(maps.Keys(set))
	if len(sources) == 0 {
		return "-"
	}
	first, _, _ := strings.Cut(set.String(), ",")
	uuid, rest, _ := strings.Cut(first, ":")
	text := uuid[:min(4, len(uuid))] + "…:" + rest
	if n := len(set.UUIDs()); n > 1 {
		text += fmt.Sprintf(" +%d", n-1)
	}
	return text
}
