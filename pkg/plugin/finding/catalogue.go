package finding

import (
	"regexp"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/docs"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Kind is a code with what it says.
type Kind struct {
	Code  v1alpha1.Code
	Title string
}

// catalogueRow is a row of the page's tables: | [STS001](#sts001) | severities | what | … |
var catalogueRow = regexp.MustCompile(`(?m)^\| \[([A-Z]+[0-9]{3})\]\(#[a-z0-9]+\) \| [^|]* \| ([^|]*[^| ]) *\|`)

// Catalogue lists all kinds of findings, in the order of the page.
func Catalogue() []Kind {
	var list []Kind
	for _, row := range catalogueRow.FindAllStringSubmatch(docs.Findings, -1) {
		list = append(list, Kind{Code: v1alpha1.Code(row[1]), Title: strings.ReplaceAll(row[2], "`", "")})
	}
	return list
}
