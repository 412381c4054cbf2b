package scope

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/snapshot"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const (
	snapshotFlag = "snapshot"
	saveFlag     = "save-snapshot"
	// standardInput is the name of a file for --snapshot that is none.
	standardInput = "-"
)

// PreferenceAnnotation marks a flag whose value comes from the user's kuberc and not from the command line.
const PreferenceAnnotation = "doik.dev/kuberc"

// snapshotFlags are the shared flags that mean something for a saved snapshot; how the output looks, and what it is judged by.
var snapshotFlags = []string{
	snapshotFlag, "output", "template", "allow-missing-template-keys", "no-headers", "color", printers.SortFlag, "show", "fail-on", "allow-unknown", "timeout", "help",
}

// AddSnapshotFlags adds --save-snapshot and --snapshot to a subcommand; shows are those of its own flags that choose what of a snapshot is
// shown. The others say what is read, and are refused with --snapshot.
func (f *Flags) AddSnapshotFlags(cmd *cobra.Command, shows ...string) {
	f.shows = shows
	cmd.Flags().StringVar(&f.saveTo, saveFlag, "", "Also save what was read of the cluster to this file, for example for a bug report. Secrets, environment variables and command lines are left out; error texts may quote values of rows.")
	cmd.Flags().StringVar(&f.snapshot, snapshotFlag, "", "Analyze this file, saved with --save-snapshot, instead of a cluster; - reads standard input. The time of the snapshot counts as now.")
	_ = cmd.MarkFlagFilename(saveFlag)
	_ = cmd.MarkFlagFilename(snapshotFlag)
	cmd.MarkFlagsMutuallyExclusive(saveFlag, snapshotFlag)
}

// checkSnapshotFlags refuses what can't be combined with the two flags.
func (f *Flags) checkSnapshotFlags(args []string) error {
	watch := f.watch || f.goal != ""
	switch {
	case f.saveTo != "" && watch:
		return errors.New("--save-snapshot can't be combined with --watch and --for: it saves one look at the cluster")
	case f.snapshot == "":
		return nil
	case watch:
		return errors.New("--snapshot can't be combined with --watch and --for: a snapshot does not change")
	case len(args) > 0:
		return fmt.Errorf("--snapshot can't be combined with names (%s): all that was saved is shown", strings.Join(args, " "))
	}
	useless := ""
	f.command.Flags().Visit(func(flag *pflag.Flag) {
		_, fromPreferences := flag.Annotations[PreferenceAnnotation]
		ofConnection := f.command.InheritedFlags().Lookup(flag.Name) != nil && flag.Name != "namespace"
		if useless == "" && !fromPreferences && !ofConnection && !slices.Contains(snapshotFlags, flag.Name) && !slices.Contains(f.shows, flag.Name) {
			useless = flag.Name
		}
	})
	if useless != "" {
		return fmt.Errorf("--snapshot can't be combined with --%s, which says what is read of a cluster", useless)
	}
	return nil
}

// openSnapshot gives a scope the snapshot that is analyzed in place of a cluster, and looks at what was looked at then.
func (f *Flags) openSnapshot(s *Scope) error {
	s.snapshotFile = f.snapshot
	var text []byte
	var err error
	if f.snapshot == standardInput {
		s.snapshotFile = "standard input"
		text, err = io.ReadAll(f.Streams.In)
	} else {
		text, err = os.ReadFile(f.snapshot)
	}
	if err != nil {
		return fmt.Errorf("--snapshot: %w", err)
	}
	if s.snapshot, err = snapshot.Decode(text); err != nil {
		return fmt.Errorf("--snapshot %s: %w", s.snapshotFile, err)
	}
	of := s.snapshot.Scope
	s.Namespace, s.AllNamespaces, s.Names, s.Selector = of.Namespace, of.AllNamespaces, of.Names, of.Selector
	meta := s.snapshot.Metadata
	s.origin.Context, s.origin.Cluster, s.origin.Snapshot = meta.Context, meta.Cluster, &v1alpha1.SnapshotOrigin{Version: meta.Version}
	// A command may be pasted where the current context is another cluster.
	s.given.Context, s.given.Namespace = meta.Context, of.Namespace
	return nil
}

