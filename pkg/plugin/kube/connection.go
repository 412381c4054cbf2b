package kube

import (
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/clientcmd"
)

// Connection is what kubectl's connection flags say: which kubeconfig is read, and what of it is overridden. cli-runtime has the
// same flags, but with them come discovery, kustomize and the kinds of every API group: 18 MB of 44.
type Connection struct {
	// Kubeconfig is the file of --kubeconfig; empty for KUBECONFIG or ~/.kube/config.
	Kubeconfig string
	// Overrides are the other flags.
	Overrides clientcmd.ConfigOverrides

	kuberc     string
	userExtras []string
}

// NewConnection returns the flags with their defaults.
func NewConnection() *Connection {
	return &Connection{Overrides: clientcmd.ConfigOverrides{ClusterDefaults: clientcmd.ClusterDefaults}}
}

// AddFlags adds kubectl's connection flags.
func (c *Connection) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.Kubeconfig, "kubeconfig", "", "Path to the kubeconfig file to use for CLI requests.")
	names := clientcmd.RecommendedConfigOverrideFlags("")
	names.ClusterOverrideFlags.APIServer.ShortName = "s"
	// Servers know no passwords any more, and kubectl has no flags for them.
	names.AuthOverrideFlags.Username = clientcmd.FlagInfo{}
	names.AuthOverrideFlags.Password = clientcmd.FlagInfo{}
	clientcmd.BindOverrideFlags(&c.Overrides, flags, names)
	flags.StringArrayVar(&c.userExtras, "as-user-extra", nil, "User extras to impersonate for the operation, this flag can be repeated to specify multiple values for the same key.")
	flags.StringVar(&c.kuberc, "kuberc", "", "Path to the kuberc file to use for preferences, as for kubectl: which credential plugins may run, and default flag values for commands named doik COMMAND.")
	flags.String("cache-dir", "", "Accepted for compatibility with kubectl; nothing is cached.")
	_ = flags.MarkHidden("cache-dir")
}

// loader reads the kubeconfig as kubectl does.
func (c *Connection) loader() clientcmd.ClientConfig {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.DefaultClientConfig = &clientcmd.DefaultClientConfig
	rules.ExplicitPath = c.Kubeconfig
	overrides := c.Overrides
	for _, extra := range c.userExtras {
		if key, value, ok := strings.Cut(extra, "="); ok {
			if overrides.AuthInfo.ImpersonateUserExtra == nil {
				overrides.AuthInfo.ImpersonateUserExtra = map[string][]string{}
			}
			overrides.AuthInfo.ImpersonateUserExtra[key] = append(overrides.AuthInfo.ImpersonateUserExtra[key], value)
		}
	}
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &overrides)
}
