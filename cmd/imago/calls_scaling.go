package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/imagobuild/imago/builder/deploy"
)

// scalingCalls is an *autoscaling.Client that has only the calls of deploy.Groups: see ec2Calls.
type scalingCalls autoscaling.Client

var _ deploy.Groups = (*scalingCalls)(nil)

func (c *scalingCalls) CreateAutoScalingGroup(ctx context.Context, in *autoscaling.CreateAutoScalingGroupInput, o ...func(*autoscaling.Options)) (*autoscaling.CreateAutoScalingGroupOutput, error) {
	return (*autoscaling.Client)(c).CreateAutoScalingGroup(ctx, in, o...)
}

func (c *scalingCalls) UpdateAutoScalingGroup(ctx context.Context, in *autoscaling.UpdateAutoScalingGroupInput, o ...func(*autoscaling.Options)) (*autoscaling.UpdateAutoScalingGroupOutput, error) {
	return (*autoscaling.Client)(c).UpdateAutoScalingGroup(ctx, in, o...)
}

func (c *scalingCalls) DeleteAutoScalingGroup(ctx context.Context, in *autoscaling.DeleteAutoScalingGroupInput, o ...func(*autoscaling.Options)) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	return (*autoscaling.Client)(c).DeleteAutoScalingGroup(ctx, in, o...)
}

func (c *scalingCalls) DescribeAutoScalingGroups(ctx context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, o ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	return (*autoscaling.Client)(c).DescribeAutoScalingGroups(ctx, in, o...)
}

func (c *scalingCalls) DescribeScalingActivities(ctx context.Context, in *autoscaling.DescribeScalingActivitiesInput, o ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error) {
	return (*autoscaling.Client)(c).DescribeScalingActivities(ctx, in, o...)
}

func (c *scalingCalls) PutScalingPolicy(ctx context.Context, in *autoscaling.PutScalingPolicyInput, o ...func(*autoscaling.Options)) (*autoscaling.PutScalingPolicyOutput, error) {
	return (*autoscaling.Client)(c).PutScalingPolicy(ctx, in, o...)
}

func (c *scalingCalls) CreateOrUpdateTags(ctx context.Context, in *autoscaling.CreateOrUpdateTagsInput, o ...func(*autoscaling.Options)) (*autoscaling.CreateOrUpdateTagsOutput, error) {
	return (*autoscaling.Client)(c).CreateOrUpdateTags(ctx, in, o...)
}

func (c *scalingCalls) DeleteTags(ctx context.Context, in *autoscaling.DeleteTagsInput, o ...func(*autoscaling.Options)) (*autoscaling.DeleteTagsOutput, error) {
	return (*autoscaling.Client)(c).DeleteTags(ctx, in, o...)
}
