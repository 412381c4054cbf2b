// Package scope holds the flags that every subcommand shares: what to look at, how to print it, when to fail, and how long
// to wait.
package scope

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/snapshot"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const (
	defaultChunkSize = 500
	defaultTimeout   = time.Minute
)

// Flags are the shared flags.
type Flags struct {
	// Connection are kubectl's connection flags, which the root command has.
	Connection *kube.Connection
	Streams    genericiooptions.IOStreams

	version       string
	print         *printers.Flags
	allNamespaces bool
	selector      string
	chunkSize     int64
	failOn        string
	allowUnknown  []string
	timeout       time.Duration
	watch         bool
	goal          string
	goals         []string
	command       *cobra.Command
	// snapshot and saveTo are files; shows are the command's own flags that choose what of a snapshot is shown.
	snapshot, saveTo string
	shows            []string
	// clusterWide is true for a subcommand that lists what has no namespace.
	clusterWide bool
}

// NewFlags returns the shared flags with their defaults; version is the plugin's, for reports.
func NewFlags(connection *kube.Connection, streams genericiooptions.IOStreams, version string) *Flags {
	f := &Flags{
		Connection: connection, Streams: streams, version: version, print: printers.NewFlags(), chunkSize: defaultChunkSize, timeout: defaultTimeout,
	}
	f.print.LinkCodes(version)
	return f
}

// AddFlags adds the shared flags to a subcommand; things is what it lists, in the plural.
func (f *Flags) AddFlags(cmd *cobra.Command, things string) {
	f.AddReportFlags(cmd)
	f.print.AddSortFlag(cmd)
	f.print.AddShowFlag(cmd)
	cmd.Flags().BoolVarP(&f.allNamespaces, "all-namespaces", "A", false, fmt.Sprintf("Look at the %s in all namespaces.", things))
	cmd.Flags().StringVarP(&f.selector, "selector", "l", "", fmt.Sprintf("Select %s by their labels, as kubectl get does.", things))
	cmd.Flags().Int64Var(&f.chunkSize, "chunk-size", f.chunkSize, "Page size for list requests; 0 disables paging.")
}

// AddReportFlags adds those of the shared flags that a subcommand has whose report is about one thing: how to print it, when to
// fail, and how long to wait.
func (f *Flags) AddReportFlags(cmd *cobra.Command) {
	f.command = cmd
	f.print.AddFlags(cmd)
	cmd.Flags().StringVar(&f.failOn, "fail-on", "", fmt.Sprintf("Exit with code %d if there is a finding of this severity or worse, otherwise with %d if something could not be read (see --allow-unknown). One of: (%s).", ExitFindings, ExitNotJudged, severities()))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(strings.Split(severities(), ", "), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder))
	cmd.Flags().StringSliceVar(&f.allowUnknown, "allow-unknown", nil, fmt.Sprintf("With --fail-on and --for=healthy: accept that these parts can't be read, instead of exiting with code %d or waiting for them. Without a value: all parts. Any of: (%s).", ExitNotJudged, strings.Join(partNames(), ", ")))
	cmd.Flags().Lookup("allow-unknown").NoOptDefVal = anyPart
	_ = cmd.RegisterFlagCompletionFunc("allow-unknown", cobra.FixedCompletions(partNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().DurationVar(&f.timeout, "timeout", f.timeout, "Give up after this time; 0 means no limit.")
}

// AddWatchFlags adds --watch to a subcommand, and --for if there are goals that it can wait for.
func (f *Flags) AddWatchFlags(cmd *cobra.Command, goals ...string) {
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "Keep watching until Ctrl-C: a live view on a terminal, otherwise events and changed rows.")
	if len(goals) == 0 {
		return
	}
	cmd.Flags().StringVar(&f.goal, "for", "", fmt.Sprintf("Wait until this condition holds and exit with code 0, or with code 1 if --timeout expires first. One of: (%s).", strings.Join(goals, ", ")))
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(goals, cobra.ShellCompDirectiveNoFileComp))
	f.goals = goals
}

// OfferGraphs adds -o dot and -o mermaid, before AddFlags.
func (f *Flags) OfferGraphs() { f.print.OfferGraphs() }

// OfferTexts adds forms of output of a command's own, before AddFlags.
func (f *Flags) OfferTexts(formats ...string) { f.print.OfferTexts(formats...) }

// AddClusterFlags adds the shared flags to a subcommand that lists things without a namespace; -n and -A choose what of others it
// looks at beside them, by default all.
func (f *Flags) AddClusterFlags(cmd *cobra.Command, things, others string) {
	f.AddFlags(cmd, things)
	f.clusterWide = true
	cmd.Flags().Lookup("all-namespaces").Usage = fmt.Sprintf("Look at the %s in all namespaces: the default, unless -n is given.", others)
}

