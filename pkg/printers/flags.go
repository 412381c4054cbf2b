package printers

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	cliprinters "k8s.io/cli-runtime/pkg/printers"
)

const customColumnsFormat = "custom-columns"

// Flags are the flags that choose a form of output, the same in every subcommand.
type Flags struct {
	output           string
	template         string
	allowMissingKeys bool
	noHeaders        bool
	color            string
	sortBy           string
	show             string
	pages            string
	graphs           bool
	texts            []string
}

// NewFlags returns the flags with their defaults.
func NewFlags() *Flags {
	return &Flags{allowMissingKeys: true, color: "auto"}
}

// OfferGraphs adds the forms dot and mermaid, for commands whose documents have a Graph. It comes before AddFlags.
func (f *Flags) OfferGraphs() { f.graphs = true }

// OfferTexts adds forms of a command's own, for commands whose documents have a Text. It comes before AddFlags.
func (f *Flags) OfferTexts(formats ...string) { f.texts = formats }

// AddFlags adds -o and its companions to a command.
func (f *Flags) AddFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.output, "output", "o", "", fmt.Sprintf("Output format. One of: (%s).", strings.Join(f.formats(), ", ")))
	cmd.Flags().StringVar(&f.template, "template", "", "Template, or path to a template file, for -o go-template, go-template-file, jsonpath and jsonpath-file; without -o it is a go-template.")
	cmd.Flags().BoolVar(&f.allowMissingKeys, "allow-missing-template-keys", f.allowMissingKeys, "Print nothing for a template field that the report does not have, instead of failing.")
	_ = cmd.MarkFlagFilename("template")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.formats(), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().BoolVar(&f.noHeaders, "no-headers", false, "Print only the rows of the table: no headings, no titles, no findings.")
	cmd.Flags().StringVar(&f.color, "color", f.color, "Colour the table. One of: (auto, always, never); auto is a terminal without NO_COLOR.")
	_ = cmd.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
}

// SortFlag is the name of the flag that sorts rows.
const SortFlag = "sort-by"

// AddSortFlag adds --sort-by to a command whose rows are many.
func (f *Flags) AddSortFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.sortBy, SortFlag, "", "Sort the rows by the column with this title; a leading - sorts the largest first: --sort-by=-USE%.")
}

// AddShowFlag adds --show to a command whose rows are many.
func (f *Flags) AddShowFlag(cmd *cobra.Command) {
	values := []string{string(ShowAll), string(ShowProblems)}
	f.show = string(ShowAll)
	cmd.Flags().StringVar(&f.show, showFlag, f.show, fmt.Sprintf("Rows of the table to show. One of: (%s); problems leaves out rows that have none.", strings.Join(values, ", ")))
	_ = cmd.RegisterFlagCompletionFunc(showFlag, cobra.FixedCompletions([]string{
		string(ShowAll) + "\tall rows", string(ShowProblems) + "\trows that have problems",
	}, cobra.ShellCompDirectiveNoFileComp))
}

// LinkCodes makes codes of findings links to the pages of a version of the plugin, on terminals that know links.
func (f *Flags) LinkCodes(version string) { f.pages = pagesOf(version) }

// Formats lists what -o takes, for completion.
func (f *Flags) Formats() []string { return f.formats() }

func (f *Flags) formats() []string {
	formats := append([]string{"wide", customColumnsFormat, "name"}, objectFormats()...)
	if f.graphs {
		formats = append(formats, dotFormat, mermaidFormat)
	}
	formats = append(formats, f.texts...)
	slices.Sort(formats)
	return formats
}

