package printers

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// LacksUTF8 reports whether an output is a terminal whose locale (LC_ALL, else LC_CTYPE, else LANG) names another encoding than UTF-8,
// C and POSIX among them. Where none is set, and in a pipe, there is no reason to print anything else.
func LacksUTF8(out io.Writer, getenv func(string) string) bool {
	return isTerminal(out) && namesOtherEncoding(getenv)
}

func namesOtherEncoding(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(getenv(name)); locale != "" {
			return !strings.Contains(strings.ReplaceAll(locale, "-", ""), "utf8")
		}
	}
	return false
}

// isDumb reports whether the terminal knows no escape sequences.
func isDumb() bool { return os.Getenv("TERM") == "dumb" }

var asciiSigns = map[rune]string{
	'→': "->", '←': "<-", '≠': "!=", '…': "...", '█': "#", '├': "|", '└': "`", '│': "|", '─': "-", '–': "-", '—': "-", '·': ".", '×': "x",
	'“': `"`, '”': `"`, '‘': "'", '’': "'", '✓': "ok", '✗': "x", '\u00a0': " ",
}

// ASCII puts others in the place of signs that are not ASCII; letters become visible escapes.
func ASCII(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch sign, ok := asciiSigns[r]; {
		case r <= '~':
			b.WriteRune(r)
		case ok:
			b.WriteString(sign)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
