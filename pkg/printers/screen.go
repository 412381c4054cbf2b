package printers

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"sync"

	"golang.org/x/term"
)

// Screen is the whole terminal for as long as something live is shown on it. What stood there before comes back with Close.
type Screen struct {
	// Keys are those that are pressed, if the input is a terminal.
	Keys <-chan Key
	// Quit is closed when the first of them says so, whatever is being done with others.
	Quit <-chan struct{}
	// Resumed has an element after the process was stopped and goes on.
	Resumed <-chan os.Signal

	in, out  fileDescriptor
	writer   io.Writer
	restore  func()
	closing  sync.Once
	lastLine []string
	// the size for which the lines were drawn
	width, height int
}

type fileDescriptor interface{ Fd() uintptr }

// IsLiveTerminal reports whether a live screen can be shown on an output: a terminal that knows escape sequences.
func IsLiveTerminal(out io.Writer) bool { return isTerminal(out) && !isDumb() }

func isTerminal(out any) bool {
	f, ok := out.(fileDescriptor)
	return ok && term.IsTerminal(int(f.Fd()))
}

// widthOf is the width of an output that is a terminal; 0 for what is none, and where it is not known.
func widthOf(out any) int {
	if !isTerminal(out) {
		return 0
	}
	width, _, err := term.GetSize(int(out.(fileDescriptor).Fd()))
	if err != nil {
		return 0
	}
	return max(0, width)
}

const (
	// The alternate screen, no cursor, lines that are not wrapped.
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
)

// OpenScreen takes the terminal. Close must be called, whatever happens.
func OpenScreen(in io.Reader, out io.Writer) (*Screen, error) {
	if !isTerminal(out) {
		return nil, errors.New("not a terminal")
	}
	quit, resumed := make(chan struct{}), make(chan os.Signal, 1)
	s := &Screen{Quit: quit, Resumed: resumed, out: out.(fileDescriptor), writer: out, restore: func() {}}
	if isTerminal(in) {
		s.in = in.(fileDescriptor)
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	if s.in != nil {
		keys := make(chan Key, 64)
		s.Keys = keys
		go readKeys(in, keys, quit)
	}
	notifyResumed(resumed)
	return s, nil
}

// enter makes the terminal a screen.
func (s *Screen) enter() error {
	if s.in != nil {
		fd := int(s.in.Fd())
		state, err := term.MakeRaw(fd)
		if err != nil {
			return err
		}
		s.restore = func() { _ = term.Restore(fd, state) }
	}
	s.lastLine = nil
	_, err := io.WriteString(s.writer, enterScreen)
	return err
}

// leave gives the terminal back as it was.
func (s *Screen) leave() {
	_, _ = io.WriteString(s.writer, leaveScreen)
	s.restore()
}

// Suspend stops the process, as Ctrl-Z does, and takes the terminal again when it goes on. What is shown has to be drawn once more.
func (s *Screen) Suspend() error {
	s.leave()
	stopProcess(s.Resumed)
	return s.enter()
}

// Resume takes the terminal again after the process was stopped by another process: the shell has made it its own meanwhile.
func (s *Screen) Resume() error {
	s.restore()
	return s.enter()
}

// Size is the present width and height.
func (s *Screen) Size() (width, height int) {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width < 1 || height < 1 {
		return 80, 24
	}
	return width, height
}

// Resized reports whether the size is another than that for which was drawn last.
func (s *Screen) Resized(width, height int) bool { return width != s.width || height != s.height }

// Draw shows lines that were made for a size, of which it writes those that differ from what is shown.
func (s *Screen) Draw(lines []string, width, height int) error {
	var out bytes.Buffer
	full := len(lines) != len(s.lastLine) || s.Resized(width, height)
	s.width, s.height = width, height
	if full {
		out.WriteString("\x1b[H\x1b[J")
	}
	for i, line := range lines {
		if !full && s.lastLine[i] == line {
			continue
		}
		moveTo(&out, i+1)
		// Erased first: after a line as wide as the screen the cursor stands on its last character.
		out.WriteString("\x1b[K")
		out.WriteString(line)
		out.WriteString(colorOff)
	}
	s.lastLine = lines
	_, err := s.writer.Write(out.Bytes())
	return err
}

func moveTo(out *bytes.Buffer, line int) {
	out.WriteString("\x1b[")
	out.WriteString(strconv.Itoa(line))
	out.WriteString(";1H")
}

// Close gives the terminal back as it was.
func (s *Screen) Close() { s.closing.Do(s.leave) }
