// Package readonly decides whether a statement that a user gives may be sent to MySQL and MariaDB servers: it takes what is on its lists
// of statements and functions that only read, and refuses the rest. It is pure: what is behind a view has to be looked up by those who ask.
package readonly

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

type kind int

const (
	word   kind = iota // an unquoted identifier or keyword
	quoted             // an identifier in backticks
	text               // a string
	number
	sign // an operator's character, a bracket, or @@
)

// token is a part of a statement on whose limits all servers agree, whatever their sql_mode.
type token struct {
	kind kind
	// value is an identifier's name, a string's content; for the others it is what was written.
	value string
	// send is what goes to the server.
	send string
	// spaced reports whether white space or a comment stands before it.
	spaced bool
}

// is reports whether a token is an unquoted keyword. Letters that only Unicode takes for those of ASCII make none.
func (t token) is(keywords ...string) bool {
	if t.kind != word {
		return false
	}
	return slices.Contains(keywords, upper(t.value))
}

func (t token) isSign(s string) bool { return t.kind == sign && t.value == s }

func (t token) isName() bool { return t.kind == word || t.kind == quoted }

// signs are the characters that stand for themselves. What is not among them is refused: a colon assigns variables, a dollar sign
// begins strings in some versions, a backslash, braces and square brackets mean different things to different servers.
const signs = "(),.+-*/%=<>!&|^~"

// lex splits a statement into tokens. What servers could split differently, by their product, version, sql_mode or character set, is an error.
func lex(statement string) ([]token, error) {
	if !utf8.ValidString(statement) {
		return nil, errors.New("the statement is not valid UTF-8")
	}
	for _, r := range statement {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return nil, fmt.Errorf("the statement contains a control character (0x%02x)", r)
		}
	}
	var tokens []token
	spaced, ended := false, false
	for i := 0; i < len(statement); {
		rest := statement[i:]
		if n, err := skip(rest); err != nil {
			return nil, err
		} else if n > 0 {
			i += n
			spaced = true
			continue
		}
		if rest[0] == ';' {
			ended = true
			i++
			continue
		}
		if ended {
			return nil, errors.New("one statement at a time")
		}
		t, n, err := next(rest, tokens)
		if err != nil {
			return nil, err
		}
		t.spaced = spaced || t.spaced
		tokens = append(tokens, t)
		spaced = false
		i += n
	}
	return tokens, nil
}

// skip returns the length of a comment or of white space at the beginning. Comments never reach a server.
func skip(rest string) (n int, err error) {
	switch {
	case strings.ContainsRune(" \t\r\n", rune(rest[0])):
		return 1, nil
	case strings.HasPrefix(rest, "/*!"), strings.HasPrefix(rest, "/*M!"):
		return 0, errors.New("comments that servers execute (/*! … */) are refused")
	case strings.HasPrefix(rest, "/*+"):
		return 0, errors.New("optimizer hints (/*+ … */) are refused: they can change variables and the time limit")
	case strings.HasPrefix(rest, "/*"):
		end := strings.Index(rest[2:], "*/")
		if end < 0 {
			return 0, errors.New("unterminated comment")
		}
		return 2 + end + 2, nil
	case strings.HasPrefix(rest, "*/"):
		return 0, errors.New("*/ outside of a comment")
	case strings.HasPrefix(rest, "--") && len(rest) > 2 && !strings.ContainsRune(" \t\r\n", rune(rest[2])):
		return 0, errors.New("-- is ambiguous here: put a space between the two minus signs, or after them for a comment")
	case rest[0] == '#', strings.HasPrefix(rest, "--"):
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			return end, nil
		}
		return len(rest), nil
	}
	return 0, nil
}

// next reads one token of n bytes; before are those that precede it.
func next(rest string, before []token) (t token, n int, err error) {
	c := rest[0]
	last := token{kind: sign}
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch {
	case c == '\'' || c == '"':
		n, err = stringLength(rest)
		if err != nil {
			return t, 0, err
		}
		content := rest[1 : n-1]
		double := c == '"'
		if double { // which is an identifier with ANSI_QUOTES: servers see only the other quotes
			content = strings.ReplaceAll(strings.ReplaceAll(content, `""`, `"`), "'", "''")
		}
		// x'41' is a number, and other servers may know more letters of this kind.
		return token{kind: text, value: content, send: "'" + content + "'", spaced: double || !takesString(last)}, n, nil
	case c == '`':
		name, n, err := backticked(rest)
		return token{kind: quoted, value: name, send: rest[:n]}, n, err
	case c >= '0' && c <= '9', c == '.' && len(rest) > 1 && isDigit(rest[1]):
		if c == '.' && (last.isName() || last.kind == number || last.isSign(")")) || last.isSign(".") {
			return t, 0, errors.New("a name that begins with a digit must be in backticks")
		}
		n, err = numberLength(rest)
		return token{kind: number, value: rest[:n], send: rest[:n]}, n, err
	case isWord(c):
		for n < len(rest) && isWord(rest[n]) {
			n++
		}
		if n < len(rest) && rest[n] == '$' {
			return t, 0, errors.New("a name with a dollar sign must be in backticks")
		}
		return token{kind: word, value: rest[:n], send: rest[:n]}, n, nil
	case c == '@':
		return at(rest)
	case strings.HasPrefix(rest, ".."):
	case strings.IndexByte(signs, c) >= 0:
		return token{kind: sign, value: rest[:1], send: rest[:1]}, 1, nil
	case c == ':':
		return t, 0, errors.New("a colon is refused: := assigns variables")
	case c == '$':
		return t, 0, errors.New("a name with a dollar sign must be in backticks")
	}
	return t, 0, fmt.Errorf("%q outside of a string is refused: servers read it differently", string(c))
}

