// Package docs has pages of the documentation that the program itself reads.
package docs

import _ "embed"

// Findings is the page of all codes, with a table for each family.
//
//go:embed findings.md
var Findings string
