package endpoint

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const (
	defaultLookupTimeout = 5 * time.Second
	// podLifetime is when the debug pod ends by itself if there is no --timeout.
	podLifetime = 5 * time.Minute
)

var (
	long = templates.LongDesc(`
		Show how the cluster's API servers are reached: from this workstation, from the nodes, and back to the kubelets.

		The server's name is looked up on the workstation and, from a short-lived pod that is always removed, in the cluster. Comparing
		the two shows whether the endpoint is public, public and private, or private, in Amazon EKS's terms; the verdict comes with its
		evidence and confidence. It works on any cluster: what only EKS has is omitted elsewhere.`)

	examples = templates.Examples(`
		# The endpoint of the current context
		kubectl doik endpoint

		# Also query a DNS server on the internet: on a VPN, the workstation may see private addresses even for a public endpoint
		kubectl doik endpoint --resolver=1.1.1.1

		# Without a pod in the cluster
		kubectl doik endpoint --local-only

		# Only the verdict
		kubectl doik endpoint -o jsonpath='{.items[0].access.mode}'`)
)

// Flags are the flags of the command.
type Flags struct {
	shared        *scope.Flags
	resolver      string
	lookupTimeout time.Duration
	localOnly     bool
	image         string
	pullSecret    string
	node          string
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Resolver      string
	LookupTimeout time.Duration
	LocalOnly     bool
	Pod           kube.DebugPod
}

// NewCommand makes kubectl doik endpoint.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, lookupTimeout: defaultLookupTimeout, image: kube.DefaultDebugImage()}
	cmd := &cobra.Command{
		Use:                   "endpoint",
		DisableFlagsInUseLine: true,
		Short:                 "The API endpoint: public or private, its servers, certificate and versions",
		Long:                  long,
		Example:               examples,
		Args:                  cobra.NoArgs,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddReportFlags(cmd)
	shared.AddSnapshotFlags(cmd)
	cmd.Flags().StringVar(&f.resolver, "resolver", "", "Also query this DNS server, given as ADDRESS or ADDRESS:PORT. A public one, such as 1.1.1.1, tells a private endpoint from a public one that is seen from within the VPN.")
	cmd.Flags().DurationVar(&f.lookupTimeout, "lookup-timeout", f.lookupTimeout, "Timeout for each DNS lookup.")
	cmd.Flags().BoolVar(&f.localOnly, "local-only", false, "Don't create a pod in the cluster: look the name up on the workstation only.")
	cmd.Flags().StringVar(&f.image, "image", f.image, "Image of the debug pod: any image with sh and one of dig, nslookup and getent.")
	cmd.Flags().StringVar(&f.pullSecret, "image-pull-secret", "", "Image pull secret for the debug pod's image.")
	cmd.Flags().StringVar(&f.node, "node", "", "Node to run the debug pod on.")
	return cmd
}

// ToOptions checks the shared flags and reads the kubeconfig.
func (f *Flags) ToOptions([]string) (*Options, error) {
	var resolver string
	if f.resolver != "" {
		var err error
		if resolver, err = resolverAddress(f.resolver); err != nil {
			return nil, err
		}
	}
	s, err := f.shared.ToScope(nil)
	if err != nil {
		return nil, err
	}
	o := &Options{Scope: s, Resolver: resolver, LookupTimeout: f.lookupTimeout, LocalOnly: f.localOnly, Pod: kube.DebugPod{
		Namespace: s.Namespace, Image: f.image, PullSecret: f.pullSecret, Node: f.node, Lifetime: podLifetime,
	}}
	if s.Timeout > 0 {
		o.Pod.Lifetime = s.Timeout
	}
	return o, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	switch {
	case o.LookupTimeout <= 0:
		return fmt.Errorf("invalid --lookup-timeout %q: must be positive", o.LookupTimeout)
	case o.Pod.Image == "" && !o.LocalOnly:
		return fmt.Errorf("invalid --image \"\": must not be empty; --local-only needs no pod")
	case o.LocalOnly && (o.Pod.Node != "" || o.Pod.PullSecret != "" || o.Pod.Image != kube.DefaultDebugImage()):
		return fmt.Errorf("--local-only can't be combined with --image, --image-pull-secret or --node: it creates no pod")
	}
	return nil
}

// Run shows the report.
func (o *Options) Run(ctx context.Context) error {
	return scope.Run(ctx, o.Scope, scope.Report[*Snapshot, *v1alpha1.ClusterEndpointList]{
		Kind: v1alpha1.KindClusterEndpoint,
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			return Collect(ctx, o.Cluster, Query{
				Resolver: o.Resolver, LookupTimeout: o.LookupTimeout, LocalOnly: o.LocalOnly, Pod: o.Pod, ChunkSize: o.ChunkSize, Progress: progress,
			})
		},
		Analyze: Analyze,
		Document: func(report *v1alpha1.ClusterEndpointList, now time.Time) printers.Document {
			return printers.Document{
				Report: report, Metadata: &report.Metadata, Names: Names(report),
				Table: func() printers.Table { return Table(report, View{Now: now}) },
			}
		},
		Problems: func(report *v1alpha1.ClusterEndpointList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.ClusterEndpointList) []v1alpha1.CheckedPart { return report.Checked },
	}, nil)
}
