package snapshot_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/check"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbreads"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/endpoint"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/nodes"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/snapshot"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
)

// all are the snapshots that can be saved.
var all = []any{stsstatus.Snapshot{}, dns.Snapshot{}, nodes.Snapshot{}, dbtopology.Snapshot{}, dbreads.Snapshot{}, endpoint.Snapshot{}, check.Snapshot{}}

// data is a snapshot with what must not be saved, and what must.
type data struct {
	Sets    []appsv1.StatefulSet             `json:"sets"`
	Pods    map[string]*corev1.Pod           `json:"pods"`
	Volumes []corev1.PersistentVolume        `json:"volumes"`
	Classes []storagev1.StorageClass         `json:"classes"`
	Said    any                              `json:"said"`
	Usage   map[string]v1alpha1.VolumeUsage  `json:"usage"`
	Claims  []*corev1.PersistentVolumeClaim  `json:"claims"`
	Problem map[string]v1alpha1.Problem      `json:"problems,omitempty"`
	Labels  map[string]*metav1.LabelSelector `json:"labels,omitempty"`
	Limits  map[string]map[string]*int32     `json:"limits,omitempty"`
	Nothing *corev1.Node                     `json:"nothing,omitempty"`
	None    []corev1.Node                    `json:"none,omitempty"`
}

const hidden = "hunter2"

func example() *data {
	meta := metav1.ObjectMeta{
		Namespace: "shop", Name: "mysql-0", Labels: map[string]string{"app": "mysql"},
		Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: hidden, "vault/token": hidden, v1alpha1.IgnoreAnnotation: "STS033: one is enough"},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl", Time: &metav1.Time{Time: time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)},
			FieldsV1: metav1.NewFieldsV1(`{"f:` + hidden + `":{}}`)}},
	}
	handler := corev1.ProbeHandler{
		Exec:    &corev1.ExecAction{Command: []string{"mysqladmin", "-p" + hidden, "ping"}},
		HTTPGet: &corev1.HTTPGetAction{HTTPHeaders: []corev1.HTTPHeader{{Name: "Authorization", Value: hidden}}},
	}
	container := corev1.Container{
		Name: "mysql", Image: "mysql:9.7", Command: []string{"sh", "-c", hidden}, Args: []string{"--password=" + hidden},
		Env:            []corev1.EnvVar{{Name: "MYSQL_ROOT_PASSWORD", Value: hidden}},
		EnvFrom:        []corev1.EnvFromSource{{Prefix: hidden}},
		Resources:      corev1.ResourceRequirements{Limits: corev1.ResourceList{"memory": resource.MustParse("1Gi")}},
		ReadinessProbe: &corev1.Probe{ProbeHandler: handler, PeriodSeconds: 7},
		Lifecycle:      &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: handler.Exec}},
	}
	spec := corev1.PodSpec{
		InitContainers: []corev1.Container{container}, Containers: []corev1.Container{container},
		EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon(container)}},
		Volumes: []corev1.Volume{
			{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data-mysql-0"}}},
			{Name: "files", VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "files.example", VolumeAttributes: map[string]string{"password": hidden}}}},
		},
	}
	return &data{
		Sets: []appsv1.StatefulSet{{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3)), Template: corev1.PodTemplateSpec{ObjectMeta: meta, Spec: spec}}}},
		Pods: map[string]*corev1.Pod{"shop/mysql-0": {ObjectMeta: meta, Spec: spec}},
		Volumes: []corev1.PersistentVolume{{Spec: corev1.PersistentVolumeSpec{
			MountOptions: []string{"username=u", "password=" + hidden},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				CSI:        &corev1.CSIPersistentVolumeSource{Driver: "ebs.csi.aws.com", VolumeHandle: "vol-1", VolumeAttributes: map[string]string{"key": hidden}},
				FlexVolume: &corev1.FlexPersistentVolumeSource{Driver: "flex", Options: map[string]string{"key": hidden}},
			},
		}}},
		Classes: []storagev1.StorageClass{{Provisioner: "ebs.csi.aws.com", Parameters: map[string]string{"restuserkey": hidden}, MountOptions: []string{hidden}}},
		Said:    corev1.Secret{Data: map[string][]byte{"password": []byte(hidden)}, StringData: map[string]string{"password": hidden}},
		Usage:   map[string]v1alpha1.VolumeUsage{"shop/data-mysql-0": {}},
		Limits:  map[string]map[string]*int32{"n": {"d": nil}},
	}
}

