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
	Flags
	Targets []Target
	From    From
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
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.ToOptions(args)
			if err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
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
	s, err := f.shared.ToScope(args, slices.Concat(objects.StatefulSetKinds(), objects.ServiceKinds())...)
	if err != nil {
		return nil, err
	}
	o := &Options{Scope: s, Flags: *f}
	for _, arg := range args {
		o.Targets = append(o.Targets, target(arg))
	}
	return o, o.Validate()
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
	var err error
	if o.From, err = parseFrom(o.from); err != nil {
		return err
	}
	if kind, name, ok := strings.Cut(o.fromLabels, "/"); ok && slices.Contains(objects.StatefulSetKinds(), kind) {
		o.fromLabels = name
	}
	debugPod := o.From.Kind == v1alpha1.VantageDebugPod
	switch {
	case strings.Contains(o.fromLabels, "/"):
		return fmt.Errorf("--from-labels=%s: it is sts/NAME", o.fromLabels)
	case !debugPod && (o.fromLabels != "" || o.pullSecret != "" || o.node != ""):
		return errors.New("--from-labels, --image-pull-secret and --node are for the debug pod: leave --from out")
	case o.container != "" && o.From.Kind != v1alpha1.VantagePod:
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

// Run collects, analyzes and prints.
func (o *Options) Run(ctx context.Context) error {
	ctx, cancel := o.Context(ctx)
	defer cancel()
	progress := o.StartProgress("connecting")
	q := o.Asking.Query(o.Scope)
	q.Namespace, q.Targets, q.Selector, q.ChunkSize = o.Namespace, o.Targets, o.Selector, o.ChunkSize
	q.From, q.FromLabels, q.Container, q.Node, q.RetryNegative, q.Progress = o.From, o.fromLabels, o.container, o.node, o.retryNegative, progress.Step
	snapshot, err := Collect(ctx, o.Cluster, q)
	progress.End()
	if err != nil {
		return err
	}
	report := Analyze(snapshot, time.Now())
	if len(report.Items) == 0 {
		if err := o.NothingFound(ctx, "headless Services or StatefulSets"); err != nil || o.Printer.IsTable() {
			return err
		}
	}
	err = o.Print(printers.Document{
		Report: report, Names: Names(report),
		Table: func() printers.Table {
			return Table(report, View{Namespaces: o.AllNamespaces, Wide: o.Printer.Wide()})
		},
	}, report.Problems)
	if err != nil {
		return err
	}
	return o.FailOn(Findings(report), report.Checked)
}
