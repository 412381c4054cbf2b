package printers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                    "plain",
		"한글 é →":                   "한글 é →",
		"one\ntwo\r\n\n three ":    "one two three",
		"a\tb":                     "a b",
		"\x1b[31mred\x1b[0m":       "^[[31mred^[[0m",
		"\x9b31m":                  `\x9b31m`,
		"\u009b31m":                `\u009b31m`,
		"bell\a\x00":               `bell\x07\x00`,
		"\u202eevil":               `\u202eevil`,
		"bad \xff utf8":            `bad \xff utf8`,
		"replacement �":            "replacement �",
		"line\u2028separator":      `line\u2028separator`,
		"web\u200b-0\ufeff":        `web\u200b-0\ufeff`,
		"a\u00adb\u2060\u200dc":    `a\u00adb\u2060\u200dc`,
		"\u2067evil\u2069\u200f":   `\u2067evil\u2069\u200f`,
		"filler\u3164\u115f\ufe0f": `filler\u3164\u115f\ufe0f`,
		"tag\U000e0041":            `tag\U000e0041`,
		"e\u0301 한글":               "e\u0301 한글",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("\x1b]0;title\a\n한글\u202e\xff")
	f.Fuzz(func(t *testing.T, in string) {
		got := Escape(in)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("Escape(%q) = %q", in, got)
		}
		if again := Escape(got); again != got {
			t.Errorf("Escape(%q) = %q, and again %q", in, got, again)
		}
	})
}

var twoBlocks = Table{
	Columns: []ColumnHead{{Title: "NAME"}, {Title: "EXTRA", Wide: true}, {Title: "AGE"}},
	Blocks: []Block{
		{
			Heading:  []Cell{Text("first"), {Text: "1/2 ready", Level: Alarm}},
			Rows:     [][]Cell{{Text("a"), Text("x"), Text("5d")}, {Text("이름이 긴 것"), Text("y"), None}},
			Findings: []v1alpha1.Finding{{Code: "STS003", Severity: v1alpha1.SeverityError, Message: "a is\nnot ready", Remedy: v1alpha1.Remedy{Command: "kubectl describe"}}, {Code: "STS030", Severity: v1alpha1.SeverityInfo, Message: "kept"}},
		},
		{Heading: []Cell{Text("second")}, Rows: [][]Cell{{Text("much-longer-name"), Text("z"), Unknown}}},
		{Heading: []Cell{Text("empty")}},
	},
}

// TestBelow prints what sums a table up under it, with columns of its own, unless rows only are wanted.
func TestBelow(t *testing.T) {
	table := Table{
		Columns: []ColumnHead{{Title: "NAME"}, {Title: "AGE"}},
		Blocks:  []Block{{Rows: [][]Cell{{Text("a-long-name"), Text("5d")}}}},
		Below: []Table{{
			Columns: []ColumnHead{{Title: "ALL"}},
			Blocks: []Block{{
				Heading: []Cell{Text("sum")}, Rows: [][]Cell{{Text("1")}},
				Findings: []v1alpha1.Finding{{Code: "NODE001", Severity: v1alpha1.SeverityInfo, Message: "kept"}},
			}},
		}},
	}
	for want, o := range map[string]TableOptions{
		"NAME          AGE\na-long-name   5d\n\nsum\nALL\n1\n\nINFO   NODE001   kept\n": {},
		"a-long-name   5d\n": {NoHeaders: true},
	} {
		var out strings.Builder
		if err := table.Print(&out, o); err != nil || out.String() != want {
			t.Errorf("%v: %q, want %q", err, out.String(), want)
		}
	}
}

func TestTable(t *testing.T) {
	for _, test := range []struct {
		name    string
		options TableOptions
		want    string
	}{{
		name: "narrow",
		want: `first   1/2 ready
NAME               AGE
a                  5d
이름이 긴 것       -

ERROR   STS003   a is not ready   → kubectl describe
INFO    STS030   kept

second
NAME               AGE
much-longer-name   unknown

empty
`,
	}, {
		name:    "wide",
		options: TableOptions{Wide: true},
		want: `first   1/2 ready
NAME               EXTRA   AGE
a                  x       5d
이름이 긴 것       y       -

ERROR   STS003   a is not ready   → kubectl describe
INFO    STS030   kept

second
NAME               EXTRA   AGE
much-longer-name   z       unknown

empty
`,
	}, {
		name:    "no headers",
		options: TableOptions{NoHeaders: true},
		want: `a                  5d
이름이 긴 것       -
much-longer-name   unknown
`,
	}} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			if err := twoBlocks.Print(&out, test.options); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.want {
				t.Errorf("got\n%s\nwant\n%s", out.String(), test.want)
			}
		})
	}
}

