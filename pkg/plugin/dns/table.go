package dns

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// View says what of a report is shown.
type View struct {
	// Namespaces shows the column NAMESPACE.
	Namespaces bool
	// Wide shows lists and names in full.
	Wide bool
	// Show is which rows are shown.
	Show printers.Show
}

// row is what a line of the table is about.
type row struct {
	item   *v1alpha1.HeadlessDNS
	record *v1alpha1.DNSRecord
	wide   bool
	domain string // the cluster's
}

func columns(v View) printers.Columns[row] {
	all := printers.Columns[row]{
		printers.Narrow("NAME", func(r row) printers.Cell { return printers.Text(r.record.Name) }).Dotted(),
		printers.Narrow("TYPE", recordType),
		printers.Narrow("EXPECTED", expected).Shrinks(printers.Cut),
		printers.Narrow("OBSERVED", observed).Shrinks(printers.Cut),
		printers.Narrow("VERDICT", verdict),
		printers.Narrow("TIME", took).GivesWay(1),
		printers.Wide("POD", func(r row) printers.Cell { return text(r.record.Pod) }),
		printers.Wide("SERVER", answerText(func(a *v1alpha1.DNSAnswer) string { return cmp.Or(a.ServerPod, a.Server) })),
		printers.Wide("TRANSPORT", answerText(func(a *v1alpha1.DNSAnswer) string { return string(a.Transport) })),
		printers.Wide("STATUS", answerText(func(a *v1alpha1.DNSAnswer) string { return string(a.Status) })),
		printers.Wide("TTL", answerText(ttl)),
		printers.Wide("FOUND-AS", answerText(func(a *v1alpha1.DNSAnswer) string { return a.FullName })),
	}
	if v.Namespaces {
		all = append(printers.Columns[row]{printers.Narrow("NAMESPACE", func(r row) printers.Cell { return printers.Text(r.item.Metadata.Namespace) })}, all...)
	}
	return all
}

