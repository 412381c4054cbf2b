package scope

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
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
	// redrawInterval is how often a screen on which nothing changes is redrawn, for its ages.
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

// What --for waits for.
const (
	GoalReady   = "ready"
	GoalHealthy = "healthy"
)

// Follower keeps a snapshot S up to date. One that has a method Close ends what it began with that.
type Follower[S any] interface {
	// Settled reports whether everything has been read once, or can't be: until then there is nothing to show.
	Settled() bool
	// Snapshot is the present state.
	Snapshot(ctx context.Context, now time.Time) (S, error)
}

// Watched is what a watch needs beside a report, to follow it and to report its changes.
type Watched[S, R any] struct {
	// Title says what is watched.
	Title string
	// Follow begins to follow; it is called once more if the API server could not be reached. What it begins ends with its context.
	// Changed must be called after each change, from any goroutine.
	Follow func(ctx context.Context, changed func()) (Follower[S], error)
	// Key tells rows of the table apart; Volatile are the titles of columns that change by themselves.
	Key      func(row []printers.Cell) string
	Volatile []string
	// Timeline tells what happened between two reports.
	Timeline func(before, after R, now time.Time) []printers.Happening
	// Ready and Healthy are what --for waits for; nil for a command without that flag.
	Ready   func(report R) bool
	Healthy func(report R, allowed []v1alpha1.CheckPart) bool
	// Lacking tells what a report lacks to be ready, for the error of a wait that takes too long; empty if nothing. It may be nil.
	Lacking func(report R) string
}

// newChanges returns what a watch waits for, and what must be called after each change, from any goroutine: it never blocks.
func newChanges() (changes <-chan struct{}, changed func()) {
	pending := make(chan struct{}, 1)
	return pending, func() {
		select {
		case pending <- struct{}{}:
		default:
		}
	}
}

// Watch shows a report for as long as the context and the scope's time last: live on a terminal; elsewhere its rows, then what happens and
// the rows that change; in the formats for scripts a document for each change.
// It ends without an error when the goal is reached or the user has had enough.
func Watch[S, R any](ctx context.Context, s *Scope, r Report[S, R], w Watched[S, R]) error {
	ctx, cancel := s.Context(ctx)
	defer cancel()
	v := &view[S, R]{Report: r, Watched: w, scope: s, link: s.Cluster.Link(), begun: make(chan error, 1)}
	if s.Printer.IsTable() && printers.IsLiveTerminal(s.Streams.Out) {
		screen, err := printers.OpenScreen(s.Streams.In, s.Streams.Out)
		if err != nil {
			return err
		}
		v.screen = screen
		defer screen.Close()
	}
	linkChanges, linkChanged := newChanges()
	v.link.Guard(ctx, linkChanged)
	changes, changed := newChanges()
	go v.begin(ctx, changed)
	err := v.loop(ctx, changes, linkChanges)
	if v.following {
		v.end()
	}
	return err
}

// begin begins to follow, as soon as the API server is there.
func (v *view[S, R]) begin(ctx context.Context, changed func()) {
	for {
		follower, err := v.Follow(ctx, changed)
		if err == nil || ctx.Err() != nil || !v.link.Awaited(err) {
			v.follower = follower
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

// end ends what the follower began.
func (v *view[S, R]) end() {
	if f, ok := v.follower.(interface{ Close() }); ok {
		f.Close()
	}
}

// present makes the present report; ok is false as long as it is not complete.
func (v *view[S, R]) present(ctx context.Context, now time.Time) (report R, ok bool, err error) {
	if !v.follower.Settled() {
		return report, false, nil
	}
	snapshot, err := v.follower.Snapshot(ctx, now)
	if err != nil {
		return report, false, err
	}
	return v.Analyze(snapshot, now), true, nil
}

// problems are those that do not go away by waiting.
func (v *view[S, R]) problems() []v1alpha1.Problem {
	return finding.Lasting(v.Problems(v.report))
}

// reached reports whether what --for waits for has come about.
func (v *view[S, R]) reached() bool {
	switch v.scope.Goal {
	case GoalReady:
		return v.Ready(v.report)
	case GoalHealthy:
		return v.Healthy(v.report, v.scope.AllowUnknown)
	}
	return false
}

// view is what is shown, and what was shown before.
type view[S, R any] struct {
	Report[S, R]
	Watched[S, R]
	scope     *Scope
	screen    *printers.Screen
	link      *kube.Link
	loss      *kube.Loss // that was told of
	begun     chan error
	follower  Follower[S] // from when begun has had an element without an error
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

func (v *view[S, R]) loop(ctx context.Context, changes, linkChanges <-chan struct{}) error {
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

// due reports whether the screen must be redrawn although nothing has changed. Before there is a report, its clock is all there is.
func (v *view[S, R]) due(now time.Time) bool {
	return !v.shown || v.changes.Marked(now) || now.Sub(v.drawn) >= redrawInterval || v.resized()
}

// ended tells how a watch that its context has ended has gone: a goal that was not reached in time is an error, Ctrl-C is none.
func (v *view[S, R]) ended(ctx context.Context) error {
	if v.scope.Goal == "" || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	err := fmt.Errorf("timed out waiting for %s to be %s", v.Title, v.scope.Goal)
	if loss := v.link.Loss(); loss != nil {
		return fmt.Errorf("%w: --timeout=%s has expired, and the %s since %s", err, v.scope.Timeout, lossText(loss), loss.Since.Format(time.TimeOnly))
	}
	if v.shown && v.Lacking != nil {
		if lacking := v.Lacking(v.report); lacking != "" {
			return fmt.Errorf("%w: %s", err, lacking)
		}
	}
	return err
}

// update makes the present report and shows what is new in it. While it is doubtful whether the API server is there, there is none:
// what fails because of that is not the cluster's.
func (v *view[S, R]) update(ctx context.Context) (reached, doubtful bool, err error) {
	if v.shown && v.link.Doubtful() {
		return false, true, nil
	}
	now := time.Now()
	report, ok, err := v.present(ctx, now)
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
	return err == nil && v.reached(), false, err
}

// write writes the table once, as soon as it has rows, and from then on what happens and the rows that change.
func (v *view[S, R]) write(ctx context.Context, now time.Time, first bool, news []printers.Happening) error {
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
		return v.scope.write(document, now)
	case first:
		if err := v.scope.NothingFound(ctx, v.Things); err != nil {
			return err
		}
	}
	return v.scope.Printer.PrintRows(v.scope.Streams.Out, table, v.Key, changed)
}

// writeDocument writes the report if something happened, or if a row has changed in more than what changes by itself.
func (v *view[S, R]) writeDocument(now time.Time, first bool, news []printers.Happening) error {
	document := v.Document(v.report, now)
	table := document.Table()
	changed := v.changes.Update(&table, v.Key, now, true, v.Volatile...)
	if !first && len(news) == 0 && len(changed) == 0 {
		return nil
	}
	return v.scope.write(document, now)
}
