package kube

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Custom is a kind of object that an operator has added to the API.
type Custom struct {
	// Group, Version, Resource and Kind are as in postgresql.cnpg.io, v1, clusters and Cluster.
	Group, Version, Resource, Kind string
}

func (r Custom) resource() resource {
	return resource{schema.GroupVersion{Group: r.Group, Version: r.Version}, r.Resource, strings.ToLower(r.Kind)}
}

// custom makes clients for groups that are known by their names alone, when they are asked for, and knows which groups the API has.
type custom struct {
	config      *rest.Config
	connections *http.Client

	mu      sync.Mutex
	clients map[schema.GroupVersion]rest.Interface

	groups sync.Mutex // held while they are read
	// versions are the API's groups with their versions, the preferred one first; nil until they have been read.
	versions map[string][]string
}

// client is the client of a group and version. Objects are read as JSON: custom resources have no other form.
func (c *custom) client(gv schema.GroupVersion) (rest.Interface, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.clients[gv]; ok {
		return client, nil
	}
	config := dynamic.ConfigFor(c.config)
	config.GroupVersion, config.APIPath = &gv, "/apis"
	client, err := rest.RESTClientForConfigAndClient(config, c.connections)
	if err == nil {
		c.clients[gv] = client
	}
	return client, err
}

// client is that of a kind's group and version.
func (c *Cluster) client(r resource) (rest.Interface, error) {
	if client, ok := c.clients[r.GroupVersion]; ok {
		return client, nil
	}
	return c.custom.client(r.GroupVersion)
}

// GroupVersions are the versions of an API group, the preferred one first; none if the API does not have the group. The groups are read once.
func (c *Cluster) GroupVersions(ctx context.Context, group string) ([]string, error) {
	c.custom.groups.Lock()
	defer c.custom.groups.Unlock()
	if c.custom.versions == nil {
		list := &metav1.APIGroupList{}
		if err := c.core().Get().AbsPath("/apis").Do(ctx).Into(list); err != nil {
			return nil, err
		}
		versions := make(map[string][]string, len(list.Groups))
		for i := range list.Groups {
			g := &list.Groups[i]
			names := []string{g.PreferredVersion.Version}
			for _, v := range g.Versions {
				if v.Version != g.PreferredVersion.Version {
					names = append(names, v.Version)
				}
			}
			versions[g.Name] = names
		}
		c.custom.versions = versions
	}
	return slices.Clone(c.custom.versions[group]), nil
}

// EachCustom calls each for every object of a kind that an operator has added.
func (c *Cluster) EachCustom(ctx context.Context, r Custom, q Query, each func(*unstructured.Unstructured)) error {
	return eachObject(ctx, c, r.resource(), q, func(page *unstructured.UnstructuredList) []unstructured.Unstructured { return page.Items }, each)
}

// FollowCustom mirrors them.
func FollowCustom[K any](ctx context.Context, c *Cluster, r Custom, q Query, keep func(*unstructured.Unstructured) *K, changed func()) *Mirror[K] {
	return follow[unstructured.UnstructuredList](ctx, c, r.resource(), q, keep, changed)
}

// Replicas is how many pods a controller is asked for, as its subresource scale says; a kind without one is not found. Its resource is looked up by
// its kind: two requests.
func (c *Cluster) Replicas(ctx context.Context, apiVersion, kind, namespace, name string) (int32, error) {
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return 0, err
	}
	kindsOf := &metav1.APIResourceList{}
	if err := c.core().Get().AbsPath("/apis", gv.Group, gv.Version).Do(ctx).Into(kindsOf); err != nil {
		return 0, err
	}
	at := slices.IndexFunc(kindsOf.APIResources, func(r metav1.APIResource) bool { return r.Kind == kind && !strings.Contains(r.Name, "/") })
	if at < 0 {
		return 0, apierrors.NewNotFound(gv.WithResource(kind).GroupResource(), name)
	}
	client, err := c.custom.client(gv)
	if err != nil {
		return 0, err
	}
	scale := &unstructured.Unstructured{}
	if err := client.Get().Namespace(namespace).Resource(kindsOf.APIResources[at].Name).Name(name).SubResource("scale").Do(ctx).Into(scale); err != nil {
		return 0, err
	}
	replicas, _, err := unstructured.NestedInt64(scale.Object, "spec", "replicas")
	return int32(replicas), err
}
