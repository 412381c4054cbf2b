package check

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/volumes"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata: snapshot.yaml through Analyze, Table, JUnit and Markdown.
func TestGolden(t *testing.T) {
	golden.Cases(t, time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC), func(t *testing.T, s *Snapshot, now time.Time, folder string) {
		report := Analyze(s, Selection{}, now)
		golden.Report(t, folder, report, &report.Metadata)
		golden.Fitted(t, folder, func(show printers.Show) printers.Table { return Table(report, View{Show: show, Now: now}) })
		golden.Tables(t, folder, Table(report, View{Now: now}), Table(report, View{Namespaces: true, Info: true, Now: now}))
		junit, err := JUnit(report, v1alpha1.SeverityWarning)
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(junit, new(struct{})); err != nil {
			t.Errorf("JUnit: %v", err)
		}
		golden.Compare(t, folder+"/junit.golden.xml", string(junit))
		golden.Compare(t, folder+"/markdown.golden.md", string(Markdown(report)))
	})
}

// TestSelection chooses codes, families of codes, and the parts that have to be looked at for them.
func TestSelection(t *testing.T) {
	parse := func(codes ...string) []string {
		list, err := parseCodes(codes)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for _, c := range []struct {
		only, exclude []string
		selected      string // of the codes below
		parts         string
	}{
		{nil, nil, "STS010 STS011 MYSQL010 CHECK001", "STS DNS NODE MYSQL"},
		{parse("sts010"), nil, "STS010", "STS"},
		{parse("STS", "MYSQL010"), parse("STS011"), "STS010 MYSQL010", "STS MYSQL"},
		{parse("CHECK"), nil, "CHECK001", "STS DNS NODE MYSQL"},
		{nil, parse("DNS", "CHECK"), "STS010 STS011 MYSQL010", "STS NODE MYSQL"},
		{nil, parse("DNS"), "STS010 STS011 MYSQL010 CHECK001", "STS DNS NODE MYSQL"},
	} {
		s := Selection{Only: c.only, Exclude: c.exclude}
		var selected, parts []string
		for _, code := range []v1alpha1.Code{"STS010", "STS011", "MYSQL010", "CHECK001"} {
			if s.selects(code) {
				selected = append(selected, string(code))
			}
		}
		for _, part := range []string{familySets, familyDNS, familyNodes, "MYSQL"} {
			if s.wantsPart(part) {
				parts = append(parts, part)
			}
		}
		if got := strings.Join(selected, " "); got != c.selected {
			t.Errorf("%+v selects %q, want %q", c, got, c.selected)
		}
		if got := strings.Join(parts, " "); got != c.parts {
			t.Errorf("%+v looks at %q, want %q", c, got, c.parts)
		}
	}
	for _, wrong := range []string{"", "STS1", "STS0100", "ENDP001", "010", "STS010 ,", "X", "STS-010"} {
		if list, err := parseCodes([]string{wrong}); err == nil {
			t.Errorf("%q: %q", wrong, list)
		}
	}
}

// TestIgnore reads annotations, and applies them to what they are about.
func TestIgnore(t *testing.T) {
	list, err := parseIgnore("statefulset/web", "STS033, sts031: one node only;\n node : spot is fine: really ; BAD: x")
	if err == nil || !strings.Contains(err.Error(), `"BAD" is not a finding code`) {
		t.Errorf("%v", err)
	}
	if len(list) != 2 || strings.Join(list[0].codes, " ") != "STS033 STS031" || list[0].reason != "one node only" || list[1].reason != "spot is fine: really" || list[1].codes[0] != "NODE" {
		t.Errorf("%+v", list)
	}
	all, problems := newIgnores(&Snapshot{Annotations: map[string]string{
		"shop/statefulset/web": "STS003: known", "shop/pod/mysql-1": "MYSQL010:", "/node/n1": "NODE: going on purpose", "shop/service/x": "nothing",
	}})
	if len(problems) != 1 || problems[0].Subject != "annotation doik.dev/ignore of service/x in namespace shop" {
		t.Errorf("%+v", problems)
	}
	item := func(subject v1alpha1.CheckSubject, name string) *v1alpha1.HealthCheck {
		return &v1alpha1.HealthCheck{Subject: subject, Metadata: v1alpha1.ObjectMeta{Namespace: "shop", Name: name}}
	}
	for _, c := range []struct {
		item    *v1alpha1.HealthCheck
		code    v1alpha1.Code
		objects string
		by      string
	}{
		{item("StatefulSet", "web"), "STS003", "pod/web-0", "statefulset/web"},
		{item("StatefulSet", "other"), "STS003", "pod/other-0", ""},
		{item("StatefulSet", "mysql"), "MYSQL010", "pod/mysql-1", "pod/mysql-1"},
		{item("StatefulSet", "mysql"), "MYSQL010", "pod/mysql-1 pod/mysql-2", ""}, // the other one is not accepted
		{item("StatefulSet", "mysql"), "MYSQL011", "pod/mysql-1", ""},
		{item("StatefulSet", "mysql"), "NODE007", "node/n1 pod/shop/mysql-0 pod/shop/mysql-1", "node/n1"},
		{item("StatefulSet", "mysql"), "NODE007", "node/n2 pod/shop/mysql-0", ""},
		{item("Cluster", ""), "NODE012", "node/n1", "node/n1"},
		{item("Cluster", ""), "DNS016", "", ""},
	} {
		by := ""
		if i := all.of(c.item, &v1alpha1.Finding{Code: c.code, Objects: finding.Refs(strings.Fields(c.objects))}); i != nil {
			by = i.by
		}
		if by != c.by {
			t.Errorf("%s of %s: ignored by %q, want %q", c.code, c.objects, by, c.by)
		}
	}
}

// TestExplained leaves out what others say better, and never what no other one says.
func TestExplained(t *testing.T) {
	f := func(code v1alpha1.Code, severity v1alpha1.Severity, objects string) v1alpha1.CheckFinding {
		return v1alpha1.CheckFinding{Finding: v1alpha1.Finding{Code: code, Severity: severity, Objects: finding.Refs(strings.Fields(objects))}}
	}
	for _, c := range []struct {
		list []v1alpha1.CheckFinding
		want string
	}{
		{[]v1alpha1.CheckFinding{f("DNS005", "warning", "pod/web-0 pod/web-1"), f("STS005", "error", "pod/web-0")}, "DNS005 warning, STS005 error"},
		{[]v1alpha1.CheckFinding{f("DNS005", "warning", "pod/web-0 pod/web-1"), f("STS005", "error", "pod/web-0"), f("STS003", "error", "pod/web-1")}, "STS005 error [DNS005], STS003 error"},
		{[]v1alpha1.CheckFinding{f("STS031", "info", "pod/m-0"), f("NODE006", "warning", "pod/x/m-0"), f("MYSQL076", "warning", "pod/m-0"), f("CHECK005", "warning", "pod/m-0")}, "CHECK005 warning [MYSQL076 NODE006 STS031]"},
		{[]v1alpha1.CheckFinding{f("STS011", "critical", "persistentvolumeclaim/a"), f("STS011", "error", "persistentvolumeclaim/b"), f("CHECK004", "error", "persistentvolumeclaim/a pod/a")}, "STS011 error, CHECK004 critical [STS011]"},
		{[]v1alpha1.CheckFinding{f("STS031", "info", "pod/m-0"), f("NODE006", "warning", "pod/x/m-0"), f("CHECK005", "warning", "pod/m-0")}, "CHECK005 warning [NODE006 STS031]"},
		{[]v1alpha1.CheckFinding{f("STS018", "error", "pod/a-0 node/n"), f("DNS005", "warning", "pod/a-0")}, "STS018 error [DNS005]"},
		{[]v1alpha1.CheckFinding{f("STS003", "error", "pod/a-0 node/n"), f("DNS005", "warning", "pod/a-0"), f("NODE010", "error", "node/n pod/x/a-0")}, "NODE010 error [DNS005 STS003]"},
		{[]v1alpha1.CheckFinding{f("STS003", "error", "pod/a-0"), f("NODE010", "warning", "node/n pod/x/a-0")}, "STS003 error, NODE010 warning"}, // cordoned, which makes no pod unready
		{[]v1alpha1.CheckFinding{f("STS006", "error", "pod/a-0 persistentvolumeclaim/d-a-0"), f("STS007", "error", "persistentvolumeclaim/d-a-0")}, "STS007 error [STS006]"},
		{[]v1alpha1.CheckFinding{f("STS006", "error", "pod/a-0"), f("STS007", "info", "persistentvolumeclaim/d-a-0")}, "STS006 error, STS007 info"}, // the claim waits for its pod
		{[]v1alpha1.CheckFinding{f("MYSQL070", "warning", "pod/m-1 pod/m-2"), f("MYSQL001", "critical", "pod/m-0 pod/m-1 pod/m-2")}, "MYSQL001 critical [MYSQL070]"},
		{[]v1alpha1.CheckFinding{f("MYSQL012", "critical", "pod/m-1"), f("MYSQL070", "warning", "pod/m-1 pod/m-3"), f("MYSQL001", "critical", "pod/m-0 pod/m-1")}, "MYSQL012 critical, MYSQL070 warning, MYSQL001 critical"}, // m-3 is broken by itself; m-1 does not come back by itself
		{[]v1alpha1.CheckFinding{f("STS020", "error", "service/a"), f("DNS001", "error", "service/b")}, "STS020 error, DNS001 error"},
		{[]v1alpha1.CheckFinding{f("STS001", "error", "pod/a-0"), f("STS002", "error", "pod/a-1"), f("DNS007", "error", "service/a pod/a-0 pod/a-1")}, "STS001 error [DNS007], STS002 error"},
		{[]v1alpha1.CheckFinding{f("STS001", "error", "pod/a-0"), f("DNS007", "error", "service/a")}, "STS001 error, DNS007 error"}, // the selector is wrong as well
		{[]v1alpha1.CheckFinding{f("STS001", "error", "pod/a-0"), f("DNS018", "error", "statefulset/a"), f("DNS007", "error", "service/a pod/a-0")}, "DNS018 error [DNS007 STS001]"},
	} {
		var got []string
		for _, f := range explained(c.list) {
			word := string(f.Code) + " " + string(f.Severity)
			if len(f.Also) > 0 {
				codes := make([]string, len(f.Also))
				for i, code := range f.Also {
					codes[i] = string(code)
				}
				word += " [" + strings.Join(codes, " ") + "]"
			}
			got = append(got, word)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s, want %s", strings.Join(got, ", "), c.want)
		}
	}
}

// TestNamesOfSets gives what is found about a Service that two sets share to those it is about.
func TestNamesOfSets(t *testing.T) {
	service := v1alpha1.HeadlessDNS{Metadata: v1alpha1.ObjectMeta{Namespace: "x", Name: "db"}, StatefulSets: []string{"a", "b"}, Findings: []v1alpha1.Finding{
		{Code: "DNS021", Objects: finding.Refs([]string{"statefulset/a"})},
		{Code: "DNS005", Objects: finding.Refs([]string{"pod/b-0"})},
		{Code: "DNS014", Objects: finding.Refs([]string{"service/db"})},
		{Code: "DNS003", Objects: finding.Refs([]string{"service/db", "statefulset/c"})}, // which it selects, and which names another
		{Code: "DNS004", Objects: finding.Refs([]string{"pod/foreign"})},
	}}
	for asked, want := range map[string]string{
		"a b c": "a: DNS021 DNS014 DNS004; b: DNS005 DNS014 DNS004; c: DNS003",
		"b c":   "b: DNS005 DNS014; c: DNS003",
		"b":     "b: DNS005 DNS014",
	} {
		x := &index{
			Snapshot: &Snapshot{Chosen: asked != "a b c"}, bySet: map[string]*item{}, byPod: map[string]*item{}, cluster: &item{},
			dns: &v1alpha1.HeadlessDNSList{Items: []v1alpha1.HeadlessDNS{service}},
		}
		for _, name := range strings.Fields(asked) {
			it := x.newItem(v1alpha1.SubjectStatefulSet, v1alpha1.ObjectMeta{Namespace: "x", Name: name})
			x.bySet["StatefulSet/x/"+name], x.byPod["x/"+name+"-0"] = it, it
		}
		x.joinDNS()
		var got []string
		for _, it := range x.items {
			line := it.Metadata.Name + ":"
			for _, f := range it.found {
				line += " " + string(f.Code)
			}
			got = append(got, line)
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: %s, want %s", asked, strings.Join(got, "; "), want)
		}
	}
}

// TestMarkdownEscapes keeps text from the cluster text.
func TestMarkdownEscapes(t *testing.T) {
	got := markdown("a|b <script>`x`\n[link](http://x) *b* _c_ \x1b[31m")
	if strings.ContainsAny(got, "<>\n\x1b") || strings.Contains(got, " `") || !strings.Contains(got, `a\|b`) || !strings.Contains(got, `\[link\]`) {
		t.Errorf("%q", got)
	}
}

// TestSorted keeps what is wrong, and the last line, when the rows are sorted.
func TestReady(t *testing.T) {
	item := func(change func(c *v1alpha1.HealthCheck)) *v1alpha1.HealthCheckList {
		c := v1alpha1.HealthCheck{
			Subject: v1alpha1.SubjectStatefulSet, Controller: &v1alpha1.SetController{APIVersion: "apps/v1", Kind: "StatefulSet"}, Replicas: &v1alpha1.ReplicaCounts{Desired: 3, Existing: 3, Ready: 3, Available: 3}, Rollout: &v1alpha1.Rollout{Complete: true},
			Checked: []v1alpha1.CheckedPart{{Part: v1alpha1.PartVolumes, Number: 2, Of: 3}, {Part: v1alpha1.PartServers, Number: 3, Of: 3}},
		}
		change(&c)
		return &v1alpha1.HealthCheckList{Items: []v1alpha1.HealthCheck{c}}
	}
	for name, test := range map[string]struct {
		report *v1alpha1.HealthCheckList
		want   bool
	}{
		"all is there":              {item(func(*v1alpha1.HealthCheck) {}), true},
		"something is wrong":        {item(func(c *v1alpha1.HealthCheck) { c.Severity = v1alpha1.SeverityError }), true},
		"a pod is not ready":        {item(func(c *v1alpha1.HealthCheck) { c.Replicas.Ready = 2 }), false},
		"a pod is not available":    {item(func(c *v1alpha1.HealthCheck) { c.Replicas.Available = 2 }), false},
		"a pod too many":            {item(func(c *v1alpha1.HealthCheck) { c.Replicas.Existing, c.Replicas.Ready = 4, 4 }), false},
		"a rollout is under way":    {item(func(c *v1alpha1.HealthCheck) { c.Rollout.Complete = false }), false},
		"a server does not answer":  {item(func(c *v1alpha1.HealthCheck) { c.Checked[1].Number = 2 }), false},
		"there is nothing to check": {&v1alpha1.HealthCheckList{}, false},
	} {
		if got := Ready(test.report); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestSorted(t *testing.T) {
	s := golden.Read[Snapshot](t, "testdata/across/snapshot.yaml")
	table := Table(Analyze(s, Selection{}, time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)), View{})
	got := golden.Print(t, table, printers.TableOptions{SortBy: "-name"})
	for _, want := range []string{"web     2/2 ", "\nmysql\n\nCRITICAL   CHECK004 ", "2 StatefulSets, 0 of them healthy: "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Index(got, "web     2/2 ") > strings.Index(got, "mysql   3/3 ") {
		t.Errorf("not sorted:\n%s", got)
	}
}

// TestClaimsAlone has a verdict on a namespace without sets whose claims are looked at.
func TestClaimsAlone(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for used, want := range map[int32]string{
		10: "Nothing is wrong with 1 claim of no set.", 95: "1 claim of no set: 1 error.",
	} {
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "files", UID: "1", CreationTimestamp: metav1.NewTime(now)}}
		claim.Status.Phase = corev1.ClaimBound
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "app"}, Spec: corev1.PodSpec{NodeName: "node-a"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
		pod.Spec.Volumes = []corev1.Volume{{Name: "files", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "files"}}}}
		s := &Snapshot{Sets: &stsstatus.Snapshot{}, Volumes: &volumes.Snapshot{Claims: []*corev1.PersistentVolumeClaim{claim}, Pods: []*corev1.Pod{pod}, OfNoSet: true}}
		s.Volumes.UsageAsked = true
		s.Volumes.Usage = map[string]v1alpha1.VolumeUsage{"shop/files": {UsedPercent: &used}}
		report := Analyze(s, Selection{}, now)
		blocks := Table(report, View{Now: now}).Blocks
		if got := blocks[len(blocks)-1].Heading[0].Text; got != want || Empty(report) || blocks[0].Rows[0][0].Text != "(claims of no set)" {
			t.Errorf("%d%%: %q, want %q", used, got, want)
		}
	}
}
