package snapshot

import (
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// apiTypes is where the types of Kubernetes' objects are: only their fields are left out, a command's own have been chosen.
const apiTypes = "k8s.io/api/"

// secretFields are fields of Kubernetes' types, by their names in Go, that may hold a password, a token or a connection string, and that no
// analysis reads: variables and command lines of containers, what probes and hooks send, options and parameters of volumes and their drivers.
var secretFields = map[string]bool{
	"Env": true, "EnvFrom": true, "Args": true, "Command": true, "Lifecycle": true, "ProbeHandler": true, "HTTPHeaders": true,
	"MountOptions": true, "BindMountOptions": true, "WindowsOptions": true, "Parameters": true, "VolumeAttributes": true,
	"Data": true, "StringData": true, "BinaryData": true,
}

// Clean returns a copy of a command's snapshot without what may be secret. What it was made from is not written to: objects may be shared
// with caches.
func Clean(data any) any {
	if data == nil {
		return nil
	}
	return clean(reflect.ValueOf(data)).Interface()
}

func clean(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(clean(v.Elem()))
		return out
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type()).Elem()
		out.Set(clean(v.Elem()))
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(clean(v.Index(i)))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for key, value := range v.Seq2() {
			out.SetMapIndex(key, clean(value))
		}
		return out
	case reflect.Struct:
		return cleanStruct(v)
	}
	return v
}

func cleanStruct(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v) // with fields that are not exported, as those of quantities and times
	switch object := out.Addr().Interface().(type) {
	case *metav1.ObjectMeta:
		*object = cleanMeta(*object)
		return out
	case *corev1.VolumeSource:
		*object = corev1.VolumeSource{PersistentVolumeClaim: object.PersistentVolumeClaim, Ephemeral: object.Ephemeral, EmptyDir: object.EmptyDir}
	case *corev1.FlexPersistentVolumeSource:
		object.Options = nil
	}
	ofKubernetes := strings.HasPrefix(v.Type().PkgPath(), apiTypes)
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch {
		case !field.IsExported():
		case ofKubernetes && secretFields[field.Name]:
			out.Field(i).SetZero()
		default:
			out.Field(i).Set(clean(out.Field(i)))
		}
	}
	return out
}

// cleanMeta keeps those annotations that an analysis reads, and of the managed fields the times.
func cleanMeta(meta metav1.ObjectMeta) metav1.ObjectMeta {
	keep := append(capacity.Annotations(), v1alpha1.IgnoreAnnotation, v1alpha1.ServerAnnotation, objects.MariaDBAnnotation)
	annotations := map[string]string{}
	for key, value := range meta.Annotations {
		if slices.Contains(keep, key) {
			annotations[key] = value
		}
	}
	meta.Annotations = nil
	if len(annotations) > 0 {
		meta.Annotations = annotations
	}
	var times []metav1.ManagedFieldsEntry
	for _, entry := range meta.ManagedFields {
		times = append(times, metav1.ManagedFieldsEntry{Time: entry.Time})
	}
	meta.ManagedFields = times
	return meta
}
