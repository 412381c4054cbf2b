package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

const (
	// kubeletsAtOnce bounds how many kubelets are asked at the same time.
	kubeletsAtOnce = 32
	// maxSummary bounds what is read of one kubelet's answer: 110 pods make some 300 KiB.
	maxSummary = 64 << 20
	// elasticBytes: file systems that grow on demand report a size that no disk has (EFS: 8 EiB less one block).
	elasticBytes = 1 << 60
)

// UsageQuery says whose disk usage to read.
type UsageQuery struct {
	// Nodes are asked each at most once.
	Nodes []string
	// Wanted tells which claims to keep.
	Wanted func(types.NamespacedName) bool
	// NodeTimeout is the time that one kubelet has.
	NodeTimeout time.Duration
	// Progress is called after each node with the number of nodes that are done; calls don't overlap. It may be nil.
	Progress func(done int)
}

// Usage is what the kubelets reported.
type Usage struct {
	ByClaim map[types.NamespacedName]v1alpha1.VolumeUsage
	// Failed has an entry for each node whose kubelet could not be read.
	Failed map[string]v1alpha1.Problem
}

// errNoRight ends the other requests: who may not read one kubelet's statistics may read none.
var errNoRight = errors.New("no permission to read kubelet statistics")

// VolumeUsage reads /stats/summary of the nodes' kubelets through the API server, concurrently. It needs the right to get
// nodes/proxy. A kubelet that fails costs its own time only; it is then among the failed.
func (c *Cluster) VolumeUsage(ctx context.Context, q UsageQuery) Usage {
	usage := Usage{ByClaim: map[types.NamespacedName]v1alpha1.VolumeUsage{}, Failed: map[string]v1alpha1.Problem{}}
	var mu sync.Mutex
	var forbidden *v1alpha1.Problem
	answered := map[string]bool{}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(kubeletsAtOnce)
	for _, node := range q.Nodes {
		group.Go(func() error {
			if groupCtx.Err() != nil {
				return nil
			}
			found, err := c.usageOf(groupCtx, node, q)
			mu.Lock()
			defer mu.Unlock()
			answered[node] = err == nil
			if q.Progress != nil {
				q.Progress(len(answered))
			}
			for claim, u := range found {
				usage.ByClaim[claim] = u
			}
			switch {
			case err == nil, ctx.Err() != nil:
				return nil
			case apierrors.IsForbidden(err):
				problem := ProblemOf("disk usage", errors.New("no permission to get nodes/proxy"))
				problem.Reason = v1alpha1.ReasonForbidden
				problem.Remedy = "ask for it (kubectl doik --print-rbac=kubelets prints the role), or skip disk usage with --no-usage"
				forbidden = &problem
				return errNoRight
			default:
				usage.Failed[node] = usageProblem(node, err, q.NodeTimeout)
			}
			return nil
		})
	}
	_ = group.Wait() // the only error is errNoRight, recorded below
	for _, node := range q.Nodes {
		_, failed := usage.Failed[node]
		switch {
		case answered[node]:
		case forbidden != nil:
			usage.Failed[node] = *forbidden
		case ctx.Err() != nil && !failed:
			usage.Failed[node] = v1alpha1.Problem{
				Subject: "disk usage on node " + node, Reason: v1alpha1.ReasonTimeout, Message: "the kubelet did not answer before the timeout", Remedy: "raise --timeout",
			}
		}
	}
	return usage
}

func usageProblem(node string, err error, limit time.Duration) v1alpha1.Problem {
	problem := ProblemOf("disk usage on node "+node, err)
	switch problem.Reason {
	case v1alpha1.ReasonTimeout:
		problem.Message = fmt.Sprintf("the kubelet did not answer within %s", limit)
		problem.Remedy = "see kubectl describe node " + node + ", or raise --usage-timeout"
	case v1alpha1.ReasonNotFound:
		problem.Message = "the node or its kubelet statistics do not exist"
	default:
		problem.Message = "the kubelet can't be queried: " + oneLine(serverText(err))
		problem.Remedy = "see kubectl describe node " + node
	}
	return problem
}

// serverText is what a server wrote that answered with no Status, without what client-go says of that.
func serverText(err error) error {
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			if cause.Type == metav1.CauseTypeUnexpectedServerResponse && cause.Message != "" {
				return errors.New(cause.Message)
			}
		}
	}
	return err
}

