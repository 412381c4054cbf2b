package finding

import (
	"regexp"
	"strings"
)

// Given is what of kubectl's connection flags stood on the command line: a command to paste needs the same.
type Given struct {
	Kubeconfig, Context, Cluster, Namespace string
}

// commandInText finds commands in a remedy: kubectl's own, and this plugin's.
var commandInText = regexp.MustCompile(`\bkubectl (?:(doik) [a-z][a-z-]+|(?:annotate|auth|cordon|create|debug|delete|describe|drain|edit|exec|get|label|logs|patch|rollout|scale|set|top|uncordon|wait))\b`)

// withNamespace finds whether a command says where it looks.
var withNamespace = regexp.MustCompile(`(^|\s)(-n|-A|--namespace|--all-namespaces)\b`)

// Paste puts the flags that were given into each command of a text, quoted for a shell. kubectl takes them before its subcommand, so that
// whatever follows may end the command; before a plugin's name it takes none. A text that has them already stays as it is.
func (g Given) Paste(text string) string {
	flags := g.flags()
	if flags == "" && g.Namespace == "" || flags != "" && strings.Contains(text, flags) {
		return text
	}
	matches := commandInText.FindAllStringSubmatchIndex(text, -1)
	for i := len(matches) - 1; i >= 0; i-- {
		m := matches[i]
		isPlugin := m[2] >= 0
		if strings.HasSuffix(text[m[0]:m[1]], " explain") { // it takes no cluster
			continue
		}
		switch {
		case !isPlugin:
			at := m[0] + len("kubectl")
			text = text[:at] + flags + text[at:]
		case g.Namespace != "" && !withNamespace.MatchString(text[m[1]:]):
			text = text[:m[1]] + " -n " + Quote(g.Namespace) + flags + text[m[1]:]
		default:
			text = text[:m[1]] + flags + text[m[1]:]
		}
	}
	return text
}

// flags begins with a space unless it is empty.
func (g Given) flags() string {
	var b strings.Builder
	for _, f := range []struct{ name, value string }{{"--kubeconfig", g.Kubeconfig}, {"--context", g.Context}, {"--cluster", g.Cluster}} {
		if f.value != "" {
			b.WriteString(" " + f.name + "=" + Quote(f.value))
		}
	}
	return b.String()
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// Quote is a word as a shell reads it.
func Quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
