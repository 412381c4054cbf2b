package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// source is what the package declares, with comments as they are written.
type source struct {
	types []declaredType // by file and place
	// constants are those that are texts.
	constants []constant
}

type declaredType struct {
	name, comment string
	of            ast.Expr
}

type constant struct {
	name, value, comment string
	of                   string // its type; empty for none
}

// parse reads the source of the package in a folder.
func parse(folder string) (*source, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	s := &source{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if decl, ok := d.(*ast.GenDecl); ok {
				if err := s.add(decl); err != nil {
					return nil, fmt.Errorf("%s: %w", path, err)
				}
			}
		}
	}
	if len(s.types) == 0 {
		return nil, fmt.Errorf("%s: there are no types in it", folder)
	}
	return s, nil
}

func (s *source) add(decl *ast.GenDecl) error {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			comment := oneLine(spec.Doc)
			if comment == "" {
				comment = oneLine(decl.Doc)
			}
			s.types = append(s.types, declaredType{name: spec.Name.Name, comment: comment, of: spec.Type})
		case *ast.ValueSpec:
			if decl.Tok != token.CONST {
				continue
			}
			if err := s.addConstant(spec); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *source) addConstant(spec *ast.ValueSpec) error {
	if len(spec.Names) != 1 || len(spec.Values) != 1 {
		return fmt.Errorf("%s: a constant has a line of its own", spec.Names[0].Name)
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return nil
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return err
	}
	c := constant{name: spec.Names[0].Name, value: value, comment: oneLine(spec.Doc)}
	if c.comment == "" {
		c.comment = oneLine(spec.Comment)
	}
	if t, ok := spec.Type.(*ast.Ident); ok {
		c.of = t.Name
	}
	s.constants = append(s.constants, c)
	return nil
}

// oneLine is a comment as one line, empty for none.
func oneLine(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}
