package printers

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

const (
	// repository is where the pages of releases are.
	repository = "https://github.com/kubectl-doik/kubectl-doik/blob/"
	// leastVTE is the first version of libvte, times 100, whose links are without faults.
	leastVTE = 5000
	// leastTmux is the first version of tmux that hands links on.
	leastTmux = 3.4
)

// linkingPrograms are the terminals, by TERM_PROGRAM, that know links in all versions that are in use.
var linkingPrograms = [...]string{"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "WarpTerminal"}

// linkingVariables are set by terminals that know links and have no TERM_PROGRAM.
var linkingVariables = [...]string{"KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "DOMTERM"}

// knowsLinks reports whether an output shows hyperlinks (OSC 8), as far as its environment tells. A terminal that does not may print the
// address, so that what is not known to show them gets none. FORCE_HYPERLINK decides before all else.
func knowsLinks(terminal bool, getenv func(string) string) bool {
	if forced := getenv("FORCE_HYPERLINK"); forced != "" {
		return forced != "0"
	}
	name := getenv("TERM")
	switch {
	case !terminal, getenv("CI") != "", name == "", name == "dumb", name == "linux", strings.HasPrefix(name, "screen") && getenv("TERM_PROGRAM") != "tmux":
		return false
	case getenv("TERM_PROGRAM") == "tmux": // whatever it runs in
		version, err := strconv.ParseFloat(strings.TrimRight(getenv("TERM_PROGRAM_VERSION"), "abcdefghijklmnopqrstuvwxyz"), 64)
		return err == nil && version >= leastTmux
	case getenv("TMUX") != "", getenv("STY") != "":
		return false
	}
	vte, err := strconv.Atoi(getenv("VTE_VERSION"))
	return err == nil && vte >= leastVTE ||
		slices.Contains(linkingPrograms[:], getenv("TERM_PROGRAM")) ||
		slices.ContainsFunc(linkingVariables[:], func(name string) bool { return getenv(name) != "" })
}

// release is the name of a release. Builds between releases have another.
var release = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-(alpha|beta|rc)\.?[0-9]+)?$`)

// pagesOf is where the pages of codes are for a version of the plugin: those of its release, else the newest.
func pagesOf(version string) string {
	if !release.MatchString(version) {
		version = "main"
	}
	return repository + version + "/docs/findings.md#"
}

// linkable is a code as the plugin makes them: nothing else becomes part of an escape sequence.
var linkable = regexp.MustCompile(`^[A-Z]{1,16}[0-9]{1,6}$`)

// link is a code as it is printed: on a terminal that knows links one to its page. It is as wide as the code.
func (o TableOptions) link(code v1alpha1.Code) string {
	if o.Pages == "" || !linkable.MatchString(string(code)) {
		return string(code)
	}
	return "\x1b]8;;" + o.Pages + strings.ToLower(string(code)) + "\x1b\\" + string(code) + "\x1b]8;;\x1b\\"
}
