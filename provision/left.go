package provision

import (
	"context"
	"errors"
)

// Left is a script that ended with the connection, as it was allowed to: the
// machine may be about to reboot, and the script may even be running.
type Left struct{ run *run }

// leave notes that a script has ended with the connection.
func (h *Host) leave(r *run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left = &Left{r}
}

// Left is the script that took the connection with it, or nil.
func (h *Host) Left() *Left {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.left
}

// Await is for the connection after the one that a script took with it. It
// reports whether the machine is ready for what comes next: it has booted again,
// or does not reboot and the script has ended. When it is not, because this
// connection was lost too, it is the next one's turn. The error is of a script
// that went on, and did not succeed.
func (h *Host) Await(ctx context.Context, l *Left) (ready bool, err error) {
	r := l.run
	r.host, r.first = h, h
	status, err := r.session(ctx, phaseAttach)
	r.out.flush()
	r.err.flush()
	switch {
	case ctx.Err() != nil:
		r.kill(ctx)
		return false, context.Cause(ctx)
	case errors.Is(err, ErrLost):
		return false, nil
	case errors.Is(err, errRebooted), errors.Is(err, errNone) && r.now().other:
		return true, nil
	case errors.Is(err, errNone), errors.Is(err, errEnded): // by the machine, which may be going down
		down := h.goesDown(ctx, goingDown)
		return !down, context.Cause(ctx)
	case err != nil:
		return false, err
	}
	if err := r.judge(ctx, status); err != nil {
		return false, err
	}
	return !h.isLost(), nil
}
