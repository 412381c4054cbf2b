package kubelet

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
	statsapi "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

func node(name, address, kubelet string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"lab.doik.dev/kubelet": kubelet}},
		Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}}},
	}
}

// web0 runs on the first node. Its container nginx is well, and crashing isn't.
func web0() *corev1.Pod {
	started := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-0", UID: "1"},
		Spec: corev1.PodSpec{
			NodeName: "n1", Hostname: "web-0", Subdomain: "nginx",
			Containers: []corev1.Container{
				{Name: "nginx", Image: "nginx", Ports: []corev1.ContainerPort{{ContainerPort: 80}}, Env: []corev1.EnvVar{
					{Name: "COLOUR", Value: "blue"},
					{Name: "ME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
				}},
				{Name: "crashing", Ports: []corev1.ContainerPort{{ContainerPort: 81}}},
				{Name: "pulling"},
			},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, StartTime: &started, PodIP: "10.64.0.1",
			ContainerStatuses: []corev1.ContainerStatus{
				{Name: "nginx", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}},
				{
					Name:  "crashing",
					State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
					LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
						ExitCode: 1, StartedAt: started, FinishedAt: metav1.NewTime(started.Add(3 * time.Second)),
					}},
				},
				{Name: "pulling", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}}},
			},
		},
	}
}

// start serves the kubelets of a few nodes and returns a way to them.
func start(t *testing.T) *Network {
	t.Helper()
	client := fake.NewClientset(
		node("n1", "10.0.0.1", ""), node("n2", "10.0.0.2", "dead"), node("n3", "10.0.0.3", "hang"),
		node("n4", "10.0.0.4", "slow=200ms"), node("n5", "10.0.0.5", "error"), node("n6", "10.0.0.6", "bogus"), web0())
	factory := informers.NewSharedInformerFactory(client, 0)
	cluster, err := NewCluster(factory)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	factory.Start(ctx.Done())
	if !cluster.WaitForSync(ctx.Done()) {
		t.Fatal("no sync")
	}
	network := NewNetwork()
	network.Connect(cluster)
	done := make(chan struct{})
	go func() {
		NewServer(cluster, nil, io.Discard).Serve(network)
		close(done)
	}()
	t.Cleanup(func() {
		network.Close()
		<-done
		cancel()
		factory.Shutdown()
	})
	return network
}

