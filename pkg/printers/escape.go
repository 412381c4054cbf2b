package printers

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	cliprinters "k8s.io/cli-runtime/pkg/printers"
)

// Escape makes text from a cluster safe to print in one line of a terminal: line breaks and tabs become spaces, the escape
// character ^[ as kubectl writes it, other control characters, bidirectional ones, those without a width and broken UTF-8 a visible \x or \u.
// What is printable, in any script, stays as it is.
func Escape(text string) string {
	if !strings.ContainsFunc(text, hostile) && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		escapeLine(&b, cliprinters.EscapeTerminal(line))
	}
	return b.String()
}

func escapeLine(b *strings.Builder, line string) {
	for i, r := range line {
		_, size := utf8.DecodeRuneInString(line[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(b, `\x%02x`, line[i])
		case r == '\t':
			b.WriteByte(' ')
		case hostile(r) && r < 0x80:
			fmt.Fprintf(b, `\x%02x`, r)
		case hostile(r) && r > 0xffff:
			fmt.Fprintf(b, `\U%08x`, r)
		case hostile(r):
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
}

// hostile reports whether a character can move the cursor, change the terminal's state, reorder what stands around it, or can't be
// seen: two names that look the same would not be.
func hostile(r rune) bool {
	switch {
	case r < 0x7f:
		return r < ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
		return true
	}
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r)
}
