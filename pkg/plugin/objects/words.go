package objects

import "strings"

// OneLine is a message on one line: line breaks and runs of spaces become one space.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
