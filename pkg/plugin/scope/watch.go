package scope

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
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
	// doubtDelay is when a report is tried again that was made while it was doubtful whether the API server is there.
	doubtDelay = time.Second
	// beginDelay is the pause before another attempt to begin.
	beginDelay = 500 * time.Millisecond
	// shiftShare is the part of the screen's width by which columns are shifted.
	shiftShare = 4
	// longTimeline is how much of the timeline is kept for the screen.
	longTimeline = 500
)

// Watched is a report that changes.
type Watched[R any] struct {
	// Title says what is watched.
	Title string
	// Begin, which may be nil, begins to follow; it is called once more if the API server could not be reached. Nothing else is called
	// before it has returned without an error, and End, which may be nil, only then. What Begin begins ends with its context.
	Begin func(ctx context.Context) error
	End   func()
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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &view[R]{scope: s, Watched: w, link: s.Cluster.Link(), begun: make(chan error, 1)}
	if s.Printer.IsTable() && printers.IsLiveTerminal(s.Streams.Out) {
		screen, err := printers.OpenScreen(s.Streams.In, s.Streams.Out)
		if err != nil {
			return err
		}
		v.screen = screen
		defer screen.Close()
	}
	linkChanges, linkChanged := NewChanges()
	v.link.Guard(ctx, linkChanged)
	if v.Begin == nil {
		v.begun <- nil
	} else {
		go v.begin(ctx)
	}
	err := v.loop(ctx, changes, linkChanges)
	if v.following && v.End != nil {
		v.End()
	}
	return err
}

// begin begins to follow, as soon as the API server is there.
func (v *view[R]) begin(ctx context.Context) {
	for {
		err := v.Begin(ctx)
		if err == nil || ctx.Err() != nil || !v.link.Awaited(err) {
			v.begun <- err
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(beginDelay):
		}
		v.link.Up(ctx)
	}
}

// view is what is shown, and what was shown before.
type view[R any] struct {
	Watched[R]
	scope     *Scope
	screen    *printers.Screen
	link      *kube.Link
	loss      *kube.Loss // that was told of
	begun     chan error
	following bool
	changes   printers.Changes
	shown     bool
	printed   bool // the table, with its titles
	report    R
	warned    map[string]bool
	timeline  []printers.Happening
	scroll    int
	shift     int
	help      bool
	drawn     time.Time
}

func (v *view[R]) loop(ctx context.Context, changes, linkChanges <-chan struct{}) error {
	var keys <-chan printers.Key
	var quit <-chan struct{}
	var resumed <-chan os.Signal
	redraw := make(<-chan time.Time)
	if v.screen != nil {
		keys, quit, resumed = v.screen.Keys, v.screen.Quit, v.screen.Resumed
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-quit:
				cancel() // whatever is being waited for
			case <-ctx.Done():
			}
		}()
		ticker := time.NewTicker(markInterval)
		defer ticker.Stop()
		redraw = ticker.C
		if err := v.draw(time.Now()); err != nil {
			return err
		}
	}
	var pending <-chan time.Time // when changes are taken in; nil if there are none
	settle := settleDelay
	for {
		var err error
		select {
		case <-quit:
			return nil
		case <-ctx.Done():
			return v.ended(ctx)
		case err = <-v.begun:
			v.following, pending = err == nil, time.After(settle)
		case <-linkChanges:
			err = v.tellLoss(time.Now())
			pending = time.After(settle)
		case <-changes:
			if pending == nil { // others come with it
				pending = time.After(settle)
			}
		case <-pending:
			pending = nil
			if !v.following {
				continue
			}
			begun := time.Now()
			var reached, doubtful bool
			if reached, doubtful, err = v.update(ctx); reached {
				return nil
			}
			over := time.Now()
			settle = min(max(settleDelay, restFactor*over.Sub(begun)), maxSettleDelay)
			if doubtful {
				pending = time.After(doubtDelay)
			}
		case <-redraw:
			if now := time.Now(); v.due(now) {
				err = v.draw(now)
			}
		case <-resumed:
			if err = v.screen.Resume(); err == nil {
				err = v.draw(time.Now())
			}
		case key := <-keys:
			err = v.press(key)
		}
		if err != nil {
			return err
		}
	}
}

// due tells whether the screen is to be drawn though nothing has changed. Before there is a report, its clock is all there is.
func (v *view[R]) due(now time.Time) bool {
	return !v.shown || v.changes.Marked(now) || now.Sub(v.drawn) >= redrawInterval || v.resized()
}

