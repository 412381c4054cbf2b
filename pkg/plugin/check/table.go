package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// View says what of a report is shown.
type View struct {
	// Namespaces shows the column NAMESPACE.
	Namespaces bool
	// Info shows informational findings.
	Info bool
	// Show is which rows are shown.
	Show printers.Show
	// Now is the moment that ages are counted from.
	Now time.Time
}

// severityIgnored stands in the place of a severity where a finding is ignored.
const severityIgnored v1alpha1.Severity = "ignored"

// Table lays a report out: a line for each item, then the findings item by item, and in the end whether anything is wrong.
func Table(report *v1alpha1.HealthCheckList, v View) printers.Table {
	cols := columns(v)
	t := printers.Table{Columns: cols.Heads()}
	var lines printers.Block
	for i := range report.Items {
		c := &report.Items[i]
		lines.Add(v.Show, c.Health == v1alpha1.HealthOK, cols.Cells(c))
	}
	t.Blocks = append(t.Blocks, lines)
	for i := range report.Items {
		if c := &report.Items[i]; len(shown(c, v)) > 0 {
			name := Name(c)
			if v.Namespaces && c.Metadata.Namespace != "" {
				name = c.Metadata.Namespace + "/" + name
			}
			t.Blocks = append(t.Blocks, printers.Block{Heading: []printers.Cell{printers.Text(name)}, Findings: shown(c, v), Apart: true})
		}
	}
	t.Blocks = append(t.Blocks, printers.Block{Heading: []printers.Cell{verdict(report, v)}, Apart: true})
	return t
}

func columns(v View) printers.Columns[*v1alpha1.HealthCheck] {
	all := printers.Columns[*v1alpha1.HealthCheck]{
		printers.Narrow("NAME", func(c *v1alpha1.HealthCheck) printers.Cell { return printers.Text(Name(c)) }),
		printers.Narrow("READY", ready),
		printers.Narrow("HEALTH", health),
		printers.Narrow("FINDINGS", counts).Shrinks(printers.Wrap),
		printers.Narrow("CHECKED", checked).Shrinks(printers.Wrap),
		printers.Narrow("AGE", func(c *v1alpha1.HealthCheck) printers.Cell { return age(c, v.Now) }).GivesWay(1),
	}
	if v.Namespaces {
		all = slices.Insert(all, 0, printers.Narrow("NAMESPACE", namespace))
	}
	return all
}

// RowKey tells rows apart: by namespace and name.
func RowKey(v View) func(row []printers.Cell) string {
	return printers.RowKey(columns(v).Heads(), "NAMESPACE", "NAME")
}

// Name is what an item is called: a StatefulSet by its name, something else with its kind.
func Name(c *v1alpha1.HealthCheck) string {
	switch c.Subject {
	case v1alpha1.SubjectStatefulSet:
		return c.Metadata.Name
	case v1alpha1.SubjectCluster:
		return "(cluster)"
	case v1alpha1.SubjectSet:
		return strings.ToLower(c.Controller.Kind) + "/" + c.Metadata.Name
	case v1alpha1.SubjectVolumes:
		return "(claims of no set)"
	}
	return resourceOf(c) + "/" + c.Metadata.Name
}

func namespace(c *v1alpha1.HealthCheck) printers.Cell {
	if c.Metadata.Namespace == "" {
		return printers.None
	}
	return printers.Text(c.Metadata.Namespace)
}

func ready(c *v1alpha1.HealthCheck) printers.Cell {
	r := c.Replicas
	if r == nil {
		return printers.None
	}
	cell := printers.Text(fmt.Sprintf("%d/%d", r.Ready, r.Desired))
	if r.DesiredUnknown != "" {
		cell.Text = fmt.Sprintf("%d/unknown", r.Ready)
	}
	if r.Ready < r.Desired {
		cell.Level = printers.Warn
	}
	return cell
}

func age(c *v1alpha1.HealthCheck, now time.Time) printers.Cell {
	created := c.Metadata.CreationTimestamp
	if created.IsZero() {
		return printers.None
	}
	return printers.Text(duration.HumanDuration(now.Sub(created.Time)))
}

// health is the verdict on an item.
func health(c *v1alpha1.HealthCheck) printers.Cell {
	cell := printers.Cell{Text: string(c.Health), Level: printers.LevelOf(v1alpha1.Severity(c.Health))}
	if c.Health == v1alpha1.HealthUnknown {
		cell.Level = printers.Warn
	}
	return cell
}

// counts are the findings by severity, the worst first.
func counts(c *v1alpha1.HealthCheck) printers.Cell {
	number := map[v1alpha1.Severity]int{}
	progressing := 0
	for _, f := range joined(c) {
		if f.Progressing {
			progressing++
		} else {
			number[f.Severity]++
		}
	}
	var words []string
	for _, s := range slices.Backward(v1alpha1.Severities[:]) {
		if number[s] > 0 {
			words = append(words, countOf(number[s], s))
		}
	}
	if progressing > 0 {
		words = append(words, fmt.Sprintf("%d progressing", progressing))
	}
	if len(c.Ignored) > 0 {
		words = append(words, fmt.Sprintf("%d ignored", len(c.Ignored)))
	}
	if len(words) == 0 {
		return printers.None
	}
	return printers.Text(strings.Join(words, ", "))
}

