package endpoint

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// View says what of a report is shown.
type View struct {
	// Now is the moment that ages are counted from.
	Now time.Time
}

// row is a line of the table: a part of the endpoint, which one of them, and what there is to say of it.
type row struct {
	part                  string
	subject, time, detail printers.Cell
	// more is shown with -o wide.
	more printers.Cell
}

var columns = printers.Columns[row]{
	printers.Narrow("PART", func(r row) printers.Cell { return printers.Text(r.part) }),
	printers.Narrow("SUBJECT", func(r row) printers.Cell { return r.subject }),
	printers.Wide("TIME", func(r row) printers.Cell { return orNone(r.time) }),
	printers.Narrow("DETAIL", func(r row) printers.Cell { return orNone(r.detail) }).Shrinks(printers.Wrap),
	printers.Wide("MORE", func(r row) printers.Cell { return orNone(r.more) }),
}

// Table lays a report out: a block for each endpoint, a row for each thing that is known of it.
func Table(report *v1alpha1.ClusterEndpointList, v View) printers.Table {
	t := printers.Table{Columns: columns.Heads()}
	for i := range report.Items {
		e := &report.Items[i]
		block := printers.Block{Heading: heading(e), Findings: finding.Join(e.Findings)}
		for _, r := range rows(e, v) {
			block.Rows = append(block.Rows, columns.Cells(r))
		}
		t.Blocks = append(t.Blocks, block)
	}
	return t
}

// Names are what -o name prints.
func Names(report *v1alpha1.ClusterEndpointList) []string {
	list := make([]string, len(report.Items))
	for i := range report.Items {
		list[i] = "clusterendpoint/" + report.Items[i].Metadata.Name
	}
	return list
}

func orNone(c printers.Cell) printers.Cell {
	if c.Text == "" {
		return printers.None
	}
	return c
}

func heading(e *v1alpha1.ClusterEndpoint) []printers.Cell {
	access := printers.Text(fmt.Sprintf("%s (confidence %s)", accessWords(e.Access.Mode), e.Access.Confidence))
	if e.Access.Mode == v1alpha1.AccessUnknown {
		access.Level = printers.Warn
	}
	cells := []printers.Cell{printers.Text(e.Metadata.Name), access, printers.Text(providerWords(e))}
	if e.Provider.Region != "" {
		cells = append(cells, printers.Text(e.Provider.Region))
	}
	if e.Version == nil {
		return append(cells, printers.Cell{Text: "version unknown", Level: printers.Warn})
	}
	return append(cells, printers.Text(e.Version.Version))
}

// accessWords are a mode as people say it.
func accessWords(mode v1alpha1.AccessMode) string {
	switch mode {
	case v1alpha1.AccessPublicAndPrivate:
		return "Public and Private"
	case v1alpha1.AccessPublicAtLeast:
		return "Public, maybe Private too"
	case v1alpha1.AccessPrivateAtLeast:
		return "Private, maybe Public too"
	}
	return string(mode)
}

func providerWords(e *v1alpha1.ClusterEndpoint) string {
	switch {
	case e.Provider.Name == providerEKS:
		return providerEKS
	case e.Provider.Name != "":
		return e.Provider.Name + " (not EKS)"
	case e.Version != nil: // that of EKS would say so
		return "not EKS"
	}
	return "provider unknown"
}

func rows(e *v1alpha1.ClusterEndpoint, v View) []row {
	list := []row{serverRow(e)}
	if p := e.Server.Proxy; p != nil {
		list = append(list, row{part: "proxy", subject: printers.Text(p.Source), detail: printers.Text(p.URL)})
	}
	for i := range e.Resolutions {
		list = append(list, lookupRow(&e.Resolutions[i]))
	}
	switch {
	case e.APIServersUnknown != "":
		list = append(list, row{part: "api-server", subject: printers.Unknown, detail: printers.Text(e.APIServersUnknown)})
	case len(e.APIServers) == 0:
		list = append(list, row{part: "api-server", subject: printers.Cell{Text: "<none>", Level: printers.Dim}})
	}
	for i := range e.APIServers {
		list = append(list, apiServerRow(&e.APIServers[i]))
	}
	if e.Certificate != nil {
		list = append(list, certificateRow(e.Certificate, v.Now))
	}
	if e.Version == nil {
		list = append(list, row{part: "version", subject: printers.Unknown, detail: printers.Text(e.APIServersUnknown)})
	} else {
		list = append(list, versionRows(e.Version)...)
	}
	for _, one := range e.Access.Evidence {
		list = append(list, row{part: "evidence", subject: printers.Text(one.Source), detail: printers.Text(one.Message)})
	}
	for _, p := range e.Paths {
		list = append(list, row{part: "path", subject: printers.Text(string(p.From) + " → " + string(p.To)), detail: printers.Text(p.Way)})
	}
	return list
}

func serverRow(e *v1alpha1.ClusterEndpoint) row {
	detail := []string{e.Server.URL}
	if e.Server.TLSServerName != "" {
		detail = append(detail, "tls-server-name "+e.Server.TLSServerName)
	}
	if e.Server.InsecureSkipTLSVerify {
		detail = append(detail, "insecure-skip-tls-verify")
	}
	r := row{part: "server", subject: printers.Text("kubeconfig"), detail: printers.Text(strings.Join(detail, ", "))}
	if e.Server.Context != "" {
		r.more = printers.Text("context " + e.Server.Context)
	}
	return r
}

