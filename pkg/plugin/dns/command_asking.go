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
	// lifetimeSlack is how much longer than the command a debug pod lives if nobody removes it; longestLifetime is for commands
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
	cmd.Flags().StringVar(&a.image, "image", a.image, "Image of the debug pod or ephemeral container: any with sh and one of dig, nslookup (of bind or BusyBox) and getent.")
	cmd.Flags().StringVar(&a.pullSecret, "image-pull-secret", "", "Secret of the namespace with which the debug pod's image is pulled.")
	cmd.Flags().StringVar(&a.dnsService, "dns-service", a.dnsService, "NAMESPACE/NAME of the Service of the cluster's DNS.")
	cmd.Flags().StringVar(&a.domain, "cluster-domain", "", "Domain of the cluster's names (default: found out, cluster.local in most clusters).")
}

// Validate checks them. It is pure.
func (a Asking) Validate() error {
	namespace, service, ok := strings.Cut(a.dnsService, "/")
	switch {
	case !ok || namespace == "" || service == "" || strings.Contains(service, "/"):
		return fmt.Errorf("--dns-service=%s: it is NAMESPACE/NAME", a.dnsService)
	case a.domain != "" && !resolve.ValidName(a.domain):
		return fmt.Errorf("--cluster-domain=%s: it is no domain", a.domain)
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
		FromNamespace: s.Cluster.Namespace, Image: a.image, PullSecret: a.pullSecret, Lifetime: lifetime,
		DNSService: a.dnsService, ClusterDomain: strings.TrimSuffix(a.domain, "."),
	}
}
