package sets

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// CollectBackups reads what tells of the backups of some clusters: one request for each kind of object that their operators have for it.
func CollectBackups(ctx context.Context, cluster *kube.Cluster, q kube.Query, of []Ref) (Backups, Problems) {
	var (
		mu       sync.Mutex
		list     Backups
		problems = Problems{}
		group    errgroup.Group
	)
	fail := func(name string, err error) {
		problems[name] = kube.ProblemOf(name+" "+kube.Where(q.Namespace), err)
	}
	for i := range backupKinds {
		kind := &backupKinds[i]
		if !slices.ContainsFunc(of, kind.tellsOf) {
			continue
		}
		name := kind.subject()
		versions, err := cluster.GroupVersions(ctx, kind.Group)
		if err != nil {
			fail(name, err)
			continue
		}
		version := kind.Version(versions)
		if version == "" {
			if len(versions) > 0 { // then nothing is known of what is missing
				fail(name, fmt.Errorf("the API has it in the versions %s only, which are not known here", strings.Join(versions, ", ")))
			}
			continue
		}
		group.Go(func() error {
			found, err := kind.read(ctx, cluster, version, q)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case apierrors.IsNotFound(err): // an older operator, without this kind
			case err != nil:
				fail(name, err)
			default:
				list.add(found)
			}
			return nil
		})
	}
	_ = group.Wait()
	list.settle()
	return list, problems
}

func (k *backupKind) read(ctx context.Context, cluster *kube.Cluster, version string, q kube.Query) (Backups, error) {
	var list Backups
	var failed error
	custom := kube.Custom{Group: k.Group, Version: version, Resource: k.Resource, Kind: k.Name}
	err := cluster.EachCustom(ctx, custom, kube.Query{Namespace: q.Namespace, ChunkSize: q.ChunkSize}, func(object *unstructured.Unstructured) {
		one, err := k.understand(object.Object)
		if err != nil {
			failed = fmt.Errorf("%s %s can't be understood: %w", k.Name, object.GetName(), err)
			return
		}
		list.add(one)
	})
	if err != nil {
		return Backups{}, err
	}
	return list, failed
}

// understand is what one object says.
func (k *backupKind) understand(object map[string]any) (Backups, error) {
	var meta struct {
		metav1.ObjectMeta `json:"metadata"`
	}
	if err := into(object, &meta); err != nil {
		return Backups{}, err
	}
	return k.decode(&backupObject{meta.ObjectMeta, object, &k.Kind})
}
