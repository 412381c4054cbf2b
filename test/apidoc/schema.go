package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

const (
	dialect    = "https://json-schema.org/draft/2020-12/schema"
	schemaBase = "https://raw.githubusercontent.com/kubectl-doik/kubectl-doik/main/" + schemaFolder + "/"
	definition = "#/$defs/"

	codePattern = `^[A-Z]+[0-9]{3}$`
)

// schema is a JSON schema, or a part of one.
type schema struct {
	Schema      string `json:"$schema,omitempty"`
	ID          string `json:"$id,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Ref         string `json:"$ref,omitempty"`
	// Type is a name, or a list of them.
	Type       any                `json:"type,omitempty"`
	Const      string             `json:"const,omitempty"`
	Enum       []string           `json:"enum,omitempty"`
	Examples   []string           `json:"examples,omitempty"`
	Format     string             `json:"format,omitempty"`
	Pattern    string             `json:"pattern,omitempty"`
	Items      *schema            `json:"items,omitempty"`
	Properties map[string]*schema `json:"properties,omitempty"`
	Required   []string           `json:"required,omitempty"`
	// PropertyNames and AdditionalProperties (a schema, or false) are those of maps and objects.
	PropertyNames        *schema            `json:"propertyNames,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"`
	Defs                 map[string]*schema `json:"$defs,omitempty"`
}

// schemas makes the schema of one kind.
type schemas struct {
	*api
	defs map[string]*schema // of the types that it needs
}

// schemaOf is the schema of a kind, with all that it needs.
func schemaOf(a *api, kind *structure) ([]byte, error) {
	x := &schemas{api: a, defs: map[string]*schema{}}
	top := x.object(kind)
	top.Schema, top.ID, top.Title, top.Defs = dialect, schemaBase+kind.name+".json", kind.name, x.defs
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(top); err != nil {
		return nil, fmt.Errorf("%s: %w", kind.name, err)
	}
	return out.Bytes(), nil
}

func (x *schemas) object(s *structure) *schema {
	o := &schema{Description: s.comment, Type: "object", Properties: map[string]*schema{}, AdditionalProperties: false}
	if s.isReport {
		o.Properties["apiVersion"], o.Properties["kind"] = &schema{Const: x.version}, &schema{Const: s.name}
		o.Required = append(o.Required, "apiVersion", "kind")
	}
	for _, f := range s.fields {
		property := x.typeSchema(f.of)
		property.Description = f.meaning
		o.Properties[f.name] = property
		if f.required {
			o.Required = append(o.Required, f.name)
		}
	}
	return o
}

func (x *schemas) typeSchema(t fieldType) *schema {
	s := &schema{Ref: definition + t.name}
	switch {
	case t.element != nil:
		s = &schema{Type: "array", Items: x.typeSchema(*t.element)}
	case t.value != nil:
		s = &schema{Type: "object", AdditionalProperties: x.typeSchema(*t.value)}
		if t.key != "string" {
			s.PropertyNames = x.typeSchema(fieldType{name: t.key})
		}
	case x.structs[t.name] != nil:
		x.define(t.name, func() *schema { return x.object(x.structs[t.name]) })
	case x.words[t.name] != nil:
		x.define(t.name, func() *schema { return wordSchema(x.words[t.name]) })
	default:
		basic := basicTypes[t.name].schema
		s = &basic
	}
	if t.nullable {
		s.Type = []any{s.Type, "null"}
	}
	return s
}

// define adds a type to those that the schema needs.
func (x *schemas) define(name string, schemaOf func() *schema) {
	if _, ok := x.defs[name]; !ok {
		x.defs[name] = nil // for types that have themselves in them
		x.defs[name] = schemaOf()
	}
}

func wordSchema(w *wordType) *schema {
	s := &schema{Description: w.comment, Type: "string"}
	var values []string
	for _, word := range w.words {
		values = append(values, word.value)
	}
	switch {
	case w.name == codeType:
		s.Pattern = codePattern
	case w.open:
		s.Examples = values
	default:
		s.Enum = values
	}
	return s
}
