package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// Rollback goes back to a release, or with number 0 to the one before. One that
// is warm has all the traffic within seconds; another is released anew from its image.
func (d *Deployer) Rollback(ctx context.Context, e Environment, number int64) (r Result, err error) {
	began := time.Now()
	defer func() { r.Took = time.Since(began) }()
	now, err := d.look(ctx, e)
	if err != nil {
		return r, err
	}
	to, err := now.target(number)
	if err != nil {
		return r, err
	}
	if u := now.serving(); u.Number == to.Number {
		return Result{Release: u.Release, Unchanged: true}, nil
	}
	if u := now.units[to.Number]; u == nil || !u.warm() {
		d.tell(Event{Step: "check", Text: fmt.Sprintf("release %d is not warm any more: it is released again", to.Number)})
		return d.Run(ctx, e, Wanted{Image: to.Image, Commit: to.Commit})
	}
	err = d.leased(ctx, e, func(ctx context.Context) error { return d.swap(ctx, e, to.Number) })
	return Result{Release: to.Release}, err
}

// target is the release of a number, or the one before the one that serves.
func (s *state) target(number int64) (version, error) {
	serving := s.serving()
	if serving == nil {
		return version{}, errors.New("nothing is in service yet: there is nothing to go back to")
	}
	if number != 0 {
		v, ok := s.versions[number]
		if !ok || !s.released(number) {
			return version{}, fmt.Errorf("there is no release %d: imago releases says which there are", number)
		}
		return v, nil
	}
	if warm := s.warm(); len(warm) > 0 {
		return warm[0].version, nil
	}
	best := version{}
	for n, v := range s.versions {
		if n < serving.Number && n > best.Number && s.released(n) {
			best = v
		}
	}
	if best.Number == 0 {
		return version{}, fmt.Errorf("there is no release before %d", serving.Number)
	}
	return best, nil
}

// released says whether a release has ever been in service.
func (s *state) released(number int64) bool {
	u := s.units[number]
	return number <= s.served || u != nil && u.served()
}

// swap moves the traffic to a warm release, once it is as large as the one that
// serves and healthy. What of it is not done, the next run does.
func (d *Deployer) swap(ctx context.Context, e Environment, number int64) error {
	now, err := d.look(ctx, e)
	if err != nil {
		return err
	}
	old, u := now.serving(), now.units[number]
	if u == nil || !u.warm() || old == nil {
		return fmt.Errorf("release %d has gone meanwhile: run imago rollback again", number)
	}
	n := &next{Release: u.Release, name: *u.group.AutoScalingGroupName, target: u.target, size: max(u.desired(), old.desired())}
	if n.size > u.desired() {
		if err := d.resize(ctx, "prove", n.name, n.size, max(e.Max, n.size)); err != nil {
			return err
		}
	}
	if err := d.ready(ctx, e, n); err != nil {
		return d.explain(ctx, n, err)
	}
	if err := d.shift(ctx, now, u.target); err != nil {
		return err
	}
	if err := d.unmark(ctx, u); err != nil {
		return err
	}
	if err := d.unpin(ctx, e, n.name, n.size); err != nil {
		return err
	}
	return d.mark(ctx, e, now, old)
}

// ready waits until a warm release is whole. It is asked through the load
// balancer only when it has the traffic: no rule leads to it now.
func (d *Deployer) ready(ctx context.Context, e Environment, n *next) error {
	limited, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	return poll.Until(limited, poll.HalfSecond(), func(ctx context.Context) (bool, error) {
		h, err := d.healthOf(ctx, n)
		if err != nil {
			return false, err
		}
		d.tell(Event{Step: "prove", Text: h.String(), Table: []Serving{h.serving(n)}})
		return h.problem(n.size) == nil, nil
	})
}

// leased does something with the lease.
func (d *Deployer) leased(ctx context.Context, e Environment, do func(context.Context) error) (err error) {
	held, letGo, err := d.take(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, letGo()) }()
	return do(held)
}
