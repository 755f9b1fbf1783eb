package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/imagobuild/imago/builder/internal/undo"
)

// Deployer puts releases into service, one environment at a time. The zero value
// needs all clients.
type Deployer struct {
	Machines  Machines
	Templates Templates
	Groups    Groups
	Targets   Targets
	Listeners Listeners

	// Holder is who releases, such as anna@laptop.
	Holder string
	// HTTP sends the probes. Optional; defaults to one connection a probe.
	HTTP *http.Client
	// Notify hears what happens, in order, one call at a time. Optional.
	Notify func(Event)

	lease *lease
}

// Wanted is what is to be in service.
type Wanted struct {
	Image  string
	Commit string // of the working tree; optional
}

// Result is how it went.
type Result struct {
	Release Release
	// Unchanged says that it was in service already, as it was wanted.
	Unchanged bool
	Took      time.Duration
	Probes    int
	Failed    int // probes of the load balancer that failed after the traffic was moved
}

// Run puts an image into service. Until it takes the traffic, a failure takes
// everything back; so does one while it is watched. A failure after that leaves
// what is left to do to the next Run.
func (d *Deployer) Run(ctx context.Context, e Environment, w Wanted) (r Result, err error) {
	began := time.Now()
	defer func() { r.Took = time.Since(began) }()
	now, err := d.look(ctx, e)
	if err != nil {
		return r, err
	}
	image, err := d.check(ctx, e, w, now)
	if err != nil {
		return r, err
	}
	if s := now.serving(); s != nil && s.same(e, w) && !now.untidy(e) {
		return Result{Release: s.Release, Unchanged: true}, nil
	}
	ctx, letGo, err := d.take(ctx, e)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, letGo()) }()
	if now, err = d.tidied(ctx, e); err != nil {
		return r, err
	}
	if s := now.serving(); s != nil && s.same(e, w) {
		return Result{Release: s.Release, Unchanged: true}, nil
	}
	return d.replace(ctx, e, w, image, now)
}

// replace is Run from the first change on.
func (d *Deployer) replace(ctx context.Context, e Environment, w Wanted, image image, now *state) (r Result, err error) {
	var trash undo.Stack
	defer func() { err = errors.Join(err, d.takeBack(ctx, &trash)) }()
	next, err := d.launch(ctx, e, w, image, now, &trash)
	if err != nil {
		return r, err
	}
	probes := d.probesOf(e, now, next)
	if err := d.prove(ctx, e, next, probes); err != nil {
		return r, d.explain(ctx, next, err)
	}
	if err := d.match(ctx, e, now.serving(), next, probes); err != nil {
		return r, d.explain(ctx, next, err)
	}
	before := now.listener.DefaultActions
	err = d.shift(ctx, now, next.target)
	if err == nil {
		err = d.watch(ctx, e, next, probes)
	}
	if err != nil {
		return r, d.shiftBack(ctx, e, now, before, &trash, d.explain(ctx, next, err))
	}
	trash.KeepAll()
	r = Result{Release: next.Release, Probes: probes.sent, Failed: probes.failed}
	return r, d.settle(ctx, e, now, next)
}

// takeBack takes back what this run has made, even when it was canceled. When
// another has the lease, it is that one's to tidy up.
func (d *Deployer) takeBack(ctx context.Context, trash *undo.Stack) error {
	ctx = context.WithoutCancel(ctx)
	if errors.Is(d.lease.guard(ctx), ErrLost) {
		trash.KeepAll()
	}
	return trash.Run(ctx)
}

// change does one thing that changes something in AWS, if the lease is still
// this run's, and tells of it.
func (d *Deployer) change(ctx context.Context, step, what string, do func() error) error {
	if err := d.lease.guard(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	d.tell(Event{Step: step, Text: what, Change: true})
	return nil
}
