package deploy

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// inventory is all that a release makes, as far as it is of the environment by
// its name: one line each, sorted.
func (p *place) inventory(t *testing.T) []string {
	t.Helper()
	v := &view{t: t, machines: ec2.NewFromConfig(cloud.config("")), groups: autoscaling.NewFromConfig(cloud.config("")), balancers: elb.NewFromConfig(cloud.config(""))}
	v.templates(p)
	v.scaling(p)
	v.balanced(p)
	v.instances(p)
	slices.Sort(v.all)
	return v.all
}

type view struct {
	t         *testing.T
	machines  *ec2.Client
	groups    *autoscaling.Client
	balancers *elb.Client
	all       []string
}

func (v *view) add(err error, format string, args ...any) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	if format != "" {
		v.all = append(v.all, fmt.Sprintf(format, args...))
	}
}

func (p *place) filters() []types.Filter {
	return []types.Filter{
		{Name: aws.String("tag:imago:application"), Values: []string{p.Application}}, {Name: aws.String("tag:imago:environment"), Values: []string{p.Name}},
	}
}

func (v *view) templates(p *place) {
	ctx := after(v.t)
	out, err := v.machines.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{Filters: p.filters()})
	v.add(err, "")
	for _, one := range out.LaunchTemplates {
		versions, err := v.machines.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: one.LaunchTemplateId})
		v.add(err, "")
		for _, version := range versions.LaunchTemplateVersions {
			v.add(nil, "version %d of %s", *version.VersionNumber, *one.LaunchTemplateName)
		}
	}
	keys, err := v.machines.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{Filters: p.filters()})
	v.add(err, "")
	for _, one := range keys.KeyPairs {
		v.add(nil, "key pair %s", *one.KeyName)
	}
}

func (v *view) scaling(p *place) {
	out, err := v.groups.DescribeAutoScalingGroups(after(v.t), &autoscaling.DescribeAutoScalingGroupsInput{})
	v.add(err, "")
	for _, g := range out.AutoScalingGroups {
		for _, tag := range g.Tags {
			if *tag.Key == "imago:environment" && *tag.Value == p.Name {
				v.add(nil, "group %s from %d to %d", *g.AutoScalingGroupName, *g.MinSize, *g.MaxSize)
			}
		}
	}
}

func (v *view) balanced(p *place) {
	ctx := after(v.t)
	balancers, err := v.balancers.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
	v.add(err, "")
	for _, lb := range balancers.LoadBalancers {
		if *lb.DNSName != p.address {
			continue
		}
		groups, err := v.balancers.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{})
		v.add(err, "")
		for _, g := range groups.TargetGroups {
			if *g.VpcId == *lb.VpcId {
				v.add(nil, "target group %s", *g.TargetGroupName)
			}
		}
		listeners, err := v.balancers.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn})
		v.add(err, "")
		for _, l := range listeners.Listeners {
			for _, g := range l.DefaultActions[0].ForwardConfig.TargetGroups {
				v.add(nil, "listener: %d to %s", *g.Weight, *g.TargetGroupArn)
			}
			rules, err := v.balancers.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn})
			v.add(err, "")
			v.add(nil, "%d rules", len(rules.Rules)-1)
		}
	}
}

func (v *view) instances(p *place) {
	out, err := v.machines.DescribeInstances(after(v.t), &ec2.DescribeInstancesInput{Filters: append(p.filters(),
		types.Filter{Name: aws.String("instance-state-name"), Values: []string{"pending", "running", "shutting-down", "stopping", "stopped"}})})
	v.add(err, "")
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			v.add(nil, "instance %s", *i.InstanceId)
		}
	}
}
