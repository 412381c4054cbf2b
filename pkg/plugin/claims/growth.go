package claims

import (
	"fmt"
	"slices"

	storagev1 "k8s.io/api/storage/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Growth tells how to grow the volume of a claim: the command, or what stands against it, to be added to a sentence. Both are empty if
// StorageClasses could not be read.
func Growth(read []string, classes []storagev1.StorageClass, namespace string, c *v1alpha1.ClaimStatus) (command, obstacle string) {
	if !slices.Contains(read, SubjectClasses) || c.Requested == nil {
		return "", ""
	}
	at := slices.IndexFunc(classes, func(class storagev1.StorageClass) bool { return class.Name == c.StorageClass })
	switch {
	case c.StorageClass == "":
		return "", "; it has no StorageClass, and so can't be grown"
	case at < 0 || classes[at].AllowVolumeExpansion == nil || !*classes[at].AllowVolumeExpansion:
		return "", fmt.Sprintf("; StorageClass %s does not allow growing it", c.StorageClass)
	}
	size := c.Requested.DeepCopy()
	size.Add(*c.Requested)
	return fmt.Sprintf(`kubectl patch pvc %s -n %s -p '{"spec":{"resources":{"requests":{"storage":"%s"}}}}'`, c.Name, namespace, size.String()), ""
}

// relieve adds that to a finding about a volume that fills up.
func (x *Index) relieve(namespace string, c *v1alpha1.ClaimStatus, f *v1alpha1.Finding) {
	command, obstacle := Growth(x.Read, x.Classes, namespace, c)
	f.Remedy.Command = command
	f.Message += obstacle
}
