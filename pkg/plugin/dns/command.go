package dns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

var (
	long = templates.LongDesc(`
		Compare the DNS records that headless Services and their pods are to have with those that a pod finds.

		What is expected is computed from Services, EndpointSlices and pods: addresses of the Service and of each pod, SRV records of
		named ports, PTR records, and short names through the search path. What is observed comes from a short-lived debug pod, which is
		removed again, or from where --from says.`)

	examples = templates.Examples(`
		# The headless Services of the current namespace, and those that StatefulSets name
		kubectl doik dns

		# One StatefulSet, asked from a pod that wears its labels, as NetworkPolicies see it
		kubectl doik dns sts/mysql --from-labels=sts/mysql

		# Asked from a pod that is there already
		kubectl doik dns sts/web --from=pod/web-0

		# Without any pod: each DNS server through a port-forward, and compared with each other
		kubectl doik dns svc/nginx --from=dns`)
)

// Forms lists what --from takes, for help and completion.
func Forms() []string { return []string{"debug-pod", "dns", "pod/", "ephemeral/"} }

// Flags are the flags of the command.
type Flags struct {
	shared                      *scope.Flags
	from, fromLabels, container string
	node                        string
	retryNegative               bool
	Asking
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Asking Asking
	Query  Query
}

// NewCommand makes kubectl doik dns.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{shared: shared, Asking: NewAsking()}
	cmd := &cobra.Command{
		Use:                   "dns [NAME | sts/NAME | svc/NAME ...]",
		DisableFlagsInUseLine: true,
		Short:                 "DNS names of headless Services and their pods: promised against resolved",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddFlags(cmd, "Services and StatefulSets")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.HeadlessDNSList{}, View{}) })
	cmd.Flags().StringVar(&f.from, "from", "debug-pod", "Who asks. One of: (debug-pod, pod/NAME, ephemeral/NAME, dns). ephemeral/NAME adds an ephemeral container to the pod, which stays in its list; dns asks each DNS server through a port-forward, without any pod.")
	cmd.Flags().StringVar(&f.fromLabels, "from-labels", "", "sts/NAME: let the debug pod wear the labels of this StatefulSet's pods, so that the same NetworkPolicies select it. It is never ready: Services send it no traffic.")
	cmd.Flags().StringVarP(&f.container, "container", "c", "", "The container that asks, with --from=pod/NAME.")
	cmd.Flags().StringVar(&f.node, "node", "", "Node of the debug pod.")
	f.AddFlags(cmd)
	cmd.Flags().BoolVar(&f.retryNegative, "retry-negative", false, "Where records are missing, wait until negative answers have left the caches (30s in most clusters), and ask once more.")
	return cmd
}

// ToOptions checks the flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	from, err := parseFrom(f.from)
	if err != nil {
		return nil, err
	}
	fromLabels, err := parseSet(f.fromLabels)
	if err != nil {
		return nil, fmt.Errorf("--from-labels=%w", err)
	}
	s, err := f.shared.ToScope(args, slices.Concat(objects.StatefulSetKinds(), objects.ServiceKinds())...)
	if err != nil {
		return nil, err
	}
	q := f.Query(s)
	q.Namespace, q.Selector, q.ChunkSize = s.Namespace, s.Selector, s.ChunkSize
	q.From, q.FromLabels, q.Container, q.Node, q.RetryNegative = from, fromLabels, f.container, f.node, f.retryNegative
	for _, arg := range args {
		q.Targets = append(q.Targets, target(arg))
	}
	return &Options{Scope: s, Asking: f.Asking, Query: q}, nil
}

// target takes an argument apart, whose kind is one of those of a StatefulSet or a Service.
func target(arg string) Target {
	kind, name, ok := strings.Cut(arg, "/")
	switch {
	case !ok:
		return Target{Name: arg}
	case slices.Contains(objects.ServiceKinds(), strings.ToLower(kind)):
		return Target{Kind: KindService, Name: name}
	}
	return Target{Kind: KindStatefulSet, Name: name}
}

// Validate checks the command's own flags against each other.
func (o *Options) Validate() error {
	q := &o.Query
	debugPod := q.From.Kind == v1alpha1.VantageDebugPod
	switch {
	case !debugPod && (q.FromLabels != "" || q.PullSecret != "" || q.Node != ""):
		return errors.New("--from-labels, --image-pull-secret and --node are for the debug pod: leave --from out")
	case q.Container != "" && q.From.Kind != v1alpha1.VantagePod:
		return errors.New("--container goes with --from=pod/NAME")
	}
	return o.Asking.Validate()
}

func parseFrom(text string) (From, error) {
	kinds := map[string]v1alpha1.DNSVantageKind{"debug-pod": v1alpha1.VantageDebugPod, "dns": v1alpha1.VantageServers}
	if kind, ok := kinds[text]; ok {
		return From{Kind: kind}, nil
	}
	kind, name, _ := strings.Cut(text, "/")
	of, ok := map[string]v1alpha1.DNSVantageKind{"pod": v1alpha1.VantagePod, "ephemeral": v1alpha1.VantageEphemeral}[kind]
	if !ok || len(validation.NameIsDNSSubdomain(name, false)) > 0 {
		return From{}, fmt.Errorf("--from=%s: it is one of debug-pod, dns, pod/NAME, ephemeral/NAME", text)
	}
	return From{Kind: of, Pod: name}, nil
}

// parseSet reads sts/NAME, or NAME alone.
func parseSet(text string) (string, error) {
	if kind, name, ok := strings.Cut(text, "/"); ok && slices.Contains(objects.StatefulSetKinds(), kind) {
		text = name
	}
	if strings.Contains(text, "/") {
		return "", fmt.Errorf("%s: it is sts/NAME", text)
	}
	return text, nil
}

// Run shows the report.
func (o *Options) Run(ctx context.Context) error {
	return scope.RunOnce(ctx, o.Scope, scope.Report[*Snapshot, *v1alpha1.HeadlessDNSList]{
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			return Collect(ctx, o.Cluster, q)
		},
		Analyze: Analyze,
		Document: func(report *v1alpha1.HeadlessDNSList, _ time.Time) printers.Document {
			return printers.Document{
				Report: report, Metadata: &report.Metadata, Names: Names(report),
				Table: func() printers.Table {
					return Table(report, View{Namespaces: o.AllNamespaces, Wide: o.Printer.Wide()})
				},
			}
		},
		Empty:    func(report *v1alpha1.HeadlessDNSList) bool { return len(report.Items) == 0 },
		Things:   "headless Services or StatefulSets",
		Problems: func(report *v1alpha1.HeadlessDNSList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.HeadlessDNSList) []v1alpha1.CheckedPart { return report.Checked },
	})
}
