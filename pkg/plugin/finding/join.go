package finding

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

const (
	// mostJoined is how many objects a joined finding names.
	mostJoined = 10
	// mostDifferences is in how many places sentences that are joined may differ.
	mostDifferences = 4
)

// nameLike are words that are names, of zones for example, though no object of the finding is called so; and percentages and shares.
var nameLike = regexp.MustCompile(`^([a-z][a-z0-9]*[-./][-a-z0-9./_]*[a-z0-9]|[0-9]+%|[0-9]+/[0-9]+)$`)

// Join makes one finding of several of one code and severity that say the same of different objects, for tables: the sentence on the
// first, and the names of the others, with what else differs. Reports have each by itself. The order is otherwise kept.
func Join(list []v1alpha1.Finding) []v1alpha1.Finding {
	var groups []*group
	byForm := map[string]*group{}
	for i := range list {
		f := &list[i]
		form, names := formOf(f)
		g := byForm[form]
		if g == nil || !g.add(f, names) {
			g = &group{first: *f, pieces: names}
			groups = append(groups, g)
			if byForm[form] == nil {
				byForm[form] = g
			}
		}
	}
	joined := make([]v1alpha1.Finding, len(groups))
	for i, g := range groups {
		joined[i] = g.join()
	}
	return joined
}

// group is findings that say the same.
type group struct {
	first  v1alpha1.Finding
	pieces []string // of the first, those that may differ
	others []string // what follows "likewise", at most mostJoined
	rest   []*v1alpha1.Finding
}

// formOf is what findings have in common that can be joined, and the names in a message, in which they may differ: each one, or a list
// such as "a, b, c and 2 more".
func formOf(f *v1alpha1.Finding) (form string, names []string) {
	message, names := mask(f, f.Message)
	command, _ := mask(f, f.Remedy.Command)
	return fmt.Sprintf("%s %s %t %s\x00%s", f.Code, f.Severity, f.Progressing, message, command), names
}

// mask takes the names out of a text.
func mask(f *v1alpha1.Finding, text string) (masked string, names []string) {
	if text == "" {
		return "", nil
	}
	var out []string
	listed := false // a list of names may go on
	words := strings.Split(text, " ")
	for i := 0; i < len(words); i++ {
		bare := strings.Trim(words[i], "()“”\"';:,")
		isName := bare != "" && (namesObject(f, bare) || strings.ContainsAny(bare, "-./%") && nameLike.MatchString(bare))
		switch {
		case listed && words[i] == "and" && i+2 < len(words) && strings.HasPrefix(words[i+2], "more"):
			names[len(names)-1] += " and " + words[i+1] + " more"
			out[len(out)-1] += strings.TrimPrefix(words[i+2], "more")
			i += 2
			listed = false
		case listed && isName && strings.HasSuffix(out[len(out)-1], "\x00,"):
			names[len(names)-1] += ", " + bare
			out[len(out)-1] = strings.TrimSuffix(out[len(out)-1], ",") + strings.TrimPrefix(words[i], bare)
		case isName:
			names = append(names, bare)
			out = append(out, strings.Replace(words[i], bare, "\x00", 1))
			listed = true
		default:
			out = append(out, words[i])
			listed = false
		}
	}
	return strings.Join(out, " "), names
}

// namesObject reports whether a name is that of an object that a finding is about, with or without namespace and kind.
func namesObject(f *v1alpha1.Finding, name string) bool {
	name = name[strings.LastIndexByte(name, '/')+1:]
	return slices.ContainsFunc(f.Objects, func(o v1alpha1.ObjectReference) bool { return o.Name == name })
}

// add takes a finding of the same form into the group, unless it differs in other ways than in the names of what it is about.
func (g *group) add(f *v1alpha1.Finding, pieces []string) bool {
	var names []string
	for i, p := range pieces {
		if p != g.pieces[i] && !slices.Contains(names, p) {
			names = append(names, p)
		}
	}
	lead := slices.IndexFunc(names, func(name string) bool { return namesObject(f, firstOf(name)) })
	if lead < 0 || len(names) > mostDifferences {
		return false
	}
	other := names[lead]
	if names = slices.Delete(names, lead, lead+1); len(names) > 0 {
		other += " (" + strings.Join(names, "; ") + ")"
	}
	if g.rest = append(g.rest, f); len(g.others) < mostJoined {
		g.others = append(g.others, other)
	}
	return true
}

// firstOf is the first name of a list.
func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ", ")
	first, _, _ = strings.Cut(first, " and ")
	return first
}

// join is the group as one finding.
func (g *group) join() v1alpha1.Finding {
	f := g.first
	if len(g.rest) == 0 {
		return f
	}
	f.Message = strings.TrimSuffix(f.Message, ".") + "; likewise " + strings.Join(g.others, ", ")
	if more := len(g.rest) - len(g.others); more > 0 {
		f.Message += fmt.Sprintf(" and %d more", more)
	}
	f.Objects, f.Evidence = slices.Clone(f.Objects), slices.Clone(f.Evidence)
	seen := map[v1alpha1.ObjectReference]bool{}
	for _, object := range f.Objects {
		seen[object] = true
	}
	for _, other := range g.rest {
		for _, object := range other.Objects {
			if !seen[object] {
				f.Objects = append(f.Objects, object)
			}
			seen[object] = true
		}
		f.Evidence = append(f.Evidence, other.Evidence...)
	}
	f.Remedy.Command = g.command()
	return f
}

// takesNames are the commands of kubectl in remedies that take several names of one kind.
var takesNames = regexp.MustCompile(`(^|\s)(describe|get|uncordon)\s`)

// command is the first's, about the others too where it can be.
func (g *group) command() string {
	command := g.first.Remedy.Command
	if !takesNames.MatchString(command) || len(g.rest) >= mostJoined {
		return command
	}
	words := strings.Fields(command)
	at, names := -1, []string(nil)
	for _, f := range g.rest {
		others := strings.Fields(f.Remedy.Command)
		if len(others) != len(words) {
			return command
		}
		for i := range words {
			switch {
			case words[i] == others[i]:
			case at >= 0 && at != i, strings.Contains(others[i], "/"):
				return command
			default:
				at, names = i, append(names, others[i])
			}
		}
	}
	if at < 0 {
		return command
	}
	words[at] += " " + strings.Join(names, " ")
	return strings.Join(words, " ")
}
