package dns

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// TestGolden runs every case of testdata, snapshots that were taken on test/node: snapshot.yaml through Analyze and Table.
func TestGolden(t *testing.T) {
	golden.Cases(t, time.Date(2026, 11, 24, 13, 0, 0, 0, time.UTC), func(t *testing.T, s *Snapshot, now time.Time, folder string) {
		report := Analyze(s, now)
		golden.Report(t, folder, report, &report.Metadata)
		golden.Fitted(t, folder, func(show printers.Show) printers.Table { return Table(report, View{Show: show}) })
		golden.Tables(t, folder, Table(report, View{}), Table(report, View{Namespaces: true, Wide: true}))
	})
}

// TestSelectsNothing tells a wrong selector from pods that there are not, which it names: what says why there are none explains it.
func TestSelectsNothing(t *testing.T) {
	meta := func(name, app string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "x", Name: name, UID: "uid-of-set", Labels: map[string]string{"app": app}}
	}
	set := func(app string, start, replicas int32) appsv1.StatefulSet {
		s := appsv1.StatefulSet{ObjectMeta: meta("db", app), Spec: appsv1.StatefulSetSpec{ServiceName: "db", Replicas: &replicas, Ordinals: &appsv1.StatefulSetOrdinals{Start: start}}}
		s.Spec.Template.Labels = map[string]string{"app": app}
		return s
	}
	yes := true
	pod := corev1.Pod{ObjectMeta: meta("db-0", "old")}
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: KindStatefulSet, Name: "db", UID: "uid-of-set", Controller: &yes}}
	for _, c := range []struct {
		set        appsv1.StatefulSet
		pods       []corev1.Pod
		words, all string
	}{
		{set("typo", 0, 2), nil, "; the pods of StatefulSet db have app=typo", "service/db"},
		{set("db", 0, 1), []corev1.Pod{pod}, "; the pods of StatefulSet db don't have the labels of its template", "service/db"},
		{set("db", 3, 2), nil, "; StatefulSet db has no pods", "service/db pod/db-3 pod/db-4"},
		{set("db", 0, 0), nil, "", ""},
	} {
		service := corev1.Service{ObjectMeta: meta("db", ""), Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Selector: map[string]string{"app": "db"}}}
		report := Analyze(&Snapshot{
			Subjects: []Subject{{Namespace: "x", Service: "db"}}, Services: []corev1.Service{service}, StatefulSets: []appsv1.StatefulSet{c.set}, Pods: c.pods,
		}, time.Time{})
		all := ""
		for _, f := range report.Items[0].Findings {
			if f.Code == v1alpha1.CodeDNSSelectsNothing {
				all = strings.Join(finding.Objects(f.Objects, f.Objects[0].Namespace), " ")
				if !strings.HasSuffix(f.Message, "matches no pod"+c.words) {
					t.Errorf("%s, want %s", f.Message, c.words)
				}
			}
		}
		if all != c.all {
			t.Errorf("objects %q, want %q", all, c.all)
		}
	}
}

// TestSilence has one cause of answers that did not come: nothing is there to answer, a NetworkPolicy lets nothing out, or else none
// knows why.
func TestSilence(t *testing.T) {
	closed := networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "closed"}, Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}}}
	for _, c := range []struct {
		ready    bool
		policies []networkingv1.NetworkPolicy
		want     v1alpha1.Code
	}{
		{false, nil, v1alpha1.CodeDNSNoServer},
		{true, []networkingv1.NetworkPolicy{closed}, v1alpha1.CodeDNSNetworkPolicy},
		{true, nil, v1alpha1.CodeDNSNoAnswer},
	} {
		report := Analyze(&Snapshot{
			DNSServiceName: "kube-system/kube-dns", DNSService: &corev1.Service{}, NetworkPolicies: c.policies,
			Vantage: v1alpha1.DNSVantage{Kind: v1alpha1.VantageDebugPod, Namespace: "x", Pod: "debug", Servers: []v1alpha1.DNSServer{{Address: "10.0.0.2", Ready: c.ready}}},
			Answers: []resolve.Answer{{Question: resolve.Question{Name: "db.", Type: resolve.TypeA}, Status: resolve.StatusTimeout}},
		}, time.Time{})
		if found := Findings(report); len(found) != 1 || found[0].Code != c.want {
			t.Errorf("want %s: %+v", c.want, found)
		}
	}
}

// TestFrom reads --from.
func TestFrom(t *testing.T) {
	for _, text := range append(Forms()[:2], "pod/web-0", "ephemeral/web-0.x") {
		if _, err := parseFrom(text); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"", "pod", "pod/", "pod/Web_0", "pod/a/b", "svc/web", "DNS", "ephemeral/-x"} {
		if from, err := parseFrom(text); err == nil {
			t.Errorf("%q: %+v", text, from)
		}
	}
}
