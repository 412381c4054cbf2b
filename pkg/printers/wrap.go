package printers

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// leastHanging is the least width in which text is wrapped beside something else.
const leastHanging = 30

// wrap breaks a text at spaces into lines of at most a width, and words that are longer anywhere.
func wrap(text string, width int) []string {
	if text == "" {
		return nil
	}
	width = max(1, width)
	var lines []string
	line, used := "", 0
	for _, word := range strings.Split(text, " ") {
		w := twwidth.Width(word)
		if used > 0 && used+1+w > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		for used+w > width { // longer than a line
			part := head(word, width-used)
			lines = append(lines, line+part)
			word = word[len(part):]
			line, used, w = "", 0, twwidth.Width(word)
		}
		line, used = line+word, used+w
	}
	return append(lines, strings.TrimRight(line, " "))
}

// head is as much of a word as fits, at least one character.
func head(word string, width int) string {
	used := 0
	for i, r := range word {
		w := twwidth.Width(string(r))
		if i > 0 && used+w > width {
			return word[:i]
		}
		used += w
	}
	return word
}

// shorten cuts a text to a number of characters, and says how many there were.
func shorten(text string, most int) string {
	if len(text) <= most || utf8.RuneCountInString(text) <= most {
		return text
	}
	n := 0
	for i := range text {
		if n == most {
			return fmt.Sprintf("%s… (%d characters; see -o json for all)", text[:i], utf8.RuneCountInString(text))
		}
		n++
	}
	return text
}