// TestClean: nothing that may be secret is saved; the rest is, and the objects themselves stay as they were.
func TestClean(t *testing.T) {
	given := example()
	text, err := snapshot.Encode(snapshot.Header{Of: "Example"}, given)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{hidden, "aHVudGVyMg", "mysqladmin", "vault"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is in the snapshot:\n%s", secret, text)
		}
	}
	for _, kept := range []string{"mysql:9.7", "data-mysql-0", "one is enough", "periodSeconds: 7", "memory: 1Gi", "volumeHandle: vol-1", "2026-11-29T10:00:00Z", "replicas: 3", "app: mysql"} {
		if !strings.Contains(string(text), kept) {
			t.Errorf("%q is not in the snapshot:\n%s", kept, text)
		}
	}
	if diff := cmp.Diff(example(), given); diff != "" {
		t.Errorf("the objects have changed:\n%s", diff)
	}
	if snapshot.Clean(nil) != nil {
		t.Error("nil became something")
	}
}

// suspicious are names of fields that may hold what must not be saved.
var suspicious = regexp.MustCompile(`(?i)passw|secret|token|credential|\bkey\b|option|parameter|attribute|^env|^args$|command|^data|header|userinfo|connection|conninfo|cloudinit|script|config`)

// harmless are such fields that are saved, or types of such fields, with the reason.
var harmless = map[string]string{
	"resolve.Record.Data":                     "what a DNS server answered",
	"v1alpha1.DNSVantage.Options":             "a line of resolv.conf",
	"v1.PodDNSConfig.Options":                 "a line of resolv.conf",
	"v1.PodSpec.DNSConfig":                    "lines of resolv.conf",
	"v1.AzureDiskVolumeSource":                "where a volume is",
	"v1.FlockerVolumeSource":                  "where a volume is",
	"v1.PersistentVolumeClaimSpec":            "names of a source and of a class",
	"v1.PersistentVolumeClaimStatus":          "the name of a class",
	"v1.ModifyVolumeStatus":                   "the name of a class",
	"v1.PersistentVolumeSpec":                 "the name of a class",
	"v1.ConfigMapNodeConfigSource":            "names of a ConfigMap and of a key",
	"v1.NodeConfigSource":                     "names of a ConfigMap and of a key",
	"v1.NodeSpec.ConfigSource":                "names of a ConfigMap and of a key",
	"v1.NodeStatus.Config":                    "names of a ConfigMap and of a key",
	"v1.LabelSelectorRequirement":             "the key of a label",
	"v1.NodeSelectorRequirement":              "the key of a label",
	"v1.TopologySelectorLabelRequirement":     "the key of a label",
	"v1.Taint":                                "the key of a taint",
	"v1.Toleration":                           "the key of a taint",
	"v1.PodSecurityContext":                   "labels of SELinux",
	"v1.SecurityContext":                      "labels of SELinux",
	"v1.PodSpec.AutomountServiceAccountToken": "yes or no",
	"v1.PodSpec.ImagePullSecrets":             "names of Secrets",
	"v1.ServiceSpec":                          "a time-out",
}

// secretName matches fields that name a Secret, which is in the output of kubectl describe, too.
var secretName = regexp.MustCompile(`Secret(Ref|Name|Namespace|File)$`)