// summary is the part of a kubelet's /stats/summary (k8s.io/kubelet/pkg/apis/stats/v1alpha1) that reports volumes.
type summary struct {
	Pods []struct {
		Volumes []struct {
			Claim *struct {
				Name      string `json:"name"`
				Namespace string `json:"namespace"`
			} `json:"pvcRef"`
			Time           metav1.Time `json:"time"`
			CapacityBytes  *uint64     `json:"capacityBytes"`
			UsedBytes      *uint64     `json:"usedBytes"`
			AvailableBytes *uint64     `json:"availableBytes"`
			Inodes         *uint64     `json:"inodes"`
			InodesUsed     *uint64     `json:"inodesUsed"`
			InodesFree     *uint64     `json:"inodesFree"`
		} `json:"volume"`
	} `json:"pods"`
}

func (c *Cluster) nodeUsage(ctx context.Context, node string, q UsageQuery) (map[types.NamespacedName]v1alpha1.VolumeUsage, error) {
	ctx, cancel := context.WithTimeout(ctx, q.NodeTimeout)
	defer cancel()
	body, err := c.core().Get().Resource("nodes").Name(node).SubResource("proxy").Suffix("stats/summary").
		SetHeader("Accept", "application/json").Stream(ctx)
	if err != nil {
		return nil, deadline(ctx, err)
	}
	defer body.Close()
	var s summary
	if err := json.NewDecoder(io.LimitReader(body, maxSummary)).Decode(&s); err != nil {
		return nil, deadline(ctx, fmt.Errorf("its statistics can't be read: %w", err))
	}
	found := map[types.NamespacedName]v1alpha1.VolumeUsage{}
	for _, pod := range s.Pods {
		for _, v := range pod.Volumes {
			// Volumes that are no claim, and volumes of mode Block, of which a kubelet knows no use.
			if v.Claim == nil || v.UsedBytes == nil || v.AvailableBytes == nil {
				continue
			}
			claim := types.NamespacedName{Namespace: v.Claim.Namespace, Name: v.Claim.Name}
			if !q.Wanted(claim) {
				continue
			}
			found[claim] = volumeUsage(figures{
				time: v.Time, capacity: v.CapacityBytes, used: *v.UsedBytes, available: *v.AvailableBytes,
				inodes: v.Inodes, inodesUsed: v.InodesUsed, inodesFree: v.InodesFree,
			})
		}
	}
	return found, nil
}

// deadline says that an error is the node's own time-out, which client-go may wrap beyond recognition.
func deadline(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// figures are a file system's numbers as they were reported.
type figures struct {
	time                           metav1.Time
	capacity                       *uint64
	used, available                uint64
	inodes, inodesUsed, inodesFree *uint64
}

func volumeUsage(f figures) v1alpha1.VolumeUsage {
	usage := v1alpha1.VolumeUsage{
		UsedBytes: clamp(f.used), AvailableBytes: clamp(f.available), UsedPercent: percent(f.used, f.available), Source: v1alpha1.UsageFromKubelet, Time: f.time,
	}
	if f.capacity != nil {
		usage.CapacityBytes = clamp(*f.capacity)
		usage.Elastic = *f.capacity >= elasticBytes
	}
	if usage.Elastic {
		usage.UsedPercent = nil
	}
	// Some file systems have no fixed number of inodes, and say 0 or nothing.
	if f.inodes == nil || *f.inodes == 0 || usage.Elastic {
		return usage
	}
	var used uint64
	switch {
	case f.inodesUsed != nil:
		used = *f.inodesUsed
	case f.inodesFree != nil && *f.inodesFree <= *f.inodes:
		used = *f.inodes - *f.inodesFree
	default:
		return usage
	}
	free := uint64(0)
	if used < *f.inodes {
		free = *f.inodes - used
	}
	total, usedInodes := clamp(*f.inodes), clamp(used)
	usage.Inodes, usage.InodesUsed, usage.InodesUsedPercent = &total, &usedInodes, percent(used, free)
	return usage
}

// percent is used / (used + free) rounded up, as df prints it: what root keeps in reserve counts for neither. It is nil
// where both are 0.
func percent(used, free uint64) *int32 {
	total := float64(used) + float64(free)
	if total == 0 {
		return nil
	}
	p := int32(math.Ceil(100 * float64(used) / total))
	return &p
}

func clamp(v uint64) int64 {
	return int64(min(v, math.MaxInt64))
}
