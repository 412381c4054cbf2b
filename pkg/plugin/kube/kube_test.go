package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

func TestVolumeUsage(t *testing.T) {
	n := func(v uint64) *uint64 { return &v }
	for _, test := range []struct {
		name    string
		in      figures
		percent int32 // -1: none
		inodes  int32 // -1: none
		elastic bool
	}{
		{"half", figures{capacity: n(1000), used: 450, available: 450, inodes: n(100), inodesUsed: n(25), inodesFree: n(75)}, 50, 25, false},
		{"reserved blocks count for neither side", figures{capacity: n(1000), used: 900, available: 50}, 95, -1, false},
		{"rounded up as df does", figures{used: 1, available: 999}, 1, -1, false},
		{"full", figures{used: 1000, available: 0}, 100, -1, false},
		{"empty", figures{used: 0, available: 1000}, 0, -1, false},
		{"no size at all", figures{}, -1, -1, false},
		{"no inodes: zero", figures{used: 1, available: 1, inodes: n(0), inodesUsed: n(0), inodesFree: n(0)}, 50, -1, false},
		{"no inodes: only a total", figures{used: 1, available: 1, inodes: n(10)}, 50, -1, false},
		{"inodes from what is free", figures{used: 1, available: 1, inodes: n(10), inodesFree: n(1)}, 50, 90, false},
		{"more free inodes than there are", figures{used: 1, available: 1, inodes: n(10), inodesFree: n(11)}, 50, -1, false},
		{"more used inodes than there are", figures{used: 1, available: 1, inodes: n(10), inodesUsed: n(12)}, 50, 100, false},
		{"EFS", figures{capacity: n(9223372036853727232), used: 5 << 30, available: 9223372036853727232 - 5<<30, inodes: n(0)}, -1, -1, true},
		{"beyond an int64", figures{capacity: n(math.MaxUint64), used: math.MaxUint64, available: math.MaxUint64}, -1, -1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := volumeUsage(test.in)
			if got := deref(u.UsedPercent); got != test.percent {
				t.Errorf("used %d %%, want %d", got, test.percent)
			}
			if got := deref(u.InodesUsedPercent); got != test.inodes {
				t.Errorf("inodes %d %%, want %d", got, test.inodes)
			}
			if u.Elastic != test.elastic || u.UsedBytes < 0 || u.AvailableBytes < 0 || u.CapacityBytes < 0 {
				t.Errorf("%+v", u)
			}
		})
	}
}

func deref(p *int32) int32 {
	if p == nil {
		return -1
	}
	return *p
}

// TestEachPage follows tokens, and goes on after the server has forgotten the state that the list began with.
func TestEachPage(t *testing.T) {
	expired := apierrors.NewResourceExpired("compacted")
	expired.ErrStatus.Continue = "fresh"
	var asked []string
	list := func(_ context.Context, o metav1.ListOptions) (*corev1.PodList, error) {
		asked = append(asked, fmt.Sprintf("%s/%d/%s", o.Continue, o.Limit, o.LabelSelector))
		page := &corev1.PodList{Items: make([]corev1.Pod, 2)}
		switch o.Continue {
		case "":
			page.Continue = "old"
		case "old":
			return nil, expired
		case "fresh":
		}
		return page, nil
	}
	count := 0
	err := eachPage(t.Context(), Query{Selector: "app=web", ChunkSize: 2}, list, func(p *corev1.PodList) { count += len(p.Items) })
	if want := "/2/app=web old/2/app=web fresh/2/app=web"; err != nil || count != 4 || strings.Join(asked, " ") != want {
		t.Errorf("%v, %d items, asked %q", err, count, asked)
	}

	refuse := func(context.Context, metav1.ListOptions) (*corev1.PodList, error) { return nil, expired }
	if err := eachPage(t.Context(), Query{}, refuse, func(*corev1.PodList) {}); !apierrors.IsResourceExpired(err) {
		t.Errorf("a first page that has expired: %v", err)
	}
}

func TestExplain(t *testing.T) {
	request := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://api.example:6443/api?secret=x", Err: err}
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{request(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), "cannot reach the API server at https://api.example:6443: connection refused"},
		{request(&net.DNSError{Err: "no such host", Name: "api.example", IsNotFound: true}), "cannot find the API server at https://api.example:6443: no such host api.example"},
		{request(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}), "cannot reach the API server at https://api.example:6443: no route to host"},
		{request(os.ErrDeadlineExceeded), "no answer from the API server at https://api.example:6443 in time"},
		{context.DeadlineExceeded, "no answer from the API server in time: check that it is reachable, or raise --timeout"},
		{context.Canceled, "interrupted"},
		{apierrors.NewUnauthorized("Unauthorized"), "the API server does not accept the credentials (401)"},
		{request(errors.New("getting credentials: exec: executable aws not found\n\nIt looks like you are trying")), "the kubeconfig's credential plugin failed: executable aws not found"},
		{errors.New("something else"), "something else"},
	} {
		if got := Explain(test.err).Error(); !strings.HasPrefix(got, test.want) || strings.Contains(got, "secret") {
			t.Errorf("got %q, want %q…", got, test.want)
		}
	}
	if Explain(nil) != nil {
		t.Error("no error has no explanation")
	}
}

