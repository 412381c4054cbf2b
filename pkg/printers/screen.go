package printers

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync"

	"golang.org/x/term"
)

// Key is a key that moves about a live screen.
type Key int

// The keys that a screen knows.
const (
	KeyUp Key = iota
	KeyDown
	KeyPageUp
	KeyPageDown
	KeyHome
	KeyEnd
	KeyQuit
)

// Screen is the whole terminal for as long as something live is shown on it. What stood there before comes back with Close.
type Screen struct {
	// Keys are those that are pressed, if the input is a terminal.
	Keys <-chan Key

	out      io.Writer
	fd       int
	restore  func()
	closing  sync.Once
	lastLine []string
	// the size for which the lines were drawn
	width, height int
}

type fileDescriptor interface{ Fd() uintptr }

// IsLiveTerminal tells whether a live screen can be shown on an output.
func IsLiveTerminal(out io.Writer) bool {
	f, ok := out.(fileDescriptor)
	return ok && term.IsTerminal(int(f.Fd()))
}

// OpenScreen takes the terminal. Close must be called, whatever happens.
func OpenScreen(in io.Reader, out io.Writer) (*Screen, error) {
	f, ok := out.(fileDescriptor)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, errors.New("not a terminal")
	}
	s := &Screen{out: out, fd: int(f.Fd()), restore: func() {}}
	if f, ok := in.(fileDescriptor); ok && term.IsTerminal(int(f.Fd())) {
		fd := int(f.Fd())
		state, err := term.MakeRaw(fd)
		if err != nil {
			return nil, err
		}
		s.restore = func() { _ = term.Restore(fd, state) }
		keys := make(chan Key)
		s.Keys = keys
		go readKeys(in, keys)
	}
	// The alternate screen, no cursor, lines that are not wrapped.
	_, err := io.WriteString(out, "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J")
	return s, err
}

// Size is the present width and height.
func (s *Screen) Size() (width, height int) {
	width, height, err := term.GetSize(s.fd)
	if err != nil || width < 1 || height < 1 {
		return 80, 24
	}
	return width, height
}

// Resized tells whether the size is another than that for which was drawn last.
func (s *Screen) Resized(width, height int) bool { return width != s.width || height != s.height }

// Draw shows lines that were made for a size, of which it writes those that differ from what is shown.
func (s *Screen) Draw(lines []string, width, height int) error {
	var out bytes.Buffer
	full := len(lines) != len(s.lastLine) || s.Resized(width, height)
	s.width, s.height = width, height
	for i, line := range lines {
		if !full && s.lastLine[i] == line {
			continue
		}
		moveTo(&out, i+1)
		out.WriteString(line)
		out.WriteString("\x1b[0m\x1b[K")
	}
	if full {
		out.WriteString("\x1b[J")
	}
	s.lastLine = lines
	_, err := s.out.Write(out.Bytes())
	return err
}

func moveTo(out *bytes.Buffer, line int) {
	out.WriteString("\x1b[")
	out.WriteString(strconv.Itoa(line))
	out.WriteString(";1H")
}

// Close gives the terminal back as it was.
func (s *Screen) Close() {
	s.closing.Do(func() {
		_, _ = io.WriteString(s.out, "\x1b[?7h\x1b[?25h\x1b[?1049l")
		s.restore()
	})
}

// readKeys reads what a terminal in raw mode sends for keys. It ends with the input.
func readKeys(in io.Reader, keys chan<- Key) {
	names := map[string]Key{
		"k": KeyUp, "\x1b[A": KeyUp, "\x1bOA": KeyUp, "j": KeyDown, "\x1b[B": KeyDown, "\x1bOB": KeyDown,
		"\x1b[5~": KeyPageUp, "b": KeyPageUp, "\x1b[6~": KeyPageDown, " ": KeyPageDown, "g": KeyHome, "\x1b[H": KeyHome, "\x1b[1~": KeyHome,
		"G": KeyEnd, "\x1b[F": KeyEnd, "\x1b[4~": KeyEnd, "q": KeyQuit, "\x03": KeyQuit, "\x04": KeyQuit,
	}
	buffer := make([]byte, 16)
	for {
		n, err := in.Read(buffer)
		if key, ok := names[string(buffer[:n])]; ok {
			keys <- key
		}
		if err != nil {
			return
		}
	}
}
