package kube

import (
	"encoding/json"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// TestMaskBody: of bodies in JSON and in protobuf the log shows names, and nothing that may be secret.
func TestMaskBody(t *testing.T) {
	const secret = "hunter2"
	container := corev1.Container{
		Name: "db", Env: []corev1.EnvVar{{Name: "MYSQL_ROOT_PASSWORD", Value: secret}}, Command: []string{"mysqld", "--password=" + secret}, Args: []string{secret},
		ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{secret}}}},
		LivenessProbe:  &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{HTTPHeaders: []corev1.HTTPHeader{{Name: "Authorization", Value: secret}}}}},
	}
	meta := metav1.ObjectMeta{Name: "shown", Annotations: map[string]string{lastApplied: secret, "note": "shown too"}}
	pod := corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{Containers: []corev1.Container{container}, InitContainers: []corev1.Container{container}}}
	set := appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Template: corev1.PodTemplateSpec{Spec: pod.Spec}}}
	hidden := corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"pw": []byte(secret)}, StringData: map[string]string{"pw": secret}}
	for what, object := range map[string]runtime.Object{
		"a pod": &pod, "pods": &corev1.PodList{Items: []corev1.Pod{pod}}, "sets": &appsv1.StatefulSetList{Items: []appsv1.StatefulSet{set}},
		"a Secret": &hidden, "Secrets": &corev1.SecretList{Items: []corev1.Secret{hidden}},
	} {
		for _, media := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
			info, ok := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), media)
			if !ok {
				t.Fatalf("no serializer of %s", media)
			}
			gv := corev1.SchemeGroupVersion
			if strings.Contains(what, "set") {
				gv = appsv1.SchemeGroupVersion
			}
			body, err := runtime.Encode(codecs.EncoderForVersion(info.Serializer, gv), object)
			if err != nil {
				t.Fatal(err)
			}
			text := maskBody(body)
			if strings.Contains(text, secret) || strings.Contains(text, "aHVudGVyMg") {
				t.Errorf("%s as %s: %s", what, media, text)
			}
			if !strings.Contains(what, "Secret") && (!strings.Contains(text, "shown too") || !strings.Contains(text, "MYSQL_ROOT_PASSWORD")) {
				t.Errorf("%s as %s: what is no secret is missing: %s", what, media, text)
			}
		}
	}
	for _, body := range []string{"", "hunter2", "k8s\x00hunter2", "<html>hunter2</html>"} {
		if text := maskBody([]byte(body)); strings.Contains(text, secret) {
			t.Errorf("%q: %s", body, text)
		}
	}
	patch, _ := json.Marshal(map[string]any{"spec": map[string]any{"ephemeralContainers": []corev1.Container{container}}})
	if text := maskBody(patch); strings.Contains(text, secret) {
		t.Error(text)
	}
}

func TestMaskText(t *testing.T) {
	for text, want := range map[string]string{
		"GET https://k/api/v1/namespaces/a/pods/b/exec?command=sh&command=-c&command=echo+hunter2&container=db": "GET https://k/api/v1/namespaces/a/pods/b/exec?command=<masked>&command=<masked>&command=<masked>&container=db",
		`curl -v -XGET  -H "Authorization: Bearer abc.def" 'https://k/api?command=hunter2'`:                     `curl -v -XGET  -H "Authorization: Bearer <masked>" 'https://k/api?command=<masked>'`,
		"Sec-Websocket-Protocol: base64url.bearer.authorization.k8s.io.aHVudGVyMg, v5.channel.k8s.io":           "Sec-Websocket-Protocol: base64url.bearer.authorization.k8s.io.<masked>, v5.channel.k8s.io",
		"Set-Cookie: session=hunter2\nDate: now":                                                                "Set-Cookie: <masked>\nDate: now",
	} {
		if got := MaskText(text); got != want {
			t.Errorf("%s\n%s", got, want)
		}
	}
}
