package readonly

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Name is a name of two parts; the first is empty where only one was written.
type Name struct{ Schema, Name string }

func (n Name) String() string {
	if n.Schema == "" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}

// Statement is a statement that only reads, as far as can be told without asking the server it is for: see CheckFor and Tables.
type Statement struct {
	// Text is what will be sent: the tokens that were checked, without comments, in one line but for line breaks in strings.
	Text string
	// Tables are all names that could be of tables or views, those that are of something else among them. A name without a schema is
	// looked for in the session's default one.
	Tables []Name

	allowed functionRule
	calls   []call
}

// functionRule reports whether functions that are not known are allowed.
type functionRule bool

// call is a call of a function.
type call struct {
	Name
	qualified bool
}

// maxNames bounds what has to be looked up for a statement.
const maxNames = 200

// Check reads a statement of a user's and returns it if it is one that only reads, or why it is not run. Functions that are not built in, or that
// some version lacks, are for CheckFor.
func Check(statement string, allowFunctions bool) (*Statement, error) {
	tokens, err := lex(statement)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		return nil, errors.New("no statement given")
	}
	if err := checkKind(tokens); err != nil {
		return nil, err
	}
	return analyze(tokens, functionRule(allowFunctions))
}

func analyze(tokens []token, allowed functionRule) (*Statement, error) {
	if err := checkWords(tokens); err != nil {
		return nil, err
	}
	s := &Statement{allowed: allowed}
	var err error
	if s.calls, err = calls(tokens); err != nil {
		return nil, err
	}
	for _, c := range s.calls {
		if err := c.check(allowed); err != nil {
			return nil, err
		}
	}
	if readsTables(tokens) {
		s.Tables = names(tokens)
	}
	if len(s.Tables) > maxNames {
		return nil, fmt.Errorf("the statement has more than %d names", maxNames)
	}
	s.Text = send(tokens)
	return s, nil
}

// readsTables reports whether a statement has a query. Others tell about tables and views, and run nothing that is in them.
func readsTables(tokens []token) bool {
	switch {
	case tokens[0].is("CHECKSUM"):
		return true
	case tokens[0].is("SHOW"): // WHERE may have a query, which is in brackets
		return slices.ContainsFunc(tokens, func(t token) bool { return t.isSign("(") })
	}
	return slices.ContainsFunc(tokens, func(t token) bool { return t.is("SELECT", "VALUES", "TABLE") })
}

// CheckFor returns why a server is not asked: it could take a function for another than is meant.
func (s *Statement) CheckFor(v Server) error {
	for _, c := range s.calls {
		if c.qualified || bool(s.allowed) {
			continue
		}
		if !functions[upper(c.Name.Name)].in(v) {
			return fmt.Errorf("%s is not built into this server's version, so it may be a user-defined function that does anything; %s", c.Name, flagHint)
		}
	}
	return nil
}

// AllowsFunctions reports whether functions that are not known are allowed: what views call is then not looked up either.
func (s *Statement) AllowsFunctions() bool { return bool(s.allowed) }

// OwnFunctions are the functions of the schema sys that are called: they are allowed if the server's own account has defined them.
func (s *Statement) OwnFunctions() []string {
	var list []string
	for _, c := range s.calls {
		if c.isOwn() && !bool(s.allowed) && !slices.Contains(list, lower(c.Name.Name)) {
			list = append(list, lower(c.Name.Name))
		}
	}
	return list
}

const flagHint = "--allow-functions runs it anyway"

// isOwn reports whether a call names a function of the server's schema sys. Where names of schemas have capital letters, SYS is another.
func (c call) isOwn() bool {
	return c.qualified && c.Schema == "sys" && slices.Contains(ownFunctions, lower(c.Name.Name))
}

func (c call) check(allowed functionRule) error {
	name := upper(c.Name.Name)
	_, known := functions[name]
	switch {
	case c.isOwn():
		return nil
	case c.qualified && bool(allowed):
		return nil
	case c.qualified:
		return fmt.Errorf("%s is a stored function and may do anything; %s", c.Name, flagHint)
	case known:
		return nil
	case strings.ContainsFunc(name, func(r rune) bool { return r > 0x7f }):
		return fmt.Errorf("the function %s contains non-ASCII letters, which servers may read as ASCII ones: qualify it with its schema", c.Name)
	case whyRefused(name) != "":
		return fmt.Errorf("%s %s", name, whyRefused(name))
	case bool(allowed):
		return nil
	}
	return fmt.Errorf("%s is not one of the built-in functions known to only read; %s", c.Name, flagHint)
}

