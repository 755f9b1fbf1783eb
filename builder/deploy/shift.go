package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/imagobuild/imago/builder/internal/poll"
	"github.com/imagobuild/imago/builder/internal/undo"
)

// shift sends all traffic to a target group in one call. Those that are in the
// listener already stay there, with nothing to do: so the health of the release
// before is still checked, and it can be gone back to.
func (d *Deployer) shift(ctx context.Context, now *state, target string, without ...string) error {
	tuples := []elbtypes.TargetGroupTuple{{TargetGroupArn: &target, Weight: aws.Int32(1)}}
	for arn := range weights(now.listener.DefaultActions) {
		if arn != target && !slices.Contains(without, arn) {
			tuples = append(tuples, elbtypes.TargetGroupTuple{TargetGroupArn: &arn, Weight: aws.Int32(0)})
		}
	}
	return d.route(ctx, now, "sends all traffic to "+afterLast(target, ":"), []elbtypes.Action{{
		Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: tuples},
	}})
}

// route has the listener do something else.
func (d *Deployer) route(ctx context.Context, now *state, what string, actions []elbtypes.Action) error {
	return d.change(ctx, "shift", what, func() error {
		out, err := d.Listeners.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: now.listener.ListenerArn, DefaultActions: actions})
		if err == nil {
			now.listener = &out.Listeners[0]
		}
		return err
	})
}

// shiftBack gives the traffic back to who had it before, and waits until what
// the release has been asked is answered. When it does not succeed, nothing of
// the release is taken back: it may be in service. It returns why, and what went wrong.
func (d *Deployer) shiftBack(ctx context.Context, e Environment, now *state, before []elbtypes.Action, trash *undo.Stack, why error) error {
	if errors.Is(why, ErrLost) {
		trash.KeepAll()
		return why
	}
	ctx = context.WithoutCancel(ctx)
	if err := d.route(ctx, now, "moved the traffic back", before); err != nil {
		trash.KeepAll()
		return fmt.Errorf("%w; and the release has not been taken back: %w; imago status says what serves, imago rollback goes back, and the next release tidies up", why, err)
	}
	return errors.Join(why, poll.For(ctx, e.drain()))
}

const (
	watchEvery = time.Second
	// watchBad is how many bad looks in a row end the watch. One may be the network.
	watchBad = 3
)

// watch looks at a release that has the traffic, as users see it and as the load
// balancer does, for as long as the environment says.
func (d *Deployer) watch(ctx context.Context, e Environment, n *next, p *probes) error {
	p.private, p.shifted = false, time.Now()
	bad, end := 0, time.Now().Add(e.Watch)
	for {
		err := d.watchOnce(ctx, n, p)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			bad = 0
		default:
			p.failed++
			if bad++; bad >= watchBad {
				return fmt.Errorf("while it was watched: %w", err)
			}
		}
		if !time.Now().Before(end) && bad == 0 {
			return nil
		}
		if err := poll.For(ctx, watchEvery); err != nil {
			return err
		}
	}
}

func (d *Deployer) watchOnce(ctx context.Context, n *next, p *probes) error {
	h, err := d.healthOf(ctx, n)
	if err != nil {
		return err
	}
	if err = p.once(ctx); errors.Is(err, errOther) && !p.arrived && time.Since(p.shifted) < spread {
		err = nil
	}
	d.tell(Event{Step: "watch", Text: h.String(), Table: []Serving{h.serving(n)}, Probes: p.sent, Failed: p.failed})
	switch {
	case err != nil:
		return err
	case h.ended != "":
		return errors.New(h.ended)
	case 2*h.healthy < n.size:
		return h.problem(n.size)
	}
	return nil
}
