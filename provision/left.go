package provision

import (
	"context"
	"errors"
)

// Left is a script that a connection has left behind: it was allowed to end with
// it, and the machine may be about to reboot; or it was given up, and may still run.
type Left struct {
	run     *run
	givenUp bool
}

// leave notes what a script leaves behind.
func (h *Host) leave(l Left) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left = &l
}

// Left is the script that this connection has left behind, or nil.
func (h *Host) Left() *Left {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.left
}

// Await is for the connection after the one that has left a script behind. It
// reports whether the machine is ready for what comes next: it has booted again,
// or does not reboot and the script has ended, which one that was given up is
// made to. When it is not, because this connection was lost too, it is the next
// one's turn. The error is of a script that went on, and did not succeed.
func (h *Host) Await(ctx context.Context, l *Left) (ready bool, err error) {
	r := l.run
	if l.givenUp {
		err := r.end(ctx, h, noProcess) // kill.sh finds out which it is, if it is there
		return err == nil, ignoreLoss(err)
	}
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

// ignoreLoss is nil for a connection that was lost: it is the next one's turn.
func ignoreLoss(err error) error {
	if errors.Is(err, ErrLost) {
		return nil
	}
	return err
}
