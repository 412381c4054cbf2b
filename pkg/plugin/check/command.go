package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
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
		Check StatefulSets with all that the other subcommands look at, and say what is wrong, the worst first.

		One look at the cluster serves all of them: ordinals, claims and disk usage (sts-status), names of headless Services, asked of
		the DNS servers through a port-forward (dns), the nodes below (nodes) and, where a database is known, its replication
		(topology). Findings that no single view has are added: a source on a node that is about to go, a quorum in one zone, a full
		volume under the server that takes the writes. What says less about the same thing is left out, and named with "also".

		Nothing above info means that nothing is wrong. An object with the annotation doik.dev/ignore: "CODE: reason" has those findings
		ignored, and the reason shown.`)

	examples = templates.Examples(`
		# The StatefulSets of the current namespace
		kubectl doik check

		# One of them, with what is worth knowing and no fault
		kubectl doik check sts/mysql -n shop -o wide

		# In CI: all of the cluster, exit code 3 if something does not work, the report for the CI system
		kubectl doik check -A --fail-on=error -o junit > doik.xml

		# Wait until nothing is wrong, after an upgrade; and watch what is
		kubectl doik check sts/mysql --for=healthy --timeout=10m
		kubectl doik check --watch

		# Only full volumes and broken replication
		kubectl doik check --only=STS010,STS011,MYSQL

		# Known and accepted
		kubectl annotate sts web doik.dev/ignore="STS033: one replica is enough here"`)
)

// Flags are the flags of the command.
type Flags struct {
	shared        *scope.Flags
	login         *dbserver.Flags
	asking        dns.Asking
	debugPod      bool
	only, exclude []string
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
		Short:                 "Everything at once: what is wrong with StatefulSets, and why",
		Long:                  long,
		Example:               examples,
		RunE:                  scope.RunE(f.ToOptions),
	}
	shared.OfferTexts(formatJUnit, formatMarkdown)
	shared.AddFlags(cmd, "StatefulSets")
	shared.AddWatchFlags(cmd, scope.GoalReady, scope.GoalHealthy)
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "Report only these codes, such as STS010, or families of codes: STS, DNS, NODE, MYSQL, CHECK. What is not needed for them is not looked at.")
	cmd.Flags().StringSliceVar(&f.exclude, "exclude", nil, "Leave these codes, or families of codes, out.")
	for _, name := range []string{"only", "exclude"} {
		_ = cmd.RegisterFlagCompletionFunc(name, scope.CompleteList(codesWithTitles()))
	}
	scope.CompleteColumns(cmd, func() printers.Table { return Table(&v1alpha1.HealthCheckList{}, View{}) })
	cmd.Flags().BoolVar(&f.noUsage, "no-usage", false, "Leave disk usage out.")
	cmd.Flags().DurationVar(&f.usageTimeout, "usage-timeout", f.usageTimeout, "The time that each kubelet, and each df, has to tell disk usage.")
	cmd.Flags().DurationVar(&f.usageInterval, "usage-interval", f.usageInterval, "How often --watch reads disk usage anew.")
	cmd.Flags().DurationVar(&f.dnsInterval, "dns-interval", f.dnsInterval, "How often --watch asks for names.")
	cmd.Flags().DurationVar(&f.pollInterval, "poll-interval", f.pollInterval, "How often --watch asks each database server.")
	cmd.Flags().BoolVar(&f.debugPod, "debug-pod", false, "Ask for names from a short-lived debug pod, as dns does, and not of the DNS servers through a port-forward.")
	f.asking.AddFlags(cmd)
	f.login.AddFlags(cmd)
	return cmd
}

// ToOptions checks the flags and connects to the cluster.
func (f *Flags) ToOptions(args []string) (*Options, error) {
	q := Query{
		UsageFrom: stsstatus.UsageAuto, UsageTimeout: f.usageTimeout,
		UsageInterval: f.usageInterval, DNSInterval: f.dnsInterval, PollInterval: f.pollInterval,
	}
	var err error
	if q.Selection.Only, err = parseCodes(f.only); err != nil {
		return nil, fmt.Errorf("--only: %w", err)
	}
	if q.Selection.Exclude, err = parseCodes(f.exclude); err != nil {
		return nil, fmt.Errorf("--exclude: %w", err)
	}
	if f.noUsage {
		q.UsageFrom = stsstatus.UsageNone
	}
	if q.Access, err = f.login.ToAccess(); err != nil {
		return nil, err
	}
	s, err := f.shared.ToScope(args, objects.StatefulSetKinds()...)
	if err != nil {
		return nil, err
	}
	if q.Access, err = q.Access.Naming(len(s.Names) > 0); err != nil {
		return nil, err
	}
	q.Namespace, q.Names, q.Selector, q.ChunkSize = s.Namespace, s.Names, s.Selector, s.ChunkSize
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
		return fmt.Errorf("--usage-timeout=%s: it must be positive; --no-usage leaves usage out", q.UsageTimeout)
	}
	for _, flag := range [...]struct {
		name     string
		interval time.Duration
	}{{"usage", q.UsageInterval}, {"dns", q.DNSInterval}, {"poll", q.PollInterval}} {
		if flag.interval < time.Second {
			return fmt.Errorf("--%s-interval=%s: it must be a second or more", flag.name, flag.interval)
		}
	}
	if q.DNS.From.Kind == v1alpha1.VantageDebugPod && o.Watch {
		return errors.New("--debug-pod can't be combined with --watch and --for: it would make a pod again and again")
	}
	return o.Asking.Validate()
}

// Run shows the report, once or as it changes.
func (o *Options) Run(ctx context.Context) error {
	var err error
	if o.Query.Access, err = o.Query.Access.Resolve(ctx, o.Streams); err != nil {
		return err
	}
	if o.Watch {
		return scope.Watch(ctx, o.Scope, o.report(), o.watched())
	}
	return scope.RunOnce(ctx, o.Scope, o.report())
}

func (o *Options) report() scope.Report[*Snapshot, *v1alpha1.HealthCheckList] {
	return scope.Report[*Snapshot, *v1alpha1.HealthCheckList]{
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
			return Table(report, View{Namespaces: o.AllNamespaces, Info: o.Printer.Wide(), Now: now})
		},
		Text: func(format string) ([]byte, error) {
			if format == formatMarkdown {
				return Markdown(report), nil
			}
			return JUnit(report, o.FailingFrom())
		},
	}
}
