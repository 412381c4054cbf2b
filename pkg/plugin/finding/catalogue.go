package finding

import (
	"regexp"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/docs"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Kind is a code with what it says.
type Kind struct {
	Code v1alpha1.Code
	// Severity is the one that it has, or those that it may have, the worst first: "error, warning".
	Severity string
	Title    string
}

// catalogueRow is a row of the page's tables: | [STS001](#sts001) | severities | what | … |
var catalogueRow = regexp.MustCompile(`(?m)^\| \[([A-Z]+[0-9]{3})\]\(#[a-z0-9]+\) \| ([^|]*[^| ]) *\| ([^|]*[^| ]) *\|`)

// Catalogue lists all kinds of findings, in the order of the page.
func Catalogue() []Kind {
	var list []Kind
	for _, row := range catalogueRow.FindAllStringSubmatch(docs.Findings, -1) {
		list = append(list, Kind{Code: v1alpha1.Code(row[1]), Severity: row[2], Title: strings.ReplaceAll(row[3], "`", "")})
	}
	return list
}

// link is a link of the page, of which only the text is for a terminal.
var link = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)

// Section is what the page says of a code, as plain text with paragraphs; empty if it says nothing beyond the title.
func Section(code v1alpha1.Code) string {
	_, text, found := strings.Cut(docs.Findings, "\n### "+string(code)+"\n")
	if !found {
		return ""
	}
	for _, next := range []string{"\n### ", "\n## "} {
		text, _, _ = strings.Cut(text, next)
	}
	return link.ReplaceAllString(strings.TrimSpace(text), "$1")
}
