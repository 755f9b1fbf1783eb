package deploy

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// inUseLimit is how long AWS may take to see that nothing uses a target group any more.
const inUseLimit = time.Minute

// Each of these may be done again: what has gone already is no error.

// dropVersion deletes a launch template version, and with the only one the template.
func (d *Deployer) dropVersion(ctx context.Context, template string, number int64) error {
	return d.change(ctx, "retire", fmt.Sprintf("deleted version %d of launch template %s", number, template), func() error {
		all, err := d.Templates.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &template})
		if awserr.Is(err, "InvalidLaunchTemplateId.NotFound") {
			return nil
		}
		if err != nil {
			return err
		}
		if v := all.LaunchTemplateVersions; len(v) == 1 && *v[0].VersionNumber == number {
			_, err := d.Templates.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &template})
			return err
		}
		out, err := d.Templates.DeleteLaunchTemplateVersions(ctx, &ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &template, Versions: []string{strconv.FormatInt(number, 10)}})
		if err != nil {
			return err
		}
		for _, one := range out.UnsuccessfullyDeletedLaunchTemplateVersions {
			if one.ResponseError != nil && one.ResponseError.Code != "launchTemplateVersionDoesNotExist" {
				return errors.New(aws.ToString(one.ResponseError.Message))
			}
		}
		return nil
	})
}

func (d *Deployer) dropRule(ctx context.Context, arn string) error {
	return d.change(ctx, "retire", "deleted rule "+arn, func() error {
		_, err := d.Listeners.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: &arn})
		return unless(err, "RuleNotFound")
	})
}

func (d *Deployer) dropTarget(ctx context.Context, arn string) error {
	return d.change(ctx, "retire", "deleted target group "+arn, func() error {
		limited, cancel := context.WithTimeout(ctx, inUseLimit)
		defer cancel()
		var last error
		err := poll.Until(limited, poll.Seconds(), func(ctx context.Context) (bool, error) {
			_, last = d.Targets.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &arn})
			last = unless(last, "TargetGroupNotFound")
			if awserr.Is(last, "ResourceInUse") {
				return false, nil
			}
			return last == nil, last
		})
		if limited.Err() != nil && ctx.Err() == nil && last != nil {
			return last
		}
		return err
	})
}

// dropGroup ends a group with its machines, and waits until they have gone.
func (d *Deployer) dropGroup(ctx context.Context, name string) error {
	err := d.change(ctx, "retire", "deleted auto scaling group "+name+" and its machines", func() error {
		return poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
			_, err := d.Groups.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &name, ForceDelete: aws.Bool(true)})
			switch {
			case awserr.Is(err, "ScalingActivityInProgress", "ResourceInUse"): // of its own; later
				return false, nil
			case awserr.Is(err, "ValidationError") && !d.hasGroup(ctx, name):
				return true, nil
			}
			return err == nil, err
		})
	})
	if err != nil {
		return err
	}
	return poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) { return !d.hasGroup(ctx, name), nil })
}

// hasGroup says whether a group is there; when AWS cannot be asked, that it is.
func (d *Deployer) hasGroup(ctx context.Context, name string) bool {
	out, err := d.Groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	return err != nil || len(out.AutoScalingGroups) > 0
}

// unless is nil for an error of AWS's with the code.
func unless(err error, code string) error {
	if awserr.Is(err, code) {
		return nil
	}
	return err
}