// at reads @@, which begins a server's variable, or the @ of an account.
func at(rest string) (t token, n int, err error) {
	if strings.HasPrefix(rest, "@@") {
		if len(rest) < 3 || !isWord(rest[2]) && rest[2] != '`' {
			return t, 0, errors.New("@@ must be followed by a variable's name")
		}
		return token{kind: sign, value: "@@", send: "@@"}, 2, nil
	}
	if len(rest) > 1 && (rest[1] == '\'' || rest[1] == '"' || rest[1] == '`') {
		return token{kind: sign, value: "@", send: "@"}, 1, nil
	}
	return t, 0, errors.New("user variables (@name) are refused; the host of an account must be in quotes")
}

// takesString reports whether a word belongs to the string that follows it at once: x'41', b'01', n'text', _utf8mb4'text'.
func takesString(t token) bool {
	return t.is("X", "B", "N") || t.kind == word && strings.HasPrefix(t.value, "_") || t.kind == sign
}

// stringLength is the length of a string at the beginning, with its quotes. It must be the same with sql_mode NO_BACKSLASH_ESCAPES and without.
func stringLength(rest string) (int, error) {
	with, ok := closing(rest, true)
	without, okWithout := closing(rest, false)
	switch {
	case !ok && !okWithout:
		return 0, fmt.Errorf("unterminated string in %c", rest[0])
	case with != without || ok != okWithout:
		return 0, fmt.Errorf(`a backslash before a quote is refused: servers read it differently; write %[1]c%[1]c for a quote in a text`, rest[0])
	}
	return with, nil
}

func closing(rest string, escapes bool) (n int, ok bool) {
	quote := rest[0]
	for n = 1; n < len(rest); n++ {
		switch {
		case rest[n] == '\\' && escapes:
			n++
		case rest[n] == quote && n+1 < len(rest) && rest[n+1] == quote:
			n++
		case rest[n] == quote:
			return n + 1, true
		}
	}
	return 0, false
}

func backticked(rest string) (name string, n int, err error) {
	var b strings.Builder
	for n = 1; n < len(rest); n++ {
		switch {
		case rest[n] != '`':
			b.WriteByte(rest[n])
		case n+1 < len(rest) && rest[n+1] == '`':
			b.WriteByte('`')
			n++
		default:
			return b.String(), n + 1, nil
		}
	}
	return "", 0, errors.New("unterminated name in `")
}

// numberLength is the length of a number. What looks like one and goes on is refused: servers drop parts of some (1.e).
func numberLength(rest string) (n int, err error) {
	digits := func() (some bool) {
		for n < len(rest) && isDigit(rest[n]) {
			n, some = n+1, true
		}
		return some
	}
	switch {
	case strings.HasPrefix(rest, "0x"), strings.HasPrefix(rest, "0b"):
		allowed := "01"
		if rest[1] == 'x' {
			allowed = "0123456789abcdefABCDEF"
		}
		for n = 2; n < len(rest) && strings.IndexByte(allowed, rest[n]) >= 0; {
			n++
		}
		if n == 2 {
			n = 0
		}
	default:
		some := digits()
		if n < len(rest) && rest[n] == '.' {
			n++
			some = digits() || some && (n == len(rest) || !isWord(rest[n]))
		}
		if some && n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
			n++
			if n < len(rest) && (rest[n] == '+' || rest[n] == '-') {
				n++
			}
			some = digits()
		}
		if !some {
			n = 0
		}
	}
	if n == 0 || n < len(rest) && (isWord(rest[n]) || rest[n] == '.' || rest[n] == '$' || rest[n] == '\'' || rest[n] == '"' || rest[n] == '`' || rest[n] == '@') {
		return 0, errors.New("a number is followed by letters: put a space in between, or quote the name in backticks")
	}
	return n, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWord reports whether a byte belongs to unquoted names, on all servers.
func isWord(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// send puts tokens together again: this is what a server gets. Between a function and its bracket there is no space, or else a stored
// function of the name of a built-in one could be meant.
func send(tokens []token) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 && t.spaced {
			b.WriteByte(' ')
		}
		b.WriteString(t.send)
	}
	return b.String()
}
