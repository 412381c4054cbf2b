package printers

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	cliprinters "k8s.io/cli-runtime/pkg/printers"
)

// Formats that need an argument, as FORMAT=ARGUMENT or with --template: the template, or the file that holds it.
var (
	goTemplateFormats = []string{"go-template", "go-template-file", "template", "templatefile"}
	templateFormats   = append([]string{"jsonpath", "jsonpath-as-json", "jsonpath-file"}, goTemplateFormats...)
)

// objectFormats are the formats of kubectl that print the whole report.
func objectFormats() []string {
	return append([]string{"json", "yaml", "kyaml"}, templateFormats...)
}

// newObjectPrinter makes the printer of one of the objectFormats; nil if it is none of them.
func newObjectPrinter(format, template string, allowMissingKeys bool) (cliprinters.ResourcePrinter, error) {
	switch strings.ToLower(format) {
	case "json":
		return &cliprinters.JSONPrinter{}, nil
	case "yaml":
		return &cliprinters.YAMLPrinter{}, nil
	case "kyaml":
		return &cliprinters.KYAMLPrinter{}, nil
	}
	if !slices.Contains(templateFormats, format) {
		return nil, nil
	}
	if template == "" {
		return nil, errors.New("a template is missing: -o " + format + "=TEMPLATE")
	}
	if strings.HasSuffix(format, "file") {
		text, err := os.ReadFile(template) //nolint:gosec // the file that the user names
		if err != nil {
			return nil, fmt.Errorf("reading the template: %w", err)
		}
		template = string(text)
	}
	if slices.Contains(goTemplateFormats, format) {
		p, err := cliprinters.NewGoTemplatePrinter([]byte(template))
		if err != nil {
			return nil, fmt.Errorf("-o %s: %w", format, err)
		}
		p.AllowMissingKeys(allowMissingKeys)
		return p, nil
	}
	p, err := cliprinters.NewJSONPathPrinter(template)
	if err != nil {
		return nil, fmt.Errorf("-o %s: %w", format, err)
	}
	p.AllowMissingKeys(allowMissingKeys)
	p.EnableJSONOutput(format == "jsonpath-as-json")
	return p, nil
}
