package dbserver

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestChoose(t *testing.T) {
	controls := true
	var all []Server
	for _, name := range []string{"mysql-0", "mysql-1", "mysql-2", "other-0"} {
		set := name[:len(name)-2]
		all = append(all, Server{Flavour: &Flavour{}, Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: name,
			OwnerReferences: []metav1.OwnerReference{{Kind: "StatefulSet", Name: set, Controller: &controls}}}}})
	}
	for _, c := range []struct {
		scope Scope
		want  []string
	}{
		{Scope{}, []string{"mysql-0", "mysql-1", "mysql-2", "other-0"}},
		{Scope{Names: []string{"mysql"}, PodsAlone: true}, []string{"mysql-0", "mysql-1", "mysql-2"}},
		{Scope{Names: []string{"mysql-1"}}, []string{"mysql-0", "mysql-1", "mysql-2"}},
		{Scope{Names: []string{"mysql-1"}, PodsAlone: true}, []string{"mysql-1"}},
		{Scope{Names: []string{"mysql-1", "other", "mysql-1"}, PodsAlone: true}, []string{"mysql-1", "other-0"}},
		{Scope{Names: []string{"mysql-3"}, PodsAlone: true}, nil},
	} {
		servers, err := Engines{{Name: "MySQL"}}.Choose(all, c.scope)
		var got []string
		for _, s := range servers {
			got = append(got, s.Pod.Name)
		}
		if !slices.Equal(got, c.want) || (err != nil) != (c.want == nil) {
			t.Errorf("%+v: %v, %v", c.scope, got, err)
		}
	}
}