// Table lays a report out: a line that says who asked, with what there is to say of DNS itself, then a block for each Service.
func Table(report *v1alpha1.HeadlessDNSList, v View) printers.Table {
	cols := columns(v)
	t := printers.Table{Columns: cols.Heads(), Blocks: []printers.Block{{Heading: vantage(&report.Vantage), Findings: finding.Join(report.Findings)}}}
	for i := range report.Items {
		item := &report.Items[i]
		block := printers.Block{Heading: heading(item, v), Findings: finding.Join(item.Findings)}
		for j := range item.Records {
			record := &item.Records[j]
			block.Add(v.Show, record.Verdict == v1alpha1.VerdictOK, cols.Cells(row{item: item, record: record, wide: v.Wide, domain: report.Vantage.ClusterDomain}))
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// Names are what -o name prints.
func Names(report *v1alpha1.HeadlessDNSList) []string {
	var list []string
	for i := range report.Items {
		if name := report.Items[i].Metadata.Name; name != "" {
			list = append(list, "service/"+name)
		}
	}
	return list
}

// vantage says where queries came from and went to.
func vantage(v *v1alpha1.DNSVantage) []printers.Cell {
	var cells []printers.Cell
	add := func(format string, args ...any) { cells = append(cells, printers.Text(fmt.Sprintf(format, args...))) }
	switch v.Kind {
	case v1alpha1.VantageDebugPod:
		add("queried from a debug pod on %s", v.Node)
	case v1alpha1.VantagePod:
		add("queried from pod %s", v.Pod)
	case v1alpha1.VantageEphemeral:
		add("queried from an ephemeral container of pod %s", v.Pod)
	case v1alpha1.VantageServers:
		add("queried the DNS servers through port-forwards")
	case v1alpha1.VantageNone:
		add("nothing was queried")
		cells[0].Level = printers.Warn
		return cells
	}
	if v.Tool != "" {
		add("%s", strings.Replace(string(v.Tool), "-", "'s ", 1))
	}
	if len(v.Nameservers) > 0 {
		add("nameserver %s", strings.Join(v.Nameservers, ", "))
	}
	if v.Kind == v1alpha1.VantageServers {
		var names []string
		for _, server := range v.Servers {
			names = append(names, cmp.Or(server.Pod, server.Address))
		}
		add("%s", cmp.Or(strings.Join(names, ", "), "none"))
	}
	add("%s", v.ClusterDomain)
	return cells
}

func heading(item *v1alpha1.HeadlessDNS, v View) []printers.Cell {
	name := cmp.Or(item.Metadata.Name, strings.Join(item.StatefulSets, ", "))
	if v.Namespaces {
		name = item.Metadata.Namespace + "/" + name
	}
	cells := []printers.Cell{printers.Text(name), kind(item)}
	if item.State != v1alpha1.ServiceMissing && item.State != v1alpha1.ServiceUnnamed {
		endpoints := printers.Text(fmt.Sprintf("%d/%d endpoints ready", item.ReadyEndpoints, item.Endpoints))
		if item.TerminatingEndpoints > 0 {
			endpoints.Text += fmt.Sprintf(", %d terminating", item.TerminatingEndpoints)
		}
		if item.ReadyEndpoints < item.Endpoints || item.Endpoints == 0 {
			endpoints.Level = printers.Alarm
		}
		cells = append(cells, endpoints)
	}
	if len(item.StatefulSets) > 0 && item.Metadata.Name != "" {
		cells = append(cells, printers.Text("StatefulSet "+strings.Join(item.StatefulSets, ", ")))
	}
	if item.PublishNotReadyAddresses {
		cells = append(cells, printers.Text("publishes not-ready addresses"))
	}
	ok, wrong := 0, 0
	for _, r := range item.Records {
		switch r.Verdict {
		case v1alpha1.VerdictOK:
			ok++
		case v1alpha1.VerdictPending, v1alpha1.VerdictUnknown:
		default:
			wrong++
		}
	}
	summary := printers.Text(fmt.Sprintf("%d/%d records ok", ok, len(item.Records)))
	switch {
	case wrong > 0:
		summary.Level = printers.Alarm
	case ok < len(item.Records):
		summary.Level = printers.Warn
	}
	return append(cells, summary)
}

func kind(item *v1alpha1.HeadlessDNS) printers.Cell {
	switch item.State {
	case v1alpha1.ServiceUnnamed:
		return printers.Cell{Text: "StatefulSet without a Service", Level: printers.Alarm}
	case v1alpha1.ServiceMissing:
		return printers.Cell{Text: "Service missing", Level: printers.Alarm}
	case v1alpha1.ServiceNotHeadless:
		if len(item.StatefulSets) == 0 {
			return printers.Text("not headless")
		}
		return printers.Cell{Text: "not headless", Level: printers.Alarm}
	case v1alpha1.ServiceNotSelecting:
		return printers.Cell{Text: "headless, does not select the pods", Level: printers.Alarm}
	}
	return printers.Text("headless")
}

func recordType(r row) printers.Cell {
	if r.record.TCP {
		return printers.Text(string(r.record.Type) + "/TCP")
	}
	return printers.Text(string(r.record.Type))
}

func expected(r row) printers.Cell {
	if len(r.record.Expected) == 0 {
		return printers.Cell{Text: "none: " + cmp.Or(r.record.NoneExpected, "unknown"), Level: printers.Dim}
	}
	return printers.Text(r.list(r.record.Expected))
}

func observed(r row) printers.Cell {
	switch {
	case len(r.record.Observed) > 0:
		return printers.Text(r.list(r.record.Observed))
	case r.record.Verdict == v1alpha1.VerdictUnknown, len(r.record.Answers) == 0:
		return printers.Unknown
	}
	if a := last(r.record); a != nil {
		c := printers.Cell{Text: string(a.Status), Level: printers.Dim}
		if a.Status == v1alpha1.StatusNoError {
			c.Text = "none"
		}
		if r.record.Verdict != v1alpha1.VerdictOK && r.record.Verdict != v1alpha1.VerdictPending {
			c.Level = printers.Alarm
		}
		return c
	}
	return printers.None
}

// list shows a few of many, and names of the Service's namespace without it; -o wide shows everything.
func (r row) list(data []string) string {
	if r.wide {
		return strings.Join(data, ",")
	}
	short := make([]string, len(data))
	for i, d := range data {
		short[i] = strings.TrimSuffix(d, "."+r.item.Metadata.Namespace+".svc."+r.domain+".")
	}
	if len(short) > 3 {
		return fmt.Sprintf("%s,+%d", strings.Join(short[:2], ","), len(short)-2)
	}
	return strings.Join(short, ",")
}

func verdict(r row) printers.Cell {
	c := printers.Text(string(r.record.Verdict))
	switch r.record.Verdict {
	case v1alpha1.VerdictOK:
	case v1alpha1.VerdictPending:
		c.Level = printers.Dim
	case v1alpha1.VerdictUnknown, v1alpha1.VerdictStale, v1alpha1.VerdictExtra:
		c.Level = printers.Warn
	default:
		c.Level = printers.Alarm
	}
	return c
}

// last is the answer that a row shows: the last one, of several servers the one that makes the verdict.
func last(r *v1alpha1.DNSRecord) *v1alpha1.DNSAnswer {
	var found *v1alpha1.DNSAnswer
	for i := range r.Answers {
		a := &r.Answers[i]
		if found == nil || a.Again && !found.Again || a.Again == found.Again && strings.Join(a.Data, ",") == strings.Join(r.Observed, ",") {
			found = a
		}
	}
	return found
}

func took(r row) printers.Cell {
	a := last(r.record)
	switch {
	case a == nil || a.Microseconds == nil:
		return printers.None
	case *a.Microseconds == 0: // of tools that are measured in steps of 10 ms
		return printers.Text("<10ms")
	case *a.Microseconds < 9950:
		return printers.Text(strconv.FormatFloat(float64(*a.Microseconds)/1000, 'f', 1, 64) + "ms")
	case *a.Microseconds < 999_500:
		return printers.Text(strconv.FormatInt((*a.Microseconds+500)/1000, 10) + "ms")
	}
	return printers.Text(strconv.FormatFloat(float64(*a.Microseconds)/1e6, 'f', 1, 64) + "s")
}

func ttl(a *v1alpha1.DNSAnswer) string {
	switch {
	case a.TTLSeconds != nil:
		return fmt.Sprintf("%ds", *a.TTLSeconds)
	case a.NegativeTTLSeconds != nil:
		return fmt.Sprintf("%ds", *a.NegativeTTLSeconds)
	}
	return ""
}

func text(s string) printers.Cell {
	if s == "" {
		return printers.None
	}
	return printers.Text(s)
}

func answerText(of func(*v1alpha1.DNSAnswer) string) func(row) printers.Cell {
	return func(r row) printers.Cell {
		a := last(r.record)
		if a == nil {
			return printers.None
		}
		return text(of(a))
	}
}
