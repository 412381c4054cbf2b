// Package states holds docs/states.md to the API: it lists every word in which Kubernetes may say that something is wrong, and the page must
// say of each what judges it, or why nothing does.
package states

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
)

// kind is a kind of objects that is read, with the words that its objects may have.
type kind struct {
	name  string
	words []string
}

// kinds are those that are read, with the fields of their Go types and the constants of their words, which are read out of the source of
// k8s.io/api.
func kinds(api string) ([]kind, error) {
	list := []kind{
		of("StatefulSet", fields("spec", appsv1.StatefulSetSpec{}), fields("status", appsv1.StatefulSetStatus{})),
		of("Pod", fields("spec", corev1.PodSpec{}), fields("status", corev1.PodStatus{})),
		of("Container", fields("spec", corev1.Container{}), fields("status", corev1.ContainerStatus{})),
		of("PersistentVolumeClaim", fields("spec", corev1.PersistentVolumeClaimSpec{}), fields("status", corev1.PersistentVolumeClaimStatus{})),
		of("PersistentVolume", slices.DeleteFunc(fields("spec", corev1.PersistentVolumeSpec{}), func(f string) bool { return f == "spec." }), fields("status", corev1.PersistentVolumeStatus{})),
		of("StorageClass", fields("", storagev1.StorageClass{})),
		of("VolumeAttributesClass", fields("", storagev1.VolumeAttributesClass{})),
		of("VolumeAttachment", fields("spec", storagev1.VolumeAttachmentSpec{}), fields("status", storagev1.VolumeAttachmentStatus{})),
		of("PodDisruptionBudget", fields("spec", policyv1.PodDisruptionBudgetSpec{}), fields("status", policyv1.PodDisruptionBudgetStatus{})),
		of("Service", fields("spec", corev1.ServiceSpec{}), fields("status", corev1.ServiceStatus{})),
		of("EndpointSlice", fields("", discoveryv1.EndpointSlice{}), fields("endpoints", discoveryv1.Endpoint{}), fields("conditions", discoveryv1.EndpointConditions{})),
		of("Node", fields("spec", corev1.NodeSpec{}), fields("status", corev1.NodeStatus{})),
		of("Namespace", fields("spec", corev1.NamespaceSpec{}), fields("status", corev1.NamespaceStatus{})),
	}
	for _, w := range vocabularies {
		values, err := constants(filepath.Join(api, w.folder), func(_, name, of string) bool {
			return w.of != "" && of == w.of || w.prefix != "" && of == "" && strings.HasPrefix(name, w.prefix) || w.suffix != "" && of == "" && strings.HasSuffix(name, w.suffix)
		})
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list, func(k kind) bool { return k.name == w.kind })
		for _, value := range values {
			list[i].words = append(list[i].words, strings.TrimSpace(w.word+" "+value))
		}
	}
	return list, nil
}

// vocabularies are constants of k8s.io/api with a meaning for objects of a kind: those of a type, or those without one whose names begin or
// end so.
var vocabularies = []struct{ kind, word, folder, of, prefix, suffix string }{
	{kind: "StatefulSet", word: "condition", folder: "apps/v1", of: "StatefulSetConditionType"},
	{kind: "Pod", word: "phase", folder: "core/v1", of: "PodPhase"},
	{kind: "Pod", word: "condition", folder: "core/v1", of: "PodConditionType"},
	{kind: "Pod", word: "reason", folder: "core/v1", prefix: "PodReason"},
	{kind: "Pod", word: "resize", folder: "core/v1", of: "PodResizeStatus"},
	{kind: "Container", word: "health", folder: "core/v1", of: "ResourceHealthStatus"},
	{kind: "PersistentVolumeClaim", word: "phase", folder: "core/v1", of: "PersistentVolumeClaimPhase"},
	{kind: "PersistentVolumeClaim", word: "condition", folder: "core/v1", of: "PersistentVolumeClaimConditionType"},
	{kind: "PersistentVolumeClaim", word: "allocated", folder: "core/v1", of: "ClaimResourceStatus"},
	{kind: "PersistentVolumeClaim", word: "modify", folder: "core/v1", of: "PersistentVolumeClaimModifyVolumeStatus"},
	{kind: "PersistentVolumeClaim", word: "health", folder: "core/v1", of: "VolumeHealthStatusType"},
	{kind: "PersistentVolume", word: "phase", folder: "core/v1", of: "PersistentVolumePhase"},
	{kind: "PodDisruptionBudget", word: "condition", folder: "policy/v1", suffix: "Condition"},
	{kind: "PodDisruptionBudget", word: "reason", folder: "policy/v1", suffix: "Reason"},
	{kind: "Node", word: "condition", folder: "core/v1", of: "NodeConditionType"},
	{kind: "Node", word: "phase", folder: "core/v1", of: "NodePhase"},
	{kind: "Node", word: "taint", folder: "core/v1", prefix: "Taint"},
	{kind: "Namespace", word: "phase", folder: "core/v1", of: "NamespacePhase"},
	{kind: "Namespace", word: "condition", folder: "core/v1", of: "NamespaceConditionType"},
}

