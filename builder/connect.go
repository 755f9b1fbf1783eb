package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/poll"
	"github.com/imagobuild/imago/provision"
)

// How long a refusal may last before it is final. cloud-init writes the host
// key and the authorized keys before sshd starts, but not on every image.
const (
	hostKeyGrace = 15 * time.Second
	authGrace    = time.Minute
)

// connection is the machine as long as we have it: a lost one is made again
// between two steps.
type connection struct {
	Machine
	inst instance
	dial func(context.Context) (Machine, error)

	// known are the keys that may log in before the first step, when the machine has not noted them itself.
	known string
}

// connect waits until the machine lets us in.
func (b *Builder) connect(ctx context.Context, p Plan, inst instance) (c *connection, err error) {
	defer b.stage(ctx, StageConnect)(&err)
	c = &connection{inst: inst, dial: func(ctx context.Context) (Machine, error) { return b.dialLeased(ctx, p, inst) }}
	if c.Machine, err = c.dial(ctx); err != nil {
		return nil, err
	}
	if pause := p.Config.SSH.PauseBeforeConnecting; pause > 0 {
		b.note("waiting %v before using the connection", pause)
		c.Machine.Close()
		if err := poll.For(ctx, pause); err != nil {
			return nil, err
		}
		if c.Machine, err = c.dial(ctx); err != nil {
			return nil, err
		}
	}
	if err := b.noteKeys(ctx, p, c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// noteKeys asks who may log in, where no user-data of ours has noted it.
func (b *Builder) noteKeys(ctx context.Context, p Plan, c *connection) (err error) {
	ours := cmp.Or(p.Config.SSH.HostKey, HostKeyUserData) == HostKeyUserData && b.lease(p) > 0
	if ours || scanMode(p.Config.Scan) == ScanOff || p.Config.Output.SkipImage {
		return nil
	}
	c.known, err = c.Output(ctx, "{ "+asRoot("cat /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys")+" || cat ~/.ssh/authorized_keys; } 2> /dev/null || true")
	return err
}

// revive makes the connection again when it is lost. When a script was expected
// to do that, as by a reboot, the machine is ready only once that is over.
func (c *connection) revive(ctx context.Context) error {
	left := c.Left()
	if !lost(c.Machine) && left == nil {
		return nil
	}
	for {
		c.Machine.Close()
		m, err := c.dial(ctx)
		if err != nil {
			return err
		}
		c.Machine = m
		if left == nil {
			return nil
		}
		if ready, err := c.Await(ctx, left); ready || err != nil {
			return err
		}
	}
}

// whileThere is a context that ends, with the reason, when the connection is lost
// and the machine has gone: whoever tries to get the connection back would do so in vain.
func (b *Builder) whileThere(ctx context.Context, c *connection) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-c.Done():
			b.cancelWhenGone(ctx, c.inst, cancel)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil); <-watched }
}

// dial tries until the machine lets us in, the time is over, or trying again
// cannot help.
func (b *Builder) dial(ctx context.Context, s SSH, inst instance) (m Machine, err error) {
	limit := cmp.Or(s.Timeout, DefaultSSHTimeout)
	late := fmt.Errorf("no SSH after %v", limit)
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	ctx, stop := b.whileRunning(ctx, inst)
	defer stop()
	d := dialer{b: b, ssh: s, inst: inst, addr: net.JoinHostPort(inst.addr.host, strconv.Itoa(inst.addr.port))}
	defer b.span(SpanSSH, "connect to %s", d.addr)()
	err = poll.Until(ctx, poll.Pace{First: 250 * time.Millisecond, Max: 300 * time.Millisecond}, d.try)
	if err == nil {
		return d.machine, nil
	}
	if errors.Is(err, late) || d.isFinal {
		err = b.stalled(ctx, d, time.Since(began))
	}
	return nil, &Error{StageConnect, inst.id, err}
}

// whileRunning is a context that ends, with the reason, when the machine has gone.
func (b *Builder) whileRunning(ctx context.Context, inst instance) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		b.cancelWhenGone(ctx, inst, cancel)
	}()
	return ctx, func() { cancel(nil); <-watched }
}

// cancelWhenGone looks at the machine until ctx ends. A look that does not succeed says nothing of it.
func (b *Builder) cancelWhenGone(ctx context.Context, inst instance, cancel context.CancelCauseFunc) {
	b.watch(ctx, inst, func(i types.Instance) (bool, error) {
		err := gone(i, types.InstanceStateNameRunning)
		if err != nil {
			cancel(err)
		}
		return err != nil, nil
	})
}

// dialer remembers what the tries so far have met.
type dialer struct {
	b       *Builder
	ssh     SSH
	inst    instance
	addr    string
	machine Machine

	last    error     // of the last try
	isFinal bool      // it is no use to try again
	refused int       // logins that were refused
	first   time.Time // of the refusals by key or login
}

// try is one look of the waiting loop.
func (d *dialer) try(ctx context.Context) (bool, error) {
	dial := d.b.Dial
	if dial == nil {
		dial = func(ctx context.Context, addr string, id provision.Identity) (Machine, error) {
			return provision.Dial(ctx, addr, id)
		}
	}
	m, err := dial(ctx, d.addr, d.inst.identity)
	if err == nil {
		d.machine = m
		return true, nil
	}
	if ctx.Err() == nil || d.last == nil {
		d.last = err // not the timeout itself
	}
	err = d.final(err)
	d.isFinal = err != nil
	return false, err
}

// final returns err when it is no use to try again.
func (d *dialer) final(err error) error {
	grace := authGrace
	switch {
	case errors.Is(err, provision.ErrHostKey):
		grace = hostKeyGrace
	case errors.Is(err, provision.ErrAuth):
		d.refused++
		if n := d.ssh.HandshakeAttempts; n > 0 && d.refused >= n {
			return err
		}
	default:
		d.first = time.Time{}
		return nil
	}
	if d.first.IsZero() {
		d.first = time.Now()
	}
	if time.Since(d.first) > grace {
		return err
	}
	return nil
}
