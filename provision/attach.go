package provision

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// exitTaken is what run.sh ends with when the script is being put there already.
const exitTaken = 99

var (
	// errNone says that the machine has no such script.
	errNone = errors.New("there is nothing of it on the machine")

	// errTaken says that a lost session is about to start the script.
	errTaken = errors.New("it is being put in place already")

	// errEnded says that the script did not end by itself.
	errEnded = errors.New("it was ended on the machine, by something that let it leave no status; was there enough memory?")

	// errRebooted says that the machine is not in the boot any more that the script was started in.
	errRebooted = errors.New("the machine rebooted under it; a script that is meant to reboot says so with ExpectDisconnect (expect_disconnect)")
)

// follow starts the script and follows it to its end, over as many connections
// as that takes. What a lost session was to start may have begun or not: the
// machine knows.
func (r *run) follow(ctx context.Context) (exitStatus, error) {
	phase := phaseStart
	for since := time.Now(); ; { // the last session that came to something
		before := r.progress()
		status, err := r.session(ctx, phase)
		phase = phaseAttach
		switch {
		case errors.Is(err, errTaken):
			continue
		case errors.Is(err, errNone) && r.pid() == 0:
			phase = phaseStart
			continue
		case errors.Is(err, errNone):
			return status, r.gone()
		case !errors.Is(err, ErrLost), ctx.Err() != nil, r.script.expectsLoss() && r.pid() != 0:
			return status, err
		case r.progress() != before:
			since = time.Now()
		case time.Since(since) > r.host.reconnectFor():
			return status, r.notBack(err)
		}
		if err := r.reconnect(ctx); err != nil {
			return status, r.notBack(err)
		}
	}
}

// progress changes when a session has come to something.
func (r *run) progress() int64 {
	return r.stdout.at + r.stderr.at + int64(r.stdout.times)
}

// reconnect makes another connection.
func (r *run) reconnect(ctx context.Context) error {
	ctx, cancel := r.host.reconnecting(ctx)
	defer cancel()
	next, err := r.host.redial(ctx)
	if err != nil {
		return err
	}
	r.hangUp()
	r.host = next
	return nil
}

// reconnecting is a context for getting a lost connection back.
func (h *Host) reconnecting(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := h.reconnectFor()
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w and not back after %v", ErrLost, limit))
}

func (h *Host) reconnectFor() time.Duration {
	if h.id.ReconnectFor > 0 {
		return h.id.ReconnectFor
	}
	return DefaultReconnectFor
}

// hangUp closes a connection that is not the caller's.
func (r *run) hangUp() {
	if r.host == r.first {
		return
	}
	r.host.Close()
}

// notBack says of a machine that does not come back what was known last.
func (r *run) notBack(err error) error {
	if r.pid() == 0 {
		return fmt.Errorf("%w (it is not known whether it has been started)", err)
	}
	return fmt.Errorf("%w (it was running; %d bytes of its output have arrived)", err, r.stdout.at+r.stderr.at)
}

// gone says why there is nothing any more of a script that was started.
func (r *run) gone() error {
	if r.now().other {
		return errRebooted
	}
	return errors.New("the machine ended it with the connection, and its directory is gone; " +
		"does its logind.conf say KillUserProcesses=yes?")
}
