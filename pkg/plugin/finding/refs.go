package finding

import (
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// kinds are the kinds of objects that findings are about, by their names in small letters.
var kinds = map[string]string{
	"pod": "Pod", "statefulset": "StatefulSet", "service": "Service", "node": "Node", "persistentvolumeclaim": "PersistentVolumeClaim",
	"persistentvolume": "PersistentVolume", "poddisruptionbudget": "PodDisruptionBudget", "networkpolicy": "NetworkPolicy", "deployment": "Deployment",
	"clusterendpoint": "ClusterEndpoint", "replicaset": "ReplicaSet", "daemonset": "DaemonSet", "job": "Job", "instanceset": "InstanceSet", "namespace": "Namespace",
}

// withoutNamespace are the kinds that are in none.
var withoutNamespace = [...]string{"Node", "PersistentVolume", "ClusterEndpoint", "Namespace"}

// Ref reads kind/name or kind/namespace/name, as findings name objects while they are made. Kinds that are not known keep their letters.
func Ref(text string) v1alpha1.ObjectReference {
	kind, name, _ := strings.Cut(text, "/")
	ref := v1alpha1.ObjectReference{Kind: kind, Name: name}
	if known := kinds[kind]; known != "" {
		ref.Kind = known
	}
	if namespace, rest, ok := strings.Cut(name, "/"); ok {
		ref.Namespace, ref.Name = namespace, rest
	}
	return ref
}

// Refs is Ref for several.
func Refs(texts []string) []v1alpha1.ObjectReference {
	if texts == nil {
		return nil
	}
	list := make([]v1alpha1.ObjectReference, len(texts))
	for i, text := range texts {
		list[i] = Ref(text)
	}
	return list
}

// Located is a reference in a namespace, unless its kind is in none or it names one.
func Located(ref v1alpha1.ObjectReference, namespace string) v1alpha1.ObjectReference {
	if ref.Namespace == "" && !slices.Contains(withoutNamespace[:], ref.Kind) {
		ref.Namespace = namespace
	}
	return ref
}

// Owner is what controls the pods of a group of servers, which is kind/name; nil for a group that labels hold together.
func Owner(group, namespace string) *v1alpha1.ObjectReference {
	if !strings.Contains(group, "/") {
		return nil
	}
	ref := Located(Ref(group), namespace)
	return &ref
}

// In puts the objects of an item's findings into the item's namespace, where none is named and their kind is in one.
func In(namespace string, list []v1alpha1.Finding) []v1alpha1.Finding {
	for i := range list {
		for j := range list[i].Objects {
			list[i].Objects[j] = Located(list[i].Objects[j], namespace)
		}
		for j := range list[i].Evidence {
			list[i].Evidence[j].Object = Located(list[i].Evidence[j].Object, namespace)
		}
	}
	return list
}

// Object is a reference as people read it: kind/name, with the namespace between them unless it is home.
func Object(ref v1alpha1.ObjectReference, home string) string {
	kind := strings.ToLower(ref.Kind)
	if ref.Namespace == "" || ref.Namespace == home {
		return kind + "/" + ref.Name
	}
	return kind + "/" + ref.Namespace + "/" + ref.Name
}

// Objects is Object for several.
func Objects(refs []v1alpha1.ObjectReference, home string) []string {
	list := make([]string, len(refs))
	for i, ref := range refs {
		list[i] = Object(ref, home)
	}
	return list
}