// queries are the first words of a query.
var queries = []string{"SELECT", "TABLE", "VALUES", "WITH"}

// checkKind returns why a statement is of none of the kinds that only read.
func checkKind(tokens []token) error {
	first := 0
	for first < len(tokens)-1 && tokens[first].isSign("(") {
		first++
	}
	t := tokens[first]
	switch {
	case t.is(queries...):
		return checkQuery(tokens[first:])
	case first > 0:
	case t.is("SHOW"):
		return checkShow(tokens[1:])
	case t.is("EXPLAIN", "DESCRIBE", "DESC"):
		return checkExplain(tokens[1:])
	case t.is("CHECKSUM"):
		if len(tokens) > 1 && tokens[1].is("TABLE", "TABLES") {
			return nil
		}
	}
	return fmt.Errorf("%s is not one of the statements that only read: SELECT, TABLE, VALUES, WITH … SELECT, SHOW, DESCRIBE, EXPLAIN, CHECKSUM TABLE", strings.ToUpper(t.send))
}

// checkQuery returns why a query is none: only after WITH can something else follow.
func checkQuery(tokens []token) error {
	if !tokens[0].is("WITH") {
		return nil
	}
	i := 1
	if i < len(tokens) && tokens[i].is("RECURSIVE") {
		i++
	}
	for i < len(tokens) && tokens[i].isName() { // name [(columns)] AS (query) [, …]
		i++
		if i < len(tokens) && tokens[i].isSign("(") {
			i = closingBracket(tokens, i) + 1
		}
		if i+1 >= len(tokens) || !tokens[i].is("AS") || !tokens[i+1].isSign("(") {
			break
		}
		if i = closingBracket(tokens, i+1) + 1; i < len(tokens) && tokens[i].isSign(",") {
			i++
			continue
		}
		for i < len(tokens) && tokens[i].isSign("(") {
			i++
		}
		if i < len(tokens) && tokens[i].is("SELECT", "TABLE", "VALUES") {
			return nil
		}
		break
	}
	return errors.New("WITH … AS (…) must be followed by SELECT, TABLE or VALUES")
}

