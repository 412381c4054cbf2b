package main

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// subjectList matches the names that a comment begins with: X; X and Y; X, Y and Z.
	subjectList = regexp.MustCompile(`^[A-Z]\w*(?:(?:, [A-Z]\w*)* and [A-Z]\w*)? `)
	goName      = regexp.MustCompile(`\b[A-Z]\w*\b`)
	// compoundName matches names that are no words of a sentence.
	compoundName = regexp.MustCompile(`[a-z0-9][A-Z]`)
	copula       = regexp.MustCompile(`^(?:is|are|means that|means) `)
)

// subjects are the names that a comment is about.
func subjects(comment string) []string {
	return goName.FindAllString(subjectList.FindString(comment), -1)
}

// meaning is a comment as its readers know the names in it: fields as JSON has them, constants by their values. Of a comment on one name the
// name is left out, and so is what leads from it to its meaning.
func meaning(comment string, names map[string]string) string {
	about := subjects(comment)
	if len(about) == 1 {
		comment = copula.ReplaceAllString(comment[len(about[0])+1:], "")
	}
	comment = goName.ReplaceAllStringFunc(comment, func(name string) string {
		isWord := !compoundName.MatchString(name) && (len(about) == 1 || !slices.Contains(about, name))
		if known, ok := names[name]; ok && !isWord {
			return "`" + known + "`"
		}
		return name
	})
	return strings.TrimSuffix(comment, ".")
}

// commentOf is what is said of a name: by its own comment, or by the last one before it that names it. Comments are those of the names before
// it and of itself, by order; ok is false if none is about it.
func commentOf(name string, comments []string) (comment string, ok bool) {
	own := comments[len(comments)-1]
	if own != "" {
		return own, slices.Contains(subjects(own), name)
	}
	for _, c := range slices.Backward(comments) {
		if slices.Contains(subjects(c), name) {
			return c, true
		}
	}
	return "", false
}
