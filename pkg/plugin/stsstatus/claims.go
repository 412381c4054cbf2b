package stsstatus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// A volume or its inodes are filling and full from these percentages on.
const (
	FillingPercent = 80
	FullPercent    = 90
)

// claimsFindings are what is wrong with a set's claims and their volumes. What many claims have in common is told once.
func claimsFindings(x *index, set *appsv1.StatefulSet, status *v1alpha1.StatefulSetStatus, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	differing, deleted := groups[difference]{}, groups[string]{}
	for i := range status.Ordinals {
		o := &status.Ordinals[i]
		for j := range o.Claims {
			c := &o.Claims[j]
			list = append(list, claimFindings(x, set.Namespace, o, c, now)...)
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
		list = append(list, onClaims(v1alpha1.CodeClaimDiffers, severity, g.names, finding.Some(g.names)+" "+g.key.text))
	}
	for _, g := range deleted.sorted() {
		list = append(list, onClaims(v1alpha1.CodeReclaimDelete, v1alpha1.SeverityInfo, g.names,
			fmt.Sprintf("who deletes %s deletes the data too: reclaim policy Delete", finding.Some(g.names))))
	}
	return append(list, strayVolumes(x, set, status)...)
}

func claimFindings(x *index, namespace string, o *v1alpha1.Ordinal, c *v1alpha1.ClaimStatus, now time.Time) []v1alpha1.Finding {
	var list []v1alpha1.Finding
	add := func(code v1alpha1.Code, severity v1alpha1.Severity, message string) {
		list = append(list, onClaims(code, severity, []string{c.Name}, message))
	}
	switch {
	case c.Phase == v1alpha1.ClaimPending && o.Pod != nil: // without a pod it is the pod that is missing
		why, waits := pendingReason(x, namespace, o, c)
		severity := v1alpha1.SeverityError
		if waits {
			severity = v1alpha1.SeverityInfo
		}
		add(v1alpha1.CodeClaimNotBound, severity, c.Name+" is pending: "+why)
		if f := &list[len(list)-1]; !waits && x.provisioning(x.claimsByName[types.NamespacedName{Namespace: namespace, Name: c.Name}], now) {
			*f = finding.Progress(*f)
		}
	case c.Phase == v1alpha1.ClaimLost:
		add(v1alpha1.CodeClaimNotBound, v1alpha1.SeverityCritical, fmt.Sprintf("%s has lost its volume %s: the volume no longer exists", c.Name, c.Volume))
	case c.Phase == v1alpha1.ClaimTerminating && o.State == v1alpha1.OrdinalPresent: // of an ordinal to go it is what the retention policy says
		add(v1alpha1.CodeClaimTerminating, v1alpha1.SeverityCritical, fmt.Sprintf("%s has been deleted: it goes as soon as %s ends, %s", c.Name, o.PodName, fateOfData(c)))
	case c.Phase == v1alpha1.ClaimMissing && o.Pod != nil:
		add(v1alpha1.CodeClaimNotBound, v1alpha1.SeverityError, fmt.Sprintf("%s does not exist, and %s is to mount it", c.Name, o.PodName))
	}
	if c.Resize != nil && o.State != v1alpha1.OrdinalRetained {
		list = append(list, resizeFinding(x, namespace, c))
	}
	if c.Usage == nil {
		return list
	}
	if p := c.Usage.UsedPercent; p != nil {
		switch message := fmt.Sprintf("%s is %d%% full", c.Name, *p); {
		case *p >= FullPercent:
			add(v1alpha1.CodeVolumeFull, v1alpha1.SeverityError, message)
		case *p >= FillingPercent:
			add(v1alpha1.CodeVolumeFilling, v1alpha1.SeverityWarning, message)
		}
	}
	if p := c.Usage.InodesUsedPercent; p != nil {
		switch message := fmt.Sprintf("%s has used %d%% of its inodes", c.Name, *p); {
		case *p >= FullPercent:
			add(v1alpha1.CodeInodesFull, v1alpha1.SeverityError, message)
		case *p >= FillingPercent:
			add(v1alpha1.CodeInodesFilling, v1alpha1.SeverityWarning, message)
		}
	}
	return list
}

// onClaims is a finding about claims.
func onClaims(code v1alpha1.Code, severity v1alpha1.Severity, names []string, message string) v1alpha1.Finding {
	return finding.New(code, severity, prefixed("persistentvolumeclaim/", names), "", "%s", message)
}

// pendingReason tells why a claim has no volume yet; waits is true if that is as it should be until its pod is scheduled.
func pendingReason(x *index, namespace string, o *v1alpha1.Ordinal, c *v1alpha1.ClaimStatus) (why string, waits bool) {
	claim := x.claimsByName[types.NamespacedName{Namespace: namespace, Name: c.Name}]
	class := x.classes[c.StorageClass]
	switch {
	case claim.Spec.StorageClassName == nil:
		return "it names no StorageClass, and the cluster has no default one", false
	case c.StorageClass == "":
		return "it wants no StorageClass, and no volume of its size and access modes is free", false
	case class == nil && x.read(subjectClasses):
		return fmt.Sprintf("there is no StorageClass %s", c.StorageClass), false
	}
	if warning := x.newestWarning("PersistentVolumeClaim", &claim.ObjectMeta); warning != "" {
		return warning, false
	}
	if class != nil && class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer && o.Pod.Node == "" {
		return fmt.Sprintf("its volume is made where %s is scheduled (WaitForFirstConsumer)", o.PodName), true
	}
	if class != nil {
		return fmt.Sprintf("the provisioner %s has not made its volume yet", class.Provisioner), false
	}
	return "it has no volume yet", false
}

// fateOfData is what becomes of the data of a claim that has been deleted.
func fateOfData(c *v1alpha1.ClaimStatus) string {
	switch {
	case c.Details == nil:
		return "with its data unless its volume is retained"
	case c.Details.ReclaimPolicy == v1alpha1.ReclaimRetain:
		return fmt.Sprintf("its data stay in volume %s (reclaim policy Retain)", c.Volume)
	}
	return fmt.Sprintf("with its data (reclaim policy %s)", c.Details.ReclaimPolicy)
}

// resize reports whether a claim asks for more than it has, and how far the growing is.
func resize(claim *corev1.PersistentVolumeClaim) *v1alpha1.VolumeResize {
	r := v1alpha1.VolumeResize{}
	if requested, capacity := claim.Spec.Resources.Requests.Storage(), claim.Status.Capacity.Storage(); claim.Status.Phase == corev1.ClaimBound && requested.Cmp(*capacity) > 0 {
		r.State = v1alpha1.ResizePending
	}
	switch claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] {
	case corev1.PersistentVolumeClaimControllerResizeInfeasible, corev1.PersistentVolumeClaimNodeResizeInfeasible:
		r.State = v1alpha1.ResizeFailed
	case corev1.PersistentVolumeClaimControllerResizeInProgress, corev1.PersistentVolumeClaimNodeResizeInProgress, corev1.PersistentVolumeClaimNodeResizePending:
		r.State = v1alpha1.ResizeInProgress
	}
	for i := range claim.Status.Conditions {
		c := &claim.Status.Conditions[i]
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case corev1.PersistentVolumeClaimControllerResizeError, corev1.PersistentVolumeClaimNodeResizeError:
			return &v1alpha1.VolumeResize{State: v1alpha1.ResizeFailed, Message: objects.Because(c.Reason, c.Message)}
		case corev1.PersistentVolumeClaimResizing, corev1.PersistentVolumeClaimFileSystemResizePending:
			if r.State != v1alpha1.ResizeFailed {
				r.State = v1alpha1.ResizeInProgress
			}
			r.Message = objects.Because(string(c.Type), c.Message)
		}
	}
	if r.State == "" {
		return nil
	}
	return &r
}

