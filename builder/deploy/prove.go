package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// prove waits until all gates are open: every machine in service, every target
// healthy, and a row of probes that this release has answered. A machine that
// ends meanwhile closes them for good.
func (d *Deployer) prove(ctx context.Context, e Environment, n *next, p *probes) error {
	limited, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	var last error
	err := poll.Until(limited, poll.Seconds(), func(ctx context.Context) (bool, error) {
		h, err := d.healthOf(ctx, n)
		if err != nil {
			return false, err
		}
		d.tell(Event{Step: "prove", Text: h.String(), Table: []Serving{h.serving(n)}})
		last = h.problem(n.size)
		if h.ended != "" {
			return false, errors.New(h.ended)
		}
		if last != nil {
			if err := p.once(ctx); err != nil && ctx.Err() == nil {
				last = fmt.Errorf("%w; %w", last, err)
			}
			return false, nil
		}
		last = p.row(ctx)
		return last == nil, nil
	})
	if limited.Err() != nil && ctx.Err() == nil && last != nil {
		return fmt.Errorf("not healthy after %s: %w", e.Timeout, last)
	}
	return err
}

// row is probes in a row, all of which have to be answered well.
func (p *probes) row(ctx context.Context) error {
	for range probeCount {
		if err := p.once(ctx); err != nil {
			return err
		}
		if err := poll.For(ctx, probeEvery); err != nil {
			return err
		}
	}
	return nil
}

// health is how a release's machines are.
type health struct {
	desired, inService, healthy int
	waiting                     []string // what the others are waiting for
	ended                       string   // a machine of the group has ended
}

func (h health) String() string {
	return fmt.Sprintf("%d of %d in service, %d healthy", h.inService, h.desired, h.healthy)
}

func (h health) serving(n *next) Serving {
	return Serving{Release: n.Release, Desired: h.desired, InService: h.inService, Healthy: h.healthy}
}

// problem is what is missing to a release of a size.
func (h health) problem(size int) error {
	if h.inService >= size && h.healthy >= size && h.healthy >= h.desired {
		return nil
	}
	text := h.String()
	for _, w := range h.waiting {
		text += "; " + w
	}
	return errors.New(text)
}

// healthOf asks Auto Scaling and the load balancer.
func (d *Deployer) healthOf(ctx context.Context, n *next) (h health, err error) {
	out, err := d.Groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{n.name}})
	if err != nil {
		return h, fmt.Errorf("read auto scaling group %s: %w", n.name, err)
	}
	arn := ""
	for _, g := range out.AutoScalingGroups { // none while AWS does not list it yet
		arn = aws.ToString(g.AutoScalingGroupARN)
		h.desired = int(aws.ToInt32(g.DesiredCapacity))
		for _, i := range g.Instances {
			if i.LifecycleState == astypes.LifecycleStateInService {
				h.inService++
			}
		}
	}
	targets, err := d.Targets.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &n.target})
	if unknown(err) { // as above
		return h, nil
	}
	if err != nil {
		return h, fmt.Errorf("read the health of target group %s: %w", n.name, err)
	}
	for _, t := range targets.TargetHealthDescriptions {
		switch t.TargetHealth.State {
		case elbtypes.TargetHealthStateEnumHealthy:
			h.healthy++
		case elbtypes.TargetHealthStateEnumDraining:
		default:
			h.waiting = append(h.waiting, fmt.Sprintf("%s is %s: %s", aws.ToString(t.Target.Id), t.TargetHealth.State, aws.ToString(t.TargetHealth.Description)))
		}
	}
	h.ended, err = d.endedIn(ctx, n, arn)
	return h, err
}

// endedIn says which machine of a group has ended, or could not be launched, as
// Auto Scaling says it. A group of the same name may have been there before.
func (d *Deployer) endedIn(ctx context.Context, n *next, arn string) (string, error) {
	out, err := d.Groups.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: &n.name})
	if awserr.Is(err, "ValidationError") { // AWS does not list the group yet
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read what Auto Scaling does in %s: %w", n.name, err)
	}
	failed := 0
	for _, a := range out.Activities {
		if arn != "" && aws.ToString(a.AutoScalingGroupARN) != arn {
			continue
		}
		text := aws.ToString(a.Description)
		switch {
		case a.StatusCode == astypes.ScalingActivityStatusCodeFailed:
			if failed++; failed >= 2 { // once may be a lack of capacity in one zone
				return fmt.Sprintf("%s: %s", text, aws.ToString(a.StatusMessage)), nil
			}
		case strings.HasPrefix(text, "Terminating EC2 instance") && !strings.Contains(aws.ToString(a.Cause), "shrinking the capacity"):
			return fmt.Sprintf("a machine ended: %s: %s", text, aws.ToString(a.Cause)), nil
		}
	}
	return "", nil
}

// match has the release grow with the one that serves: it may have been scaled
// out since the release began. When both are of one size, the one that serves
// may not become smaller any more: it has to be enough to go back to.
func (d *Deployer) match(ctx context.Context, e Environment, old *unit, n *next, p *probes) error {
	if old == nil || old.group == nil {
		return nil
	}
	for {
		if err := d.refresh(ctx, old); err != nil {
			return err
		}
		if old.group == nil || old.desired() <= n.size {
			break
		}
		n.size = old.desired()
		if err := d.resize(ctx, "prove", n.name, n.size, max(e.Max, n.size)); err != nil {
			return err
		}
		if err := d.prove(ctx, e, n, p); err != nil {
			return err
		}
	}
	if old.group == nil {
		return nil
	}
	return d.pin(ctx, "prove", old)
}

// refresh reads a release's group again.
func (d *Deployer) refresh(ctx context.Context, u *unit) error {
	out, err := d.Groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{aws.ToString(u.group.AutoScalingGroupName)}})
	if err != nil {
		return fmt.Errorf("read the size of release %d: %w", u.Number, err)
	}
	u.group = nil // somebody has deleted it
	if len(out.AutoScalingGroups) > 0 {
		u.group = &out.AutoScalingGroups[0]
	}
	return nil
}

// resize has a group be at least of a size.
func (d *Deployer) resize(ctx context.Context, step, group string, size, most int) error {
	return d.change(ctx, step, fmt.Sprintf("has %s be of %d", group, size), func() error {
		_, err := d.Groups.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: &group, MinSize: aws.Int32(int32(size)), DesiredCapacity: aws.Int32(int32(size)), MaxSize: aws.Int32(int32(most)),
		})
		return err
	})
}

// explain adds what the machines say to why a release was refused. The error of
// whoever canceled it is not the release's fault.
func (d *Deployer) explain(ctx context.Context, n *next, why error) error {
	if ctx.Err() != nil || errors.Is(why, ErrLost) {
		return why
	}
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return &UnhealthyError{Release: n.Release, Why: why.Error(), Evidence: d.evidence(limited, n)}
}
