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
	// clusterWide is true for a subcommand that lists what has no namespace.
	clusterWide bool
}

// NewFlags returns the shared flags with their defaults; version is the plugin's, for reports.
func NewFlags(connection *kube.Connection, streams genericiooptions.IOStreams, version string) *Flags {
	return &Flags{
		Connection: connection, Streams: streams, version: version, print: printers.NewFlags(), chunkSize: defaultChunkSize, timeout: defaultTimeout,
	}
}

// AddFlags adds the shared flags to a subcommand; things is what it lists, in the plural.
func (f *Flags) AddFlags(cmd *cobra.Command, things string) {
	f.AddReportFlags(cmd)
	f.print.AddSortFlag(cmd)
	cmd.Flags().BoolVarP(&f.allNamespaces, "all-namespaces", "A", false, fmt.Sprintf("Look at the %s of all namespaces.", things))
	cmd.Flags().StringVarP(&f.selector, "selector", "l", "", fmt.Sprintf("Select %s by their labels, as kubectl get does.", things))
	cmd.Flags().Int64Var(&f.chunkSize, "chunk-size", f.chunkSize, "Read lists in pages of this many objects; 0 reads them in one piece.")
}

// AddReportFlags adds those of the shared flags that a subcommand has whose report is about one thing: how to print it, when to
// fail, and how long to wait.
func (f *Flags) AddReportFlags(cmd *cobra.Command) {
	f.print.AddFlags(cmd)
	cmd.Flags().StringVar(&f.failOn, "fail-on", "", fmt.Sprintf("Exit with code %d if there is a finding of this severity or a worse one, else with %d if something could not be read (see --allow-unknown). One of: (%s).", ExitFindings, ExitNotJudged, severities()))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(strings.Split(severities(), ", "), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder))
	cmd.Flags().StringSliceVar(&f.allowUnknown, "allow-unknown", nil, fmt.Sprintf("With --fail-on and --for=healthy: accept that these parts can't be read, in place of exit code %d, or of waiting for them. Without a value all. Any of: (%s).", ExitNotJudged, strings.Join(partNames(), ", ")))
	cmd.Flags().Lookup("allow-unknown").NoOptDefVal = anyPart
	_ = cmd.RegisterFlagCompletionFunc("allow-unknown", cobra.FixedCompletions(partNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().DurationVar(&f.timeout, "timeout", f.timeout, "Give up after this time; 0 waits for ever.")
}

// AddWatchFlags adds --watch to a subcommand, and --for if there are goals that it can wait for.
func (f *Flags) AddWatchFlags(cmd *cobra.Command, goals ...string) {
	f.command = cmd
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "Go on until Ctrl-C: live on a terminal, elsewhere what happens and the rows that change.")
	if len(goals) == 0 {
		return
	}
	cmd.Flags().StringVar(&f.goal, "for", "", fmt.Sprintf("Watch until this is so, then exit with code 0; with code 1 if it is not within --timeout. One of: (%s).", strings.Join(goals, ", ")))
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
	cmd.Flags().Lookup("all-namespaces").Usage = fmt.Sprintf("Look at the %s of all namespaces: what it does anyway, unless -n says which.", others)
}

// Formats lists what -o takes, for completion.
func (f *Flags) Formats() []string { return f.print.Formats() }

// Scope is what the shared flags mean.
type Scope struct {
	Streams       genericiooptions.IOStreams
	Cluster       *kube.Cluster
	Printer       *printers.Printer
	AllNamespaces bool
	// Namespace is empty if all namespaces are looked at.
	Namespace string
	// Names are the arguments without their kind, each once.
	Names     []string
	Selector  string
	ChunkSize int64
	Timeout   time.Duration

	// Watch says that the report is to be followed; Goal, which may be empty, until when.
	Watch bool
	Goal  string

	// AllowUnknown are the parts that need not be read for a verdict.
	AllowUnknown []v1alpha1.CheckPart

	failOn      v1alpha1.Severity
	clusterWide bool
	given       finding.Given
	// origin is the metadata of reports, without the time.
	origin v1alpha1.ReportMeta
}

