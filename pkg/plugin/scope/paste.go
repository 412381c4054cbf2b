package scope

import (
	"reflect"
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// Given is what of the connection flags was given.
func Given(c *kube.Connection) finding.Given {
	return finding.Given{
		Kubeconfig: c.Kubeconfig, Context: c.Overrides.CurrentContext, Cluster: c.Overrides.Context.Cluster, Namespace: c.Overrides.Context.Namespace,
	}
}

// paste makes commands in the remedies of a report such that they can be pasted: they lead to the cluster that was looked at. Findings are
// made without knowing with which flags; whatever their type, their field is called Command, or Remedy where that is a text.
func (s *Scope) paste(report any) { pasteInto(reflect.ValueOf(report), s.given) }

// remedyFields are texts with commands.
var remedyFields = [...]string{"Command", "Remedy"}

func pasteInto(v reflect.Value, given finding.Given) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			pasteInto(v.Elem(), given)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			pasteInto(v.Index(i), given)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Field(i)
			if slices.Contains(remedyFields[:], v.Type().Field(i).Name) && field.Kind() == reflect.String && field.CanSet() {
				field.SetString(given.Paste(field.String()))
				continue
			}
			if v.Type().Field(i).IsExported() {
				pasteInto(field, given)
			}
		}
	}
}
