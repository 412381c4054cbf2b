package kube

import (
	"fmt"
	"maps"
	"os"
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

// missingFiles are those that KUBECONFIG or --kubeconfig names and that do not exist, which client-go takes for empty.
func missingFiles(flags *Connection) []string {
	if flags.Kubeconfig == "" && os.Getenv(clientcmd.RecommendedConfigPathEnvVar) == "" {
		return nil // that there is none at home is no surprise
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = flags.Kubeconfig
	var missing []string
	for _, file := range rules.GetLoadingPrecedence() {
		if _, err := os.Stat(file); os.IsNotExist(err) {
			missing = append(missing, file)
		}
	}
	return missing
}

// kubeconfigError says what is wrong with the kubeconfig or with the flags that choose from it.
func kubeconfigError(flags *Connection, err error) error {
	names, readErr := ReadKubeconfig(flags)
	if clientcmd.IsContextNotFound(err) && readErr == nil && flags.Overrides.CurrentContext != "" {
		if missing := missingFiles(flags); len(missing) > 0 {
			return fmt.Errorf("context %q does not exist: the file %s named by KUBECONFIG does not exist", flags.Overrides.CurrentContext, strings.Join(missing, ", "))
		}
		return fmt.Errorf("the kubeconfig has no context %q: it has %s", flags.Overrides.CurrentContext, strings.Join(names.Contexts, ", "))
	}
	return fmt.Errorf("reading the kubeconfig: %w", err)
}