func of(name string, words ...[]string) kind { return kind{name, slices.Concat(words...)} }

// fields are the fields of a struct of the API as their JSON has them, with a prefix.
func fields(prefix string, object any) []string {
	if prefix != "" {
		prefix += "."
	}
	var list []string
	for i := range reflect.TypeOf(object).NumField() {
		field := reflect.TypeOf(object).Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "metadata" {
			list = append(list, prefix+name)
		}
	}
	return list
}

// constants are the values of a package's string constants that wanted selects by their names and types.
func constants(folder string, wanted func(file, name, of string) bool) ([]string, error) {
	var list []string
	err := eachNamedFile(folder, func(name string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			typeName := ""
			if ident, ok := spec.Type.(*ast.Ident); ok {
				typeName = ident.Name
			}
			for i, of := range spec.Names {
				if i >= len(spec.Values) || !wanted(name, of.Name, typeName) {
					continue
				}
				if value, ok := literal(spec.Values[i]); ok {
					list = append(list, value)
				}
			}
			return true
		})
	})
	slices.Sort(list)
	return slices.Compact(list), err
}

// literal is the text of a string, be it the argument of a conversion or of errors.New.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.CallExpr:
		if len(e.Args) == 1 {
			return literal(e.Args[0])
		}
	}
	return "", false
}