// Offline reports whether a saved snapshot is analyzed, and no cluster.
func (s *Scope) Offline() bool { return s.snapshot != nil }

// Saving reports whether what is read is saved: then it should be all that any output shows.
func (s *Scope) Saving() bool { return s.saveTo != "" }

// load decodes the saved snapshot and returns its time.
func (s *Scope) load(kind, inCheck string, into any) (time.Time, error) {
	if err := s.snapshot.Into(kind, inCheck, into); err != nil {
		return time.Time{}, fmt.Errorf("--snapshot %s: %w", s.snapshotFile, err)
	}
	return s.snapshot.Metadata.Time.Time, nil
}

// snapshotTitle says above a table that it is of a saved snapshot; empty if it is not.
func (s *Scope) snapshotTitle() []printers.Cell {
	if !s.Offline() {
		return nil
	}
	meta := s.snapshot.Metadata
	title := []printers.Cell{{Text: "Snapshot of " + meta.Time.UTC().Format(time.DateTime) + " UTC", Level: printers.Warn}}
	if name := meta.Context; name != "" {
		title = append(title, printers.Text("context "+name))
	}
	switch {
	case s.AllNamespaces:
		title = append(title, printers.Text("all namespaces"))
	case s.Namespace != "":
		title = append(title, printers.Text("namespace "+s.Namespace))
	}
	if len(s.Names) > 0 {
		title = append(title, printers.Text(strings.Join(s.Names, ", ")))
	}
	if s.Selector != "" {
		title = append(title, printers.Text("-l "+s.Selector))
	}
	return title
}

// saving writes a snapshot: to a file beside the one that is asked for, which it replaces only once it is complete.
type saving struct {
	scope *Scope
	part  *os.File
}

// beginSaving begins to save if the user asked for it: a folder that can't be written to is reported before the cluster is read. It returns nil if
// nothing is saved.
func (s *Scope) beginSaving() (*saving, error) {
	if !s.Saving() {
		return nil, nil
	}
	part, err := os.CreateTemp(filepath.Dir(s.saveTo), "."+filepath.Base(s.saveTo)+".*") // readable by its owner alone
	if err != nil {
		return nil, fmt.Errorf("--save-snapshot %s: %w", s.saveTo, err)
	}
	return &saving{scope: s, part: part}, nil
}

// finish writes a snapshot that was judged at a time, and reads it again.
func (w *saving) finish(kind string, data any, now time.Time, again any) (time.Time, error) {
	s := w.scope
	header := snapshot.Header{Of: kind, Metadata: s.origin, Scope: snapshot.Scope{
		Namespace: s.Namespace, AllNamespaces: s.AllNamespaces, Names: s.Names, Selector: s.Selector,
	}}
	header.Metadata.Time = metav1.NewTime(now).Rfc3339Copy()
	text, err := snapshot.Encode(header, data)
	if err == nil {
		_, err = w.part.Write(text)
	}
	if err == nil {
		err = w.part.Close()
	}
	if err == nil {
		err = os.Rename(w.part.Name(), s.saveTo)
	}
	if err != nil {
		return now, fmt.Errorf("--save-snapshot %s: %w", s.saveTo, err)
	}
	w.part = nil
	s.say("Saved what was read to " + s.saveTo + ".")
	file, err := snapshot.Decode(text)
	if err == nil {
		err = file.Into(kind, "", again)
	}
	if err != nil {
		return now, fmt.Errorf("--save-snapshot %s: reading it again: %w", s.saveTo, err)
	}
	return file.Metadata.Time.Time, nil
}

// abandon removes what has been written of a snapshot that was not finished. w may be nil.
func (w *saving) abandon() {
	if w == nil || w.part == nil {
		return
	}
	_ = w.part.Close()
	_ = os.Remove(w.part.Name())
}