// tellLoss says when the API server is away and when it is back: on a screen in the timeline, and above it for as long as it lasts;
// elsewhere a line each on stderr.
func (v *view[R]) tellLoss(now time.Time) error {
	loss := v.link.Loss()
	before := v.loss
	v.loss = loss
	var news printers.Happening
	switch {
	case loss != nil && before == nil:
		news = printers.Happening{Time: loss.Since, Level: printers.Alarm, Text: lossText(loss)}
		if v.screen == nil {
			fmt.Fprintln(v.scope.Streams.ErrOut, "warning: "+v.scope.Printer.Text(lossLine(loss)))
		}
	case loss == nil && before != nil:
		news = printers.Happening{Time: now, Text: "API server reachable again after " + duration.HumanDuration(now.Sub(before.Since))}
		if !before.Reached {
			news.Text = "API server reached after " + duration.HumanDuration(now.Sub(before.Since))
		}
		if v.screen == nil {
			fmt.Fprintln(v.scope.Streams.ErrOut, v.scope.Printer.Text(news.Text+", at "+now.Format(time.TimeOnly)))
		}
	}
	if v.screen == nil {
		return nil
	}
	if news.Text != "" {
		v.timeline = append(v.timeline, news)
	}
	return v.draw(now)
}

// lossText says why there is nothing new.
func lossText(loss *kube.Loss) string {
	if loss.Reached {
		return "API server unreachable: " + loss.Reason
	}
	return "API server not reached: " + loss.Reason
}

// lossLine also says since when, and what that means for what is shown.
func lossLine(loss *kube.Loss) string {
	since := loss.Since.Format(time.TimeOnly)
	if loss.Reached {
		return fmt.Sprintf("API server unreachable since %s (%s); what is shown is from then", since, loss.Reason)
	}
	return fmt.Sprintf("API server not reached since %s (%s); waiting for it", since, loss.Reason)
}

// ended tells how a watch that its context has ended has gone: a goal that was not reached in time is an error, Ctrl-C is none.
func (v *view[R]) ended(ctx context.Context) error {
	if v.Goal == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	err := fmt.Errorf("timed out waiting for %s", v.GoalName)
	if loss := v.link.Loss(); loss != nil {
		return fmt.Errorf("%w: --timeout=%s is over, and the %s since %s", err, v.scope.Timeout, lossText(loss), loss.Since.Format(time.TimeOnly))
	}
	return err
}

// update makes the present report and shows what is new in it. While it is doubtful whether the API server is there, there is none:
// what fails because of that is not the cluster's.
func (v *view[R]) update(ctx context.Context) (reached, doubtful bool, err error) {
	if v.shown && v.link.Doubtful() {
		return false, true, nil
	}
	now := time.Now()
	report, ok, err := v.Report(ctx, now)
	if ctx.Err() != nil {
		return false, false, v.ended(ctx)
	}
	if v.link.Doubtful() && (err == nil || v.link.Awaited(err)) {
		return false, true, nil
	}
	if err != nil || !ok {
		return false, false, err
	}
	v.scope.paste(report)
	var news []printers.Happening
	if v.shown {
		news = v.Timeline(v.report, report, now)
	}
	first := !v.shown
	if first && v.Empty(report) && (v.screen != nil || !v.scope.Printer.IsTable()) { // elsewhere a line says so
		if _, err := v.scope.CheckNamespace(ctx); err != nil {
			return false, false, err
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
	return err == nil && v.Goal != nil && v.Goal(report), false, err
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

// press does what a key is for.
func (v *view[R]) press(key printers.Key) error {
	switch {
	case key == printers.KeySuspend:
		if err := v.screen.Suspend(); err != nil {
			return err
		}
	case v.help:
		v.help = false
	case key == printers.KeyHelp:
		v.help = true
	default:
		v.move(key)
	}
	return v.draw(time.Now())
}

func (v *view[R]) move(key printers.Key) {
	width, height := v.screen.Size()
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
	case printers.KeyLeft:
		v.shift -= width / shiftShare
	case printers.KeyRight:
		v.shift += width / shiftShare
	}
	v.scroll, v.shift = max(0, v.scroll), max(0, v.shift)
}

// draw draws the screen: what was shown last where there is nothing newer.
func (v *view[R]) draw(now time.Time) error {
	v.drawn = now
	width, height := v.screen.Size()
	frame := printers.Frame{
		Title: v.Title + "   " + now.Format(time.TimeOnly), Timeline: v.timeline, Width: width, Height: height, Scroll: v.scroll, Shift: v.shift, Help: v.help,
	}
	if v.loss != nil {
		frame.Alarms = []string{lossLine(v.loss)}
	}
	switch {
	case v.shown:
		frame.Table = v.Document(v.report, now).Table()
		v.changes.Update(&frame.Table, v.Key, now, v.scope.Printer.Wide(), v.Volatile...)
		for _, p := range v.Problems(v.report) {
			frame.Notes = append(frame.Notes, warning(p))
		}
		if v.Empty(v.report) {
			frame.Empty = v.scope.nothing(v.Things)
		}
	case v.loss == nil:
		frame.Empty = "reading …"
	}
	lines, err := v.scope.Printer.Frame(&frame)
	if err != nil {
		return err
	}
	v.scroll, v.shift = frame.Scroll, frame.Shift
	return v.screen.Draw(lines, width, height)
}
