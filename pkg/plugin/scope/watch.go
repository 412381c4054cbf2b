package scope

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

const (
	// settleDelay gathers changes that come together: an object of the API changes several times at once.
	settleDelay = 150 * time.Millisecond
	// Where a report takes long, more changes are gathered for the next: restFactor times as long, up to maxSettleDelay, so that a
	// large cluster in which always something changes does not take a whole core.
	restFactor     = 3
	maxSettleDelay = time.Second
	// redrawInterval is how often a screen on which nothing changes is drawn anew, for its ages.
	redrawInterval = 10 * time.Second
	// markInterval is the same while cells are marked as changed.
	markInterval = time.Second
	// longTimeline is how much of the timeline is kept for the screen.
	longTimeline = 500
)

// Watched is a report that changes.
type Watched[R any] struct {
	// Title says what is watched.
	Title string
	// Report makes the present report; ok is false as long as it is not complete.
	Report func(ctx context.Context, now time.Time) (report R, ok bool, err error)
	// Document is the report in all its forms.
	Document func(report R, now time.Time) printers.Document
	// Empty tells whether there is none of Things yet, which is said once where a table would have no rows.
	Empty  func(report R) bool
	Things string
	// Problems are what could not be read.
	Problems func(report R) []v1alpha1.Problem
	// Key tells rows of the table apart; Volatile are the titles of columns that change by themselves.
	Key      func(row []printers.Cell) string
	Volatile []string
	// Timeline tells what happened between two reports.
	Timeline func(before, after R, now time.Time) []printers.Happening
	// Goal, which may be nil, tells whether what is waited for (GoalName) has come about.
	Goal     func(report R) bool
	GoalName string
}

// NewChanges returns what Watch waits for, and what is to be called after each change, from any goroutine: it never blocks.
func NewChanges() (changes <-chan struct{}, changed func()) {
	pending := make(chan struct{}, 1)
	return pending, func() {
		select {
		case pending <- struct{}{}:
		default:
		}
	}
}

// Watch shows a report for as long as the context lasts: live on a terminal; elsewhere its rows, then what happens and the rows that
// change; in the formats for scripts a document for each change. Changes has an element when something may have changed.
// It ends without an error when the goal is reached or the user has had enough.
func Watch[R any](ctx context.Context, s *Scope, changes <-chan struct{}, w Watched[R]) error {
	v := &view[R]{scope: s, Watched: w}
	if s.Printer.IsTable() && printers.IsLiveTerminal(s.Streams.Out) {
		screen, err := printers.OpenScreen(s.Streams.In, s.Streams.Out)
		if err != nil {
			return err
		}
		v.screen = screen
		defer screen.Close()
	}
	return v.loop(ctx, changes)
}

// view is what is shown, and what was shown before.
type view[R any] struct {
	Watched[R]
	scope    *Scope
	screen   *printers.Screen
	changes  printers.Changes
	shown    bool
	printed  bool // the table, with its titles
	report   R
	warned   map[string]bool
	timeline []printers.Happening
	scroll   int
}

func (v *view[R]) loop(ctx context.Context, changes <-chan struct{}) error {
	var keys <-chan printers.Key
	var redraw <-chan time.Time
	if v.screen != nil {
		keys = v.screen.Keys
		ticker := time.NewTicker(markInterval)
		defer ticker.Stop()
		redraw = ticker.C
	}
	drawn, settle := time.Time{}, settleDelay
	for {
		select {
		case <-ctx.Done():
			return v.ended(ctx)
		case <-changes:
			select { // others that come with it
			case <-ctx.Done():
				return v.ended(ctx)
			case <-time.After(settle):
			}
			select {
			case <-changes:
			default:
			}
			begun := time.Now()
			reached, err := v.update(ctx)
			if err != nil || reached {
				return err
			}
			drawn = time.Now()
			settle = min(max(settleDelay, restFactor*drawn.Sub(begun)), maxSettleDelay)
		case <-redraw:
			if now := time.Now(); v.shown && (v.changes.Marked(now) || now.Sub(drawn) >= redrawInterval || v.resized()) {
				drawn = now
				if err := v.draw(now); err != nil {
					return err
				}
			}
		case key := <-keys:
			if key == printers.KeyQuit {
				return nil
			}
			v.move(key)
			if err := v.draw(time.Now()); err != nil {
				return err
			}
		}
	}
}

