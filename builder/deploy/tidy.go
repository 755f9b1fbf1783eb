package deploy

import (
	"context"
	"time"
)

// tidied does what an earlier run has not come to, and reads the environment
// again: after it there is the release that serves, what is warm, and nothing else.
func (d *Deployer) tidied(ctx context.Context, e Environment) (*state, error) {
	now, err := d.look(ctx, e)
	if err != nil || !now.untidy(e) {
		return now, err
	}
	d.tell(Event{Step: "tidy", Text: "finishes what an earlier run has left"})
	for _, u := range now.leftovers(time.Now()) {
		if err := d.retire(ctx, e, now, u); err != nil {
			return nil, err
		}
	}
	for _, number := range now.orphans() {
		if err := d.dropVersion(ctx, now.template, number); err != nil {
			return nil, err
		}
	}
	for _, u := range now.unmarked() {
		if err := d.mark(ctx, e, now, u); err != nil {
			return nil, err
		}
	}
	if err := d.tidyServing(ctx, e, now); err != nil {
		return nil, err
	}
	return d.look(ctx, e)
}

// tidyServing puts the release that serves in order.
func (d *Deployer) tidyServing(ctx context.Context, e Environment, now *state) error {
	u := now.serving()
	if u == nil || u.group == nil {
		return nil
	}
	if err := d.noteServed(ctx, now, u.Number); err != nil {
		return err
	}
	for _, rule := range u.rules {
		if err := d.dropRule(ctx, rule); err != nil {
			return err
		}
	}
	if err := d.unmark(ctx, u); err != nil {
		return err
	}
	if u.bounded(e) {
		return nil
	}
	return d.unpin(ctx, e, *u.group.AutoScalingGroupName, u.desired())
}

// Tidy does what earlier runs have not come to in an environment, and takes down
// what has been kept warm for long enough. A lease that was left goes, too; of
// one that is held, Tidy returns the HeldError.
func (d *Deployer) Tidy(ctx context.Context, e Environment) (err error) {
	now, err := d.look(ctx, e)
	if err != nil || now.listener == nil {
		return err
	}
	if !now.untidy(e) {
		held, err := newLease(d.Machines, e).find(ctx)
		if err != nil || held == nil {
			return err
		}
	}
	return d.leased(ctx, e, func(ctx context.Context) error {
		_, err := d.tidied(ctx, e)
		return err
	})
}
