package readonly

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// View is a view's definition, as information_schema has it.
type View struct {
	Name
	Definer    string
	Definition string
}

// IsServers reports whether a schema has nothing but what servers make themselves, and no definitions of users'.
func IsServers(schema string) bool {
	return lower(schema) == "information_schema" || schema == "performance_schema" // of which only the first has no case on all servers
}

// owners are the accounts with which servers define what comes with them. No one can log in as one.
var owners = []string{"mysql.sys@localhost", "mariadb.sys@localhost"}

// IsOwner reports whether an account is the server's own.
func IsOwner(definer string) bool {
	return slices.Contains(owners, strings.NewReplacer("`", "", "'", "").Replace(definer))
}

// OwnFunctions are all functions of the schema sys that a view of that schema may call.
func OwnFunctions() []string { return slices.Clone(ownFunctions) }

// IsOwn reports whether a view comes with the server.
func (v View) IsOwn() bool {
	return (v.Schema == "sys" || v.Schema == "mysql") && IsOwner(v.Definer)
}

// Check returns what a view reads: all names in it that could be of tables, and those that certainly are. An error is why it does more than
// read, or why that can't be told.
func (v View) Check(server Server) (s *Statement, tables []Name, err error) {
	if v.IsOwn() {
		return &Statement{}, nil, nil
	}
	if v.Definition == "" {
		return nil, nil, fmt.Errorf("this account lacks SHOW VIEW and can't inspect the view %s, which may do anything; %s", v.Name, flagHint)
	}
	tokens, err := lex(v.Definition)
	if err == nil {
		err = checkKind(tokens)
	}
	if err == nil && !slices.ContainsFunc(tokens, func(t token) bool { return t.is("SELECT", "VALUES", "TABLE") }) {
		err = errors.New("not a query")
	}
	if err == nil {
		if s, err = analyze(tokens, false); err == nil {
			err = s.CheckFor(server)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the view %s: %w", v.Name, err)
	}
	inSchema := func(list []Name) []Name {
		for i := range list {
			if list[i].Schema == "" {
				list[i].Schema = v.Schema
			}
		}
		return list
	}
	s.Tables = inSchema(s.Tables)
	return s, inSchema(sources(tokens)), nil
}

// names are all that could be of a table or view, each once.
func names(tokens []token) []Name {
	var list []Name
	add := func(n Name) {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	for i, t := range tokens {
		variable := i > 0 && tokens[i-1].isSign("@@") || i > 2 && tokens[i-1].isSign(".") && tokens[i-3].isSign("@@")
		switch {
		case !t.isName() || variable || i+1 < len(tokens) && tokens[i+1].isSign("("):
		case i > 1 && tokens[i-1].isSign(".") && tokens[i-2].isName():
			add(Name{tokens[i-2].value, t.value})
		case !t.is(neverTables...):
			add(Name{"", t.value})
		}
	}
	return list
}

// neverTables are the most frequent reserved words: looking them up would find nothing.
var neverTables = []string{
	"SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "AS", "ON", "JOIN", "LEFT", "RIGHT", "INNER", "OUTER", "CROSS", "ORDER", "GROUP", "BY", "HAVING", "LIMIT", "UNION",
	"ALL", "DISTINCT", "IN", "IS", "NULL", "LIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "DESC", "ASC", "SHOW", "DESCRIBE", "EXPLAIN", "TABLE", "WITH", "INTERVAL", "EXISTS",
}

// callsWithFrom are functions in whose brackets FROM is no clause.
var callsWithFrom = []string{"TRIM", "EXTRACT", "SUBSTRING", "SUBSTR", "MID"}

// sources are the names after FROM and JOIN in a definition as servers print it, where each table stands after one of the two.
func sources(tokens []token) []Name {
	var list []Name
	common := commonTables(tokens)
	var inCall []bool // for each open bracket
	for i, t := range tokens {
		switch {
		case t.isSign("("):
			inCall = append(inCall, i > 0 && tokens[i-1].is(callsWithFrom...))
		case t.isSign(")") && len(inCall) > 0:
			inCall = inCall[:len(inCall)-1]
		case t.is("FROM") && len(inCall) > 0 && inCall[len(inCall)-1]:
		case t.is("FROM", "JOIN", "STRAIGHT_JOIN"):
			at := i + 1
			for at < len(tokens) && tokens[at].isSign("(") {
				at++
			}
			switch n := nameLength(tokens[min(at, len(tokens)):]); {
			case n == 3:
				list = append(list, Name{tokens[at].value, tokens[at+2].value})
			case n == 1 && !tokens[at].is("SELECT", "JSON_TABLE", "VALUES", "TABLE", "DUAL", "LATERAL", "WITH") && !slices.Contains(common, tokens[at].value):
				list = append(list, Name{"", tokens[at].value})
			}
		}
	}
	return list
}

// commonTables are the names that WITH gives to queries.
func commonTables(tokens []token) []string {
	var list []string
	for i, t := range tokens {
		end := i
		if i+1 < len(tokens) && tokens[i+1].isSign("(") {
			end = isList(tokens, i+1)
		}
		if t.isName() && end >= 0 && end+2 < len(tokens) && tokens[end+1].is("AS") && tokens[end+2].isSign("(") {
			list = append(list, t.value)
		}
	}
	return list
}