// Reasons of events about claims whose volumes could not be made larger: by the driver's controller, on the node.
const (
	volumeResizeFailed     = "VolumeResizeFailed"
	fileSystemResizeFailed = "FileSystemResizeFailed"
)

func resizeFinding(x *index, namespace string, c *v1alpha1.ClaimStatus) v1alpha1.Finding {
	claim := x.claimsByName[types.NamespacedName{Namespace: namespace, Name: c.Name}]
	sizes := fmt.Sprintf("%s asks for %s and has %s", c.Name, quantity(c.Requested), quantity(c.Capacity))
	warning := x.warning("PersistentVolumeClaim", &claim.ObjectMeta, volumeResizeFailed, fileSystemResizeFailed, "ExternalExpanding")
	switch why := cmp.Or(textOf(warning), c.Resize.Message); {
	case c.Resize.State == v1alpha1.ResizeFailed, warning != nil && (warning.Reason == volumeResizeFailed || warning.Reason == fileSystemResizeFailed):
		return onClaims(v1alpha1.CodeResizeFailed, v1alpha1.SeverityError, []string{c.Name}, sizes+": growing it failed"+after(": ", why))
	case c.Resize.State == v1alpha1.ResizePending:
		return onClaims(v1alpha1.CodeResizePending, v1alpha1.SeverityWarning, []string{c.Name}, sizes+": nobody has begun to grow it"+after("; ", why))
	default:
		return onClaims(v1alpha1.CodeResizePending, v1alpha1.SeverityWarning, []string{c.Name}, sizes+": it is being grown"+after("; ", why))
	}
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
	claim := x.claimsByName[types.NamespacedName{Namespace: set.Namespace, Name: c.Name}]
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
	if ours, theirs := modeOf(claim), modeOf(template); ours != theirs {
		differences = append(differences, fmt.Sprintf("got volume mode %s where the template %s says %s", ours, template.Name, theirs))
	}
	d.text = strings.Join(differences, "; ")
	return d
}

