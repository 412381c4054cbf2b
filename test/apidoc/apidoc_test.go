package main

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// TestReference: what is committed is what is generated.
func TestReference(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := committedSchemas(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range committed {
		if files[path] == nil {
			t.Errorf("%s: there is no such kind; run make api", path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Errorf("%v; run make api", err)
			continue
		}
		if diff := cmp.Diff(string(got), string(files[path])); diff != "" {
			t.Errorf("%s is not what the comments say; run make api (-committed +generated):\n%s", path, diff)
		}
	}
}

// TestGoldenReports: every golden report is one by the schema of its kind, and so are its items.
func TestGoldenReports(t *testing.T) {
	var paths []string
	err := filepath.WalkDir(filepath.Join(root, "pkg"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Base(path) == "report.golden.yaml" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden reports: %v", err)
	}
	compiler := newCompiler(t)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		report := decode(t, content)
		validate(t, compiler, path, report)
		for _, item := range report["items"].([]any) {
			validate(t, compiler, path, item.(map[string]any))
		}
	}
}

// TestSchemaRefuses: a schema is more than a form that everything fits.
func TestSchemaRefuses(t *testing.T) {
	schema := newCompiler(t).MustCompile(schemaBase + "Version.json")
	for name, change := range map[string]func(report, client map[string]any){
		"nothing":          func(_, _ map[string]any) {},
		"another kind":     func(report, _ map[string]any) { report["kind"] = "SetStatus" },
		"a missing field":  func(_, client map[string]any) { delete(client, "goVersion") },
		"an unknown field": func(_, client map[string]any) { client["revision"] = "1" },
		"another type":     func(_, client map[string]any) { client["version"] = 1 },
	} {
		report := decode(t, []byte(`{apiVersion: doik.dev/v1alpha1, kind: Version, client: {version: v1, goVersion: go1, platform: linux/amd64}}`))
		change(report, report["client"].(map[string]any))
		if err := schema.Validate(report); (err == nil) != (name == "nothing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMeaning(t *testing.T) {
	names := map[string]string{"Usage": "usage", "UsageUnknown": "usageUnknown", "Ready": "ready", "NodeReady": "Ready", "Total": "total"}
	for comment, want := range map[string]string{
		"Usage is missing where it could not be read (UsageUnknown says why).": "missing where it could not be read (`usageUnknown` says why)",
		"Usage counts what is Ready.":                                          "counts what is Ready",
		"NodeReady means that the kubelet says so. Others are not.":            "the kubelet says so. Others are not",
		"Total and Ready are counts.":                                          "`total` and `ready` are counts",
		"Total, Usage and Ready count NodeReady.":                              "`total`, `usage` and `ready` count `Ready`",
	} {
		if got := meaning(comment, names); got != want {
			t.Errorf("%s\n%s\nwant %s", comment, got, want)
		}
	}
}

// newCompiler returns one that knows the schemas of all kinds, and checks formats such as that of times.
func newCompiler(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	paths, err := filepath.Glob(filepath.Join(root, schemaFolder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := compiler.AddResource(schemaBase+filepath.Base(path), schema); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	return compiler
}

func decode(t *testing.T, content []byte) map[string]any {
	t.Helper()
	var report map[string]any
	if err := yaml.Unmarshal(content, &report); err != nil {
		t.Fatal(err)
	}
	return report
}

func validate(t *testing.T, compiler *jsonschema.Compiler, path string, report map[string]any) {
	t.Helper()
	kind, _ := report["kind"].(string)
	schema, err := compiler.Compile(schemaBase + kind + ".json")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := schema.Validate(report); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}
