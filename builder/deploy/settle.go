package deploy

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// settle is what is left to do for a release that serves: the one before is
// marked for its end, those before that one go, and the group of the new one may
// shrink again. Whatever of it is not done, the next run does.
func (d *Deployer) settle(ctx context.Context, e Environment, now *state, n *next) error {
	if err := d.noteServed(ctx, now, n.Number); err != nil {
		return err
	}
	if err := d.dropRule(ctx, n.rule); err != nil {
		return err
	}
	if err := d.unpin(ctx, e, n.name, n.size); err != nil {
		return err
	}
	if old := now.serving(); old != nil {
		if err := d.mark(ctx, e, now, old); err != nil {
			return err
		}
	}
	for _, u := range now.warm() {
		if err := d.retire(ctx, e, now, u); err != nil {
			return err
		}
	}
	return nil
}

// noteServed remembers that a release has been in service: what is newer and has
// nothing but its launch template version never was.
func (d *Deployer) noteServed(ctx context.Context, now *state, number int64) error {
	if number <= now.served {
		return nil
	}
	return d.change(ctx, "settle", fmt.Sprintf("noted that release %d has been in service", number), func() error {
		_, err := d.Machines.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{now.template}, Tags: []types.Tag{tag(tagServed, strconv.FormatInt(number, 10))}})
		return err
	})
}

// pin keeps a group from becoming smaller than it is.
func (d *Deployer) pin(ctx context.Context, step string, u *unit) error {
	name, size := aws.ToString(u.group.AutoScalingGroupName), u.desired()
	if int(aws.ToInt32(u.group.MinSize)) == size {
		return nil
	}
	return d.change(ctx, step, fmt.Sprintf("keeps %s at %d at least", name, size), func() error {
		_, err := d.Groups.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: &name, MinSize: aws.Int32(int32(size))})
		return err
	})
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

// mark says when a release ends that has no traffic any more. Until then it can
// be gone back to, and is as large as when it had. One that is not kept, or has
// no machines to keep, ends now.
func (d *Deployer) mark(ctx context.Context, e Environment, now *state, u *unit) error {
	if u.group == nil {
		return d.retire(ctx, e, now, u)
	}
	if err := d.pin(ctx, "settle", u); err != nil {
		return err
	}
	u.idle = time.Now().UTC().Truncate(time.Second)
	u.retire = u.idle.Add(e.KeepWarm)
	name, until := aws.ToString(u.group.AutoScalingGroupName), u.retire.Format(time.RFC3339)
	err := d.change(ctx, "settle", fmt.Sprintf("keeps release %d warm until %s", u.Number, until), func() error {
		_, err := d.Groups.CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []astypes.Tag{
			groupTag(name, TagRetire, until, false), groupTag(name, tagIdle, u.idle.Format(time.RFC3339), false),
		}})
		return err
	})
	if err != nil || e.KeepWarm > 0 {
		return err
	}
	return d.retire(ctx, e, now, u)
}

// unmark takes a release's end back: it serves again.
func (d *Deployer) unmark(ctx context.Context, u *unit) error {
	if u.retire.IsZero() {
		return nil
	}
	name := aws.ToString(u.group.AutoScalingGroupName)
	return d.change(ctx, "settle", fmt.Sprintf("release %d serves again, and has no end", u.Number), func() error {
		_, err := d.Groups.DeleteTags(ctx, &autoscaling.DeleteTagsInput{Tags: []astypes.Tag{groupTag(name, TagRetire, "", false), groupTag(name, tagIdle, "", false)}})
		return err
	})
}

// retire takes a release down that serves nobody: the listener does not know it
// any more, what it has been asked is answered, its machines and its target group
// go. One that never served goes without a trace.
func (d *Deployer) retire(ctx context.Context, e Environment, now *state, u *unit) error {
	for _, rule := range u.rules {
		if err := d.dropRule(ctx, rule); err != nil {
			return err
		}
	}
	if u.listed {
		if err := d.unlist(ctx, now, u); err != nil {
			return err
		}
	}
	if u.group != nil {
		if err := d.linger(ctx, e, u); err != nil {
			return err
		}
		if err := d.dropGroup(ctx, aws.ToString(u.group.AutoScalingGroupName)); err != nil {
			return err
		}
	}
	if u.target != "" {
		if err := d.dropTarget(ctx, u.target); err != nil {
			return err
		}
	}
	if now.released(u.Number) || u.Image == "" { // the version is what it can be gone back to by
		return nil
	}
	return d.dropVersion(ctx, now.template, u.Number)
}

// unlist takes a release out of the listener.
func (d *Deployer) unlist(ctx context.Context, now *state, u *unit) error {
	for arn, weight := range weights(now.listener.DefaultActions) {
		if weight > 0 {
			return d.shift(ctx, now, arn, u.target)
		}
	}
	return fmt.Errorf("the listener sends no traffic to any release")
}

// linger waits until a release that has served has answered what it was asked.
func (d *Deployer) linger(ctx context.Context, e Environment, u *unit) error {
	left := e.drain() - time.Since(u.idle)
	if !u.served() || left <= 0 {
		return nil
	}
	d.tell(Event{Step: "retire", Text: fmt.Sprintf("release %d answers what it has been asked, for %s more", u.Number, left.Round(time.Second))})
	return poll.For(ctx, left)
}
