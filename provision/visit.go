package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// session starts the script, or goes on where the session before was, until the
// script has ended and all of its output is there.
func (r *run) session(ctx context.Context, phase string) (exitStatus, error) {
	r.begin()
	s, err := r.host.start(ctx, r.command(phase), false)
	if err != nil {
		return exitStatus{}, err
	}
	v := &visit{run: r, session: s, done: make(chan struct{})}
	defer v.out.close()
	v.output = s.copyOutput(&v.out, streams{stdout: &r.stdout, stderr: &r.stderr})
	var stop context.CancelFunc
	v.ctx, stop = context.WithCancel(context.WithoutCancel(ctx)) // the last word is said after the end, too
	v.fed, v.feedEnded = s.feedInput(v.ctx, func(ctx context.Context, w io.Writer) error { return v.talk(ctx, w, phase) })
	status, err := v.listen(ctx)
	if err == nil || errors.Is(err, errRebooted) || errors.Is(err, errEnded) {
		close(v.done)
		host := r.host
		host.settle(func() { defer stop(); v.leave(host) })
		return status, err
	}
	stop()
	s.ch.Close()
	select {
	case <-v.feedEnded:
	case <-ctx.Done(): // it may wait for a machine that does not answer any more
	}
	return status, err
}

// visit is one session under way.
type visit struct {
	*run
	*session
	ctx       context.Context
	out       gate
	output    <-chan struct{} // closed when nothing more can come
	fed       <-chan error
	feedEnded <-chan struct{}
	done      chan struct{} // closed when everything has arrived
}

// talk tells the machine what it is to run, what has arrived, and that all has.
func (v *visit) talk(ctx context.Context, w io.Writer, phase string) error {
	if phase == phaseStart {
		if err := v.feed(ctx, w); err != nil {
			return err
		}
	}
	for {
		select {
		case <-v.acks:
			got := v.arrived()
			if _, err := fmt.Fprintf(w, "got out %d\ngot err %d\n", got[0], got[1]); err != nil {
				return err
			}
		case <-v.done:
			_, err := io.WriteString(w, "done\n")
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// listen waits until the script is over, or the session.
func (v *visit) listen(ctx context.Context) (exitStatus, error) {
	var quiet, closed <-chan struct{} // nobody writes any more, or can
	output := v.output
	for {
		t := v.now()
		switch {
		case t.other && t.pid != 0:
			return exitStatus{}, errRebooted
		case t.overs == 2 && t.pid == 0:
			return t.status, v.notStarted(t.status)
		case t.overs == 2:
			return t.status, t.problem()
		case t.ends == 2 && quiet == nil:
			quiet = v.quiet()
		}
		select {
		case <-v.heard:
		case <-quiet:
			return t.status, nil
		case <-output: // which a lost connection does too, and is known in a moment
			output, quiet = nil, make(chan struct{})
			closed = v.after(strayOutput)
		case <-closed:
			if t.ends == 2 {
				return t.status, nil
			}
			return exitStatus{}, fmt.Errorf("%w: its output ended before the script", ErrLost)
		case err := <-v.fed:
			if err != nil && !isLoss(err) {
				return exitStatus{}, err
			}
			v.fed = nil
		case status := <-v.exited:
			v.out.drain(ctx, v.output)
			return v.ended(status)
		case <-ctx.Done():
			return exitStatus{}, context.Cause(ctx)
		}
	}
}

// quiet is closed when nothing has been written for a while: a daemon that the
// script has left behind may never write anything, or end.
func (v *visit) quiet() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(v.ctx, strayMost) // or it may write for ever
		defer cancel()
		v.out.drain(ctx, nil)
		close(done)
	}()
	return done
}

func (v *visit) after(d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(d, func() { close(done) })
	return done
}

// ended says what became of a session that has ended before its time.
func (v *visit) ended(status exitStatus) (exitStatus, error) {
	t := v.now()
	switch {
	case !status.known: // even if it was over: what belonged to it is still there
		return status, v.host.lostError()
	case t.none:
		return status, errNone
	case t.pid == 0 && status.code == exitTaken:
		return status, errTaken
	case t.pid == 0:
		return status, v.notStarted(status)
	default:
		return status, fmt.Errorf("%w: its session ended with status %d", ErrLost, status.code)
	}
}

// leave waits for the machine to have removed what belonged to the script. When
// the connection is lost just then, nobody can know, and another one sees to it.
func (v *visit) leave(host *Host) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	defer v.ch.Close()
	select {
	case status := <-v.exited:
		if status.known {
			return
		}
	case <-ctx.Done():
		return
	}
	ctx, cancel = host.reconnecting(context.Background())
	defer cancel()
	for again := true; again && ctx.Err() == nil; {
		next, err := host.redial(ctx)
		if err != nil {
			return
		}
		again = errors.Is(v.end(ctx, next, noProcess), ErrLost)
		next.Close()
	}
}