// closingBracket is the index of the bracket that closes the one at i, or of the last token.
func closingBracket(tokens []token, i int) int {
	depth := 0
	for ; i < len(tokens); i++ {
		switch {
		case tokens[i].isSign("("):
			depth++
		case tokens[i].isSign(")"):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(tokens) - 1
}

// checkExplain returns why what follows EXPLAIN is neither a query nor a table.
func checkExplain(rest []token) error {
	i := 0
	for i < len(rest) {
		switch {
		case rest[i].is("EXTENDED", "PARTITIONS", "ANALYZE") && i+1 < len(rest):
			i++
			continue
		case rest[i].is("FORMAT") && i+2 < len(rest) && rest[i+1].isSign("=") && (rest[i+2].kind == word || rest[i+2].kind == text):
			i += 3
			continue
		}
		break
	}
	rest = rest[i:]
	first := 0
	for first < len(rest)-1 && rest[first].isSign("(") {
		first++
	}
	if len(rest) > 0 && rest[first].is(queries...) {
		return checkQuery(rest[first:])
	}
	n := nameLength(rest)
	if n > 0 && n+1 >= len(rest) && (n == len(rest) || rest[n].isName() || rest[n].kind == text) && !rest[0].is("FOR", "CALL", "DO", "LOAD", "SET", "HANDLER", "ANALYZE", "INSERT", "REPLACE") {
		return nil // DESCRIBE table [column]
	}
	return errors.New("EXPLAIN is allowed only for SELECT, TABLE, VALUES, WITH … SELECT and tables")
}

// nameLength is the number of tokens of a name, with its schema, at the beginning.
func nameLength(tokens []token) int {
	switch {
	case len(tokens) == 0 || !tokens[0].isName():
		return 0
	case len(tokens) > 2 && tokens[1].isSign(".") && tokens[2].isName():
		return 3
	}
	return 1
}

// shows are the forms of SHOW that read, after SHOW and its modifiers.
var shows = strings.Split(`BINARY LOGS|BINARY LOG STATUS|BINLOG EVENTS|BINLOG STATUS|CHARACTER SET|CHARSET|CLIENT_STATISTICS|COLLATION|COLUMNS|COUNT|
CREATE DATABASE|CREATE EVENT|CREATE FUNCTION|CREATE LIBRARY|CREATE PACKAGE|CREATE PROCEDURE|CREATE SCHEMA|CREATE SEQUENCE|CREATE SERVER|CREATE TABLE|
CREATE TRIGGER|CREATE USER|CREATE VIEW|DATABASES|ENGINE|ENGINES|ERRORS|EVENTS|FIELDS|FUNCTION STATUS|GRANTS|INDEX|INDEXES|INDEX_STATISTICS|KEYS|
LIBRARY STATUS|LOCALES|MASTER LOGS|MASTER STATUS|OPEN TABLES|PACKAGE STATUS|PACKAGE BODY STATUS|PLUGINS|PRIVILEGES|PROCEDURE STATUS|PROCESSLIST|
PROFILE|PROFILES|RELAYLOG EVENTS|REPLICA|REPLICAS|SCHEMAS|SLAVE|SLAVES|STATUS|TABLE STATUS|TABLE_STATISTICS|TABLES|TRIGGERS|USER_STATISTICS|
VARIABLES|WARNINGS|WSREP_MEMBERSHIP|WSREP_STATUS`, "|")

func checkShow(rest []token) error {
	for len(rest) > 0 && rest[0].is("FULL", "GLOBAL", "SESSION", "LOCAL", "EXTENDED", "STORAGE", "ALL", "AUTHENTICATION") {
		rest = rest[1:]
	}
	for _, form := range shows {
		words := strings.Fields(form)
		matches := len(rest) >= len(words)
		for i := 0; matches && i < len(words); i++ {
			matches = rest[i].is(words[i])
		}
		if matches {
			return nil
		}
	}
	form := "SHOW"
	for i := 0; i < min(2, len(rest)); i++ {
		form += " " + strings.ToUpper(rest[i].send)
	}
	return fmt.Errorf("%s is not one of the forms of SHOW known to only read", form)
}

// resetting are the tables of information_schema that forget what they have shown.
var resetting = []string{"INNODB_CMP_RESET", "INNODB_CMPMEM_RESET", "INNODB_CMP_PER_INDEX_RESET"}

// checkWords returns why a keyword makes more of a statement than a read. All of these are reserved words on all servers.
func checkWords(tokens []token) error {
	isShow := tokens[0].is("SHOW")
	at := func(i int) token {
		if i < 0 || i >= len(tokens) {
			return token{kind: sign}
		}
		return tokens[i]
	}
	for i, t := range tokens {
		switch {
		case t.isName() && slices.Contains(resetting, upper(t.value)):
			return fmt.Errorf("%s resets statistics when it is read", upper(t.value))
		case t.isSign("@") && (!isShow || !at(1).is("GRANTS") && !at(2).is("USER")):
			return errors.New("user variables (@name) are refused")
		case t.kind != word, at(i-1).isSign(".") && !t.spaced, at(i - 1).isSign("@@"):
			if t.is("NEXTVAL") {
				return errors.New("NEXTVAL changes a sequence")
			}
		case t.is("INTO"):
			return errors.New("INTO writes to a file or a variable")
		case t.is("LOCK"):
			return errors.New("LOCK IN SHARE MODE locks rows")
		case t.is("FOR"):
			if err := checkFor(at(i-1), at(i+1), isShow); err != nil {
				return err
			}
		case t.is("UPDATE", "DELETE"),
			t.is("INSERT", "REPLACE") && (!at(i+1).isSign("(") || at(i-1).isSign(")")):
			return fmt.Errorf("%s writes", strings.ToUpper(t.value))
		case t.is("PROCEDURE") && (!isShow || i > 2):
			return errors.New("PROCEDURE is refused: procedures do more than read")
		}
	}
	return nil
}

// checkFor returns why FOR is none of those that only read.
func checkFor(before, after token, isShow bool) error {
	switch {
	case after.is("UPDATE", "SHARE"):
		return fmt.Errorf("FOR %s locks rows", strings.ToUpper(after.value))
	case before.is("VALUE"):
		return errors.New("NEXT VALUE FOR changes a sequence")
	case after.is("JOIN", "ORDER", "GROUP", "CHANNEL", "SYSTEM_TIME", "QUERY"), after.kind == number:
		return nil
	case isShow && (before.is("GRANTS") || after.isName() || after.kind == text) && !before.is("EXPLAIN", "ANALYZE"):
		return nil
	}
	return fmt.Errorf("FOR %s is not one of the forms known to only read", strings.ToUpper(after.send))
}