// TestSuspiciousFields goes through every field of every snapshot: one whose name sounds like a secret, and that is neither left out nor known
// to be harmless, is an error. A new field of Kubernetes' types is found here.
func TestSuspiciousFields(t *testing.T) {
	saved := map[string]bool{}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
			walk(of.Elem())
		case reflect.Struct:
			if seen[of] {
				return
			}
			seen[of] = true
			full := fill(of)
			left := reflect.ValueOf(snapshot.Clean(full.Interface()))
			for i := range of.NumField() {
				field := of.Field(i)
				if !field.IsExported() || left.Field(i).IsZero() {
					continue // left out
				}
				if suspicious.MatchString(field.Name) {
					saved[of.String()+"."+field.Name] = true
				}
				walk(field.Type)
			}
		}
	}
	for _, s := range all {
		walk(reflect.TypeOf(s))
	}
	var unknown []string
	for name := range saved {
		typ := name[:strings.LastIndexByte(name, '.')]
		if harmless[name] == "" && harmless[typ] == "" && !secretName.MatchString(name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	if len(unknown) > 0 {
		t.Errorf("%d fields may hold secrets:\n%s", len(unknown), strings.Join(unknown, "\n"))
	}
}

// fill makes a struct whose exported fields are not zero, as far as one level reports whether they are kept.
func fill(of reflect.Type) reflect.Value {
	v := reflect.New(of).Elem()
	for i := range of.NumField() {
		if of.Field(i).IsExported() {
			v.Field(i).Set(some(of.Field(i).Type))
		}
	}
	return v
}

func some(of reflect.Type) reflect.Value {
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(of, 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(of))
		v.SetMapIndex(reflect.Zero(of.Key()), reflect.Zero(of.Elem()))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Struct:
		for i := range of.NumField() {
			if of.Field(i).IsExported() {
				v.Field(i).Set(some(of.Field(i).Type))
				if !v.IsZero() {
					break
				}
			}
		}
	}
	return v
}

// TestDecode: what is no snapshot, or one that this version can't read, is refused in one line that says what to do.
func TestDecode(t *testing.T) {
	header := "apiVersion: doik.dev/v1alpha1\nkind: Snapshot\nformat: 1\nof: NodeCapacity\nmetadata: {time: 2026-11-29T10:00:00Z, version: v0.9.0}\nscope: {}\n"
	for name, test := range map[string]struct{ text, of, within, want string }{
		"fine":                  {header + "data: {nodes: []}\n", "NodeCapacity", "", ""},
		"JSON":                  {`{"apiVersion": "doik.dev/v1alpha1", "kind": "Snapshot", "format": 1, "of": "NodeCapacity", "metadata": {"time": "2026-11-29T10:00:00Z", "version": "v1"}, "data": {"nodes": null}}`, "NodeCapacity", "", ""},
		"no YAML":               {"a: b: c\n", "", "", "it is not YAML as --save-snapshot writes it"},
		"another file":          {"apiVersion: v1\nkind: Pod\n", "", "", "it is not a file that --save-snapshot wrote"},
		"nothing":               {"", "", "", "it is not a file that --save-snapshot wrote"},
		"a newer format":        {strings.Replace(header, "format: 1", "format: 7", 1) + "data: {}\n", "", "", "it was saved by a newer version of the plugin (v0.9.0, format 7; this one reads formats up to 1): update the plugin"},
		"a newer API":           {strings.Replace(header, "v1alpha1", "v2", 1) + "data: {}\n", "", "", "it was saved by a newer version of the plugin"},
		"a field of the future": {header + "data: {nodes: [], moons: 3}\n", "NodeCapacity", "", `it was saved by another version of the plugin (v0.9.0), which writes what this one does not know (json: unknown field "moons"): update`},
		"no data":               {header, "", "", "it is incomplete"},
		"another command's":     {header + "data: {nodes: []}\n", "HeadlessDNS", "dns", "it holds what kubectl doik nodes shows: use that command"},
		"of check":              {strings.Replace(header, "NodeCapacity", "HealthCheck", 1) + "data: {sets: null, nodes: {nodes: []}}\n", "NodeCapacity", "nodes", ""},
		"of check, left out":    {strings.Replace(header, "NodeCapacity", "HealthCheck", 1) + "data: {sets: null}\n", "NodeCapacity", "nodes", "the check that saved it did not read what this command shows"},
		"check has none":        {strings.Replace(header, "NodeCapacity", "HealthCheck", 1) + "data: {sets: null}\n", "ClusterEndpoint", "", "it holds what kubectl doik check shows: use that command"},
		"broken data":           {header + "data: {nodes: 7}\n", "NodeCapacity", "", "data: json: cannot unmarshal number"},
	} {
		file, err := snapshot.Decode([]byte(test.text))
		if err == nil {
			err = file.Into(test.of, test.within, new(nodes.Snapshot))
		}
		got := ""
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, test.want) || test.want == "" && got != "" || strings.Contains(got, "\n") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