// ToScope checks the flags against each other and against the arguments, which are names of the given kinds or kind/name,
// and connects to the cluster. It sends nothing yet.
func (f *Flags) ToScope(args []string, kinds ...string) (*Scope, error) {
	names, err := parseNames(args, kinds)
	if err != nil {
		return nil, err
	}
	switch {
	case len(names) > 0 && f.selector != "":
		return nil, errors.New("names and a selector (-l) can't be combined: use one of them")
	case len(names) > 0 && f.allNamespaces && !f.clusterWide:
		return nil, errors.New("a name can't be looked up in all namespaces: use -n NAMESPACE in place of -A")
	case f.allNamespaces && f.Connection.Overrides.Context.Namespace != "":
		return nil, errors.New("-A and -n can't be combined: use one of them")
	case f.chunkSize < 0:
		return nil, fmt.Errorf("--chunk-size=%d: it must not be negative", f.chunkSize)
	case f.timeout < 0:
		return nil, fmt.Errorf("--timeout=%s: it must not be negative", f.timeout)
	}
	if _, err := labels.Parse(f.selector); err != nil {
		return nil, fmt.Errorf("-l %s: %w", f.selector, err)
	}
	failOn := v1alpha1.Severity(f.failOn)
	if failOn != "" && !slices.Contains(v1alpha1.Severities[:], failOn) {
		return nil, fmt.Errorf("--fail-on=%s: it is one of %s", f.failOn, severities())
	}
	if f.goal != "" && !slices.Contains(f.goals, f.goal) {
		return nil, fmt.Errorf("--for=%s: it is one of %s", f.goal, strings.Join(f.goals, ", "))
	}
	if failOn != "" && (f.watch || f.goal != "") {
		return nil, errors.New("--fail-on can't be combined with --watch and --for: a watch has no end to judge")
	}
	allowUnknown, err := parseParts(f.allowUnknown)
	if err != nil {
		return nil, err
	}
	printer, err := f.print.ToPrinter(f.Streams.Out)
	if err != nil {
		return nil, err
	}
	cluster, err := kube.Connect(f.Connection, f.Streams.ErrOut)
	if err != nil {
		return nil, err
	}
	s := &Scope{
		given:   Given(f.Connection),
		Streams: f.Streams, Cluster: cluster, Printer: printer, AllNamespaces: f.allNamespaces, Namespace: cluster.Namespace,
		Names: names, Selector: f.selector, ChunkSize: f.chunkSize, Timeout: f.timeout, failOn: failOn,
		AllowUnknown: allowUnknown, clusterWide: f.clusterWide, Watch: f.watch || f.goal != "", Goal: f.goal,
	}
	s.origin.Version = f.version
	s.origin.Context, s.origin.Cluster = cluster.KubeconfigNames()
	// A watch has the time that it is given, and no other limit.
	if s.Watch && !f.command.Flags().Changed("timeout") {
		s.Timeout = 0
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

// Print writes a report to stdout, with what now is to be its time, and, where the form of output does not show them, its problems to stderr.
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
	if d.Metadata != nil {
		*d.Metadata = s.origin
		d.Metadata.Time = metav1.NewTime(now)
	}
	return s.Printer.Print(s.Streams.Out, d)
}

// NothingFound says on stderr that there is none of what was looked for, unless a document for scripts says so. It is an error if the
// namespace does not exist, and, with --fail-on, if a selector was to find something.
func (s *Scope) NothingFound(ctx context.Context, things string) error {
	unverified, err := s.CheckNamespace(ctx)
	if err != nil {
		return err
	}
	s.say(strings.TrimSuffix(s.nothing(things), ".") + unverified + ".")
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
	return fmt.Errorf("-l %s selects no %s: there is nothing that --fail-on could judge", s.Selector, things)
}

// CheckNamespace returns an error if the scope's namespace does not exist. Unverified is not empty if that can't be known: it says so in
// words that follow the namespace's name.
func (s *Scope) CheckNamespace(ctx context.Context) (unverified string, err error) {
	if s.AllNamespaces || s.Namespace == "" {
		return "", nil
	}
	switch exists, err := s.Cluster.NamespaceExists(ctx, s.Namespace); {
	case err != nil:
		return " (whether there is such a namespace can't be verified: " + printers.Escape(kube.Explain(err).Error()) + ")", nil
	case !exists:
		return "", fmt.Errorf("namespace %q does not exist", s.Namespace)
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

// parseNames takes the kind off NAME, KIND/NAME.
func parseNames(args, kinds []string) ([]string, error) {
	var names []string
	for _, arg := range args {
		name := arg
		if kind, rest, ok := strings.Cut(arg, "/"); ok {
			if !slices.Contains(kinds, strings.ToLower(kind)) {
				return nil, fmt.Errorf("%s: %q is not a kind that this command takes: use NAME or %s/NAME", arg, kind, kinds[0])
			}
			name = rest
		}
		if name == "" {
			return nil, fmt.Errorf("%q: there is no name in it", arg)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}
