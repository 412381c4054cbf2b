package finding

import "testing"

func TestPaste(t *testing.T) {
	all := Given{Kubeconfig: "/home/a b/config", Context: "prod's; rm -rf /", Namespace: "shop"}
	flags := ` --kubeconfig='/home/a b/config' --context='prod'\''s; rm -rf /'`
	for _, tc := range []struct {
		given      Given
		text, want string
	}{
		{Given{}, "kubectl describe pod web-0 -n shop", "kubectl describe pod web-0 -n shop"},
		{Given{Namespace: "shop"}, "kubectl describe pod web-0 -n shop", "kubectl describe pod web-0 -n shop"},
		{Given{Context: "prod"}, "kubectl describe pod web-0 -n shop", "kubectl --context=prod describe pod web-0 -n shop"},
		{Given{Context: "arn:aws:eks:eu-1:1:cluster/x", Cluster: "c"}, "see kubectl logs web-0 -n a, or raise --timeout", "see kubectl --context=arn:aws:eks:eu-1:1:cluster/x --cluster=c logs web-0 -n a, or raise --timeout"},
		{all, "kubectl delete pod web-0 -n shop lets the set recreate it", "kubectl" + flags + " delete pod web-0 -n shop lets the set recreate it"},
		{all, "kubectl doik endpoint --resolver=1.1.1.1", "kubectl doik endpoint -n shop" + flags + " --resolver=1.1.1.1"},
		{all, "kubectl doik check -A", "kubectl doik check" + flags + " -A"},
		{all, "kubectl get a; then kubectl get b", "kubectl" + flags + " get a; then kubectl" + flags + " get b"},
		{all, "as kubectl does, and kubectl-doik too; docs/rbac.md", "as kubectl does, and kubectl-doik too; docs/rbac.md"},
	} {
		got := tc.given.Paste(tc.text)
		if got != tc.want {
			t.Errorf("%s\n%s\nwant\n%s", tc.text, got, tc.want)
		}
		if again := tc.given.Paste(got); tc.given.flags() != "" && again != got {
			t.Errorf("a second time: %s", again)
		}
	}
}
