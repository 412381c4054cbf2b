package printers

import (
	"io"
	"unicode/utf8"
)

// Key is a key that moves about a live screen.
type Key int

// The keys that a screen knows. KeyOther is any other.
const (
	KeyOther Key = iota
	KeyUp
	KeyDown
	KeyLeft
	KeyRight
	KeyPageUp
	KeyPageDown
	KeyHome
	KeyEnd
	KeyHelp
	KeySuspend
	KeyQuit
)

var keysOf = map[string]Key{
	"k": KeyUp, "\x1b[A": KeyUp, "\x1bOA": KeyUp, "j": KeyDown, "\x1b[B": KeyDown, "\x1bOB": KeyDown,
	"h": KeyLeft, "\x1b[D": KeyLeft, "\x1bOD": KeyLeft, "l": KeyRight, "\x1b[C": KeyRight, "\x1bOC": KeyRight,
	"b": KeyPageUp, "\x1b[5~": KeyPageUp, " ": KeyPageDown, "\x1b[6~": KeyPageDown,
	"g": KeyHome, "\x1b[H": KeyHome, "\x1bOH": KeyHome, "\x1b[1~": KeyHome, "\x1b[7~": KeyHome,
	"G": KeyEnd, "\x1b[F": KeyEnd, "\x1bOF": KeyEnd, "\x1b[4~": KeyEnd, "\x1b[8~": KeyEnd,
	"?": KeyHelp, "\x1a": KeySuspend, "q": KeyQuit, "\x03": KeyQuit, "\x04": KeyQuit,
}

// readKeys reads what a terminal in raw mode sends for keys, until the input ends, or until one says that it is enough, which closes quit.
func readKeys(in io.Reader, keys chan<- Key, quit chan<- struct{}) {
	buffer, unread := make([]byte, 256), ""
	for {
		n, err := in.Read(buffer)
		var read []Key
		read, unread = parseKeys(unread + string(buffer[:n]))
		for _, key := range read {
			if key == KeyQuit {
				close(quit)
				return
			}
			select {
			case keys <- key:
			default: // no one can have pressed so many in order to see each
			}
		}
		if err != nil {
			return
		}
	}
}

// parseKeys tells keys apart that came together. The rest is the beginning of one.
func parseKeys(text string) (keys []Key, rest string) {
	for text != "" {
		n := keyLength(text)
		if n == 0 {
			return keys, text
		}
		keys = append(keys, keysOf[text[:n]])
		text = text[n:]
	}
	return keys, ""
}

// maxSequence is the length from which on a sequence is taken to be none.
const maxSequence = 32

// keyLength is how many bytes the first key of a text has; 0 if there are more to come.
func keyLength(text string) int {
	if text[0] != '\x1b' {
		if !utf8.FullRuneInString(text) {
			return 0
		}
		_, n := utf8.DecodeRuneInString(text)
		return n
	}
	if len(text) == 1 {
		return 0
	}
	switch text[1] {
	case 'O': // ESC O and a letter
		if len(text) < 3 {
			return 0
		}
		return 3
	case '[': // ESC [, parameters, and what ends them
		for i := 2; i < len(text); i++ {
			switch c := text[i]; {
			case c >= '@' && c <= '~':
				return i + 1
			case c < ' ' || c > '~' || i > maxSequence: // none after all
				return i
			}
		}
		return 0
	}
	return 1 // the key Esc, or Alt with another
}
