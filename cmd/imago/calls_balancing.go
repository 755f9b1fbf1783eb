package main

import (
	"context"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/imagobuild/imago/builder/deploy"
)

// balancingCalls is an *elasticloadbalancingv2.Client that has only the calls of
// deploy.Targets, deploy.Listeners and deploy.Balancers: see ec2Calls.
type balancingCalls elb.Client

var (
	_ deploy.Targets   = (*balancingCalls)(nil)
	_ deploy.Listeners = (*balancingCalls)(nil)
	_ deploy.Balancers = (*balancingCalls)(nil)
)

func (c *balancingCalls) CreateTargetGroup(ctx context.Context, in *elb.CreateTargetGroupInput, o ...func(*elb.Options)) (*elb.CreateTargetGroupOutput, error) {
	return (*elb.Client)(c).CreateTargetGroup(ctx, in, o...)
}

func (c *balancingCalls) ModifyTargetGroupAttributes(ctx context.Context, in *elb.ModifyTargetGroupAttributesInput, o ...func(*elb.Options)) (*elb.ModifyTargetGroupAttributesOutput, error) {
	return (*elb.Client)(c).ModifyTargetGroupAttributes(ctx, in, o...)
}

func (c *balancingCalls) DeleteTargetGroup(ctx context.Context, in *elb.DeleteTargetGroupInput, o ...func(*elb.Options)) (*elb.DeleteTargetGroupOutput, error) {
	return (*elb.Client)(c).DeleteTargetGroup(ctx, in, o...)
}

func (c *balancingCalls) DescribeTargetGroups(ctx context.Context, in *elb.DescribeTargetGroupsInput, o ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error) {
	return (*elb.Client)(c).DescribeTargetGroups(ctx, in, o...)
}

func (c *balancingCalls) DescribeTargetHealth(ctx context.Context, in *elb.DescribeTargetHealthInput, o ...func(*elb.Options)) (*elb.DescribeTargetHealthOutput, error) {
	return (*elb.Client)(c).DescribeTargetHealth(ctx, in, o...)
}

func (c *balancingCalls) DescribeTags(ctx context.Context, in *elb.DescribeTagsInput, o ...func(*elb.Options)) (*elb.DescribeTagsOutput, error) {
	return (*elb.Client)(c).DescribeTags(ctx, in, o...)
}

func (c *balancingCalls) DescribeLoadBalancers(ctx context.Context, in *elb.DescribeLoadBalancersInput, o ...func(*elb.Options)) (*elb.DescribeLoadBalancersOutput, error) {
	return (*elb.Client)(c).DescribeLoadBalancers(ctx, in, o...)
}

func (c *balancingCalls) DescribeListeners(ctx context.Context, in *elb.DescribeListenersInput, o ...func(*elb.Options)) (*elb.DescribeListenersOutput, error) {
	return (*elb.Client)(c).DescribeListeners(ctx, in, o...)
}

func (c *balancingCalls) ModifyListener(ctx context.Context, in *elb.ModifyListenerInput, o ...func(*elb.Options)) (*elb.ModifyListenerOutput, error) {
	return (*elb.Client)(c).ModifyListener(ctx, in, o...)
}

func (c *balancingCalls) CreateRule(ctx context.Context, in *elb.CreateRuleInput, o ...func(*elb.Options)) (*elb.CreateRuleOutput, error) {
	return (*elb.Client)(c).CreateRule(ctx, in, o...)
}

func (c *balancingCalls) DeleteRule(ctx context.Context, in *elb.DeleteRuleInput, o ...func(*elb.Options)) (*elb.DeleteRuleOutput, error) {
	return (*elb.Client)(c).DeleteRule(ctx, in, o...)
}

func (c *balancingCalls) DescribeRules(ctx context.Context, in *elb.DescribeRulesInput, o ...func(*elb.Options)) (*elb.DescribeRulesOutput, error) {
	return (*elb.Client)(c).DescribeRules(ctx, in, o...)
}

func (c *balancingCalls) CreateLoadBalancer(ctx context.Context, in *elb.CreateLoadBalancerInput, o ...func(*elb.Options)) (*elb.CreateLoadBalancerOutput, error) {
	return (*elb.Client)(c).CreateLoadBalancer(ctx, in, o...)
}

func (c *balancingCalls) DeleteLoadBalancer(ctx context.Context, in *elb.DeleteLoadBalancerInput, o ...func(*elb.Options)) (*elb.DeleteLoadBalancerOutput, error) {
	return (*elb.Client)(c).DeleteLoadBalancer(ctx, in, o...)
}

func (c *balancingCalls) CreateListener(ctx context.Context, in *elb.CreateListenerInput, o ...func(*elb.Options)) (*elb.CreateListenerOutput, error) {
	return (*elb.Client)(c).CreateListener(ctx, in, o...)
}

func (c *balancingCalls) DeleteListener(ctx context.Context, in *elb.DeleteListenerInput, o ...func(*elb.Options)) (*elb.DeleteListenerOutput, error) {
	return (*elb.Client)(c).DeleteListener(ctx, in, o...)
}
