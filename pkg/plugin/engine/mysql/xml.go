package mysql

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// resultSet is what the clients print for a statement with --xml.
type resultSet struct {
	Statement string   `xml:"statement,attr"`
	Rows      []xmlRow `xml:"row"`
}

type xmlRow struct {
	Fields []xmlField `xml:"field"`
}

type xmlField struct {
	Name  string `xml:"name,attr"`
	Nil   bool   `xml:"http://www.w3.org/2001/XMLSchema-instance nil,attr"`
	Value string `xml:",chardata"`
}

// parseXML reads the documents that mysql --xml and mariadb --xml print, one for each statement that succeeded and has rows or
// could have some.
func parseXML(text string) ([]Answer, error) {
	decoder := xml.NewDecoder(strings.NewReader(legalXML(text)))
	var list []Answer
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return list, fmt.Errorf("the client's answer can't be read: %w", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		var set resultSet
		if err := decoder.DecodeElement(&set, &start); err != nil {
			return list, fmt.Errorf("the client's answer can't be read: %w", err)
		}
		list = append(list, set.answer())
	}
}

func (r *resultSet) answer() Answer {
	a := Answer{Statement: r.Statement}
	for _, row := range r.Rows {
		values := make([]*string, len(row.Fields))
		for i := range row.Fields {
			if !row.Fields[i].Nil {
				values[i] = &row.Fields[i].Value
			}
		}
		if a.Columns == nil {
			for _, f := range row.Fields {
				a.Columns = append(a.Columns, f.Name)
			}
		}
		if len(values) == len(a.Columns) {
			a.Rows = append(a.Rows, values)
		}
	}
	return a
}

// legalXML replaces what the clients print as it is and XML does not allow: control characters and broken UTF-8 of binary values.
// The declarations before all documents but the first go too.
func legalXML(text string) string {
	text = strings.ReplaceAll(text, `<?xml version="1.0"?>`, "")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xd7ff, r >= 0xe000 && r <= 0xfffd, r >= 0x10000:
			return r
		}
		return utf8.RuneError
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
}