// word is one that Kubernetes makes reasons of.
var word = regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`)

// Words are what the programs of a version of Kubernetes write into events and statuses.
type Words struct {
	// Version is that of the module k8s.io/kubernetes.
	Version string `json:"version"`
	// Events are the reasons of events, of the components whose events are read.
	Events []string `json:"events"`
	// Reasons are those of containers that wait, and of pods that a kubelet rejects or ends.
	Reasons []string `json:"reasons"`
	// StatefulSet is how the controller's events about pods and claims begin, with %s for names.
	StatefulSet []string `json:"statefulSet"`
}

// recorders are the folders of k8s.io/kubernetes whose programs write events about what is read here.
var recorders = []string{
	"pkg/controller/disruption", "pkg/controller/nodelifecycle", "pkg/controller/podgc", "pkg/controller/statefulset", "pkg/controller/tainteviction",
	"pkg/controller/volume", "pkg/kubelet", "pkg/scheduler", "pkg/volume/util",
}

// rejecting are those whose constants and errors become reasons of pods and containers.
var rejecting = []string{
	"pkg/kubelet/container", "pkg/kubelet/eviction", "pkg/kubelet/images", "pkg/kubelet/kuberuntime", "pkg/kubelet/lifecycle", "pkg/kubelet/nodeshutdown", "pkg/kubelet/preemption",
}

// wordsOf reads a version's words out of its source.
func wordsOf(folder, version string) (*Words, error) {
	w := &Words{Version: version}
	var err error
	for _, in := range []string{"pkg/kubelet/events", "pkg/controller/volume/events"} {
		var list []string
		if list, err = constants(filepath.Join(folder, in), func(_, _, _ string) bool { return true }); err != nil {
			return nil, err
		}
		w.Events = append(w.Events, list...)
	}
	for _, in := range recorders {
		if err = eachFile(filepath.Join(folder, in), func(file *ast.File) { w.Events = append(w.Events, recorded(file)...) }); err != nil {
			return nil, err
		}
	}
	for _, in := range rejecting {
		list, err := constants(filepath.Join(folder, in), func(file, name, of string) bool {
			return strings.Contains(name, "Reason") || strings.HasPrefix(name, "Err") || of == "" && file == "predicate.go"
		})
		if err != nil {
			return nil, err
		}
		w.Reasons = append(w.Reasons, list...)
	}
	err = eachFile(filepath.Join(folder, "pkg/controller/statefulset"), func(file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok {
				if text, ok := literal(lit); ok && strings.Contains(text, "in StatefulSet %s") {
					w.StatefulSet = append(w.StatefulSet, text)
				}
			}
			return true
		})
	})
	isWord := func(text string) bool { return !word.MatchString(text) }
	for _, list := range []*[]string{&w.Events, &w.Reasons} {
		*list = slices.DeleteFunc(*list, isWord)
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	slices.Sort(w.StatefulSet)
	w.StatefulSet = slices.Compact(w.StatefulSet)
	return w, err
}

// recorded are the reasons that calls of an event recorder have as text: Event(object, type, reason, message), and the scheduler's
// Eventf(object, related, type, reason, action, …).
func recorded(file *ast.File) []string {
	var list []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"Event", "Eventf", "AnnotatedEventf"}, selector.Sel.Name) {
			return true
		}
		for i, arg := range call.Args {
			if kind, ok := arg.(*ast.SelectorExpr); ok && strings.HasPrefix(kind.Sel.Name, "EventType") && i+1 < len(call.Args) {
				if reason, ok := literal(call.Args[i+1]); ok {
					list = append(list, reason)
				}
			}
		}
		return true
	})
	return list
}

// eachFile is eachNamedFile without names.
func eachFile(folder string, each func(*ast.File)) error {
	return eachNamedFile(folder, func(_ string, file *ast.File) { each(file) })
}

// eachNamedFile parses the files of a folder and of those in it, but for tests. One that is not there is empty.
func eachNamedFile(folder string, each func(name string, file *ast.File)) error {
	if _, err := os.Stat(folder); os.IsNotExist(err) {
		return nil
	}
	set := token.NewFileSet()
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parsing %s: %w", path, err)
		}
		each(filepath.Base(path), file)
		return nil
	})
}

// moduleFolder is where a module's source is, in the version that the go.mod of a folder has. It is downloaded if need be.
func moduleFolder(in, module string) (folder, version string, err error) {
	command := exec.Command("go", "mod", "download", "-json", module)
	command.Dir = in
	out, err := command.Output()
	var at struct{ Dir, Version string }
	if err == nil {
		err = json.Unmarshal(out, &at)
	}
	if err != nil {
		return "", "", fmt.Errorf("finding %s: %w", module, err)
	}
	return at.Dir, at.Version, nil
}

// aReason are names of constants and lists of reasons.
var aReason = regexp.MustCompile(`^reason[A-Z]|[a-z]Reasons?$`)

// comparedReasons are the reasons that the packages in a folder compare those of events, conditions and containers with: constants and lists
// that are named so, and literals beside a field Reason. Those of the plugin's own API are left out.
func comparedReasons(folder string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || !entry.IsDir():
			return err
		case entry.Name() == "testdata" || entry.Name() == "api":
			return filepath.SkipDir
		}
		return eachNamedFile(path, func(_ string, file *ast.File) {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					if slices.ContainsFunc(n.Names, func(i *ast.Ident) bool { return aReason.MatchString(i.Name) }) {
						list = append(list, texts(n.Values)...)
					}
				case *ast.BinaryExpr:
					if isReason(n.X) || isReason(n.Y) {
						list = append(list, texts([]ast.Expr{n.X, n.Y})...)
					}
				}
				return true
			})
		})
	})
	list = slices.DeleteFunc(list, func(text string) bool { return !word.MatchString(text) })
	slices.Sort(list)
	return slices.Compact(list), err
}

// isReason reports whether an expression is the field Reason of something.
func isReason(e ast.Expr) bool {
	selector, ok := e.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == "Reason"
}

// texts are the strings in expressions, and in the lists among them.
func texts(expressions []ast.Expr) []string {
	var list []string
	for _, e := range expressions {
		if text, ok := literal(e); ok {
			list = append(list, text)
		}
		if of, ok := e.(*ast.CompositeLit); ok {
			list = append(list, texts(of.Elts)...)
		}
	}
	return list
}
