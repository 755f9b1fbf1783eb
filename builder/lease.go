package builder

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/imagobuild/imago/builder/internal/poll"
	"github.com/imagobuild/imago/provision"
)

//go:embed lease.sh
var leaseScript string

// DefaultOrphanTimeout is how long a machine lives without hearing from its
// builder: long enough for a laptop that sleeps and a network that is away,
// short enough to cost little.
const DefaultOrphanTimeout = time.Hour

// How often we speak for the machine, as a part of the time it has, and at most.
const (
	beatsPerLease = 6
	beatMost      = 5 * time.Minute
	beatLimit     = time.Minute // for one try
)

// lease is how long the machine lives from each time it hears from us, in whole
// seconds; 0 is for ever. A build that may be left as it is for somebody to look
// at has as long as its tags say. A spot machine runs on while AWS makes the
// image, and we are not connected any more.
func (b *Builder) lease(p Plan) time.Duration {
	d := cmp.Or(b.OrphanTimeout, DefaultOrphanTimeout)
	if d < 0 {
		return 0
	}
	if b.OnError != CleanUp || b.PauseAt != nil {
		d = max(d, Lifetime)
	}
	if p.Config.Instance.Spot != nil {
		d += cmp.Or(p.Config.Waits.Available, DefaultImageTimeout)
	}
	return max(d+p.Config.SSH.PauseBeforeConnecting, time.Second)
}

// firstLease is the same from the boot on, when we do not reach the machine yet.
func (b *Builder) firstLease(p Plan) time.Duration {
	if b.lease(p) == 0 {
		return 0
	}
	return b.lease(p) + cmp.Or(p.Config.SSH.Timeout, DefaultSSHTimeout)
}

// bootLease is the part of user-data that begins to count at each boot, and notes
// at the first who may log in anyway. cloud-init
// runs a boothook early, and every time (cloudinit.readthedocs.io, "User data formats").
func bootLease(d time.Duration) []byte {
	return fmt.Appendf(nil, "#cloud-boothook\n#!/bin/sh\n%sset -- %d\n%s", knownScript, int(d.Seconds()), leaseScript)
}

// renewal is the command that speaks for the machine. Where nobody counts, since
// the image has no cloud-init, it makes root do so, if it can.
func renewal(d time.Duration) string {
	seconds := fmt.Sprint(int(d.Seconds()))
	return "if [ -d /run/imago ]; then echo " + seconds + " > /run/imago/lease; else " + asRoot(leaseScript, seconds) + "; fi"
}

// leased is a machine that hears from us as long as it is connected.
type leased struct {
	Machine
	stop func()
}

// Close stops speaking for the machine.
func (m leased) Close() error {
	m.stop()
	return m.Machine.Close()
}

// dialLeased connects, and begins to speak for the machine: over that connection
// or, when it is lost while something goes on, over another.
func (b *Builder) dialLeased(ctx context.Context, p Plan, inst instance) (Machine, error) {
	m, err := b.dial(ctx, p.Config.SSH, inst)
	d := b.lease(p)
	if err != nil || d == 0 {
		return m, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // error steps run on a canceled build
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		line := ownLine{dial: func(ctx context.Context) (Machine, error) { return b.dialOnce(ctx, inst) }}
		defer line.hangUp()
		for beat := min(d/beatsPerLease, beatMost); ; {
			if err := line.say(ctx, m, renewal(d)); err != nil && ctx.Err() == nil && b.Log != nil {
				b.Log.Debug("the machine does not hear from us", "instance", inst.id, "why", err)
			}
			if poll.For(ctx, beat) != nil {
				return
			}
		}
	}()
	return leased{m, func() { cancel(); <-ended }}, nil
}

// ownLine is a connection for when the build's own is lost.
type ownLine struct {
	dial func(context.Context) (Machine, error)
	m    Machine
}

// say runs a command over the build's connection, or over its own.
func (l *ownLine) say(ctx context.Context, m Machine, command string) error {
	ctx, cancel := context.WithTimeout(ctx, beatLimit)
	defer cancel()
	if lost(m) {
		if l.m == nil || lost(l.m) {
			l.hangUp()
			own, err := l.dial(ctx)
			if err != nil {
				return err
			}
			l.m = own
		}
		m = l.m
	}
	_, err := m.Output(ctx, command)
	return err
}

func (l *ownLine) hangUp() {
	if l.m != nil {
		l.m.Close()
		l.m = nil
	}
}

// lost says whether a connection has ended.
func lost(m Machine) bool {
	select {
	case <-m.Done():
		return true
	default:
		return false
	}
}

// dialOnce makes one try to connect.
func (b *Builder) dialOnce(ctx context.Context, inst instance) (Machine, error) {
	addr := net.JoinHostPort(inst.addr.host, strconv.Itoa(inst.addr.port))
	if b.Dial != nil {
		return b.Dial(ctx, addr, inst.identity)
	}
	return provision.Dial(ctx, addr, inst.identity)
}