// TestColor checks that colour moves nothing and that no escape sequence of the cluster's survives beside ours.
func TestColor(t *testing.T) {
	table := Table{Columns: []ColumnHead{{Title: "A"}, {Title: "B"}}, Blocks: []Block{{Rows: [][]Cell{{{Text: "\x1b[5mx", Level: Alarm}, Text("1")}, {Text("yyyyyyyyyy"), Text("2222222222")}, {Text("z"), {Text: "3", Level: Alarm}}}}}}
	var plain, colored strings.Builder
	if err := table.Print(&plain, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := table.Print(&colored, TableOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	if want := "\x1b[31m^[[5mx\x1b[0m"; !strings.Contains(colored.String(), want) {
		t.Errorf("%q lacks %q", colored.String(), want)
	}
	stripped := strings.NewReplacer("\x1b[31m", "", "\x1b[0m", "").Replace(colored.String())
	if stripped != plain.String() {
		t.Errorf("colour moved something:\n%q\n%q", stripped, plain.String())
	}
}

func TestTableNothing(t *testing.T) {
	var out strings.Builder
	if err := (Table{Columns: []ColumnHead{{Title: "A"}}}).Print(&out, TableOptions{}); err != nil || out.Len() > 0 {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestFormats(t *testing.T) {
	report := &v1alpha1.SetStatusList{
		Items: []v1alpha1.SetStatus{
			{Metadata: v1alpha1.ObjectMeta{Name: "web", Namespace: "shop"}, Replicas: v1alpha1.ReplicaCounts{Ready: 2, Desired: 3}},
			{Metadata: v1alpha1.ObjectMeta{Name: "db"}},
		},
	}
	report.APIVersion, report.Kind = v1alpha1.APIVersion, v1alpha1.KindSetStatusList
	file := filepath.Join(t.TempDir(), "template")
	if err := os.WriteFile(file, []byte("{{.kind}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	document := Document{Report: report, Names: []string{"statefulset.apps/web", "statefulset.apps/db"}, Table: func() Table { return twoBlocks }}
	for format, want := range map[string]string{
		"name":                                 "statefulset.apps/web\nstatefulset.apps/db\n",
		"jsonpath={.items[*].metadata.name}":   "web db",
		"go-template={{len .items}} {{.kind}}": "2 SetStatusList",
		"jsonpath-as-json={.kind}":             "[\n    \"SetStatusList\"\n]\n",
		"go-template-file=" + file:             "SetStatusList",
		"custom-columns=N:.metadata.name,R:{.replicas.ready},NS:metadata.namespace": "N     R   NS\nweb   2   shop\ndb    0   <none>\n",
	} {
		if got := printAs(t, document, format); got != want {
			t.Errorf("-o %s: %q, want %q", format, got, want)
		}
	}
	for _, format := range []string{"json", "yaml", "kyaml"} {
		var back v1alpha1.SetStatusList
		text := printAs(t, document, format)
		if err := yaml.UnmarshalStrict([]byte(text), &back); err != nil {
			t.Errorf("-o %s: %v in\n%s", format, err, text)
		}
		if len(back.Items) != 2 || back.Items[0].Replicas.Desired != 3 || back.Kind != v1alpha1.KindSetStatusList {
			t.Errorf("-o %s came back as %+v", format, back)
		}
	}
}

func printAs(t *testing.T, d Document, format string) string {
	t.Helper()
	var out strings.Builder
	flags := NewFlags()
	cmd := &cobra.Command{}
	flags.AddFlags(cmd)
	if err := cmd.ParseFlags([]string{"-o", format}); err != nil {
		t.Fatal(err)
	}
	printer, err := flags.ToPrinter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if err := printer.Print(&out, d); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestAnyText prints every character, and bytes that are none, in forms that can be read again: what they can't hold is replaced.
func TestAnyText(t *testing.T) {
	var texts []string
	for first := rune(0); first <= unicode.MaxRune; first += 0x1000 {
		var b strings.Builder
		for r := first; r < first+0x1000; r++ {
			b.WriteRune(r)
		}
		texts = append(texts, b.String())
	}
	for r := rune(0); r < 0x300; r++ { // at the ends of lines, and alone
		texts = append(texts, string(r), " "+string(r)+"\n"+string(r)+" x\n", "- "+string(r)+": #")
	}
	for i := range 256 {
		texts = append(texts, string([]byte{byte(i)}), string([]byte{'a', byte(i), 'b', 0xc3}))
	}
	report := &v1alpha1.SetStatusList{Items: []v1alpha1.SetStatus{{DisruptionBudgets: texts}}}
	report.APIVersion, report.Kind = v1alpha1.APIVersion, v1alpha1.KindSetStatusList
	document := Document{Report: report}
	for _, format := range []string{"json", "yaml", "kyaml"} {
		var back v1alpha1.SetStatusList
		if err := yaml.UnmarshalStrict([]byte(printAs(t, document, format)), &back); err != nil {
			t.Errorf("-o %s: %v", format, err)
			continue
		}
		for i, got := range back.Items[0].DisruptionBudgets {
			want := replace(texts[i], storable)
			if format == "kyaml" {
				want = replace(want, storableInKYAML)
			}
			if got != want {
				at := 0
				for at < len(got) && at < len(want) && got[at] == want[at] {
					at++
				}
				t.Errorf("-o %s: text %d differs at byte %d: %.20q, want %.20q", format, i, at, got[at:], want[at:])
				break
			}
		}
	}
	for in, want := range map[string]string{"plain 한글 \x1b\t\n😀": "plain 한글 \x1b\t\n😀", "del\x7f\u0080\u009f": "del���", "\xffbyte\xc3": "�byte�", "\ufffe\uffff": "��"} {
		if got := replace(in, storable); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