func sortedModes(claim *corev1.PersistentVolumeClaim) []corev1.PersistentVolumeAccessMode {
	return slices.Sorted(slices.Values(claim.Spec.AccessModes))
}

func modeOf(claim *corev1.PersistentVolumeClaim) corev1.PersistentVolumeMode {
	if claim.Spec.VolumeMode == nil {
		return corev1.PersistentVolumeFilesystem
	}
	return *claim.Spec.VolumeMode
}

// strayVolumes tells of volumes that have the data of one of the set's claims and are not bound to it: the claim they were made
// for has been deleted, or its deletion failed half-way.
func strayVolumes(x *index, set *appsv1.StatefulSet, status *v1alpha1.StatefulSetStatus) []v1alpha1.Finding {
	phases := map[string]v1alpha1.ClaimPhase{}
	for _, o := range status.Ordinals {
		for _, c := range o.Claims {
			if o.State != v1alpha1.OrdinalRetained {
				phases[c.Name] = c.Phase
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
		if _, _, named := objects.ClaimOf(set, ref.Name); !ours && !named {
			continue
		}
		f := finding.New(v1alpha1.CodeVolumeNotBound, v1alpha1.SeverityInfo, []string{"persistentvolume/" + v.Name, "persistentvolumeclaim/" + ref.Name}, "",
			"volume %s has the data of an earlier claim %s, and is released", v.Name, ref.Name)
		if v.Status.Phase == corev1.VolumeFailed {
			f.Severity = v1alpha1.SeverityWarning
			f.Message = fmt.Sprintf("volume %s of claim %s has failed%s", v.Name, ref.Name, after(": ", objects.Because(v.Status.Reason, v.Status.Message)))
		}
		if ours && phase != v1alpha1.ClaimBound {
			f.Severity = v1alpha1.SeverityError
			f.Message += fmt.Sprintf("; the present claim is %s and does not get it", strings.ToLower(string(phase)))
		}
		list = append(list, f)
	}
	return list
}

// volumeDetails is what a volume tells beyond its claim.
func volumeDetails(v *corev1.PersistentVolume) *v1alpha1.VolumeDetails {
	if v == nil {
		return nil
	}
	d := &v1alpha1.VolumeDetails{
		Phase: v1alpha1.VolumePhase(v.Status.Phase), ReclaimPolicy: v1alpha1.ReclaimPolicy(v.Spec.PersistentVolumeReclaimPolicy), Zones: capacity.VolumeZones(v),
	}
	switch source := &v.Spec.PersistentVolumeSource; {
	case source.CSI != nil:
		d.Driver, d.Handle = source.CSI.Driver, source.CSI.VolumeHandle
	case source.Local != nil:
		d.Driver, d.Handle = "local", source.Local.Path
	case source.HostPath != nil:
		d.Driver, d.Handle = "hostPath", source.HostPath.Path
	case source.NFS != nil:
		d.Driver, d.Handle = "nfs", source.NFS.Server+":"+source.NFS.Path
	case source.AWSElasticBlockStore != nil:
		d.Driver, d.Handle = "awsElasticBlockStore", source.AWSElasticBlockStore.VolumeID
	case source.GCEPersistentDisk != nil:
		d.Driver, d.Handle = "gcePersistentDisk", source.GCEPersistentDisk.PDName
	case source.AzureDisk != nil:
		d.Driver, d.Handle = "azureDisk", source.AzureDisk.DataDiskURI
	case source.FC != nil:
		d.Driver, d.Handle = "fc", strings.Join(source.FC.TargetWWNs, ",")
	case source.ISCSI != nil:
		d.Driver, d.Handle = "iscsi", source.ISCSI.IQN
	}
	return d
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
