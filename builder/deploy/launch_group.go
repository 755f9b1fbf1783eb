package deploy

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
	"github.com/imagobuild/imago/builder/internal/undo"
)

// addGroup starts the machines. Until the release is settled, the group may not
// become smaller than the one that serves; it may grow.
func (d *Deployer) addGroup(ctx context.Context, e Environment, n *next, now *state, img image, trash *undo.Stack, uses ...*undo.Entry) error {
	size := int32(n.size)
	err := d.change(ctx, "launch", fmt.Sprintf("made auto scaling group %s of %d", n.name, size), func() error {
		return whenKnown(ctx, func() error {
			_, err := d.Groups.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
				AutoScalingGroupName: &n.name, MinSize: &size, DesiredCapacity: &size, MaxSize: aws.Int32(max(int32(e.Max), size)),
				LaunchTemplate:    &astypes.LaunchTemplateSpecification{LaunchTemplateId: &now.template, Version: aws.String(strconv.FormatInt(n.Number, 10))},
				VPCZoneIdentifier: aws.String(joined(img.subnets)), TargetGroupARNs: []string{n.target},
				// A machine that takes long to start is not ended for it: the release's own deadline is what counts.
				HealthCheckType: aws.String("ELB"), HealthCheckGracePeriod: aws.Int32(int32(e.Timeout.Seconds())),
				Tags: e.groupTags(n.name, n.Number),
			})
			if awserr.Is(err, "AlreadyExists") && d.isOurs(ctx, now, n) {
				return nil // the answer to the first try was lost
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	trash.Add("auto scaling group "+n.name, func(ctx context.Context) error { return d.dropGroup(ctx, n.name) }, uses...)
	if e.RequestsPerTarget == 0 {
		return nil
	}
	return d.addPolicy(ctx, e, n, now)
}

// isOurs says whether a group that is there already is this release's.
func (d *Deployer) isOurs(ctx context.Context, now *state, n *next) bool {
	ours := false
	err := poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		out, err := d.Groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{n.name}})
		if err != nil || len(out.AutoScalingGroups) == 0 { // AWS does not list it yet
			return false, err
		}
		by := out.AutoScalingGroups[0].LaunchTemplate
		ours = by != nil && aws.ToString(by.LaunchTemplateId) == now.template && aws.ToString(by.Version) == strconv.FormatInt(n.Number, 10)
		return true, nil
	})
	return err == nil && ours
}

// addPolicy has the group follow the load.
func (d *Deployer) addPolicy(ctx context.Context, e Environment, n *next, now *state) error {
	label := afterLast(*now.balancer.LoadBalancerArn, ":loadbalancer/") + "/" + afterLast(n.target, ":")
	return d.change(ctx, "launch", fmt.Sprintf("has %s follow %g requests a target and minute", n.name, e.RequestsPerTarget), func() error {
		return whenKnown(ctx, func() error {
			_, err := d.Groups.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
				AutoScalingGroupName: &n.name, PolicyName: aws.String("requests"), PolicyType: aws.String("TargetTrackingScaling"),
				TargetTrackingConfiguration: &astypes.TargetTrackingConfiguration{
					TargetValue: aws.Float64(e.RequestsPerTarget),
					PredefinedMetricSpecification: &astypes.PredefinedMetricSpecification{
						PredefinedMetricType: astypes.MetricTypeALBRequestCountPerTarget, ResourceLabel: &label,
					},
				},
			})
			return err
		})
	})
}
