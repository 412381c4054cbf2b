package kube

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
)

// Kubeconfig is the names in a kubeconfig, each list in alphabetical order.
type Kubeconfig struct {
	Contexts, Clusters, Users []string
}

// ReadKubeconfig reads the names without connecting to anything.
func ReadKubeconfig(flags *Connection) (Kubeconfig, error) {
	config, err := flags.loader().RawConfig()
	if err != nil {
		return Kubeconfig{}, err
	}
	return Kubeconfig{
		Contexts: slices.Sorted(maps.Keys(config.Contexts)),
		Clusters: slices.Sorted(maps.Keys(config.Clusters)),
		Users:    slices.Sorted(maps.Keys(config.AuthInfos)),
	}, nil
}

// kubeconfigError says what is wrong with the kubeconfig or with the flags that choose from it.
func kubeconfigError(flags *Connection, err error) error {
	names, readErr := ReadKubeconfig(flags)
	if clientcmd.IsContextNotFound(err) && readErr == nil && flags.Overrides.CurrentContext != "" {
		return fmt.Errorf("the kubeconfig has no context %q: it has %s", flags.Overrides.CurrentContext, strings.Join(names.Contexts, ", "))
	}
	return fmt.Errorf("reading the kubeconfig: %w", err)
}
