package dns

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/resolve"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
)

const (
	defaultDNSService = "kube-system/kube-dns"
	// lifetimeSlack is how much longer than the command a debug pod lives if it is not removed; longestLifetime is for commands
	// without a time-out.
	lifetimeSlack   = 10 * time.Second
	longestLifetime = 10 * time.Minute
)

// Asking are the flags that say how names are asked for, which check has too.
type Asking struct {
	image, pullSecret  string
	dnsService, domain string
}

// NewAsking returns the flags with their defaults.
func NewAsking() Asking {
	return Asking{image: kube.DefaultDebugImage(), dnsService: defaultDNSService}
}

// AddFlags adds them to a subcommand.
func (a *Asking) AddFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.image, "image", a.image, "Image of the debug pod or ephemeral container: any image with sh and one of dig, nslookup (from BIND or BusyBox) and getent.")
	cmd.Flags().StringVar(&a.pullSecret, "image-pull-secret", "", "Image pull secret for the debug pod's image, in the same namespace.")
	cmd.Flags().StringVar(&a.dnsService, "dns-service", a.dnsService, "The cluster's DNS Service, as NAMESPACE/NAME.")
	cmd.Flags().StringVar(&a.domain, "cluster-domain", "", "The cluster's DNS domain (default: detected; cluster.local in most clusters).")
}

// Validate checks them. It is pure.
func (a Asking) Validate() error {
	namespace, service, ok := strings.Cut(a.dnsService, "/")
	switch {
	case !ok || namespace == "" || service == "" || strings.Contains(service, "/"):
		return fmt.Errorf("invalid --dns-service %q: must be NAMESPACE/NAME", a.dnsService)
	case a.domain != "" && !resolve.ValidName(a.domain):
		return fmt.Errorf("invalid --cluster-domain %q: must be a DNS domain", a.domain)
	case a.image == "":
		return errors.New("--image must not be empty")
	}
	return nil
}

// Query has what they say, for a debug pod in the namespace of the context.
func (a Asking) Query(s *scope.Scope) Query {
	lifetime := longestLifetime
	if s.Timeout > 0 {
		lifetime = s.Timeout + lifetimeSlack
	}
	return Query{
		FromNamespace: s.ContextNamespace, Image: a.image, PullSecret: a.pullSecret, Lifetime: lifetime,
		DNSService: a.dnsService, ClusterDomain: strings.TrimSuffix(a.domain, "."),
	}
}