// ToPrinter checks the flags and returns the printer that they ask for; out is asked whether it is a terminal.
func (f *Flags) ToPrinter(out io.Writer) (*Printer, error) {
	width := widthOf(out)
	p := &Printer{show: Show(f.show), table: TableOptions{
		NoHeaders: f.noHeaders, SortBy: f.sortBy, ASCII: LacksUTF8(out, os.Getenv), Width: width, Fit: width > 0,
	}}
	if f.color != "never" && knowsLinks(isTerminal(out), os.Getenv) {
		p.table.Pages = f.pages
	}
	switch f.color {
	case "auto":
		p.table.Color = cliprinters.AllowsColorOutput(out)
	case "always":
		p.table.Color = true
	case "never":
	default:
		return nil, fmt.Errorf("invalid --color %q: must be one of auto, always, never", f.color)
	}
	format, argument, hasArgument := strings.Cut(f.output, "=")
	if f.template != "" {
		argument = f.template
		if format == "" {
			format = "go-template"
		}
	}
	switch {
	case format == "":
	case format == "wide" && !hasArgument:
		p.table.Wide = true
	case format == "name" && !hasArgument:
		p.names = true
	case f.graphs && (format == dotFormat || format == mermaidFormat) && !hasArgument:
		p.graph = format
	case slices.Contains(f.texts, format) && !hasArgument:
		p.text = format
	case format == customColumnsFormat:
		columns, err := newCustomColumns(argument)
		if err != nil {
			return nil, err
		}
		p.columns = columns
	default:
		objects, err := newObjectPrinter(format, argument, f.allowMissingKeys)
		if err != nil {
			return nil, err
		}
		if objects == nil || hasArgument && !slices.Contains(templateFormats, format) {
			return nil, fmt.Errorf("invalid -o %q: must be one of %s", f.output, strings.Join(f.formats(), ", "))
		}
		p.objects = objects
	}
	if f.sortBy != "" && !p.IsTable() {
		return nil, fmt.Errorf("--sort-by can't be combined with -o %s: it sorts table rows", f.output)
	}
	if err := f.checkShow(p.IsTable()); err != nil {
		return nil, err
	}
	return p, nil
}

// Printer prints documents in the form that the flags asked for.
type Printer struct {
	table   TableOptions
	show    Show
	names   bool
	graph   string
	text    string
	columns *customColumns
	objects cliprinters.ResourcePrinter
}

// IsTable reports whether the output is for people: findings and problems can be read in it.
func (p *Printer) IsTable() bool {
	return !p.names && p.graph == "" && p.text == "" && p.columns == nil && p.objects == nil
}

// Show is which rows of the table are to be shown.
func (p *Printer) Show() Show { return p.show }

// HoldColumns keeps the columns of tables as they are, whatever the terminal's width: rows that follow a table stand under its titles.
func (p *Printer) HoldColumns() { p.table.Fit = false }

// Wide reports whether -o wide was asked for.
func (p *Printer) Wide() bool { return p.table.Wide }

// Detailed reports whether the output shows more than the plain table does: -o wide, and the formats for scripts.
func (p *Printer) Detailed() bool {
	return p.table.Wide || p.columns != nil || p.objects != nil || p.text != ""
}

// PrintTimeline writes happenings, a line each.
func (p *Printer) PrintTimeline(w io.Writer, list []Happening) error {
	return WriteTimeline(w, list, p.table)
}

// PrintRows writes those rows of a table whose keys are given, aligned as they stand in it.
func (p *Printer) PrintRows(w io.Writer, t Table, key func([]Cell) string, keys map[string]bool) error {
	return t.WriteRows(w, p.table, key, keys)
}

// Text is a line for people as tables have it: escaped, not endless, and without signs that the terminal does not have.
func (p *Printer) Text(text string) string { return p.table.text(text) }

// Frame lays out a picture for a live screen.
func (p *Printer) Frame(f *Frame) ([]string, error) {
	f.Options = p.table
	return f.Lines()
}

// Print writes a document.
func (p *Printer) Print(w io.Writer, d Document) error {
	switch {
	case p.names:
		return printNames(w, d.Names)
	case p.graph == dotFormat:
		return d.Graph().printDOT(w)
	case p.graph == mermaidFormat:
		return d.Graph().printMermaid(w)
	case p.text != "":
		text, err := d.Text(p.text)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	case p.columns != nil:
		return p.columns.print(w, d.Report, p.table)
	case p.objects != nil:
		return printObject(w, p.objects, d.Report)
	}
	table := d.Table()
	table.Title = d.Title
	return table.Print(w, p.table)
}
