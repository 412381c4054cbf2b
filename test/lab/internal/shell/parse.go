package shell

import (
	"fmt"
	"strconv"
	"strings"
)

// simpleCommand is a command of a script and the operator before it: "", "&&" or "||".
type simpleCommand struct {
	after string
	words []word
}

// word is a word of a command, in pieces that are quoted differently.
type word []piece

type piece struct {
	text    string
	quoted  bool
	literal bool // no variables in it: between ' and '
}

func unsupported(near string) error {
	return fmt.Errorf("the lab's shell knows no pipes, substitutions, or redirections other than to /dev/null: near %q", near)
}

// parse splits a script into commands. The operators are ; && || and the end of the line.
func parse(script string) ([]simpleCommand, error) {
	var (
		commands []simpleCommand
		current  simpleCommand
		building word
	)
	endWord := func() {
		if len(building) > 0 {
			current.words = append(current.words, building)
			building = nil
		}
	}
	endCommand := func(operator string) {
		endWord()
		if len(current.words) > 0 {
			commands = append(commands, current)
		}
		current = simpleCommand{after: operator}
	}
	for rest := strings.ReplaceAll(script, "\r\n", "\n"); rest != ""; {
		switch c := rest[0]; {
		case strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, "||"):
			endCommand(rest[:2])
			rest = rest[2:]
		case c == ';' || c == '\n' || c == '\r':
			endCommand("")
			rest = rest[1:]
		case c == ' ' || c == '\t':
			endWord()
			rest = rest[1:]
		case c == '#' && len(building) == 0:
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			rest = rest[end:]
		case c == '\'' || c == '"':
			pieces, after, ok := quotedPieces(rest)
			if !ok {
				return nil, fmt.Errorf("syntax error: unterminated quoted string")
			}
			building = append(building, pieces...)
			rest = after
		case c == '\\' && len(rest) > 1:
			building = append(building, piece{text: rest[1:2], quoted: true, literal: true})
			rest = rest[2:]
		case c == '|' || c == '(' || c == ')' || c == '`' || strings.HasPrefix(rest, "$("):
			return nil, unsupported(rest)
		default:
			end := 1 + strings.IndexAny(rest[1:]+"\n", " \t\r\n;|()`'\"\\$")
			if amps := strings.Index(rest[:end], "&&"); amps > 0 {
				end = amps
			}
			building = append(building, piece{text: rest[:end]})
			rest = rest[end:]
		}
	}
	endCommand("")
	return commands, nil
}

// quotedPieces reads a string in quotes, and within " the characters that \ takes their meaning from.
func quotedPieces(s string) (pieces []piece, rest string, ok bool) {
	quote, start := s[0], 1
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return append(pieces, piece{text: s[start:i], quoted: true, literal: quote == '\''}), s[i+1:], true
		case quote == '"' && s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\"\\$`", s[i+1]) >= 0:
			pieces = append(pieces,
				piece{text: s[start:i], quoted: true},
				piece{text: s[i+1 : i+2], quoted: true, literal: true})
			i++
			start = i + 1
		}
	}
	return nil, "", false
}

func (w word) quoted() bool {
	for _, p := range w {
		if p.quoted {
			return true
		}
	}
	return false
}

// bare is the part of the word that is not quoted.
func (w word) bare() string {
	var text strings.Builder
	for _, p := range w {
		if !p.quoted {
			text.WriteString(p.text)
		}
	}
	return text.String()
}

func (w word) expand(c Container, last int) string {
	var text strings.Builder
	for _, p := range w {
		if p.literal {
			text.WriteString(p.text)
		} else {
			text.WriteString(expandVariables(p.text, c, last))
		}
	}
	return text.String()
}

// expandVariables fills in $NAME, ${NAME} and $?.
func expandVariables(text string, c Container, last int) string {
	var out strings.Builder
	for {
		before, after, ok := strings.Cut(text, "$")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		name, rest := variableName(after)
		switch name {
		case "?":
			out.WriteString(strconv.Itoa(last))
		case "":
			out.WriteString("$")
		default:
			value, _ := c.lookup(name)
			out.WriteString(value)
		}
		text = rest
	}
}

func variableName(s string) (name, rest string) {
	if strings.HasPrefix(s, "?") {
		return "?", s[1:]
	}
	if inner, ok := strings.CutPrefix(s, "{"); ok {
		if name, rest, ok := strings.Cut(inner, "}"); ok {
			return name, rest
		}
	}
	end := strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}
