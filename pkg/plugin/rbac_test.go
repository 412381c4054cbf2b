package plugin

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

func mustRoles(t *testing.T, namespace string, parts ...string) string {
	t.Helper()
	text, err := roles(parts, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func everyPart() []string { return strings.Split(partList(), ",") }

// TestRolesAreDocumented: what is printed is what docs/rbac.md shows.
func TestRolesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	reading := mustRoles(t, "")
	all := mustRoles(t, "", everyPart()...)
	if !strings.HasPrefix(all, reading) {
		t.Error("with parts, reading is another")
	}
	for _, shown := range []string{reading, strings.TrimPrefix(all, reading)} {
		if !strings.Contains(string(page), "```yaml\n"+shown+"```\n") {
			t.Errorf("docs/rbac.md does not show what is printed:\n%s", shown)
		}
	}
}

// TestRoles: reading has nothing strong in it, each part says how strong it is, and with a namespace nothing but what is in none is bound to
// the whole cluster.
func TestRoles(t *testing.T) {
	for _, namespace := range []string{"", "shop"} {
		for _, part := range append([]string{""}, everyPart()...) {
			text := mustRoles(t, namespace, strings.Fields(part)...)
			if strong := strings.Contains(text, "# STRONG: "); strong != (part != "") {
				t.Errorf("-n %q, %q: it is said to be strong: %v", namespace, part, strong)
			}
			for _, document := range strings.Split(text, "---\n") {
				var role rbacv1.ClusterRole // a Role has the same fields
				if err := yaml.UnmarshalStrict([]byte(document), &role); strings.Contains(document, "Binding\n") {
					if strings.Contains(document, "kind: ClusterRoleBinding") && namespace != "" && !strings.Contains(document, "-cluster") && part != "kubelets" {
						t.Errorf("-n %s, %q: in the whole cluster:\n%s", namespace, part, document)
					}
					continue
				} else if err != nil {
					t.Fatalf("%v:\n%s", err, document)
				}
				for _, rule := range role.Rules {
					for _, verb := range rule.Verbs {
						reads := slices.Contains([]string{"get", "list", "watch"}, verb)
						strong := slices.ContainsFunc(rule.Resources, func(r string) bool { return strings.Contains(r, "/") || r == "secrets" })
						if part == "" && (!reads || strong) {
							t.Errorf("reading has %v", rule)
						}
						if verb == "*" || slices.Contains(rule.Resources, "*") {
							t.Errorf("%q has %v", part, rule)
						}
					}
				}
			}
		}
	}
	for _, bad := range []string{"exe", "all", ""} {
		if _, err := roles([]string{bad}, ""); err == nil {
			t.Errorf("a part %q: no error", bad)
		}
	}
	if _, err := roles(nil, "shop\nkind: x"); err == nil {
		t.Error("a namespace that is none: no error")
	}
}

// TestReadingRightsAreUsed: whatever may be read is read somewhere, and the other way round.
func TestReadingRightsAreUsed(t *testing.T) {
	var source strings.Builder
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || path == "kube/list.go" || path == "kube/follow.go" {
			return err
		}
		text, err := os.ReadFile(path)
		source.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	granted := map[string]string{}
	ofOperators := sets.Resources()
	for _, rule := range append(slices.Clone(readingInNamespace), readingInCluster...) {
		for _, resource := range strings.Split(rule.resources, ", ") {
			if at := slices.Index(ofOperators, resource+"."+rule.group); at >= 0 {
				ofOperators = slices.Delete(ofOperators, at, at+1)
				continue
			}
			granted[resource] = rule.verbs
		}
	}
	if len(ofOperators) > 0 {
		t.Errorf("%v are read, and no role has them", ofOperators)
	}
	one := func(kind string) string { return `\.(Get)?` + kind + `\(ctx` }
	kinds := map[string][3]string{ // how the code asks for one, for a list, and for a watch
		"statefulsets":           {one("StatefulSet"), `EachStatefulSet\(`, `FollowStatefulSets\(`},
		"pods":                   {one("Pod"), `EachPod\(`, `FollowPods\(`},
		"services":               {one("Service"), `EachService\(`, `FollowServices\(`},
		"persistentvolumeclaims": {one("Claim"), `EachClaim\(`, `FollowClaims\(`},
		"events":                 {one("Event"), `EachEvent\(`, `FollowEvents\(`},
		"poddisruptionbudgets":   {one("DisruptionBudget"), `EachDisruptionBudget\(`, `FollowDisruptionBudgets\(`},
		"endpointslices":         {one("EndpointSlice"), `EachEndpointSlice\(`, `FollowEndpointSlices\(`},
		"networkpolicies":        {one("NetworkPolicy"), `EachNetworkPolicy\(`, `FollowNetworkPolicies\(`},
		"persistentvolumes":      {one("Volume") + `|d\.cluster\.Volume,`, `EachVolume\(`, `FollowVolumes\(`},
		"nodes":                  {one("Node") + `|d\.cluster\.Node,`, `EachNode\(`, `FollowNodes\(`},
		"namespaces":             {one("Namespace"), `EachNamespace\(`, `FollowNamespaces\(`},
		"storageclasses":         {one("StorageClass"), `EachStorageClass\(`, `FollowStorageClasses\(`},
		"volumeattachments":      {one("VolumeAttachment"), `EachVolumeAttachment\(`, `FollowVolumeAttachments\(`},
		"csinodes":               {one("CSINode"), `EachCSINode\(`, `FollowCSINodes\(`},
	}
	for resource := range granted {
		if _, known := kinds[resource]; !known {
			t.Errorf("%s may be read, and the test does not know how", resource)
		}
	}
	for resource, patterns := range kinds {
		for i, verb := range []string{"get", "list", "watch"} {
			used := regexp.MustCompile(patterns[i]).MatchString(source.String())
			if may := strings.Contains(granted[resource], verb); may != used {
				t.Errorf("%s %s: granted %v, used %v", verb, resource, may, used)
			}
		}
	}
}
