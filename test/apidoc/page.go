package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const pageStart = `# Reports

<!-- Written by make api from the comments of pkg/plugin/api/v1alpha1: change them, not this page. -->

What the commands print with ` + "`-o json`, `-o yaml`, `-o kyaml`, `-o jsonpath`, `-o go-template` and `-o custom-columns`" + `: what scripts may rely on. Every report but that
of ` + "`version`" + ` is a list with ` + "`metadata`" + ` (when it was made, by which version, of which cluster), with ` + "`items`" + `, which carry the findings about them, and with
` + "`problems`" + `: what could not be read is a problem and a field left out, never a zero that looks measured.

A field that is not required is left out where it is not known, and where it is empty, false or zero. [Words](#words) has the values of every field whose values come from a list,
[findings.md](findings.md) the codes of findings. Each kind has a JSON schema (draft 2020-12).

`

// page is docs/api.md.
func page(a *api) string {
	var out strings.Builder
	out.WriteString(pageStart)
	fmt.Fprintf(&out, "## Kinds\n\nThe apiVersion of all is `%s`.\n\n| Kind | What it is | Schema |\n|---|---|---|\n", a.version)
	for _, s := range a.structures(true) {
		fmt.Fprintf(&out, "| %s | %s | [%s.json](schema/%[4]s.json) |\n", link(s.name), cell(meaning(s.comment, nil)), s.name, s.name)
	}
	for _, s := range a.structures(true) {
		a.writeStructure(&out, s)
	}
	out.WriteString("\n## Parts\n\nWhat kinds consist of.\n")
	for _, s := range a.structures(false) {
		a.writeStructure(&out, s)
	}
	out.WriteString("\n## Words\n\nTypes of texts whose values come from a list.\n")
	for _, name := range slices.Sorted(maps.Keys(a.words)) {
		writeWords(&out, a.words[name])
	}
	return out.String()
}

func (a *api) writeStructure(out *strings.Builder, s *structure) {
	fmt.Fprintf(out, "\n### %s\n\n%s\n\n| Field | Type | Required | Meaning |\n|---|---|---|---|\n", s.name, s.comment)
	if s.isReport {
		fmt.Fprintf(out, "| `apiVersion` | string | yes | `%s` |\n| `kind` | string | yes | `%s` |\n", a.version, s.name)
	}
	for _, f := range s.fields {
		required := "no"
		if f.required {
			required = "yes"
		}
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", f.name, a.typeText(f.of)+unit(f.name), required, cell(f.meaning))
	}
}

func writeWords(out *strings.Builder, w *wordType) {
	fmt.Fprintf(out, "\n### %s\n\n%s\n", w.name, w.comment)
	if w.name == codeType {
		return
	}
	out.WriteString("\n| Value | Meaning |\n|---|---|\n")
	for _, word := range w.words {
		fmt.Fprintf(out, "| `%s` | %s |\n", word.value, cell(word.meaning))
	}
}

func (a *api) typeText(t fieldType) string {
	text := basicTypes[t.name].text
	switch {
	case t.element != nil:
		text = "list of " + a.typeText(*t.element)
	case t.value != nil:
		text = "map of " + a.typeText(fieldType{name: t.key}) + " to " + a.typeText(*t.value)
	case a.structs[t.name] != nil, a.words[t.name] != nil:
		text = link(t.name)
	}
	if t.nullable {
		text += " or null"
	}
	return text
}

// unit is that of a number whose name ends with it.
func unit(name string) string {
	for _, u := range [...]string{"Milliseconds", "Microseconds", "Seconds", "Bytes", "Percent"} {
		if strings.HasSuffix(name, u) || name == strings.ToLower(u) {
			return ", " + strings.ToLower(u)
		}
	}
	return ""
}

// link leads to a section of the page.
func link(name string) string { return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name)) }

// cell is a text in a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
