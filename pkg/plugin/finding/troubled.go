package finding

import "github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"

// Troubled are the objects that findings are about which are more than mere information, those on their way included.
type Troubled map[v1alpha1.ObjectReference]bool

// TroubledBy returns the objects that are named by findings.
func TroubledBy(list []v1alpha1.Finding) Troubled {
	t := Troubled{}
	for i := range list {
		if list[i].Severity == v1alpha1.SeverityInfo && !list[i].Progressing {
			continue
		}
		for _, object := range list[i].Objects {
			t[object] = true
		}
	}
	return t
}

// Has reports whether an object is among them. The objects of a finding that has not been located are in any namespace.
func (t Troubled) Has(kind, namespace, name string) bool {
	return t[v1alpha1.ObjectReference{Kind: kind, Namespace: namespace, Name: name}] || t[v1alpha1.ObjectReference{Kind: kind, Name: name}]
}
