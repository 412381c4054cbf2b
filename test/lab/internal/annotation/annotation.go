// Package annotation names the annotations that tell the lab how its simulated nodes, pods and volumes should behave.
// The table in test/lab/README.md says what each of them accepts.
package annotation

import (
	"fmt"
	"strings"
	"time"
)

const prefix = "lab.doik.dev/"

// On a PersistentVolumeClaim: what the kubelet reports about its volume.
const (
	Stats      = prefix + "stats"
	Capacity   = prefix + "capacity"
	Used       = prefix + "used"
	Available  = prefix + "available"
	Inodes     = prefix + "inodes"
	InodesUsed = prefix + "inodes-used"
)

// Mount is set on a PersistentVolumeClaim: the options with which its file system is mounted, as /proc/mounts of a container has them.
const Mount = prefix + "mount"

// ProvisioningFailure is set on a PersistentVolumeClaim, or as a parameter of a StorageClass: the reason why no volume can be made.
const ProvisioningFailure = prefix + "provisioning-failure"

// On a Pod.
const (
	State     = prefix + "state"
	Container = prefix + "container"
	Restarts  = prefix + "restarts"
	Forward   = prefix + "forward"
)

// Kubelet is set on a Node and says how its kubelet answers. NodeState makes the node itself unhappy; its only value is
// NodeNotReady.
const (
	Kubelet      = prefix + "kubelet"
	NodeState    = prefix + "state"
	NodeNotReady = "not-ready"
)

// KubeletMode is how a node's kubelet answers.
type KubeletMode string

// The ways a kubelet can answer.
const (
	KubeletHealthy KubeletMode = ""      // at once
	KubeletSlow    KubeletMode = "slow"  // every request after a delay
	KubeletError   KubeletMode = "error" // /stats/summary with status 500
	KubeletHang    KubeletMode = "hang"  // takes connections and never answers
	KubeletDead    KubeletMode = "dead"  // refuses connections
)

// defaultSlowness is the delay of a kubelet that is slow without saying how slow.
const defaultSlowness = 5 * time.Second

// KubeletBehaviour is the parsed value of the annotation Kubelet.
type KubeletBehaviour struct {
	Mode  KubeletMode
	Delay time.Duration // for KubeletSlow
}

// KubeletOf reads a node's annotations. The kubelet of a node that isn't ready is dead unless they say otherwise.
func KubeletOf(annotations map[string]string) (KubeletBehaviour, error) {
	value, set := annotations[Kubelet]
	if !set && annotations[NodeState] == NodeNotReady {
		return KubeletBehaviour{Mode: KubeletDead}, nil
	}
	return ParseKubelet(value)
}

// ParseKubelet reads the value of the annotation Kubelet: dead, hang, error, slow or slow=DURATION.
func ParseKubelet(value string) (KubeletBehaviour, error) {
	mode, argument, hasArgument := strings.Cut(value, "=")
	switch m := KubeletMode(mode); {
	case m == KubeletSlow && !hasArgument:
		return KubeletBehaviour{Mode: m, Delay: defaultSlowness}, nil
	case m == KubeletSlow:
		delay, err := time.ParseDuration(argument)
		if err != nil {
			return KubeletBehaviour{}, fmt.Errorf("%s: %w", Kubelet, err)
		}
		return KubeletBehaviour{Mode: m, Delay: delay}, nil
	case hasArgument:
	case m == KubeletHealthy, m == KubeletError, m == KubeletHang, m == KubeletDead:
		return KubeletBehaviour{Mode: m}, nil
	}
	return KubeletBehaviour{}, fmt.Errorf("%s: %q is none of dead, hang, error, slow and slow=DURATION", Kubelet, value)
}

// ParseForward reads the value of the annotation Forward, a list such as "3306=127.0.0.1:13306,33060=127.0.0.1:23306",
// and returns the address for each of the pod's ports. Only loopback addresses are taken: a pod of the lab must not
// become a way into the network around the developer's machine.
func ParseForward(value string) (map[int32]string, error) {
	targets := map[int32]string{}
	for _, pair := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		from, to, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("%s: %q is not PORT=ADDRESS:PORT", Forward, pair)
		}
		port, err := parsePort(from)
		if err != nil {
			return nil, err
		}
		if err := checkLoopback(to); err != nil {
			return nil, err
		}
		targets[port] = to
	}
	return targets, nil
}