// Formats lists what -o takes, for completion.
func (f *Flags) Formats() []string { return f.print.Formats() }

// Scope is what the shared flags mean.
type Scope struct {
	Streams genericiooptions.IOStreams
	// Cluster is nil if a saved snapshot is analyzed.
	Cluster       *kube.Cluster
	Printer       *printers.Printer
	AllNamespaces bool
	// Namespace is empty if all namespaces are looked at.
	Namespace string
	// ContextNamespace is that of -n, else of the kubeconfig's context, whatever is looked at; empty without a cluster.
	ContextNamespace string
	// Names are the arguments without their kind, each once, and Arguments with it.
	Names     []string
	Arguments []Argument
	Selector  string
	ChunkSize int64
	Timeout   time.Duration

	// Watch says that the report is followed; Goal, which may be empty, until when.
	Watch bool
	Goal  string

	// AllowUnknown are the parts that need not be read for a verdict.
	AllowUnknown []v1alpha1.CheckPart

	failOn      v1alpha1.Severity
	clusterWide bool
	given       finding.Given
	// origin is the metadata of reports, without the time.
	origin v1alpha1.ReportMeta
	// snapshot is what is analyzed in place of a cluster, or nil; snapshotFile is its name. saveTo is where what is read is saved, or empty.
	snapshot             *snapshot.File
	snapshotFile, saveTo string
}

// ToScope checks the flags against each other and against the arguments, which are names of the given kinds or kind/name,
// and connects to the cluster. It sends nothing yet.
func (f *Flags) ToScope(args []string, kinds ...string) (*Scope, error) {
	arguments, err := parseNames(args, kinds)
	names := namesOf(arguments)
	if err != nil {
		return nil, err
	}
	switch {
	case len(names) > 0 && f.selector != "":
		return nil, errors.New("names and a selector (-l) can't be combined")
	case len(names) > 0 && f.allNamespaces && !f.clusterWide:
		return nil, errors.New("a name can't be looked up in all namespaces: use -n NAMESPACE instead of -A")
	case f.allNamespaces && f.Connection.Overrides.Context.Namespace != "":
		return nil, errors.New("-A and -n can't be combined")
	case f.chunkSize < 0:
		return nil, fmt.Errorf("invalid --chunk-size \"%d\": must not be negative", f.chunkSize)
	case f.timeout < 0:
		return nil, fmt.Errorf("invalid --timeout %q: must not be negative", f.timeout)
	}
	if err := f.checkSnapshotFlags(args); err != nil {
		return nil, err
	}
	if _, err := labels.Parse(f.selector); err != nil {
		return nil, fmt.Errorf("-l %s: %w", f.selector, err)
	}
	failOn := v1alpha1.Severity(f.failOn)
	if failOn != "" && !slices.Contains(v1alpha1.Severities[:], failOn) {
		return nil, fmt.Errorf("invalid --fail-on %q: must be one of %s", f.failOn, severities())
	}
	if f.goal != "" && !slices.Contains(f.goals, f.goal) {
		return nil, fmt.Errorf("invalid --for %q: must be one of %s", f.goal, strings.Join(f.goals, ", "))
	}
	if failOn != "" && (f.watch || f.goal != "") {
		return nil, errors.New("--fail-on can't be combined with --watch or --for")
	}
	allowUnknown, err := parseParts(f.allowUnknown)
	if err != nil {
		return nil, err
	}
	printer, err := f.print.ToPrinter(f.Streams.Out)
	if err != nil {
		return nil, err
	}
	s := &Scope{
		given: Given(f.Connection), Streams: f.Streams, Printer: printer, AllNamespaces: f.allNamespaces,
		Names: names, Arguments: arguments, Selector: f.selector, ChunkSize: f.chunkSize, Timeout: f.timeout, failOn: failOn,
		AllowUnknown: allowUnknown, clusterWide: f.clusterWide, Watch: f.watch || f.goal != "", Goal: f.goal, saveTo: f.saveTo,
	}
	s.origin.Version = f.version
	if f.snapshot != "" {
		return s, f.openSnapshot(s)
	}
	cluster, err := kube.Connect(f.Connection, f.Streams.ErrOut)
	if err != nil {
		return nil, err
	}
	s.Cluster, s.Namespace, s.ContextNamespace = cluster, cluster.Namespace, cluster.Namespace
	s.origin.Context, s.origin.Cluster = cluster.KubeconfigNames()
	// A watch has the time that it is given, and no other limit.
	if s.Watch && !f.command.Flags().Changed("timeout") {
		s.Timeout = 0
	}
	if s.Watch {
		printer.HoldColumns()
	}
	if f.clusterWide && f.Connection.Overrides.Context.Namespace == "" {
		s.AllNamespaces = true
	}
	if s.AllNamespaces {
		s.Namespace = ""
	}
	return s, nil
}

