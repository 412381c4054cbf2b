package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// api is the reports with what they consist of.
type api struct {
	version string
	structs map[string]*structure
	words   map[string]*wordType
}

// structure is an object, as JSON has it.
type structure struct {
	name, comment string
	// isReport is true if it has an apiVersion and a kind.
	isReport bool
	fields   []field
}

type field struct {
	name, meaning string
	of            fieldType
	// required is true if the field is there in any case.
	required bool
}

// fieldType is a list if element is there, a map if value is, and else what its name says: a type of the package, a basic type of Go, or
// one of apimachinery with the name of its package.
type fieldType struct {
	name           string
	element, value *fieldType
	key            string
	// nullable is true if null may stand in its place.
	nullable bool
}

// wordType is a type of texts that come from a list.
type wordType struct {
	name, comment string
	// open is true if others are possible than those of the list.
	open  bool
	words []word
}

type word struct{ value, meaning string }

// Names that the package has for what is treated in its own way here.
const (
	versionConstant = "APIVersion"
	kindPrefix      = "Kind"
	// codeType is that of the findings' codes, which have a page of their own.
	codeType = "Code"
	// openMark in the comment of a type of words says that its list is not closed.
	openMark = "Others are possible"
	// listSuffix ends the kinds of lists.
	listSuffix = "List"
)

// loader makes an api of a source, and gathers what is wrong with it.
type loader struct {
	*source
	api    *api
	values map[string]string // of constants, by name
	errs   []error
}

// load reads the package in a folder. What is not documented is an error.
func load(folder string) (*api, error) {
	s, err := parse(folder)
	if err != nil {
		return nil, err
	}
	l := &loader{source: s, api: &api{structs: map[string]*structure{}, words: map[string]*wordType{}}, values: map[string]string{}}
	for _, c := range s.constants {
		l.values[c.name] = c.value
	}
	l.api.version = l.values[versionConstant]
	for _, t := range s.types {
		switch of := t.of.(type) {
		case *ast.StructType:
			l.structure(t)
		case *ast.Ident:
			if of.Name == "string" {
				l.wordType(t)
			}
		}
	}
	l.checkKinds()
	for _, s := range l.api.structs {
		for _, f := range s.fields {
			l.checkType(s.name+"."+f.name, f.of)
		}
	}
	return l.api, errors.Join(l.errs...)
}

func (l *loader) fail(format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf(format, args...))
}

// wordType adds a type of words.
func (l *loader) wordType(t declaredType) {
	w := &wordType{name: t.name, comment: t.comment, open: strings.Contains(t.comment, openMark)}
	l.api.words[t.name] = w
	if !slices.Contains(subjects(t.comment), t.name) {
		l.fail("%s: the comment is not about it", t.name)
	}
	if t.name == codeType {
		return
	}
	var comments []string
	for _, c := range l.constants {
		if c.of != t.name {
			continue
		}
		comments = append(comments, c.comment)
		comment, ok := commentOf(c.name, comments)
		if !ok {
			l.fail("%s: no comment says what it means", c.name)
		}
		w.words = append(w.words, word{c.value, meaning(comment, l.values)})
	}
	if len(w.words) == 0 {
		l.fail("%s: a type of words has constants", t.name)
	}
}

// structure adds a struct with the fields of those that it embeds, and returns it.
func (l *loader) structure(t declaredType) *structure {
	if s := l.api.structs[t.name]; s != nil { // one that embeds it came first
		return s
	}
	s := &structure{name: t.name, comment: t.comment}
	l.api.structs[t.name] = s
	if !slices.Contains(subjects(t.comment), t.name) {
		l.fail("%s: the comment is not about it", t.name)
	}
	list := t.of.(*ast.StructType).Fields.List
	names := maps.Clone(l.values)
	for _, f := range list {
		for _, name := range f.Names {
			names[name.Name], _, _ = strings.Cut(tag(f), ",")
		}
	}
	var comments []string
	for _, f := range list {
		if len(f.Names) == 0 {
			l.embed(s, f)
			continue
		}
		goName := f.Names[0].Name
		comments = append(comments, oneLine(f.Doc))
		comment, ok := commentOf(goName, comments)
		name, options, _ := strings.Cut(tag(f), ",")
		if !ok || name == "" || len(f.Names) > 1 {
			l.fail("%s.%s: it has a line with a JSON tag and a comment that begins with its name", t.name, goName)
		}
		if name == "-" { // JSON does not have it
			continue
		}
		optional := strings.Contains(options, "omit")
		of := l.fieldType(f.Type)
		of.nullable = of.name == "metav1.Time" && !optional // the zero time is null
		s.fields = append(s.fields, field{name: name, meaning: meaning(comment, names), of: of, required: !optional})
	}
	return s
}

func (l *loader) embed(s *structure, f *ast.Field) {
	name := typeName(f.Type)
	if name == "metav1.TypeMeta" {
		s.isReport = true
		return
	}
	for _, t := range l.types {
		if t.name == name {
			s.fields = append(s.fields, l.structure(t).fields...)
			return
		}
	}
	l.fail("%s: it embeds %s, which is no type of the package", s.name, name)
}

func (l *loader) fieldType(of ast.Expr) fieldType {
	switch of := of.(type) {
	case *ast.StarExpr:
		return l.fieldType(of.X)
	case *ast.ArrayType:
		element := l.elementType(of.Elt)
		return fieldType{element: &element}
	case *ast.MapType:
		value := l.elementType(of.Value)
		return fieldType{key: typeName(of.Key), value: &value}
	}
	return fieldType{name: typeName(of)}
}

// elementType is the type of elements, which can't be left out: in the place of one that is not there stands null.
func (l *loader) elementType(of ast.Expr) fieldType {
	t := l.fieldType(of)
	_, t.nullable = of.(*ast.StarExpr)
	return t
}

// typeName is a type's name, with that of its package where it is another's.
func typeName(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.Ident:
		return of.Name
	case *ast.SelectorExpr:
		return typeName(of.X) + "." + of.Sel.Name
	}
	return ""
}

// tag is a field's JSON tag.
func tag(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	return reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
}

// checkType fails on a type that has no form in the reference.
func (l *loader) checkType(where string, t fieldType) {
	_, isBasic := basicTypes[t.name]
	switch {
	case t.element != nil:
		l.checkType(where, *t.element)
	case t.value != nil:
		l.checkType(where, *t.value)
		l.checkType(where, fieldType{name: t.key})
	case !isBasic && l.api.structs[t.name] == nil && l.api.words[t.name] == nil:
		l.fail("%s: what is a %q in JSON?", where, t.name)
	}
}

// checkKinds compares the reports with the constants of kinds.
func (l *loader) checkKinds() {
	for _, s := range l.api.structs {
		if s.isReport && l.values[kindPrefix+s.name] != s.name {
			l.fail("%s: there is no constant %s%s with its name", s.name, kindPrefix, s.name)
		}
	}
	if l.api.version == "" {
		l.fail("there is no constant %s", versionConstant)
	}
}

// structures are the structs that are reports, or those that are none, by name, lists before their items.
func (a *api) structures(areReports bool) []*structure {
	list := slices.DeleteFunc(slices.Collect(maps.Values(a.structs)), func(s *structure) bool { return s.isReport != areReports })
	slices.SortFunc(list, func(s, t *structure) int {
		return cmp.Or(cmp.Compare(strings.TrimSuffix(s.name, listSuffix), strings.TrimSuffix(t.name, listSuffix)), cmp.Compare(t.name, s.name))
	})
	return list
}
