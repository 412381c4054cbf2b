package kubelet

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// followInterval is the time between two looks at whether a followed pod still exists.
const followInterval = time.Second

// containerLogs makes up a few lines that fit the container's state.
func (s *Server) containerLogs(w http.ResponseWriter, r *http.Request) {
	c, ok := s.find(w, r)
	if !ok {
		return
	}
	query := r.URL.Query()
	previous := query.Get("previous") == "true"
	lines, err := c.logLines(previous)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if n, err := strconv.Atoi(query.Get("tailLines")); err == nil && n >= 0 {
		lines = lines[len(lines)-min(n, len(lines)):]
	}
	w.Header().Set("Content-Type", "text/plain")
	for _, line := range lines {
		if query.Get("timestamps") == "true" {
			fmt.Fprint(w, line.at.UTC().Format(time.RFC3339Nano), " ")
		}
		io.WriteString(w, line.text+"\n")
	}
	if query.Get("follow") != "true" || previous || c.status.State.Running == nil {
		return
	}
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
	s.waitWhileRunning(r, c)
}

func (s *Server) waitWhileRunning(r *http.Request, c container) {
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
			if pod := s.cluster.Pod(c.pod.Namespace, c.pod.Name); pod == nil || pod.UID != c.pod.UID {
				return
			}
		}
	}
}

type logLine struct {
	at   time.Time
	text string
}

// logLines are the container's log or, as a real kubelet words it, the reason why there is none.
func (c container) logLines(previous bool) ([]logLine, error) {
	state := c.status.State
	if previous {
		state = c.status.LastTerminationState
		if state.Terminated == nil {
			return nil, fmt.Errorf("previous terminated container %q in pod %q not found", c.spec.Name, c.pod.Name)
		}
	}
	if state.Waiting != nil && state.Waiting.Reason == "CrashLoopBackOff" {
		state = c.status.LastTerminationState // there is no newer log than that of the last try
	}
	switch {
	case state.Running != nil:
		return c.linesSince(state.Running.StartedAt.Time), nil
	case state.Terminated != nil:
		return append(c.linesSince(state.Terminated.StartedAt.Time), c.lastWords(state.Terminated)...), nil
	case state.Waiting != nil && state.Waiting.Reason == "ImagePullBackOff":
		return nil, fmt.Errorf("container %q in pod %q is waiting to start: trying and failing to pull image", c.spec.Name, c.pod.Name)
	}
	reason := "ContainerCreating"
	if state.Waiting != nil {
		reason = state.Waiting.Reason
	}
	return nil, fmt.Errorf("container %q in pod %q is waiting to start: %s", c.spec.Name, c.pod.Name, reason)
}

func (c container) linesSince(start time.Time) []logLine {
	return []logLine{
		{start, fmt.Sprintf("%s of %s/%s starts (image %s, simulated by the lab)", c.spec.Name, c.pod.Namespace, c.pod.Name, c.spec.Image)},
		{start.Add(150 * time.Millisecond), fmt.Sprintf("listening on %s", portList(c.spec))},
	}
}

func (c container) lastWords(end *corev1.ContainerStateTerminated) []logLine {
	switch {
	case end.Reason == "OOMKilled":
		return nil // killed without a word, as it is
	case end.ExitCode == 0:
		return []logLine{{end.FinishedAt.Time, "done"}}
	}
	return []logLine{{end.FinishedAt.Time, fmt.Sprintf("fatal: cannot go on, exit code %d", end.ExitCode)}}
}

func portList(spec corev1.Container) string {
	if len(spec.Ports) == 0 {
		return "no port"
	}
	var ports []string
	for _, port := range spec.Ports {
		ports = append(ports, strconv.Itoa(int(port.ContainerPort)))
	}
	return "port " + strings.Join(ports, ", ")
}
