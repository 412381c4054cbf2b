package mysql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// readStatements are the first words of statements that only read. A read-only transaction, which they run in, refuses what they
// could change all the same: SELECT … FOR UPDATE, WITH … DELETE.
var readStatements = []string{"SELECT", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "WITH", "TABLE", "VALUES"}

// refusedWords are those that a read-only transaction lets through, and that write to files or hold locks.
var refusedWords = map[string]string{
	"INTO":         "INTO writes to a file or a variable",
	"GET_LOCK":     "GET_LOCK takes a lock that others wait for",
	"RELEASE_LOCK": "RELEASE_LOCK gives locks back",
	"LOAD_FILE":    "LOAD_FILE reads files of the server's machine",
}

// CheckReadOnly tells why a statement is not run: it is none of those that read, or it is several. The statement comes back without
// white space around it and without a semicolon at its end.
func CheckReadOnly(statement string) (string, error) {
	words, err := scan(statement)
	if err != nil {
		return "", err
	}
	if len(words) == 0 {
		return "", errors.New("there is no statement")
	}
	if first := strings.ToUpper(words[0]); !slices.Contains(readStatements, first) {
		return "", fmt.Errorf("%s is not among the statements that only read: %s", first, strings.Join(readStatements, ", "))
	}
	for _, word := range words {
		if why := refusedWords[strings.ToUpper(word)]; why != "" {
			return "", errors.New(why)
		}
	}
	return strings.TrimRight(strings.TrimSpace(statement), "; \t\r\n"), nil
}

// scan splits a statement into its words, as a server with the usual sql_mode does: what is in quotes and comments is none. An
// error is what makes several statements, or hides one.
func scan(text string) (words []string, err error) {
	ended := false
	for i := 0; i < len(text); {
		rest := text[i:]
		c := text[i]
		switch {
		case strings.HasPrefix(rest, "/*!"), strings.HasPrefix(rest, "/*M!"):
			return nil, errors.New("comments that servers execute (/*! … */) are not taken")
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return nil, errors.New("a comment has no end")
			}
			i += 2 + end + 2
			continue
		case c == '#', rest == "--", strings.HasPrefix(rest, "--") && isSpace(rest[2]):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				return words, nil
			}
			i += end
			continue
		case isSpace(c):
			i++
			continue
		case c == ';':
			ended = true
			i++
			continue
		}
		if ended {
			return nil, errors.New("one statement at a time")
		}
		switch {
		case c == 0:
			return nil, errors.New("there is a NUL in the statement")
		case c == '\'', c == '"', c == '`':
			n, ok := quotedLength(rest)
			if !ok {
				return nil, fmt.Errorf("a text in %c has no end", c)
			}
			i += n
		case isWord(c):
			n := 1
			for n < len(rest) && isWord(rest[n]) {
				n++
			}
			words = append(words, rest[:n])
			i += n
		default:
			i++
		}
	}
	return words, nil
}

func isSpace(c byte) bool { return strings.IndexByte(" \t\r\n\v\f", c) >= 0 }

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// quotedLength is the length of a text in quotes at the beginning, with them.
func quotedLength(text string) (n int, ok bool) {
	quote := text[0]
	for n = 1; n < len(text); n++ {
		switch {
		case text[n] == '\\' && quote != '`':
			n++
		case text[n] == quote && n+1 < len(text) && text[n+1] == quote:
			n++
		case text[n] == quote:
			return n + 1, true
		}
	}
	return 0, false
}