// ended tells how a watch that its context has ended has gone: a goal that was not reached in time is an error, Ctrl-C is none.
func (v *view[R]) ended(ctx context.Context) error {
	if v.Goal != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("timed out waiting for %s", v.GoalName)
	}
	return nil
}

// update makes the present report and shows what is new in it.
func (v *view[R]) update(ctx context.Context) (reached bool, err error) {
	now := time.Now()
	report, ok, err := v.Report(ctx, now)
	if ctx.Err() != nil {
		return false, v.ended(ctx)
	}
	if err != nil || !ok {
		return false, err
	}
	v.scope.paste(report)
	var news []printers.Happening
	if v.shown {
		news = v.Timeline(v.report, report, now)
	}
	first := !v.shown
	if first && v.Empty(report) && v.screen != nil {
		if _, err := v.scope.CheckNamespace(ctx); err != nil {
			return false, err
		}
	}
	v.report, v.shown = report, true
	v.timeline = append(v.timeline, news...)
	v.timeline = v.timeline[max(0, len(v.timeline)-longTimeline):]
	switch {
	case v.screen != nil:
		err = v.draw(now)
	case v.scope.Printer.IsTable():
		err = v.write(ctx, now, first, news)
	default:
		err = v.writeDocument(now, first, news)
	}
	return v.Goal != nil && v.Goal(report), err
}

// write writes the table once, as soon as it has rows, and from then on what happens and the rows that change.
func (v *view[R]) write(ctx context.Context, now time.Time, first bool, news []printers.Happening) error {
	document := v.Document(v.report, now)
	table := document.Table()
	changed := v.changes.Update(&table, v.Key, now, v.scope.Printer.Wide(), v.Volatile...)
	v.warn()
	if err := v.scope.Printer.PrintTimeline(v.scope.Streams.Out, news); err != nil {
		return err
	}
	switch {
	case v.printed:
	case !v.Empty(v.report):
		v.printed = true
		return v.scope.Printer.Print(v.scope.Streams.Out, document)
	case first:
		if err := v.scope.NothingFound(ctx, v.Things); err != nil {
			return err
		}
	}
	return v.scope.Printer.PrintRows(v.scope.Streams.Out, table, v.Key, changed)
}

// writeDocument writes the report if something happened, or if a row has changed in more than what changes by itself.
func (v *view[R]) writeDocument(now time.Time, first bool, news []printers.Happening) error {
	document := v.Document(v.report, now)
	table := document.Table()
	changed := v.changes.Update(&table, v.Key, now, true, v.Volatile...)
	if !first && len(news) == 0 && len(changed) == 0 {
		return nil
	}
	return v.scope.Printer.Print(v.scope.Streams.Out, document)
}

// warn writes each problem once, when it arises.
func (v *view[R]) warn() {
	warned := map[string]bool{}
	for _, p := range v.Problems(v.report) {
		line := warning(p)
		if !v.warned[line] {
			fmt.Fprintln(v.scope.Streams.ErrOut, line)
		}
		warned[line] = true
	}
	v.warned = warned
}

func (v *view[R]) resized() bool {
	width, height := v.screen.Size()
	return v.screen.Resized(width, height)
}

func (v *view[R]) move(key printers.Key) {
	_, height := v.screen.Size()
	switch key {
	case printers.KeyUp:
		v.scroll--
	case printers.KeyDown:
		v.scroll++
	case printers.KeyPageUp:
		v.scroll -= height / 2
	case printers.KeyPageDown:
		v.scroll += height / 2
	case printers.KeyHome:
		v.scroll = 0
	case printers.KeyEnd:
		v.scroll = 1 << 30
	}
	v.scroll = max(0, v.scroll)
}

func (v *view[R]) draw(now time.Time) error {
	if !v.shown {
		return nil
	}
	table := v.Document(v.report, now).Table()
	v.changes.Update(&table, v.Key, now, v.scope.Printer.Wide(), v.Volatile...)
	width, height := v.screen.Size()
	frame := printers.Frame{
		Title: v.Title + "   " + now.Format("15:04:05"), Table: table, Timeline: v.timeline, Width: width, Height: height, Scroll: v.scroll,
	}
	for _, p := range v.Problems(v.report) {
		frame.Notes = append(frame.Notes, warning(p))
	}
	lines, err := v.scope.Printer.Frame(&frame)
	if err != nil {
		return err
	}
	v.scroll = frame.Scroll
	return v.screen.Draw(lines, width, height)
}
