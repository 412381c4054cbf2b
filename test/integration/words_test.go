//go:build integration

package integration

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

// TestWords has an event say what YAML can't hold, what can't be seen, and more than anybody reads: documents can be read, and the table
// shows the beginning of it.
func TestWords(t *testing.T) {
	t.Parallel()
	n := cluster.NewNamespace(t)
	n.Apply(strings.Replace(n.Manifest("web.yaml"), "      containers:", "      nodeSelector: {no: node}\n      containers:", 1))
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	var claim *corev1.PersistentVolumeClaim
	cluster.Eventually(t, 20*time.Second, func() (err error) {
		claim, err = client.CoreV1().PersistentVolumeClaims(n.NS).Get(context.Background(), "www-web-0", metav1.GetOptions{})
		return err
	})
	hostile := "del \x7f c1 \u0085\u009b31m esc \x1b[31m nul \x00 vt \v nothing \u200b\u2067\ufeff end" + strings.Repeat(" 아주 긴 말", 2000)
	done(client.CoreV1().Events(n.NS).Create(context.Background(), &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: "hostile"}, Type: corev1.EventTypeWarning, Reason: "ProvisioningFailed", Message: hostile,
		InvolvedObject: corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: n.NS, Name: claim.Name, UID: claim.UID},
		LastTimestamp:  metav1.NewTime(time.Now().Add(time.Hour)), // the newest
	}, metav1.CreateOptions{}))(t)
	for _, format := range []string{"json", "yaml", "kyaml"} {
		r := n.Doik("sts-status", "-o", format)
		var report v1alpha1.SetStatusList
		if err := yaml.Unmarshal([]byte(r.Out), &report); err != nil || r.Code != 0 {
			t.Errorf("-o %s: exit code %d, %v: %s", format, r.Code, err, r.Err)
		}
		if text := r.Out; !strings.Contains(text, "아주 긴 말") || !utf8.ValidString(text) {
			t.Errorf("-o %s lacks the event", format)
		}
	}
	for _, format := range []string{"wide", ""} {
		r := n.Doik("sts-status", "-o", format)
		if strings.ContainsAny(r.Out+r.Err, "\x7f\u0085\u009b\x1b\x00\v\u200b\u2067\ufeff") || !strings.Contains(r.Out, `\x7f`) || !strings.Contains(r.Out, `\u200b\u2067\ufeff`) {
			t.Errorf("-o %q: %q", format, r.Out)
		}
		if len([]rune(r.Out)) > 4000 || !strings.Contains(r.Out, "characters; see -o json for all)") {
			t.Errorf("-o %q: %d characters", format, len([]rune(r.Out)))
		}
	}
}
