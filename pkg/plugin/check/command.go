package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/claims"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/nodes"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const (
	formatJUnit    = "junit"
	formatMarkdown = "markdown"

	defaultUsageTimeout  = 5 * time.Second
	defaultUsageInterval = time.Minute
	defaultDNSInterval   = 30 * time.Second
	defaultPollInterval  = 5 * time.Second
)

var (
	long = templates.LongDesc(`
		Run every check of the other subcommands on your StatefulSets and volumes, and report what is wrong, worst first.

		The cluster is read once for all of them: ordinals, claims and disk usage (sts-status), claims that belong to no set (volumes), DNS
		names of headless Services, queried
		from the DNS servers through a port-forward (dns), the nodes of the pods (nodes) and, for known databases, replication
		(topology). It adds findings that only show up when these views are combined: a source on a node that is about to go away, a
		quorum in one zone, a full volume under the server that takes the writes. Overlapping findings are folded into the most specific
		one, which lists the others after "also".

		A set without findings above info is fine. The annotation doik.dev/ignore: "CODE: reason" on an object suppresses those findings
		and shows the reason.`)

	examples = templates.Examples(`
		# The StatefulSets of the current namespace
		kubectl doik check

		# One of them, with informational findings
		kubectl doik check sts/mysql -n shop -o wide

		# In CI: the whole cluster, exit code 3 if something does not work, as a JUnit report
		kubectl doik check -A --fail-on=error -o junit > doik.xml

		# Wait until nothing is wrong after an upgrade; keep watching
		kubectl doik check sts/mysql --for=healthy --timeout=10m
		kubectl doik check --watch

		# Only full volumes and broken replication
		kubectl doik check --only=STS010,STS011,MYSQL

		# Suppress a known finding
		kubectl annotate sts web doik.dev/ignore="STS033: one replica is enough here"`)
)

// Flags are the flags of the command.
type Flags struct {
	shared        *scope.Flags
	login         *dbserver.Flags
	asking        dns.Asking
	debugPod      bool
	only, exclude []string
	labels        nodes.LabelFlags
	noUsage       bool
	usageTimeout  time.Duration
	// How often --watch reads usage, asks for names and asks servers.
	usageInterval, dnsInterval, pollInterval time.Duration
}

// Options are the flags' meaning, checked.
type Options struct {
	*scope.Scope
	Query  Query
	Asking dns.Asking
}

// NewCommand makes kubectl doik check.
func NewCommand(shared *scope.Flags) *cobra.Command {
	f := &Flags{
		shared: shared, login: dbserver.NewFlags(), asking: dns.NewAsking(), usageTimeout: defaultUsageTimeout,
		usageInterval: defaultUsageInterval, dnsInterval: defaultDNSInterval, pollInterval: defaultPollInterval,
	}
	cmd := &cobra.Command{
		Use:                   "check [NAME | sts/NAME ...]",
		DisableFlagsInUseLine: true,
		Short:                 "Run every check: what is wrong with StatefulSets, and why",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.OfferTexts(formatJUnit, formatMarkdown)
	shared.AddFlags(cmd, "StatefulSets")
	shared.AddWatchFlags(cmd, scope.GoalReady, scope.GoalHealthy)
	shared.AddSnapshotFlags(cmd, append([]string{"only", "exclude"}, nodes.LabelFlagNames()...)...)
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "Report only these codes, such as STS010, or code families: STS, VOL, DNS, NODE, MYSQL, PG, CHECK. Anything they don't need is not read.")
	cmd.Flags().StringSliceVar(&f.exclude, "exclude", nil, "Don't report these codes or code families.")
	for _, name := range []string{"only", "exclude"} {
		_ = cmd.RegisterFlagCompletionFunc(name, scope.CompleteList(codesWithTitles()))
	}
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.HealthCheckList{}, View{}) })
	cmd.Flags().BoolVar(&f.noUsage, "no-usage", false, "Don't read disk usage.")
	cmd.Flags().DurationVar(&f.usageTimeout, "usage-timeout", f.usageTimeout, "Timeout for reading disk usage from each kubelet and each df.")
	cmd.Flags().DurationVar(&f.usageInterval, "usage-interval", f.usageInterval, "How often --watch reads disk usage again.")
	cmd.Flags().DurationVar(&f.dnsInterval, "dns-interval", f.dnsInterval, "How often --watch queries DNS.")
	cmd.Flags().DurationVar(&f.pollInterval, "poll-interval", f.pollInterval, "How often --watch queries each database server.")
	f.labels.AddFlags(cmd)
	cmd.Flags().BoolVar(&f.debugPod, "debug-pod", false, "Query DNS from a short-lived debug pod, as dns does, instead of querying the DNS servers through a port-forward.")
	f.asking.AddFlags(cmd)
	f.login.AddFlags(cmd)
	return cmd
}

