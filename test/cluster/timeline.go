package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-doik/kubectl-doik/test/golden"
)

// quiet is how long nothing is reported before a step is taken to be over, where no golden file says so.
const quiet = 15 * time.Second

// Timeline is what a watch tells, step by step of a test, and a golden file of it. The file has a section for each step, with all
// lines told in it. Those of different objects come in an order that is partly chance, so a step has them in lanes: see Step.
type Timeline struct {
	*Watching
	file  string
	want  map[string]string // by step
	told  int               // how many lines earlier steps have
	whole strings.Builder
}

// Step is what happens between two moments of a test.
type Step struct {
	Name string
	// Lane says which lines keep their order: those of one lane. Lanes are in their own order in the file. Without it each object has
	// one, and each finding.
	Lane func(line string) string
}

// Timeline takes all that the watch has told as known, and what it tells from now on as the golden file's.
func (w *Watching) Timeline(name string) *Timeline {
	w.Helper()
	t := &Timeline{Watching: w, file: filepath.Join("testdata", name+".golden"), want: map[string]string{}, told: len(w.happenings())}
	if golden.Updating() {
		return t
	}
	text, err := os.ReadFile(t.file)
	if err != nil {
		w.Fatal(err)
	}
	for section := range strings.SplitSeq("\n"+string(text), "\n# ") {
		step, lines, _ := strings.Cut(section, "\n")
		t.want[step] = strings.TrimSpace(lines)
	}
	return t
}

func (w *Watching) happenings() []string {
	return strings.FieldsFunc(Happenings(w.Text()), func(r rune) bool { return r == '\n' })
}

// Step waits until all has been told that the golden file has of a step. What is reported later is of the next step, which it will fail.
func (t *Timeline) Step(step Step) {
	t.Helper()
	var lines []string
	if golden.Updating() {
		for since := time.Now(); time.Since(since) < quiet; time.Sleep(time.Second) {
			if now := t.happenings()[t.told:]; len(now) != len(lines) {
				lines, since = now, time.Now()
			}
		}
	} else if err := Poll(90*time.Second, func() error {
		lines = t.happenings()[t.told:]
		if diff := cmp.Diff(t.want[step.Name], step.section(lines)); diff != "" {
			return errors.New(diff)
		}
		return nil
	}); err != nil {
		t.Fatalf("%s, %q (-want +got):\n%v\n%s", t.file, step.Name, err, t.Text())
	}
	t.told += len(lines)
	t.whole.WriteString("# " + step.Name + "\n" + step.section(lines) + "\n\n")
}

// End ends the watch. Nothing may have been told since the last step.
func (t *Timeline) End() {
	t.Helper()
	time.Sleep(2 * time.Second) // a poll more, or a batch of changes
	t.Interrupt()
	if more := t.happenings()[t.told:]; len(more) > 0 {
		t.Errorf("after all:\n%s", strings.Join(more, "\n"))
	}
	t.Logf("\n%s", t.Text())
	golden.Compare(t, t.file, strings.TrimRight(t.whole.String(), "\n")+"\n")
}

// section is a step's part of the golden file.
func (s *Step) section(lines []string) string {
	lane := s.Lane
	if lane == nil {
		lane = ByObject
	}
	if len(lines) == 0 {
		return "(nothing)"
	}
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(lane(a), lane(b)) })
	return strings.Join(lines, "\n")
}

var (
	findingLine = regexp.MustCompile(`^(?:(?:INFO|WARNING|ERROR|CRITICAL) )?([A-Z]+\d+) (.*)`)
	podName     = regexp.MustCompile(`\b[a-z]+-\d+\b`)
)

// ByObject is the lane of what a line is about: pods, claims and sets by name, then Services, then findings by code and first pod. What
// a server does and whether its pod is ready are two things.
func ByObject(line string) string {
	if m := findingLine.FindStringSubmatch(line); m != nil {
		return "3 " + m[1] + " " + podName.FindString(m[2])
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == ':' || r == ',' })
	if words[0] == "Service" {
		return "2 " + words[1]
	}
	if strings.Contains(line, ": its pod is ") {
		return "1 " + words[0] + " ready"
	}
	return "1 " + words[0]
}
