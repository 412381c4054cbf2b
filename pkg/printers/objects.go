package printers

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	cliprinters "k8s.io/cli-runtime/pkg/printers"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Document is a report in all the forms in which it can be printed.
type Document struct {
	// Report is a pointer to a struct of package v1alpha1, Metadata to where in it its origin belongs; nil if it has none.
	Report   any
	Metadata *v1alpha1.ReportMeta
	// Title, which may be empty, are the parts of a line above the table.
	Title []Cell
	// Names are what -o name prints, as kind.group/name.
	Names []string
	// Table is called for -o wide and for no -o at all.
	Table func() Table
	// Graph is called for -o dot and -o mermaid, which only commands offer that have one.
	Graph func() Graph
	// Text is called for the forms of a command's own, which only commands offer that have some.
	Text func(format string) ([]byte, error)
}

// toUnstructured makes the report an object that the printers of cli-runtime take.
func toUnstructured(report any) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(report)
	if err != nil {
		return nil, fmt.Errorf("encoding the report: %w", err)
	}
	replaceFields(content, storable)
	return &unstructured.Unstructured{Object: content}, nil
}

// replaceFields replaces characters in all texts of a decoded report, in place: it is a copy.
func replaceFields(value any, fix func(rune) rune) any {
	switch value := value.(type) {
	case string:
		return replace(value, fix)
	case []any:
		for i := range value {
			value[i] = replaceFields(value[i], fix)
		}
	case map[string]any:
		for key, field := range value {
			if kept := replace(key, fix); kept != key {
				delete(value, key)
				key = kept
			}
			value[key] = replaceFields(field, fix)
		}
	}
	return value
}

// replace puts U+FFFD in the place of characters, and of bytes that are none: a control character that an event brings, or a byte of a
// command's output, must not make a document of all namespaces unreadable.
func replace(text string, fix func(rune) rune) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	return strings.Map(fix, text)
}

// storable is a character, or U+FFFD if it has no place in YAML and JSON does not write it as an escape. JSON could hold it, but all
// forms are to say the same.
func storable(r rune) rune {
	if r >= 0x7f && r <= 0x9f || r == 0xfffe || r == 0xffff {
		return utf8.RuneError
	}
	return r
}

// storableInKYAML is the same of KYAML, whose printer doubles the backslash of the escapes of some characters.
func storableInKYAML(r rune) rune {
	switch {
	case r == '\u00a0':
		return ' '
	case r < ' ' && r != '\n' && r != '\t', r == '\u2028', r == '\u2029':
		return utf8.RuneError
	}
	return r
}

func printObject(w io.Writer, printer cliprinters.ResourcePrinter, report any) error {
	object, err := toUnstructured(report)
	if err != nil {
		return err
	}
	if _, ok := printer.(*cliprinters.KYAMLPrinter); ok {
		replaceFields(object.Object, storableInKYAML)
	}
	return printer.PrintObj(object, w)
}

func printNames(w io.Writer, names []string) error {
	for _, name := range names {
		if _, err := fmt.Fprintln(w, Escape(name)); err != nil {
			return err
		}
	}
	return nil
}

// customColumns prints a row for each item of a report, as kubectl's -o custom-columns does.
type customColumns struct {
	titles []string
	paths  []*cliprinters.JSONPathPrinter
}

// newCustomColumns reads TITLE:PATH,TITLE:PATH…; a path may be written .a.b, a.b or {.a.b}.
func newCustomColumns(spec string) (*customColumns, error) {
	if spec == "" {
		return nil, fmt.Errorf("custom-columns needs columns: -o custom-columns=NAME:.metadata.name,READY:.replicas.ready")
	}
	c := &customColumns{}
	for _, column := range strings.Split(spec, ",") {
		title, path, ok := strings.Cut(column, ":")
		if !ok || title == "" || path == "" {
			return nil, fmt.Errorf("custom-columns: %q is not TITLE:PATH", column)
		}
		path = strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(path, "{"), "}"), ".")
		parsed, err := cliprinters.NewJSONPathPrinter("{." + path + "}")
		if err != nil {
			return nil, fmt.Errorf("custom-columns: %q: %w", column, err)
		}
		parsed.AllowMissingKeys(true)
		c.titles = append(c.titles, title)
		c.paths = append(c.paths, parsed)
	}
	return c, nil
}

func (c *customColumns) print(w io.Writer, report any, o TableOptions) error {
	object, err := toUnstructured(report)
	if err != nil {
		return err
	}
	items, isList, err := unstructured.NestedSlice(object.Object, "items")
	if err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	if !isList {
		items = []any{object.Object}
	}
	table := Table{Blocks: []Block{{}}}
	for _, title := range c.titles {
		table.Columns = append(table.Columns, ColumnHead{Title: title})
	}
	for _, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			return fmt.Errorf("encoding the report: an item is a %T", item)
		}
		row := make([]Cell, len(c.paths))
		for i, path := range c.paths {
			var value strings.Builder
			if err := path.PrintObj(&unstructured.Unstructured{Object: fields}, &value); err != nil {
				return fmt.Errorf("custom-columns %s: %w", c.titles[i], err)
			}
			row[i] = Text("<none>")
			if value.Len() > 0 {
				row[i] = Text(value.String())
			}
		}
		table.Blocks[0].Rows = append(table.Blocks[0].Rows, row)
	}
	return table.Print(w, o)
}
