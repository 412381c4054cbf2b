// Package kwok runs kwok's controllers, which play the part of the kubelets towards the API server: nodes become and stay
// ready, pods start and end. Kubelets' HTTP servers are in package kubelet, not kwok's.
package kwok

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/gotpl"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/fleet"
	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/podstate"
)

//go:embed stages.yaml
var stagesYAML []byte

// podNetwork is where pods' addresses come from, unless their node has a range of its own.
const podNetwork = "10.64.0.0/12"

// Options say how kwok runs.
type Options struct {
	KubeletVersion string    // of nodes that don't say theirs
	LeaseSeconds   uint      // of the nodes' leases; 0 means none, which is lighter for thousands of nodes
	Logs           io.Writer // takes kwok's log
	// Address finds an address for a node that has none.
	Address func(node string) string
}

// Start starts the controllers; they end with the context.
func Start(ctx context.Context, restConfig *rest.Config, options Options) error {
	client, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return err
	}
	dynamicClient, err := dynamic.NewForConfig(restConfig)
	if err != nil {
		return err
	}
	stages, err := stages()
	if err != nil {
		return err
	}
	identity, err := controllers.Identity()
	if err != nil {
		return err
	}
	controller, err := controllers.NewController(controllers.Config{
		Clock:                         clock.RealClock{},
		TypedClient:                   client,
		DynamicClient:                 dynamicClient,
		RESTClient:                    client.CoreV1().RESTClient(),
		ManageAllNodes:                true,
		CIDR:                          podNetwork,
		LocalStages:                   stages,
		PodPlayStageParallelism:       8,
		NodePlayStageParallelism:      4,
		NodeLeaseParallelism:          4,
		NodeLeaseDurationSeconds:      options.LeaseSeconds,
		PodsOnNodeSyncParallelism:     2,
		EnablePodsOnNodeSyncListPager: true,
		ID:                            identity,
		FuncMap:                       functions(options),
	})
	if err != nil {
		return err
	}
	ctx = kwoklog.NewContext(ctx, kwoklog.NewLogger(options.Logs, kwoklog.LevelWarn))
	return controller.Start(ctx)
}

// stages reads stages.yaml.
func stages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	stages := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	reader := utilyaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(stagesYAML)))
	buffer := make([]byte, len(stagesYAML))
	for {
		n, err := reader.Read(buffer)
		if errors.Is(err, io.EOF) {
			return stages, nil
		}
		if err != nil {
			return nil, err
		}
		stage, err := config.UnmarshalWithType[*internalversion.Stage](buffer[:n])
		if err != nil {
			return nil, fmt.Errorf("stages.yaml: %w", err)
		}
		stages[stage.Spec.ResourceRef] = append(stages[stage.Spec.ResourceRef], stage)
	}
}

// functions are those that the templates of stages.yaml call. Each gets the whole object and returns a part of its status
// as YAML.
func functions(options Options) gotpl.FuncMap {
	return gotpl.FuncMap{
		"PodStatus": func(object any) (string, error) {
			return render(object, func(pod *corev1.Pod) any { return podstate.Status(pod, time.Now()) })
		},
		"EphemeralStatus": func(object any) (string, error) {
			return render(object, func(pod *corev1.Pod) any {
				return corev1.PodStatus{EphemeralContainerStatuses: podstate.Ephemeral(pod, time.Now())}
			})
		},
		"NodeStatus": func(object any) (string, error) {
			return render(object, func(node *corev1.Node) any {
				return fleet.Status(node, options.Address(node.Name), options.KubeletVersion)
			})
		},
	}
}

// render converts a template's object into a typed one, computes a status from it, and renders that as YAML for a
// strategic merge patch.
func render[T any](object any, compute func(*T) any) (string, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return "", err
	}
	typed := new(T)
	if err := json.Unmarshal(data, typed); err != nil {
		return "", err
	}
	if data, err = json.Marshal(compute(typed)); err != nil {
		return "", err
	}
	patch := map[string]any{}
	if err := json.Unmarshal(data, &patch); err != nil {
		return "", err
	}
	clearOldReasons(patch)
	text, err := yaml.Marshal(patch)
	return string(text), err
}

// clearOldReasons makes the patch remove the reason and message of conditions that have none any more: conditions are
// merged with those there are.
func clearOldReasons(status map[string]any) {
	conditions, _ := status["conditions"].([]any)
	for _, condition := range conditions {
		fields, ok := condition.(map[string]any)
		if !ok {
			continue
		}
		for _, name := range []string{"reason", "message"} {
			if _, set := fields[name]; !set {
				fields[name] = nil
			}
		}
	}
}
