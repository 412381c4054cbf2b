package scope

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// tellLoss says when the API server is away and when it is back: on a screen in the timeline, and above it for as long as it lasts;
// elsewhere a line each on stderr.
func (v *view[S, R]) tellLoss(now time.Time) error {
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
		return fmt.Sprintf("API server unreachable since %s (%s); the data shown is from then", since, loss.Reason)
	}
	return fmt.Sprintf("API server not reached since %s (%s); waiting for it", since, loss.Reason)
}

// warn writes each problem once, when it arises.
func (v *view[S, R]) warn() {
	warned := map[string]bool{}
	for _, p := range v.problems() {
		line := warning(p)
		if !v.warned[line] {
			fmt.Fprintln(v.scope.Streams.ErrOut, line)
		}
		warned[line] = true
	}
	v.warned = warned
}

func (v *view[S, R]) resized() bool {
	width, height := v.screen.Size()
	return v.screen.Resized(width, height)
}

// press does what a key is for.
func (v *view[S, R]) press(key printers.Key) error {
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

func (v *view[S, R]) move(key printers.Key) {
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
func (v *view[S, R]) draw(now time.Time) error {
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
		for _, p := range v.problems() {
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
