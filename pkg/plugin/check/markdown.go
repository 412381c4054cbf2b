package check

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// Markdown writes a report for tickets and for the summaries of CI jobs.
func Markdown(report *v1alpha1.HealthCheckList) []byte {
	var out strings.Builder
	if report.Metadata.Snapshot != nil {
		fmt.Fprintf(&out, "Snapshot of %s UTC, context %s\n\n", report.Metadata.Time.UTC().Format(time.DateTime), markdown(report.Metadata.Context))
	}
	fmt.Fprintf(&out, "**%s**\n\n", markdown(verdict(report, View{Info: true}).Text))
	if len(report.Items) > 0 {
		out.WriteString("| Name | Ready | Health | Findings | Checked |\n|---|---|---|---|---|\n")
	}
	for i := range report.Items {
		c := &report.Items[i]
		cells := columns(View{}).Cells(c)
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", markdown(qualified(c)), markdown(cells[1].Text), markdown(cells[2].Text), markdown(cells[3].Text), markdown(cells[4].Text))
	}
	for i := range report.Items {
		c := &report.Items[i]
		list := shown(c, View{Info: true})
		if len(list) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n### %s\n\n", markdown(qualified(c)))
		for _, f := range list {
			fmt.Fprintf(&out, "- **%s** %s: %s", f.Severity, f.Code, markdown(f.Message))
			if remedy := cmp.Or(f.Remedy.Command, f.Remedy.Explain); remedy != "" {
				fmt.Fprintf(&out, " → %s", markdown(remedy))
			}
			out.WriteByte('\n')
		}
	}
	if len(report.Problems) > 0 {
		out.WriteString("\n### Could not be read\n\n")
		for _, p := range report.Problems {
			fmt.Fprintf(&out, "- %s: %s\n", markdown(p.Subject), markdown(p.Message))
		}
	}
	return []byte(out.String())
}

// markdown escapes what Markdown or HTML would take for more than text: it may come from the cluster.
func markdown(text string) string {
	var out strings.Builder
	for _, r := range printers.Escape(text) {
		switch r {
		case '&':
			out.WriteString("&amp;")
			continue
		case '<':
			out.WriteString("&lt;")
			continue
		case '>':
			out.WriteString("&gt;")
			continue
		case '\\', '`', '*', '_', '[', ']', '|', '#', '!', '~':
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
