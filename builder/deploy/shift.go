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
)

// shift moves all traffic to the release in one call. The release before stays
// in the listener, with nothing to do: so its health is still checked, and it can
// be gone back to. back moves the traffic back.
func (d *Deployer) shift(ctx context.Context, now *state, n *next) (back func(context.Context) error, err error) {
	before := now.listener.DefaultActions
	if err := d.route(ctx, now, n.target); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return d.change(ctx, "shift", "moved the traffic back", func() error {
			_, err := d.Listeners.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: now.listener.ListenerArn, DefaultActions: before})
			return err
		})
	}, nil
}

// route sends all traffic to a target group, and has those that are in the
// listener already stay there, with nothing to do.
func (d *Deployer) route(ctx context.Context, now *state, target string, without ...string) error {
	tuples := []elbtypes.TargetGroupTuple{{TargetGroupArn: &target, Weight: aws.Int32(1)}}
	for arn := range weights(now.listener.DefaultActions) {
		if arn != target && !slices.Contains(without, arn) {
			tuples = append(tuples, elbtypes.TargetGroupTuple{TargetGroupArn: &arn, Weight: aws.Int32(0)})
		}
	}
	return d.change(ctx, "shift", "sends all traffic to "+afterLast(target, ":"), func() error {
		out, err := d.Listeners.ModifyListener(ctx, &elb.ModifyListenerInput{
			ListenerArn: now.listener.ListenerArn,
			DefaultActions: []elbtypes.Action{{
				Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: tuples},
			}},
		})
		if err == nil {
			now.listener = &out.Listeners[0]
		}
		return err
	})
}

const (
	watchEvery = time.Second
	// watchBad is how many bad looks in a row end the watch. One may be the network.
	watchBad = 3
)

// watch looks at a release that has the traffic, as users see it and as the load
// balancer does, for as long as the environment says.
func (d *Deployer) watch(ctx context.Context, e Environment, n *next, p *probes) error {
	p.private = false
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
	err = p.once(ctx)
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