func TestUsageProblem(t *testing.T) {
	for _, test := range []struct {
		err    error
		reason v1alpha1.ProblemReason
		want   string
	}{
		{context.DeadlineExceeded, v1alpha1.ReasonTimeout, "the kubelet did not answer within 5s"},
		{apierrors.NewNotFound(corev1.Resource("nodes"), "gone"), v1alpha1.ReasonNotFound, "the node or its kubelet statistics do not exist"},
		{errors.New("dial\n tcp: connection refused"), v1alpha1.ReasonUnavailable, "the kubelet can't be queried: dial tcp: connection refused"},
		{apierrors.NewGenericServerResponse(500, "get", corev1.Resource("nodes"), "ip-10-1-3", "Internal Error: no stats", 0, true), v1alpha1.ReasonUnavailable, "the kubelet can't be queried: Internal Error: no stats"},
	} {
		p := usageProblem("ip-10-1-3", test.err, 5*time.Second)
		if p.Reason != test.reason || p.Message != test.want || p.Subject != "disk usage on node ip-10-1-3" {
			t.Errorf("%+v", p)
		}
	}
}

func TestParseDF(t *testing.T) {
	for _, test := range []struct {
		name, text string
		paths      int
		want       string // as %v prints rows, or the beginning of the error
	}{
		{"GNU", "Filesystem     1024-blocks   Used Available Capacity Mounted on\n/dev/nvme1n1        999424 894567     88474      91% /data\n", 1, "[{999424 894567 88474}]"},
		{"BusyBox", "Filesystem           1024-blocks    Used Available Capacity Mounted on\n/dev/loop3              996780       24    980372   0% /data dir\n", 1, "[{996780 24 980372}]"},
		{"a name with spaces and two paths", "Filesystem 1024-blocks Used Available Capacity Mounted on\nmy nfs server:/a b 10 5 5 50% /a\ntmpfs 1 0 1 0% /b\n", 2, "[{10 5 5} {1 0 1}]"},
		{"root has used its reserve", "F 1024-blocks Used Available Capacity Mounted on\n/dev/sda 100 100 -5 100% /d\n", 1, "[{100 100 0}]"},
		{"no inodes", "Filesystem Inodes IUsed IFree IUse% Mounted on\nefs: - - - - /d\n", 1, "[{0 0 0}]"},
		{"no lines", "", 1, "df reported 0 file systems, expected 1"},
		{"too many lines", "title\n/dev/a 1 1 1 50% /a\n/dev/b 1 1 1 50% /b\n", 1, "df reported 2 file systems, expected 1"},
		{"no numbers", "title\ndf: /data: No such file or directory\n", 1, `df wrote "df: /data: No such file or directory"`},
		{"a number that is too large", "title\n/dev/a 99999999999999999999999 1 1 50% /a\n", 1, "df wrote "},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows, err := parseDF(test.text, test.paths)
			got := fmt.Sprint(rows)
			if err != nil {
				got = err.Error()
			}
			if got != test.want && (err == nil || !strings.HasPrefix(got, test.want)) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func FuzzParseDF(f *testing.F) {
	f.Add("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/loop3 996780 24 980372 0% /data\n", 1)
	f.Fuzz(func(t *testing.T, text string, paths int) {
		if paths < 0 || paths > 100 {
			t.Skip()
		}
		rows, err := parseDF(text, paths)
		if err == nil && len(rows) != paths {
			t.Errorf("%d rows for %d paths", len(rows), paths)
		}
	})
}

func TestDataMounts(t *testing.T) {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db-0"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "down", VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/down"}}},
			{Name: "main", VolumeMounts: []corev1.VolumeMount{{Name: "conf", MountPath: "/conf"}, {Name: "data", MountPath: "/data", SubPath: "mysql"}, {Name: "log", MountPath: "/log"}}},
			{Name: "side", VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/again"}, {Name: "tmp", MountPath: "/tmp", ReadOnly: true}}},
		}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "down"}, {Name: "main", State: running}, {Name: "side", State: running}}},
	}
	claims := map[string]string{"data": "data-db-0", "log": "log-db-0", "tmp": "db-0-tmp"}
	got := fmt.Sprint(DataMounts(pod, claims, func(c types.NamespacedName) bool { return c.Name != "log-db-0" }))
	if want := "[{{shop db-0 main} [/data] [shop/data-db-0] [false]} {{shop db-0 side} [/tmp] [shop/db-0-tmp] [true]}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestReadOnlyMounts finds what the kernel has stopped writing to.
func TestReadOnlyMounts(t *testing.T) {
	got := fmt.Sprint(readOnlyMounts(`overlay / overlay rw,relatime,lowerdir=/ro:/x 0 0
/dev/nvme1n1 /data ext4 rw,relatime 0 0
/dev/nvme2n1 /wal ext4 ro,relatime 0 0
/dev/nvme3n1 /with\040space ext4 rw,relatime,emergency_ro 0 0
tmpfs /over tmpfs ro,relatime 0 0
/dev/nvme4n1 /over xfs rw,relatime 0 0
what
`))
	if want := "map[/wal:ro /with space:emergency_ro]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestOutput keeps to its limit, however it is written to.
func TestOutput(t *testing.T) {
	out := NewOutput(5)
	for _, text := range []string{"abc", "defg", "h"} {
		if n, err := io.Copy(out, strings.NewReader(text)); int(n) != len(text) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if out.String() != "abcde" || !out.Cut() {
		t.Errorf("%q, cut: %v", out.String(), out.Cut())
	}
	if whole := NewOutput(3); whole.Cut() {
		t.Error("nothing was cut off")
	}
}

func TestNotFound(t *testing.T) {
	names := []string{"mysql", "mysql-read", "web", "webapp", "postgres"}
	for name, want := range map[string]string{
		"mysq": ": did you mean mysql or mysql-read?", "wbe": ": did you mean web?", "web1": ": did you mean web?", "post": ": did you mean postgres?", "redis": "", "": "",
	} {
		got := NotFound("StatefulSet", "shop", name, names).Error()
		if name != "" && got != fmt.Sprintf("StatefulSet %q not found in namespace shop%s", name, want) {
			t.Errorf("got %s", got)
		}
	}
}