func lookupRow(r *v1alpha1.Resolution) row {
	line := row{part: "lookup", subject: printers.Text(source(r))}
	switch r.Result {
	case v1alpha1.ResolutionAnswered:
		line.detail = printers.Text(addressWords(r.Addresses))
	case v1alpha1.ResolutionLiteral:
		line.detail = printers.Text(addressWords(r.Addresses) + ", as the kubeconfig says")
	case v1alpha1.ResolutionNotFound:
		line.detail = printers.Cell{Text: "no such name", Level: printers.Alarm}
	default:
		line.detail = printers.Cell{Text: "unknown: " + r.Message, Level: printers.Warn}
	}
	if r.Milliseconds != nil {
		line.time = printers.Text(fmt.Sprintf("%dms", *r.Milliseconds))
	}
	more := []string{r.Name}
	if r.Server != "" && r.From == v1alpha1.FromCluster {
		more = append(more, "asked "+r.Server)
	}
	if r.Node != "" {
		more = append(more, "on node "+r.Node)
	}
	line.more = printers.Text(strings.Join(more, ", "))
	return line
}

// addressWords lists addresses with their scopes: a scope that several in a row have stands once.
func addressWords(list []v1alpha1.EndpointAddress) string {
	const most = 8
	var parts []string
	for i, a := range list {
		if i == most {
			return fmt.Sprintf("%s and %d more", strings.Join(parts, ", "), len(list)-most)
		}
		text := a.IP
		if last := i == len(list)-1 || i == most-1; last || scopeWord(list[i+1]) != scopeWord(a) {
			text += " (" + scopeWord(a) + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func scopeWord(a v1alpha1.EndpointAddress) string {
	switch a.Scope {
	case v1alpha1.ScopePublic:
		if strings.Contains(a.IP, ":") {
			return "global" // which an address inside of a VPC is as well
		}
	case v1alpha1.ScopeLinkLocal:
		return "link-local"
	case v1alpha1.ScopeShared:
		return "shared, RFC 6598"
	case v1alpha1.ScopeSpecial:
		return "reserved"
	}
	return strings.ToLower(string(a.Scope))
}

func apiServerRow(a *v1alpha1.APIServer) row {
	host := a.Address.IP
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	r := row{part: "api-server", subject: printers.Text(host)}
	if a.Port != 0 {
		r.subject.Text += fmt.Sprintf(":%d", a.Port)
	}
	var detail []string
	if a.Node != "" {
		detail = append(detail, "on node "+a.Node)
	}
	switch a.ZoneFrom {
	case v1alpha1.ZoneInferred:
		detail = append(detail, fmt.Sprintf("likely zone %s: near node %s", a.Zone, a.NearNode))
	case "":
	default:
		detail = append(detail, "zone "+a.Zone)
	}
	r.detail = printers.Text(cmp.Or(strings.Join(detail, ", "), "zone unknown"))
	r.more = printers.Text(scopeWord(a.Address))
	return r
}

func certificateRow(c *v1alpha1.ServingCertificate, now time.Time) row {
	r := row{part: "certificate"}
	switch left := c.NotAfter.Sub(now); {
	case left <= 0:
		r.subject = printers.Cell{Text: "expired " + duration.HumanDuration(-left) + " ago", Level: printers.Alarm}
	case c.NotBefore.After(now):
		r.subject = printers.Cell{Text: "not valid yet", Level: printers.Alarm}
	default:
		r.subject = printers.Text("expires in " + duration.HumanDuration(left))
		if left < expiringWithin {
			r.subject.Level = printers.Warn
		}
	}
	covers, trusted := "for ", "trusted"
	if !c.CoversName {
		covers, r.detail.Level = "not for ", printers.Alarm
	}
	if !c.Trusted {
		trusted, r.detail.Level = "not trusted", printers.Alarm
	}
	r.detail.Text = strings.Join([]string{covers + c.Name, trusted, "issued by " + c.Issuer}, ", ")
	r.more = printers.Text("for " + certified(c))
	return r
}

func versionRows(v *v1alpha1.EndpointVersion) []row {
	detail := printers.Text("client libraries " + cmp.Or(v.Client, "unknown") + ": " + skewWords(v.Skew))
	if v.Skew != nil && !v.Skew.Supported {
		detail.Level = printers.Warn
	}
	list := []row{{part: "version", subject: printers.Text(v.Version), detail: detail, more: printers.Text(v.Platform)}}
	if v.KubeletsUnknown != "" {
		list = append(list, row{part: "kubelets", subject: printers.Unknown, detail: printers.Text(v.KubeletsUnknown)})
	}
	for _, k := range v.Kubelets {
		detail := printers.Text(fmt.Sprintf("%s: %s", nodeCount(k.Nodes), skewWords(k.Skew)))
		if k.Skew != nil && !k.Skew.Supported {
			detail.Level = printers.Warn
		}
		list = append(list, row{part: "kubelets", subject: printers.Text(k.Version), detail: detail})
	}
	return list
}

func nodeCount(n int32) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}

func skewWords(s *v1alpha1.VersionSkew) string {
	switch {
	case s == nil:
		return "skew unknown"
	case s.Minor == 0:
		return "the same minor version"
	case s.Supported:
		return minors(s.Minor) + ", supported"
	}
	return minors(s.Minor) + ", not supported"
}
