package provision

import (
	"context"
	"slices"
	"time"
)

const (
	// goingDown is how long a machine may take to end the connection after it has
	// ended a script, if it was told to reboot; and leaving, if it has said that it does.
	goingDown = 30 * time.Second
	leaving   = 2 * time.Minute
)

// judge decides whether the script succeeded.
func (r *run) judge(ctx context.Context, status exitStatus) error {
	valid := r.script.ValidExitCodes
	if len(valid) == 0 {
		valid = []int{0}
	}
	e := &ExitError{Script: r.script.Name, Code: status.code, Signal: status.signal, Tail: r.errTail.String()}
	if e.Signal == "" {
		e.Signal = signalBehind(status.code)
	}
	if slices.Contains(valid, status.code) {
		if r.now().leaving && r.host.goesDown(ctx, leaving) {
			r.first.leave(Left{run: r})
		}
		return nil
	}
	if e.Signal != "" && r.script.expectsLoss() && r.host.goesDown(ctx, goingDown) {
		r.first.leave(Left{run: r})
		return nil
	}
	if e.Tail == "" {
		e.Tail = r.outTail.String()
	}
	return e
}

// goesDown waits a while for the connection to end. A machine that shuts down
// ends its processes first.
func (h *Host) goesDown(ctx context.Context, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-h.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
