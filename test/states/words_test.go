package states

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/version"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

var update = flag.Bool("update", false, "download each supported version of Kubernetes, and write its words to testdata")

// oldest and newest are the minor versions of Kubernetes 1 that are supported.
const oldest, newest = 31, 37

// TestExtract reads the words of each version of Kubernetes out of its source (with -update), and those of test/lab's version always: testdata
// must have them as they are there.
func TestExtract(t *testing.T) {
	if *update {
		extractAll(t)
	}
	folder, module, err := moduleFolder("../lab", "k8s.io/kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	want, err := wordsOf(folder, module)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range readWords(t) {
		if minor(w.Version) != minor(module) {
			continue
		}
		w.Version = module // patches write the same words
		if !reflect.DeepEqual(w, want) {
			t.Errorf("testdata has other words of %s than its source: go test ./test/states -update", module)
		}
		return
	}
	t.Errorf("testdata has no words of %s", module)
}

// extractAll writes testdata again.
func extractAll(t *testing.T) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-versions", "-json", "k8s.io/kubernetes").Output()
	var module struct{ Versions []string }
	if err == nil {
		err = json.Unmarshal(out, &module)
	}
	if err != nil {
		t.Fatal(err)
	}
	for number := oldest; number <= newest; number++ {
		latest := ""
		for _, v := range module.Versions { // they are sorted
			if of := version.MustParseSemantic(v); of.Major() == 1 && int(of.Minor()) == number && of.PreRelease() == "" {
				latest = v
			}
		}
		out, err := exec.Command("go", "mod", "download", "-json", "k8s.io/kubernetes@"+latest).Output()
		var at struct{ Dir string }
		if err == nil {
			err = json.Unmarshal(out, &at)
		}
		if err != nil {
			t.Fatalf("%s: %v", latest, err)
		}
		words, err := wordsOf(at.Dir, latest)
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(words)
		if err == nil {
			err = os.WriteFile(fmt.Sprintf("testdata/words-1.%d.yaml", number), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// minor is the number of a version's minor.
func minor(v string) int { return int(version.MustParseSemantic(v).Minor()) }

func readWords(t *testing.T) []*Words {
	t.Helper()
	files, err := filepath.Glob("testdata/words-*.yaml")
	if err != nil || len(files) != newest-oldest+1 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	var list []*Words
	for _, file := range files {
		text, err := os.ReadFile(file)
		w := &Words{}
		if err == nil {
			err = yaml.UnmarshalStrict(text, w)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		list = append(list, w)
	}
	return list
}

// TestPage holds docs/states.md to the API: every word of every kind is in a row of its section, whose other cell has codes that there are,
// or says why there are none.
func TestPage(t *testing.T) {
	api, _, err := moduleFolder(".", "k8s.io/api")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	page := rowsOf(t, string(text))
	list, err := kinds(api)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range append(list, ofVersions(readWords(t))...) {
		for _, w := range k.words {
			if page[k.name][w] == "" {
				t.Errorf("docs/states.md says nothing of %s: %s", k.name, w)
			}
		}
	}
}

// ofVersions are the words of all versions of Kubernetes by kind.
func ofVersions(versions []*Words) []kind {
	container, event := kind{name: "Container"}, kind{name: "Event"}
	for _, w := range versions {
		for _, reason := range w.Reasons {
			container.words = append(container.words, "reason "+reason)
		}
		event.words = append(event.words, w.Events...)
	}
	return []kind{container, event}
}

// elsewhere are reasons that the plugin compares with and that stand elsewhere in Kubernetes than where words are extracted from, or are put
// together there.
var elsewhere = map[string]string{
	"ContainerCreating":         "k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go",
	"PodInitializing":           "k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go",
	"EvictionByEvictionAPI":     "k8s.io/kubernetes/pkg/registry/core/pod/storage/eviction.go",
	"FailedCreate":              "k8s.io/kubernetes/pkg/controller/statefulset/stateful_pod_control.go: Failed and a verb",
	"NodeAffinity":              "k8s.io/kubernetes/pkg/scheduler/framework/plugins/names: a kubelet that does not admit a pod names the plugin",
	"NodeLost":                  "k8s.io/kubernetes/pkg/util/node",
	"OOMKilled":                 "container runtimes; k8s.io/kubernetes/pkg/kubelet/kuberuntime/helpers.go knows it",
	"TopologyAffinityError":     "k8s.io/kubernetes/pkg/kubelet/cm/topologymanager",
	"RegistryUnavailable":       "k8s.io/cri-api/pkg/errors",
	"SignatureValidationFailed": "k8s.io/cri-api/pkg/errors",
}

// TestCompared holds the reasons that the plugin compares with to what Kubernetes writes: a word that is spelled otherwise never fits.
func TestCompared(t *testing.T) {
	written := map[string]bool{}
	for _, k := range ofVersions(readWords(t)) {
		for _, w := range k.words {
			written[strings.TrimPrefix(w, "reason ")] = true
		}
	}
	compared, err := comparedReasons("../../pkg/plugin")
	if err != nil {
		t.Fatal(err)
	}
	for name := range elsewhere {
		if written[name] || !slices.Contains(compared, name) {
			t.Errorf("%s is no exception", name)
		}
	}
	for _, name := range compared {
		if !written[name] && elsewhere[name] == "" {
			t.Errorf("no version of Kubernetes writes the reason %s", name)
		}
	}
	if len(compared) < 20 {
		t.Errorf("only %d reasons: %v", len(compared), compared)
	}
}

var (
	heading = regexp.MustCompile(`^## (\S+)$`)
	inTicks = regexp.MustCompile("`([^`]+)`")
	aCode   = regexp.MustCompile(`\b[A-Z]{3,8}[0-9]{3}\b`)
)

// rowsOf reads the page's tables: by kind and word, what the second cell says.
func rowsOf(t *testing.T, text string) map[string]map[string]string {
	t.Helper()
	page := map[string]map[string]string{}
	known := map[string]bool{}
	for _, k := range finding.Catalogue() {
		known[string(k.Code)] = true
	}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if match := heading.FindStringSubmatch(line); match != nil {
			section = match[1]
			page[section] = map[string]string{}
		}
		cells := strings.Split(line, "|")
		if len(cells) != 4 || !strings.Contains(cells[1], "`") {
			continue
		}
		for _, code := range aCode.FindAllString(cells[2], -1) {
			if !known[code] {
				t.Errorf("%s: there is no code %s", section, code)
			}
		}
		for _, match := range inTicks.FindAllStringSubmatch(cells[1], -1) {
			if page[section][match[1]] != "" {
				t.Errorf("%s: %s is there twice", section, match[1])
			}
			page[section][match[1]] = strings.TrimSpace(cells[2])
		}
	}
	return page
}
