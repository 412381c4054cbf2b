package stsstatus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// userOf is an ordinal's pod, as rules about its claims see it.
func userOf(o *v1alpha1.Ordinal) claims.User {
	return claims.User{
		Name: o.PodName, Pod: o.Pod, Ending: o.State == v1alpha1.OrdinalSurplus, Kept: o.State == v1alpha1.OrdinalRetained,
		Awaited: o.State == v1alpha1.OrdinalMissing || o.State == v1alpha1.OrdinalBlocked,
	}
}

// claimsFindings are what is wrong with a set's claims and their volumes. What many claims have in common is reported once.
func claimsFindings(x *index, set *appsv1.StatefulSet, status *v1alpha1.SetStatus, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	differing, deleted := groups[difference]{}, groups[string]{}
	for i := range status.Ordinals {
		o := &status.Ordinals[i]
		for j := range o.Claims {
			c := &o.Claims[j]
			list = append(list, x.claims.Findings(claims.OfSets(), set.Namespace, userOf(o), c, now)...)
			if o.State == v1alpha1.OrdinalRetained {
				continue
			}
			if d := templateDifference(x, set, c); d.text != "" {
				differing.add(d, c.Name)
			}
			if x.Details && c.Details != nil && c.Details.ReclaimPolicy == v1alpha1.ReclaimDelete {
				deleted.add("", c.Name)
			}
		}
	}
	for _, g := range differing.sorted() {
		severity := v1alpha1.SeverityInfo
		if g.key.smaller {
			severity = v1alpha1.SeverityWarning
		}
		list = append(list, claims.On(v1alpha1.CodeClaimDiffers, severity, g.names, finding.Some(g.names)+" "+g.key.text))
	}
	for _, g := range deleted.sorted() {
		whose := "its"
		if len(g.names) > 1 {
			whose = "their"
		}
		list = append(list, claims.On(v1alpha1.CodeReclaimDelete, v1alpha1.SeverityInfo, g.names,
			fmt.Sprintf("deleting %s also deletes %s data (reclaim policy Delete)", finding.Some(g.names), whose)))
	}
	list = append(list, claims.DiskFindings(claims.Disks(placed(status)), now)...)
	return append(list, strayVolumes(x, set, status, now)...)
}

// after puts a separator before a text that is not empty.
func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

// difference is how a claim differs from the template that it was made from.
type difference struct {
	// text is empty if it does not.
	text string
	// smaller is the difference that surprises: who made the template larger thinks that the claims are.
	smaller bool
}

// templateDifference tells how a claim differs from the template that it was made from.
func templateDifference(x *index, set *appsv1.StatefulSet, c *v1alpha1.ClaimStatus) difference {
	i := slices.IndexFunc(set.Spec.VolumeClaimTemplates, func(t corev1.PersistentVolumeClaim) bool { return t.Name == c.Template })
	claim := x.claims.ByName[types.NamespacedName{Namespace: set.Namespace, Name: c.Name}]
	if c.Template == "" || i < 0 || claim == nil {
		return difference{}
	}
	template := &set.Spec.VolumeClaimTemplates[i]
	var d difference
	var differences []string
	wanted, asked := template.Spec.Resources.Requests.Storage(), claim.Spec.Resources.Requests.Storage()
	switch asked.Cmp(*wanted) {
	case -1:
		d.smaller = true
		differences = append(differences, fmt.Sprintf("requested %s, less than the template %s says (%s)", asked, template.Name, wanted))
	case 1:
		differences = append(differences, fmt.Sprintf("requested %s, more than the template %s says (%s), which is what new ordinals get", asked, template.Name, wanted))
	}
	if class := template.Spec.StorageClassName; class != nil && *class != c.StorageClass {
		differences = append(differences, fmt.Sprintf("got class %q where the template %s says %q", c.StorageClass, template.Name, *class))
	}
	if ours, theirs := sortedModes(claim), sortedModes(template); !slices.Equal(ours, theirs) {
		differences = append(differences, fmt.Sprintf("got access modes %v where the template %s says %v", ours, template.Name, theirs))
	}
	if ours, theirs := claims.ModeOf(claim), claims.ModeOf(template); ours != theirs {
		differences = append(differences, fmt.Sprintf("got volume mode %s where the template %s says %s", ours, template.Name, theirs))
	}
	d.text = strings.Join(differences, "; ")
	return d
}

func sortedModes(claim *corev1.PersistentVolumeClaim) []corev1.PersistentVolumeAccessMode {
	return slices.Sorted(slices.Values(claim.Spec.AccessModes))
}

// placed are the claims that a set's pods have mounted.
func placed(status *v1alpha1.SetStatus) []claims.Placed {
	var list []claims.Placed
	for i := range status.Ordinals {
		o := &status.Ordinals[i]
		for j := range o.Claims {
			if o.Pod != nil {
				list = append(list, claims.Placed{Namespace: status.Metadata.Namespace, Node: o.Pod.Node, Claim: &o.Claims[j]})
			}
		}
	}
	return list
}

// strayVolumes reports volumes that have the data of one of the set's claims and are not bound to it: the claim they were made
// for has been deleted, or its deletion failed half-way.
func strayVolumes(x *index, set *appsv1.StatefulSet, status *v1alpha1.SetStatus, now time.Time) []v1alpha1.Finding {
	phases := map[string]v1alpha1.ClaimPhase{}
	has := map[string]string{}
	for _, o := range status.Ordinals {
		for _, c := range o.Claims {
			if o.State != v1alpha1.OrdinalRetained {
				phases[c.Name], has[c.Name] = c.Phase, c.Volume
			}
		}
	}
	var list []v1alpha1.Finding
	for i := range x.Volumes {
		v := &x.Volumes[i]
		ref := v.Spec.ClaimRef
		if ref == nil || ref.Namespace != set.Namespace || v.Status.Phase != corev1.VolumeReleased && v.Status.Phase != corev1.VolumeFailed {
			continue
		}
		phase, ours := phases[ref.Name]
		if has[ref.Name] == v.Name { // that has been told
			continue
		}
		if _, _, named := objects.ClaimOf(set, ref.Name); !ours && !named {
			continue
		}
		var current *v1alpha1.ClaimStatus
		if ours {
			current = &v1alpha1.ClaimStatus{Name: ref.Name, Phase: phase, Volume: has[ref.Name]}
		}
		list = append(list, claims.Left(v1alpha1.CodeVolumeNotBound, v, current, now))
	}
	return list
}

// groups collects names by what they have in common.
type groups[K comparable] map[K][]string

type group[K comparable] struct {
	key   K
	names []string
}

func (g groups[K]) add(key K, name string) { g[key] = append(g[key], name) }

// sorted returns the groups by their first names.
func (g groups[K]) sorted() []group[K] {
	list := make([]group[K], 0, len(g))
	for key, names := range g {
		list = append(list, group[K]{key, names})
	}
	slices.SortFunc(list, func(a, b group[K]) int { return cmp.Compare(a.names[0], b.names[0]) })
	return list
}