// checked says what was looked at, and of what not all could be.
func checked(c *v1alpha1.HealthCheck) printers.Cell {
	words := map[v1alpha1.CheckPart]string{
		v1alpha1.PartOrdinals: "ordinal", v1alpha1.PartVolumes: "volume", v1alpha1.PartDNS: "DNS record", v1alpha1.PartNodes: "node", v1alpha1.PartServers: "server",
	}
	var list []string
	cell := printers.Cell{}
	for _, p := range c.Checked {
		unread := len(finding.GapsOf(p, v1alpha1.GapUnread)) > 0
		if unread {
			cell.Level = printers.Warn
		}
		text := count(int(p.Of), words[p.Part])
		switch {
		case p.Of == 0 && unread:
			text = words[p.Part] + "s unknown"
		case p.Of == 0:
			continue // left out, or not covered: the last line says so
		case p.Number < p.Of:
			text = fmt.Sprintf("%d of %s", p.Number, text)
		}
		list = append(list, text)
	}
	if len(list) == 0 {
		return printers.None
	}
	cell.Text = strings.Join(list, ", ")
	return cell
}

// joined are the findings of an item with what other codes say of the same, those that differ in names only as one: what is counted is what
// the table has lines of.
func joined(c *v1alpha1.HealthCheck) []v1alpha1.Finding {
	list := make([]v1alpha1.Finding, len(c.Findings))
	for i := range c.Findings {
		list[i] = c.Findings[i].Finding
		list[i].Message += also(c.Findings[i].Also)
	}
	return finding.Join(list)
}

// found counts the findings of a report by severity, each once, as the table has lines of them.
func found(report *v1alpha1.HealthCheckList) map[v1alpha1.Severity]int {
	number := map[v1alpha1.Severity]int{}
	for _, f := range distinct(report, joined) {
		if !f.Progressing {
			number[f.Severity]++
		}
	}
	return number
}

// shown are the findings of an item that the table has, and those that are ignored, with the reason.
func shown(c *v1alpha1.HealthCheck, v View) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	for _, f := range joined(c) {
		if v.Info || f.Progressing || f.Severity != v1alpha1.SeverityInfo {
			list = append(list, f)
		}
	}
	for i := range c.Ignored {
		f := c.Ignored[i].Finding
		f.Severity, f.Progressing, f.Remedy = severityIgnored, false, v1alpha1.Remedy{Command: ignoredBy(&c.Ignored[i])} // who has accepted it, in the place of what to do
		list = append(list, f)
	}
	return list
}

func also(codes []v1alpha1.Code) string {
	if len(codes) == 0 {
		return ""
	}
	words := make([]string, len(codes))
	for i, code := range codes {
		words[i] = string(code)
	}
	return " (also " + strings.Join(words, ", ") + ")"
}

func ignoredBy(f *v1alpha1.IgnoredFinding) string {
	reason := "no reason given"
	if f.IgnoreReason != "" {
		reason = f.IgnoreReason
	}
	return finding.Object(f.By, f.By.Namespace) + ": " + reason
}

// verdict is the last line: whether anything is wrong, what could not be read, and what was not looked at.
func verdict(report *v1alpha1.HealthCheckList, v View) printers.Cell {
	sum, number := &report.Summary, found(report)
	sets := count(int(sum.Sets), things(report))
	healthy := fmt.Sprintf("%s, %d of them healthy", sets, sum.Healthy)
	if claims := count(int(sum.Claims), "claim") + " of no set"; sum.Claims > 0 && sum.Sets == 0 {
		sets, healthy = claims, claims
	} else if sum.Claims > 0 {
		sets += " and " + claims
	}
	var words []string
	for _, s := range slices.Backward(v1alpha1.Severities[1:]) { // without those of severity info
		if number[s] > 0 {
			words = append(words, countOf(number[s], s))
		}
	}
	text := "Nothing is wrong with " + sets
	if health := overall(report); health != v1alpha1.HealthOK {
		text = healthy
		for _, n := range [...]struct {
			number int32
			word   v1alpha1.Health
		}{{sum.Progressing, v1alpha1.HealthProgressing}, {sum.Unknown, v1alpha1.HealthUnknown}} {
			if n.number > 0 {
				text += fmt.Sprintf(", %d %s", n.number, n.word)
			}
		}
		if len(words) > 0 {
			text += ": " + strings.Join(words, ", ")
		}
	}
	if n := number[v1alpha1.SeverityInfo]; n > 0 && !v.Info {
		text += fmt.Sprintf("; %d informational: show with -o wide", n)
	}
	text += "."
	for _, gap := range [...]struct {
		kind  v1alpha1.GapKind
		title string
	}{
		{v1alpha1.GapUnread, "Could not be read"}, {v1alpha1.GapPending, "Not there yet"},
		{v1alpha1.GapNotAsked, "Skipped"}, {v1alpha1.GapNotCovered, "Not covered"},
	} {
		if what := finding.Gaps(report.Checked, gap.kind); what != "" {
			text += " " + gap.title + ": " + what + "."
		}
	}
	return printers.Text(text)
}

// things are what the sets of a report are called.
func things(report *v1alpha1.HealthCheckList) string {
	if slices.ContainsFunc(report.Items, func(c v1alpha1.HealthCheck) bool { return c.Subject == v1alpha1.SubjectSet }) {
		return "set"
	}
	return "StatefulSet"
}

// overall is the verdict on all items together.
func overall(report *v1alpha1.HealthCheckList) v1alpha1.Health {
	return finding.Health(Findings(report), report.Checked)
}

// countOf says how many findings of a severity there are: 2 errors, 3 info.
func countOf(n int, s v1alpha1.Severity) string {
	switch s {
	case v1alpha1.SeverityError, v1alpha1.SeverityWarning:
		return count(n, string(s))
	}
	return fmt.Sprintf("%d %s", n, s)
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
