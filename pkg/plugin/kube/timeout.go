package kube

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// TimeoutError says which flag's time is over. It is a context.DeadlineExceeded.
type TimeoutError struct {
	Flag  string // --timeout
	After time.Duration
}

func (e *TimeoutError) Error() string { return fmt.Sprintf("%s=%s has expired", e.Flag, e.After) }

// Is makes it one of the errors that contexts end with.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout is what a net.Error has.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary is what a net.Error has.
func (e *TimeoutError) Temporary() bool { return true }

// WithTimeout limits a context to the time that a flag gives. What fails because it is over says so, see Ended.
func WithTimeout(ctx context.Context, flag string, after time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, after, &TimeoutError{flag, after})
}

// Ended is why a context has ended, with the flag whose time is over if it is that; nil while it lasts.
func Ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	var over *TimeoutError
	if cause := context.Cause(ctx); errors.As(cause, &over) {
		return over
	}
	return ctx.Err()
}

// timerSlack is how early a timer may be.
const timerSlack = 20 * time.Millisecond

// timedOut is an error of a request, which says which flag's time is over if that is the reason. A flag's context has a cause; one without
// is the HTTP client's own for --request-timeout, which ends requests by a channel too.
func timedOut(ctx context.Context, err error, requestTimeout time.Duration) error {
	var over *TimeoutError
	if err == nil || errors.As(err, &over) {
		return err
	}
	deadline, ok := ctx.Deadline()
	switch {
	case errors.Is(err, context.DeadlineExceeded) && errors.As(context.Cause(ctx), &over):
		return over
	case ok && requestTimeout > 0 && now().After(deadline.Add(-timerSlack)):
		return &TimeoutError{requestTimeoutFlag, requestTimeout}
	}
	return err
}

const requestTimeoutFlag = "--request-timeout"
