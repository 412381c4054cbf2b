package kube

import (
	"maps"
	"slices"

	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// Kubeconfig is the names in a kubeconfig, each list in alphabetical order.
type Kubeconfig struct {
	Contexts, Clusters, Users []string
}

// ReadKubeconfig reads the names without connecting to anything.
func ReadKubeconfig(flags *genericclioptions.ConfigFlags) (Kubeconfig, error) {
	config, err := flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return Kubeconfig{}, err
	}
	return Kubeconfig{
		Contexts: slices.Sorted(maps.Keys(config.Contexts)),
		Clusters: slices.Sorted(maps.Keys(config.Clusters)),
		Users:    slices.Sorted(maps.Keys(config.AuthInfos)),
	}, nil
}
