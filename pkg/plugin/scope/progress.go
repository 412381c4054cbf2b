package scope

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// progressDelay keeps quick commands quiet.
const progressDelay = 500 * time.Millisecond

// Progress is a line on stderr that says what is being waited for. It shows on a terminal only, and only if the wait is long.
type Progress struct {
	out   io.Writer
	mu    sync.Mutex
	text  string
	dots  string
	shown bool
	ended bool
	timer *time.Timer
}

// StartProgress begins a line. End must be called before anything else is printed.
func (s *Scope) StartProgress(text string) *Progress {
	p := &Progress{out: s.Streams.ErrOut, text: text, dots: "…"}
	if printers.LacksUTF8(p.out, os.Getenv) {
		p.dots = printers.ASCII(p.dots)
	}
	if !printers.IsLiveTerminal(p.out) {
		p.ended = true
		return p
	}
	p.timer = time.AfterFunc(progressDelay, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.shown = !p.ended
		p.draw()
	})
	return p
}

// Step changes the line.
func (p *Progress) Step(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
	p.draw()
}

// End removes the line.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	p.shown, p.ended = false, true
}

func (p *Progress) draw() {
	if p.shown {
		fmt.Fprintf(p.out, "\r\x1b[K%s %s", p.text, p.dots)
	}
}
