package mysqlreads

import (
	"fmt"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// barWidth is that of 100 %.
const barWidth = 40

var columns = []printers.Column{
	{Title: "POD"}, {Title: "ID"}, {Title: "ROLE"}, {Title: "ENDPOINT"}, {Title: "ANSWERS"}, {Title: "SHARE"}, {Title: "MEDIAN"}, {Title: "P95", Wide: true}, {Title: "SLOWEST"}, {Title: "SPREAD"},
}

// RowKey tells the table's rows apart.
func RowKey() func([]printers.Cell) string { return printers.RowKey(columns, "POD") }

// Table lays a report out: a row for each server.
func Table(report *v1alpha1.MySQLReadsList) printers.Table {
	t := printers.Table{Columns: columns}
	for i := range report.Items {
		item := &report.Items[i]
		block := printers.Block{Heading: heading(item), Findings: item.Findings}
		for j := range item.Servers {
			block.Rows = append(block.Rows, cells(&item.Servers[j]))
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// Names are what -o name prints.
func Names(report *v1alpha1.MySQLReadsList) []string {
	list := make([]string, len(report.Items))
	for i := range report.Items {
		list[i] = "service/" + report.Items[i].Metadata.Name
	}
	return list
}

func heading(item *v1alpha1.MySQLReads) []printers.Cell {
	endpoints := 0
	for _, s := range item.Servers {
		if s.Endpoint {
			endpoints++
		}
	}
	ready := printers.Text(fmt.Sprintf("%d ready endpoints", endpoints))
	if endpoints == 0 {
		ready.Level = printers.Alarm
	}
	failed := printers.Text(fmt.Sprintf("%d connections from %s, %d failed", item.Connections, item.From, item.Failed))
	if item.Failed > 0 {
		failed.Level = printers.Alarm
	}
	return []printers.Cell{
		printers.Text("Service " + item.Metadata.Name), ready, failed,
		printers.Text("sessionAffinity " + item.SessionAffinity), printers.Text("internalTrafficPolicy " + item.InternalTrafficPolicy),
	}
}

func cells(s *v1alpha1.MySQLReader) []printers.Cell {
	id, role, endpoint := printers.Unknown, printers.Text(strings.ToLower(string(s.Role))), printers.Text("ready")
	if s.ServerID != nil {
		id = printers.Text(fmt.Sprint(*s.ServerID))
	}
	if s.Role == v1alpha1.RoleUnknown {
		role = printers.Unknown
	}
	if s.Broken != "" {
		role = printers.Cell{Text: role.Text + " (" + s.Broken + ")", Level: printers.Alarm}
	}
	switch {
	case !s.Known:
		endpoint = printers.Cell{Text: "none", Level: printers.Alarm}
	case !s.Endpoint:
		endpoint = printers.Cell{Text: "not ready", Level: printers.Warn}
	}
	answers := printers.Text(fmt.Sprint(s.Answers))
	if s.Answers == 0 && s.Endpoint {
		answers.Level = printers.Warn
	}
	bar := printers.Text(strings.Repeat("█", max(1, int(s.SharePercent)*barWidth/100)))
	if s.Answers == 0 {
		bar = printers.None
	}
	return []printers.Cell{
		printers.Text(s.Pod), id, role, endpoint, answers, printers.Text(fmt.Sprintf("%d%%", s.SharePercent)),
		milliseconds(s.MedianMilliseconds), milliseconds(s.P95Milliseconds), milliseconds(s.SlowestMilliseconds), bar,
	}
}

func milliseconds(n *int64) printers.Cell {
	if n == nil {
		return printers.None
	}
	return printers.Text(fmt.Sprintf("%dms", *n))
}
