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
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

var (
	long = templates.LongDesc(`
		Compare the DNS records that headless Services and their pods should have with those that a pod resolves.

		The expected records are computed from Services, EndpointSlices and pods: addresses of the Service and of each pod, SRV records of
		named ports, PTR records, and short names through the search path. The observed ones are queried from a short-lived debug pod,
		which is always removed, or from wherever --from says.`)

	examples = templates.Examples(`
		# The headless Services of the current namespace, and those that StatefulSets name
		kubectl doik dns

		# One StatefulSet, queried from a pod with its labels, so that the same NetworkPolicies apply
		kubectl doik dns sts/mysql --from-labels=sts/mysql

		# Queried from an existing pod
		kubectl doik dns sts/web --from=pod/web-0

		# Without any pod: query each DNS server through a port-forward, and compare their answers
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
		Short:                 "DNS names of headless Services and their pods: expected vs. resolved",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.AddFlags(cmd, "Services and StatefulSets")
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.HeadlessDNSList{}, View{}) })
	cmd.Flags().StringVar(&f.from, "from", "debug-pod", "Where queries are sent from. One of: (debug-pod, pod/NAME, ephemeral/NAME, dns). ephemeral/NAME adds an ephemeral container to the pod, where it stays listed; dns queries each DNS server through a port-forward, without any pod.")
	cmd.Flags().StringVar(&f.fromLabels, "from-labels", "", "Give the debug pod the labels of a StatefulSet's pods (sts/NAME), so that the same NetworkPolicies select it. It never becomes ready, so Services send it no traffic.")
	cmd.Flags().StringVarP(&f.container, "container", "c", "", "The container to query from, with --from=pod/NAME.")
	cmd.Flags().StringVar(&f.node, "node", "", "Node to run the debug pod on.")
	f.AddFlags(cmd)
	shared.AddSnapshotFlags(cmd)
	cmd.Flags().BoolVar(&f.retryNegative, "retry-negative", false, "If records are missing, wait for cached negative answers to expire (30s in most clusters) and query again.")
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
		return nil, err
	}
	s, err := f.shared.ToScope(args, slices.Concat(sets.ArgumentKinds(), objects.ServiceKinds())...)
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

// target takes an argument apart, whose kind is one of those of a set or a Service.
func target(arg string) Target {
	kind, name, ok := strings.Cut(arg, "/")
	switch {
	case !ok:
		return Target{Name: arg}
	case slices.Contains(objects.ServiceKinds(), strings.ToLower(kind)):
		return Target{Kind: KindService, Name: name}
	}
	return Target{Kind: sets.Called(strings.ToLower(kind)), Name: name}
}

// Validate checks the command's own flags against each other.
func (o *Options) Validate() error {
	q := &o.Query
	debugPod := q.From.Kind == v1alpha1.VantageDebugPod
	switch {
	case !debugPod && (q.FromLabels != "" || q.PullSecret != "" || q.Node != ""):
		return errors.New("--from-labels, --image-pull-secret and --node apply only to the debug pod: omit --from")
	case q.Container != "" && q.From.Kind != v1alpha1.VantagePod:
		return errors.New("--container requires --from=pod/NAME")
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
		return From{}, fmt.Errorf("invalid --from %q: must be one of debug-pod, dns, pod/NAME, ephemeral/NAME", text)
	}
	return From{Kind: of, Pod: name}, nil
}

// parseSet reads the value of --from-labels: sts/NAME, or NAME alone.
func parseSet(text string) (string, error) {
	if kind, name, ok := strings.Cut(text, "/"); ok && slices.Contains(objects.StatefulSetKinds(), kind) {
		text = name
	}
	if strings.Contains(text, "/") {
		return "", fmt.Errorf("invalid --from-labels %q: must be sts/NAME", text)
	}
	return text, nil
}

// Run shows the report.
func (o *Options) Run(ctx context.Context) error {
	return scope.Run(ctx, o.Scope, scope.Report[*Snapshot, *v1alpha1.HeadlessDNSList]{
		Kind: v1alpha1.KindHeadlessDNS, InCheck: "dns",
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
					return Table(report, View{Namespaces: o.AllNamespaces, Wide: o.Printer.Wide(), Show: o.Printer.Show()})
				},
			}
		},
		Empty:    func(report *v1alpha1.HeadlessDNSList) bool { return len(report.Items) == 0 },
		Things:   "headless Services or StatefulSets",
		Problems: func(report *v1alpha1.HeadlessDNSList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.HeadlessDNSList) []v1alpha1.CheckedPart { return report.Checked },
	}, nil)
}
