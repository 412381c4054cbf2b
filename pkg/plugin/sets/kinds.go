package sets

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Kind is a kind of set whose object tells what there should be.
type Kind struct {
	// Group, Resource and Name are as in postgresql.cnpg.io, clusters and Cluster.
	Group, Resource, Name string
	// Title is what people call it.
	Title string
	// versions are those that are understood, the best first.
	versions []string
	// decode takes in what the object says. Fields of other types than is expected are an error.
	decode func(object map[string]any, s *Set) error
}

// kinds is the table of all of them.
var kinds = [...]Kind{cloudNativePG, strimziPodSet, instanceSet, kruiseStatefulSet}

// Kinds are the kinds of sets beside StatefulSets that are known.
func Kinds() []Kind { return slices.Clone(kinds[:]) }

// Resources are what is read of the API for sets, as clusters.postgresql.cnpg.io.
func Resources() []string {
	var list []string
	for _, k := range slices.Concat(kinds[:], parents[:]) {
		list = append(list, k.Resource+"."+k.Group)
	}
	for i := range backupKinds {
		list = append(list, backupKinds[i].Resource+"."+backupKinds[i].Group)
	}
	return list
}

// Version is the version to ask for of those that the API has; empty if none of them is understood.
func (k *Kind) Version(has []string) string {
	for _, v := range k.versions {
		if slices.Contains(has, v) {
			return v
		}
	}
	return ""
}

// KindOf is the known kind of a set; nil if it is known by its pods alone.
func KindOf(apiVersion, kind string) *Kind {
	group, _, _ := strings.Cut(apiVersion, "/")
	for i := range kinds {
		if kinds[i].Group == group && kinds[i].Name == kind {
			return &kinds[i]
		}
	}
	return nil
}

// Titled is what people call a kind of set: that of the table, or its own name.
func Titled(apiVersion, kind string) string {
	if kind == KindOrphans {
		return "pods of a StatefulSet that is gone"
	}
	if k := KindOf(apiVersion, kind); k != nil {
		return k.Title
	}
	return kind
}

// RefOf is kind/name in small letters.
func RefOf(kind, name string) string { return strings.ToLower(kind) + "/" + name }

// Arguments are what kinds beside Kubernetes' StatefulSets may be called in an argument kind/name, with the kind that each stands for.
func Arguments() map[string]string {
	names := map[string]string{}
	for i := range kinds {
		k := &kinds[i]
		if k.Name == "StatefulSet" { // by its group alone: sts is Kubernetes' own
			names[k.Resource+"."+k.Group], names[strings.ToLower(k.Name)+"."+k.Group] = k.Name, k.Name
			continue
		}
		singular := strings.ToLower(k.Name)
		for _, name := range []string{singular, k.Resource, singular + "." + k.Group, k.Resource + "." + k.Group} {
			names[name] = k.Name
		}
	}
	return names
}

// Decode reads a set out of an object of its kind.
func Decode(k *Kind, object map[string]any) (*Set, error) {
	var meta struct {
		metav1.TypeMeta
		metav1.ObjectMeta `json:"metadata"`
	}
	if err := into(object, &meta); err != nil {
		return nil, err
	}
	m := &meta.ObjectMeta
	s := &Set{APIVersion: meta.APIVersion, Kind: meta.Kind, ObjectMeta: metav1.ObjectMeta{
		Namespace: m.Namespace, Name: m.Name, UID: m.UID, CreationTimestamp: m.CreationTimestamp, DeletionTimestamp: m.DeletionTimestamp,
		Finalizers: m.Finalizers, Labels: m.Labels, OwnerReferences: m.OwnerReferences, Generation: m.Generation, ManagedFields: m.ManagedFields,
	}}
	return s, k.decode(object, s)
}

// into reads an object of the API into a struct that has the fields which are wanted of it.
func into(object map[string]any, target any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(object, target)
}

// conditionsOf are those conditions of a status that have one of the types.
func conditionsOf(all []metav1.Condition, types ...string) []metav1.Condition {
	return slices.DeleteFunc(all, func(c metav1.Condition) bool { return !slices.Contains(types, c.Type) })
}
