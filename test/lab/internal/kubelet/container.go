package kubelet

import (
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/shell"
	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/stats"
)

// container is one that a request names.
type container struct {
	pod    *corev1.Pod
	spec   corev1.Container
	status corev1.ContainerStatus
}

// find looks up the container of a request and answers the request if there is none.
func (s *Server) find(w http.ResponseWriter, r *http.Request) (container, bool) {
	pod := s.findPod(w, r)
	if pod == nil {
		return container{}, false
	}
	name := r.PathValue("container")
	found := container{pod: pod}
	exists := false
	for _, spec := range containers(pod) {
		if spec.Name == name {
			found.spec, exists = spec, true
		}
	}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses} {
		for _, status := range statuses {
			if status.Name == name {
				found.status = status
			}
		}
	}
	if !exists {
		http.Error(w, fmt.Sprintf("container not found (%q)", name), http.StatusNotFound)
	}
	return found, exists
}

func (s *Server) findPod(w http.ResponseWriter, r *http.Request) *corev1.Pod {
	pod := s.cluster.Pod(r.PathValue("namespace"), r.PathValue("pod"))
	if pod == nil || pod.Spec.NodeName != s.node(r).Name {
		http.Error(w, "pod does not exist", http.StatusNotFound)
		return nil
	}
	return pod
}

// containers lists a pod's containers of all three kinds.
func containers(pod *corev1.Pod) []corev1.Container {
	list := append([]corev1.Container(nil), pod.Spec.InitContainers...)
	list = append(list, pod.Spec.Containers...)
	for _, ephemeral := range pod.Spec.EphemeralContainers {
		list = append(list, corev1.Container(ephemeral.EphemeralContainerCommon))
	}
	return list
}

// inside is what a command sees that is run in the container.
func (s *Server) inside(c container) (shell.Container, error) {
	systems, err := stats.FileSystems(c.pod, &c.spec, s.cluster.Claim)
	if err != nil {
		return shell.Container{}, err
	}
	host := hostname(c.pod)
	return shell.Container{
		Hostname:    host,
		FQDN:        fullName(c.pod),
		IP:          c.pod.Status.PodIP,
		Env:         environment(c.pod, c.spec),
		Files:       files(c.pod, systems),
		FileSystems: systems,
	}, nil
}

func hostname(pod *corev1.Pod) string {
	switch {
	case pod.Spec.HostNetwork:
		return pod.Spec.NodeName
	case pod.Spec.Hostname != "":
		return pod.Spec.Hostname
	}
	return pod.Name
}

// fullName is the name by which a headless Service makes the pod known, if it names one.
func fullName(pod *corev1.Pod) string {
	if pod.Spec.Subdomain == "" || pod.Spec.HostNetwork {
		return hostname(pod)
	}
	return fmt.Sprintf("%s.%s.%s.svc.%s", hostname(pod), pod.Spec.Subdomain, pod.Namespace, clusterDomain)
}

// What the lab's Services are reachable under; see the flags of the API server.
const (
	clusterDomain = "cluster.local"
	apiServiceIP  = "10.96.0.1"
	dnsServiceIP  = "10.96.0.10"
)

func files(pod *corev1.Pod, systems []shell.FileSystem) map[string]string {
	hosts := "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
	if name, full := hostname(pod), fullName(pod); full != name {
		hosts += fmt.Sprintf("%s\t%s\t%s\n", pod.Status.PodIP, full, name)
	} else {
		hosts += fmt.Sprintf("%s\t%s\n", pod.Status.PodIP, name)
	}
	return map[string]string{
		"/etc/hostname": hostname(pod) + "\n",
		"/etc/hosts":    hosts,
		"/proc/mounts":  shell.Mounts(systems),
		"/etc/resolv.conf": fmt.Sprintf("search %s.svc.%s svc.%s %s\nnameserver %s\noptions ndots:5\n",
			pod.Namespace, clusterDomain, clusterDomain, clusterDomain, dnsServiceIP),
	}
}

// environment is the container's, as far as it is written down in the pod itself.
func environment(pod *corev1.Pod, spec corev1.Container) []string {
	variables := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOSTNAME=" + hostname(pod),
	}
	for _, variable := range spec.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			if from.FieldRef == nil {
				continue
			}
			value = field(pod, from.FieldRef.FieldPath)
		}
		variables = append(variables, variable.Name+"="+value)
	}
	return append(variables,
		"KUBERNETES_SERVICE_HOST="+apiServiceIP,
		"KUBERNETES_SERVICE_PORT=443",
		"HOME=/root",
	)
}

func field(pod *corev1.Pod, path string) string {
	switch path {
	case "metadata.name":
		return pod.Name
	case "metadata.namespace":
		return pod.Namespace
	case "metadata.uid":
		return string(pod.UID)
	case "spec.nodeName":
		return pod.Spec.NodeName
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName
	case "status.podIP":
		return pod.Status.PodIP
	case "status.hostIP":
		return pod.Status.HostIP
	}
	return ""
}