// ToOptions checks the flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	q := Query{
		UsageFrom: claims.UsageAuto, UsageTimeout: f.usageTimeout,
		UsageInterval: f.usageInterval, DNSInterval: f.dnsInterval, PollInterval: f.pollInterval,
	}
	var err error
	if q.Selection.Only, err = parseCodes(f.only); err != nil {
		return nil, fmt.Errorf("--only: %w", err)
	}
	if q.Selection.Exclude, err = parseCodes(f.exclude); err != nil {
		return nil, fmt.Errorf("--exclude: %w", err)
	}
	if q.Selection.OwnLabels, err = f.labels.ToLabels(); err != nil {
		return nil, err
	}
	if f.noUsage {
		q.UsageFrom = claims.UsageNone
	}
	if q.Access, err = f.login.ToAccess(); err != nil {
		return nil, err
	}
	s, err := f.shared.ToScope(args, sets.ArgumentKinds()...)
	if err != nil {
		return nil, err
	}
	if q.Access, err = q.Access.Naming(len(s.Names) > 0); err != nil {
		return nil, err
	}
	q.Namespace, q.Selector, q.ChunkSize, q.Details = s.Namespace, s.Selector, s.ChunkSize, s.Saving()
	for _, a := range s.Arguments {
		q.Names = append(q.Names, sets.Named(a.Kind, a.Name))
	}
	q.DNS = f.asking.Query(s)
	q.DNS.From.Kind = v1alpha1.VantageServers
	if f.debugPod {
		q.DNS.From.Kind = v1alpha1.VantageDebugPod
	}
	return &Options{Scope: s, Query: q, Asking: f.asking}, nil
}

// Validate checks the command's own flags.
func (o *Options) Validate() error {
	q := &o.Query
	if q.UsageTimeout <= 0 {
		return fmt.Errorf("invalid --usage-timeout %q: must be positive; --no-usage skips disk usage", q.UsageTimeout)
	}
	for _, flag := range [...]struct {
		name     string
		interval time.Duration
	}{{"usage", q.UsageInterval}, {"dns", q.DNSInterval}, {"poll", q.PollInterval}} {
		if flag.interval < time.Second {
			return fmt.Errorf("invalid --%s-interval %q: must be at least 1s", flag.name, flag.interval)
		}
	}
	if q.DNS.From.Kind == v1alpha1.VantageDebugPod && o.Watch {
		return errors.New("--debug-pod can't be combined with --watch or --for: it would create one pod after another")
	}
	return o.Asking.Validate()
}

// Run shows the report, once or as it changes.
func (o *Options) Run(ctx context.Context) error {
	return scope.Run(ctx, o.Scope, o.report(), o.watched)
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.HealthCheckList] {
	return scope.Report[*Snapshot, *v1alpha1.HealthCheckList]{
		Kind: v1alpha1.KindHealthCheck,
		Before: func(ctx context.Context) (err error) {
			o.Query.Access, err = o.Query.Access.Resolve(ctx, o.Streams)
			return err
		},
		Collect: func(ctx context.Context, progress func(string)) (*Snapshot, error) {
			q := o.Query
			q.Progress = progress
			return Collect(ctx, o.Cluster, q)
		},
		Analyze: func(s *Snapshot, now time.Time) *v1alpha1.HealthCheckList {
			return Analyze(s, o.Query.Selection, now)
		},
		Document: o.document,
		Empty:    Empty,
		Things:   "StatefulSets",
		Problems: func(report *v1alpha1.HealthCheckList) []v1alpha1.Problem { return report.Problems },
		Findings: Findings,
		Checked:  func(report *v1alpha1.HealthCheckList) []v1alpha1.CheckedPart { return report.Checked },
	}
}

func (o *Options) document(report *v1alpha1.HealthCheckList, now time.Time) printers.Document {
	return printers.Document{
		Report: report, Metadata: &report.Metadata, Names: Names(report),
		Table: func() printers.Table {
			return Table(report, View{Namespaces: o.AllNamespaces, Info: o.Printer.Wide(), Show: o.Printer.Show(), Now: now})
		},
		Text: func(format string) ([]byte, error) {
			if format == formatMarkdown {
				return Markdown(report), nil
			}
			return JUnit(report, o.FailingFrom())
		},
	}
}