// Context limits a context to the scope's time.
func (s *Scope) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return kube.WithTimeout(ctx, "--timeout", s.Timeout)
}

// Query is the scope's namespace and page size, for all objects of a kind.
func (s *Scope) Query() kube.Query {
	return kube.Query{Namespace: s.Namespace, ChunkSize: s.ChunkSize}
}

// Print writes a report to stdout, with its time, and, where the form of output does not show them, its problems to stderr.
func (s *Scope) Print(d printers.Document, problems []v1alpha1.Problem, now time.Time) error {
	s.paste(d.Report)
	s.paste(problems)
	if err := s.write(d, now); err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(s.Streams.ErrOut, warning(p))
	}
	return nil
}

// write writes a report to stdout, with its origin.
func (s *Scope) write(d printers.Document, now time.Time) error {
	d.Title = s.snapshotTitle()
	if d.Metadata != nil {
		*d.Metadata = s.origin
		d.Metadata.Time = metav1.NewTime(now)
	}
	return s.Printer.Print(s.Streams.Out, d)
}

// NothingFound says on stderr that there is none of what was looked for, unless a document for scripts says so. It is an error if the
// namespace does not exist, and, with --fail-on, if a selector was to find something.
func (s *Scope) NothingFound(ctx context.Context, things string) error {
	remark, err := s.CheckNamespace(ctx)
	if err != nil {
		return err
	}
	s.say(strings.TrimSuffix(s.nothing(things), ".") + remark + ".")
	return s.selectedNothing(things)
}

// say writes a line to stderr where a person reads.
func (s *Scope) say(line string) {
	if s.Printer == nil || s.Printer.IsTable() {
		fmt.Fprintln(s.Streams.ErrOut, line)
	}
}

// selectedNothing is an error if --fail-on was to judge what a selector chooses, and it chooses nothing.
func (s *Scope) selectedNothing(things string) error {
	if s.failOn == "" || s.Selector == "" {
		return nil
	}
	return fmt.Errorf("-l %s selects no %s: there is nothing for --fail-on to judge", s.Selector, things)
}

// CheckNamespace returns an error if the scope's namespace does not exist. Remark is not empty if that can't be known, or if it is being
// deleted: it says so in words that follow the namespace's name.
func (s *Scope) CheckNamespace(ctx context.Context) (remark string, err error) {
	if s.AllNamespaces || s.Namespace == "" || s.Offline() {
		return "", nil
	}
	switch exists, going, err := s.Cluster.NamespaceExists(ctx, s.Namespace); {
	case err != nil:
		return " (can't verify that this namespace exists: " + printers.Escape(kube.Explain(err).Error()) + ")", nil
	case !exists:
		return "", fmt.Errorf("namespace %q does not exist", s.Namespace)
	case going:
		return " (this namespace is being deleted)", nil
	}
	return "", nil
}

// nothing says that there is none of what was looked for.
func (s *Scope) nothing(things string) string {
	if s.AllNamespaces || s.clusterWide {
		return fmt.Sprintf("No %s found.", things)
	}
	return fmt.Sprintf("No %s found in namespace %s.", things, printers.Escape(s.Namespace))
}

func warning(p v1alpha1.Problem) string {
	line := fmt.Sprintf("warning: %s: %s", p.Subject, p.Message)
	if p.Remedy != "" {
		line += "; " + p.Remedy
	}
	return printers.Escape(line)
}

func severities() string {
	names := make([]string, 0, len(v1alpha1.Severities))
	for _, s := range v1alpha1.Severities {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// Argument is NAME or KIND/NAME.
type Argument struct {
	// Kind is as it was given, in small letters; empty for a name alone.
	Kind, Name string
}

// parseNames takes NAME, KIND/NAME apart, each once.
func parseNames(args, kinds []string) ([]Argument, error) {
	var list []Argument
	for _, arg := range args {
		of := Argument{Name: arg}
		if kind, rest, ok := strings.Cut(arg, "/"); ok {
			of = Argument{strings.ToLower(kind), rest}
			if !slices.Contains(kinds, of.Kind) {
				return nil, fmt.Errorf("%s: this command does not accept the kind %q: use NAME or %s/NAME", arg, kind, kinds[0])
			}
		}
		if of.Name == "" {
			return nil, fmt.Errorf("%q: the name is missing", arg)
		}
		if !slices.Contains(list, of) {
			list = append(list, of)
		}
	}
	return list, nil
}

func namesOf(arguments []Argument) []string {
	var names []string
	for _, a := range arguments {
		if !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
	}
	return names
}
