package dbreads

import (
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// barWidth is that of 100 %.
const barWidth = 40

var columns = printers.Columns[*v1alpha1.DatabaseReader]{
	printers.Narrow("POD", func(s *v1alpha1.DatabaseReader) printers.Cell { return printers.Text(s.Pod) }),
	printers.Narrow("ID", id).GivesWay(2),
	printers.Narrow("ROLE", roleCell),
	printers.Narrow("ENDPOINT", endpoint),
	printers.Narrow("ANSWERS", answers),
	printers.Narrow("SHARE", func(s *v1alpha1.DatabaseReader) printers.Cell {
		return printers.Text(fmt.Sprintf("%d%%", s.SharePercent))
	}),
	printers.Narrow("MEDIAN", func(s *v1alpha1.DatabaseReader) printers.Cell { return milliseconds(s.MedianMilliseconds) }),
	printers.Wide("P95", func(s *v1alpha1.DatabaseReader) printers.Cell { return milliseconds(s.P95Milliseconds) }),
	printers.Narrow("SLOWEST", func(s *v1alpha1.DatabaseReader) printers.Cell { return milliseconds(s.SlowestMilliseconds) }).GivesWay(1),
	printers.Narrow("SPREAD", spread).GivesWay(3),
}

// RowKey tells the table's rows apart.
func RowKey() func([]printers.Cell) string { return printers.RowKey(columns.Heads(), "POD") }

// Table lays a report out: a row for each server of those that are shown.
func Table(report *v1alpha1.DatabaseReadsList, show printers.Show) printers.Table {
	t := printers.Table{Columns: columns.Heads()}
	for i := range report.Items {
		item := &report.Items[i]
		block := printers.Block{Heading: heading(item), Findings: finding.Join(item.Findings)}
		troubled := finding.TroubledBy(item.Findings)
		for j := range item.Servers {
			s := &item.Servers[j]
			fine := s.Known && (s.Endpoint || s.Routed) && s.Broken == "" && s.Role != v1alpha1.RoleUnknown && !troubled.Has("Pod", item.Metadata.Namespace, s.Pod)
			block.Add(show, fine, columns.Cells(s))
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// Names are what -o name prints.
func Names(report *v1alpha1.DatabaseReadsList) []string {
	list := make([]string, len(report.Items))
	for i := range report.Items {
		list[i] = "service/" + report.Items[i].Metadata.Name
	}
	return list
}

func heading(item *v1alpha1.DatabaseReads) []printers.Cell {
	ready := printers.Text(fmt.Sprintf("%d ready endpoints", item.ReadyEndpoints))
	if item.ReadyEndpoints == 1 {
		ready.Text = "1 ready endpoint"
	}
	if item.Router != "" {
		ready.Text += " of " + item.Router
	}
	if item.ReadyEndpoints == 0 {
		ready.Level = printers.Alarm
	}
	failed := printers.Text(fmt.Sprintf("%d connections from %s, %d failed", item.Connections, item.From, item.Failed))
	if item.Failed > 0 {
		failed.Level = printers.Alarm
	}
	return []printers.Cell{
		printers.Text(fmt.Sprintf("Service %s:%d", item.Metadata.Name, item.Port)), ready, failed,
		printers.Text("sessionAffinity " + string(item.SessionAffinity)), printers.Text("internalTrafficPolicy " + string(item.InternalTrafficPolicy)),
	}
}

func id(s *v1alpha1.DatabaseReader) printers.Cell {
	if s.ServerID == nil {
		return printers.Unknown
	}
	return printers.Text(fmt.Sprint(*s.ServerID))
}

func roleCell(s *v1alpha1.DatabaseReader) printers.Cell {
	cell := printers.Text(strings.ToLower(string(s.Role)))
	if s.Role == v1alpha1.RoleUnknown {
		cell = printers.Unknown
	}
	if s.Broken != "" {
		cell = printers.Cell{Text: cell.Text + " (" + s.Broken + ")", Level: printers.Alarm}
	}
	return cell
}

func endpoint(s *v1alpha1.DatabaseReader) printers.Cell {
	switch {
	case !s.Known:
		return printers.Cell{Text: "none", Level: printers.Alarm}
	case s.Routed && s.Answers == 0:
		return printers.None
	case s.Routed:
		return printers.Text("routed")
	case !s.Endpoint:
		return printers.Cell{Text: "not ready", Level: printers.Warn}
	}
	return printers.Text("ready")
}

func answers(s *v1alpha1.DatabaseReader) printers.Cell {
	cell := printers.Text(fmt.Sprint(s.Answers))
	if s.Answers == 0 && s.Endpoint {
		cell.Level = printers.Warn
	}
	return cell
}

// spread is the share as a bar.
func spread(s *v1alpha1.DatabaseReader) printers.Cell {
	if s.Answers == 0 {
		return printers.None
	}
	return printers.Text(strings.Repeat("█", max(1, int(s.SharePercent)*barWidth/100)))
}

func milliseconds(n *int64) printers.Cell {
	if n == nil {
		return printers.None
	}
	return printers.Text(fmt.Sprintf("%dms", *n))
}