func fetch(t *testing.T, network *Network, timeout time.Duration, host, path string) (int, string, error) {
	t.Helper()
	transport := &http.Transport{DialContext: network.Dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("https://%s:%d%s", host, Port, path), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestStatsSummary(t *testing.T) {
	network := start(t)
	code, body, err := fetch(t, network, 10*time.Second, "10.0.0.1", "/stats/summary")
	var summary statsapi.Summary
	if err == nil {
		err = json.Unmarshal([]byte(body), &summary)
	}
	if err != nil || code != http.StatusOK || summary.Node.NodeName != "n1" || len(summary.Pods) != 1 || summary.Pods[0].PodRef.Name != "web-0" {
		t.Errorf("got %d, %v, %s", code, err, body)
	}
	code, body, err = fetch(t, network, 10*time.Second, "10.0.0.1", "/configz")
	if err != nil || code != http.StatusOK || !strings.Contains(body, `"clusterDomain": "cluster.local"`) || !strings.Contains(body, `"10.96.0.10"`) {
		t.Errorf("/configz: got %d, %v, %s", code, err, body)
	}
	code, body, err = fetch(t, network, 10*time.Second, "10.0.0.1", "/pods")
	if err != nil || code != http.StatusOK || !strings.Contains(body, `"web-0"`) {
		t.Errorf("/pods: got %d, %v, %s", code, err, body)
	}
}

func TestBehaviour(t *testing.T) {
	network := start(t)
	for _, test := range []struct {
		host, path string
		timeout    time.Duration
		code       int
		err        string
	}{
		{"10.0.0.2", "/stats/summary", 10 * time.Second, 0, "connection refused"},
		{"10.0.0.9", "/stats/summary", 10 * time.Second, 0, "no route to host"},
		{"10.0.0.3", "/stats/summary", 100 * time.Millisecond, 0, "deadline exceeded"},
		{"10.0.0.4", "/stats/summary", 50 * time.Millisecond, 0, "deadline exceeded"},
		{"10.0.0.4", "/stats/summary", 10 * time.Second, http.StatusOK, ""},
		{"10.0.0.5", "/stats/summary", 10 * time.Second, http.StatusInternalServerError, ""},
		{"10.0.0.5", "/healthz", 10 * time.Second, http.StatusOK, ""},
		{"10.0.0.6", "/healthz", 10 * time.Second, http.StatusInternalServerError, ""},
	} {
		code, _, err := fetch(t, network, test.timeout, test.host, test.path)
		if code != test.code || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s%s: got %d, %v; want %d, %q", test.host, test.path, code, err, test.code, test.err)
		}
	}
}

// TestOtherAddresses makes sure that what isn't a kubelet is dialled for real.
func TestOtherAddresses(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := NewNetwork().Dial(context.Background(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// relay makes a node's kubelet reachable for a client that can't be given a way to dial, and returns where.
func relay(t *testing.T, network *Network, node string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := network.Dial(context.Background(), "tcp", fmt.Sprintf("%s:%d", node, Port))
			if err != nil {
				client.Close()
				continue
			}
			go func() { io.Copy(server, client); server.Close() }()
			go func() { io.Copy(client, server); client.Close() }()
		}
	}()
	return listener.Addr().String()
}

func TestExec(t *testing.T) {
	host := relay(t, start(t), "10.0.0.1")
	for _, test := range []struct {
		container string
		command   []string
		in        string
		out, err  string
		code      int
		failure   string
	}{
		{container: "nginx", command: []string{"hostname", "-f"}, out: "web-0.nginx.default.svc.cluster.local\n"},
		{container: "nginx", command: []string{"cat"}, in: strings.Repeat("data", 300_000), out: strings.Repeat("data", 300_000)},
		{container: "nginx", command: []string{"sh", "-c", "echo $COLOUR $ME; nope; exit 7"}, out: "blue web-0\n", err: "sh: 1: nope: not found\n", code: 7},
		{container: "nginx", command: []string{"mysql"}, failure: `exec: "mysql": executable file not found in $PATH`},
		{container: "crashing", command: []string{"true"}, failure: `container not found ("crashing")`},
		{container: "nope", command: []string{"true"}, failure: `container not found ("nope")`},
	} {
		target := &url.URL{Scheme: "https", Host: host, Path: "/exec/default/web-0/" + test.container}
		query := url.Values{"command": test.command, "output": {"1"}, "error": {"1"}}
		options := remotecommand.StreamOptions{}
		if test.in != "" {
			query.Set("input", "1")
			options.Stdin = strings.NewReader(test.in)
		}
		target.RawQuery = query.Encode()
		config := &rest.Config{Host: host, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
		executor, err := remotecommand.NewSPDYExecutor(config, http.MethodPost, target)
		if err != nil {
			t.Fatal(err)
		}
		var out, errOut bytes.Buffer
		options.Stdout, options.Stderr = &out, &errOut
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		err = executor.StreamWithContext(ctx, options)
		cancel()
		code := 0
		if exit := (utilexec.CodeExitError{}); errors.As(err, &exit) {
			code, err = exit.Code, nil
		}
		if out.String() != test.out || errOut.String() != test.err || code != test.code ||
			(err == nil) != (test.failure == "") || err != nil && !strings.Contains(err.Error(), test.failure) {
			t.Errorf("%s %q: got %.80q, %q, %d, %v", test.container, test.command, out.String(), errOut.String(), code, err)
		}
	}
}

func TestLogs(t *testing.T) {
	network := start(t)
	for _, test := range []struct {
		path string
		code int
		want string
	}{
		{"nginx", 200, "nginx of default/web-0 starts (image nginx, simulated by the lab)\nlistening on port 80\n"},
		{"nginx?tailLines=1&timestamps=true", 200, "2026-01-02T03:04:05.15Z listening on port 80\n"},
		{"nginx?previous=true", 400, "previous terminated container \"nginx\" in pod \"web-0\" not found\n"},
		{"crashing?tailLines=1", 200, "fatal: cannot go on, exit code 1\n"},
		{"crashing?tailLines=1&previous=true&follow=true", 200, "fatal: cannot go on, exit code 1\n"},
		{"pulling", 400, "container \"pulling\" in pod \"web-0\" is waiting to start: trying and failing to pull image\n"},
		{"nope", 404, "container not found (\"nope\")\n"},
	} {
		code, body, err := fetch(t, network, 10*time.Second, "10.0.0.1", "/containerLogs/default/web-0/"+test.path)
		if code != test.code || body != test.want || err != nil {
			t.Errorf("%s: got %d, %q, %v; want %d, %q", test.path, code, body, err, test.code, test.want)
		}
	}
	if code, _, err := fetch(t, network, 10*time.Second, "10.0.0.4", "/containerLogs/default/web-0/nginx"); code != 404 || err != nil {
		t.Errorf("asked another node: got %d, %v", code, err)
	}
}

func TestPortForward(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "hello from the server")
			conn.Close()
		}
	}()
	pod := web0()
	pod.Annotations = map[string]string{"lab.doik.dev/forward": "3306=" + server.Addr().String()}

	pod.Spec.Containers[0].Ports = append(pod.Spec.Containers[0].Ports, corev1.ContainerPort{ContainerPort: 53})
	servers := &nameServers{has: true, address: server.Addr().String()}

	// ask connects to a port of the pod, sends a request and returns the answer.
	ask := func(port int32, request string) (string, error) {
		t.Helper()
		client, stream := net.Pipe()
		failed := make(chan error, 1)
		go func() { failed <- forwarder{pod, servers}.PortForward(context.Background(), "", "", port, stream) }()
		client.SetDeadline(time.Now().Add(10 * time.Second))
		go io.WriteString(client, request)
		answer, err := io.ReadAll(bufio.NewReader(client))
		return string(answer), errorsOf(err, <-failed)
	}
	if answer, err := ask(80, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil || !strings.HasSuffix(answer, "\r\n\r\nweb-0\n") {
		t.Errorf("a declared port: got %q, %v", answer, err)
	}
	if answer, err := ask(3306, ""); err != nil || answer != "hello from the server" {
		t.Errorf("a forwarded port: got %q, %v", answer, err)
	}
	if answer, err := ask(53, ""); err != nil || answer != "hello from the server" {
		t.Errorf("a DNS server: got %q, %v", answer, err)
	}
	servers.address = ""
	for _, port := range []int32{81, 82, 53} {
		if answer, err := ask(port, ""); err == nil || !strings.Contains(err.Error(), "connection refused") || answer != "" {
			t.Errorf("port %d, of a container that doesn't run or of none: got %q, %v", port, answer, err)
		}
	}
}

// nameServers are the same for every pod.
type nameServers struct {
	has     bool
	address string
}

func (n *nameServers) Address(context.Context, *corev1.Pod) (string, bool) { return n.address, n.has }

func errorsOf(errs ...error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}
