package readonly

import (
	"errors"
	"slices"
	"strings"
)

// beforeBracket are reserved words that a bracket may follow which is not that of a call.
var beforeBracket = []string{
	"ALL", "AND", "ANALYZE", "AS", "BETWEEN", "BINARY", "BY", "CASE", "DESC", "DESCRIBE", "DISTINCT", "DISTINCTROW", "DIV", "ELSE", "EXISTS", "EXPLAIN", "FROM",
	"HAVING", "IN", "INDEX", "INTERVAL", "JOIN", "KEY", "LIKE", "NOT", "ON", "OR", "PARTITION", "REGEXP", "RLIKE", "ROW", "SELECT", "STRAIGHT_JOIN", "THEN",
	"UNION", "USING", "VALUES", "WHEN", "WHERE", "XOR",
	// Types of columns in JSON_TABLE and of CONVERT.
	"BIGINT", "DEC", "DECIMAL", "DOUBLE", "FLOAT", "INT", "INTEGER", "NUMERIC", "REAL", "SMALLINT", "TINYINT", "VARBINARY", "VARCHAR",
}

// calls finds the calls of functions, and writes those of built-in ones so that they can be nothing else. A name before a bracket is a call
// but where the grammars of all servers have something else there.
func calls(tokens []token) ([]call, error) {
	var list []call
	at := func(i int) token {
		if i < 0 || i >= len(tokens) {
			return token{kind: sign}
		}
		return tokens[i]
	}
	for i := range tokens {
		t := tokens[i]
		if !at(i + 1).isSign("(") {
			continue
		}
		before := at(i - 1)
		switch {
		case t.kind == text, t.kind == number:
			return nil, errors.New("a text or a number is followed by a bracket")
		case !t.isName():
			continue
		case before.isSign("@@"):
			return nil, errors.New("a variable is followed by a bracket")
		case before.isSign("."):
			schema := at(i - 2)
			if !schema.isName() {
				return nil, errors.New("a function's schema must be a name")
			}
			list = append(list, call{Name: Name{schema.value, t.value}, qualified: true})
			continue
		case t.is(beforeBracket...), isClause(t, before, at(i+2)):
			continue
		case (before.is("AS") || before.isSign(")")) && isList(tokens, i+1) >= 0: // CAST(x AS type(n)), (SELECT …) AS t (columns)
			continue
		}
		if end := isList(tokens, i+1); end >= 0 && at(end+1).is("AS") && at(end+2).isSign("(") { // WITH name (columns) AS (…)
			continue
		}
		if upper(t.value) == "JSON_TABLE" && !slices.ContainsFunc(tokens[i+1:closingBracket(tokens, i+1)], func(t token) bool { return t.is("COLUMNS") }) {
			return nil, errors.New("JSON_TABLE without COLUMNS can be a stored function")
		}
		if upper(t.value) == "LAST_INSERT_ID" && !at(i+2).isSign(")") {
			return nil, errors.New("LAST_INSERT_ID with an argument sets the session's value")
		}
		list = append(list, call{Name: Name{Name: t.value}})
		if _, ok := functions[upper(t.value)]; ok {
			tokens[i].send = t.value
			if t.kind == quoted { // else it would become a part of the word before it
				tokens[i].spaced = true
			}
			tokens[i+1].spaced = false
		}
	}
	return list, nil
}

// isClause reports whether a word and a bracket are a part of a clause, by what is before and after.
func isClause(t, before, inside token) bool {
	switch {
	case t.is("ANY", "SOME"):
		return before.isSign("=") || before.isSign("<") || before.isSign(">")
	case t.is("EXCEPT", "INTERSECT", "LATERAL"):
		return inside.is("SELECT", "VALUES", "TABLE", "WITH")
	case t.is("AGAINST", "OVER"):
		return before.isSign(")")
	case t.is("GROUP"):
		return before.is("WITHIN")
	case t.is("OF"):
		return before.is("MEMBER")
	case t.is("COLUMNS"):
		return before.kind == text
	}
	return false
}

// isList returns the index of the bracket that closes a list of nothing but names and numbers which begins at i; -1 if it is none.
func isList(tokens []token, i int) int {
	for i++; i+1 < len(tokens); i += 2 {
		switch {
		case !tokens[i].isName() && tokens[i].kind != number:
			return -1
		case tokens[i+1].isSign(")"):
			return i + 1
		case !tokens[i+1].isSign(","):
			return -1
		}
	}
	return -1
}

// upper is an ASCII name in capital letters. Names with other letters stay as they are, so that they are not taken for built-in functions.
func upper(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, name)
}

// lower is upper's opposite.
func lower(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, name)
}
