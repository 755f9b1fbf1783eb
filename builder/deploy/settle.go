package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// settle is what is left to do for a release that serves: the one before is
// marked for its end, those before that one go, and the group of the new one may
// shrink again. Whatever of it is not done, the next run does.
func (d *Deployer) settle(ctx context.Context, e Environment, now *state, n *next) error {
	if err := d.dropRule(ctx, n.rule); err != nil {
		return err
	}
	if err := d.unpin(ctx, e, n.name, n.size); err != nil {
		return err
	}
	if old := now.serving(); old != nil {
		if err := d.mark(ctx, old, e.KeepWarm); err != nil {
			return err
		}
	}
	for _, u := range now.warm() {
		if err := d.retire(ctx, now, u); err != nil {
			return err
		}
	}
	if old := now.serving(); old != nil && e.KeepWarm == 0 {
		return d.retire(ctx, now, old)
	}
	return nil
}

// unpin lets a group shrink to the environment's own bounds again.
func (d *Deployer) unpin(ctx context.Context, e Environment, group string, size int) error {
	return d.change(ctx, "settle", fmt.Sprintf("lets %s scale from %d to %d", group, e.Min, max(e.Max, size)), func() error {
		_, err := d.Groups.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: &group, MinSize: aws.Int32(int32(e.Min)), MaxSize: aws.Int32(int32(max(e.Max, size))),
		})
		return err
	})
}

// mark keeps a release ready to be gone back to: at its size, until its end.
func (d *Deployer) mark(ctx context.Context, u *unit, keep time.Duration) error {
	until, name := time.Now().Add(keep).UTC().Truncate(time.Second), aws.ToString(u.group.AutoScalingGroupName)
	err := d.change(ctx, "settle", fmt.Sprintf("keeps release %d warm until %s", u.Number, until.Format(time.RFC3339)), func() error {
		_, err := d.Groups.CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []astypes.Tag{groupTag(name, TagRetire, until.Format(time.RFC3339), false)}})
		return err
	})
	if err != nil {
		return err
	}
	return d.resize(ctx, "settle", name, u.desired(), max(u.desired(), int(aws.ToInt32(u.group.MaxSize))))
}

// unmark takes a release's end back: it serves again.
func (d *Deployer) unmark(ctx context.Context, u *unit) error {
	name := aws.ToString(u.group.AutoScalingGroupName)
	return d.change(ctx, "settle", fmt.Sprintf("release %d serves again, and has no end", u.Number), func() error {
		_, err := d.Groups.DeleteTags(ctx, &autoscaling.DeleteTagsInput{Tags: []astypes.Tag{groupTag(name, TagRetire, u.retire.Format(time.RFC3339), false)}})
		return err
	})
}

// drain ends a release's machines as Auto Scaling does when there are to be
// none: each finishes what it has been asked, and goes.
func (d *Deployer) drain(ctx context.Context, u *unit) error {
	name := aws.ToString(u.group.AutoScalingGroupName)
	if err := d.resize(ctx, "retire", name, 0, 0); err != nil {
		return err
	}
	return poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		out, err := d.Groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
		if err != nil {
			return false, fmt.Errorf("wait for the machines of %s to end: %w", name, err)
		}
		return len(out.AutoScalingGroups) == 0 || len(out.AutoScalingGroups[0].Instances) == 0, nil
	})
}

// unlist takes a release out of the listener.
func (d *Deployer) unlist(ctx context.Context, now *state, u *unit) error {
	for arn, weight := range weights(now.listener.DefaultActions) {
		if weight > 0 {
			return d.route(ctx, now, arn, u.target)
		}
	}
	return fmt.Errorf("the listener sends no traffic to any release")
}

// retire takes a release down that serves nobody: what leads to it first, so that
// it finishes what it has been asked.
func (d *Deployer) retire(ctx context.Context, now *state, u *unit) error {
	if !u.served() && u.Image != "" { // nobody can go back to what never was in service
		if err := d.dropVersion(ctx, now.template, u.Number); err != nil {
			return err
		}
	}
	for _, rule := range u.rules {
		if err := d.dropRule(ctx, rule); err != nil {
			return err
		}
	}
	if u.group != nil && u.served() {
		if err := d.drain(ctx, u); err != nil {
			return err
		}
	}
	if u.listed {
		if err := d.unlist(ctx, now, u); err != nil {
			return err
		}
	}
	if u.group != nil {
		if err := d.dropGroup(ctx, aws.ToString(u.group.AutoScalingGroupName)); err != nil {
			return err
		}
	}
	if u.target == "" {
		return nil
	}
	return d.dropTarget(ctx, u.target)
}
