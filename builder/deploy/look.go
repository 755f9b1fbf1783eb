package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// look reads all there is of an environment.
func (d *Deployer) look(ctx context.Context, e Environment) (*state, error) {
	s := &state{units: map[int64]*unit{}, versions: map[int64]version{}}
	for _, read := range []func(context.Context, Environment, *state) error{d.lookTemplates, d.lookGroups, d.lookBalancer} {
		if err := read(ctx, e, s); err != nil {
			return nil, err
		}
	}
	if s.balancer != nil {
		if err := d.lookTargets(ctx, e, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// unit is the release of a number, from its launch template version when there is one.
func (s *state) unit(number int64) *unit {
	if s.units[number] == nil {
		v, ok := s.versions[number]
		if !ok {
			v.Number = number
		}
		s.units[number] = &unit{version: v}
	}
	return s.units[number]
}

func (d *Deployer) lookTemplates(ctx context.Context, e Environment, s *state) error {
	found, err := d.Templates.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{Filters: append(e.filters(), types.Filter{Name: aws.String("launch-template-name"), Values: []string{e.name()}})})
	if err != nil {
		return fmt.Errorf("read the launch template: %w", err)
	}
	if len(found.LaunchTemplates) == 0 {
		return nil
	}
	s.template = *found.LaunchTemplates[0].LaunchTemplateId
	s.served, _ = strconv.ParseInt(tagOf(found.LaunchTemplates[0].Tags, tagServed), 10, 64) // 0 when none has been yet
	pages := ec2.NewDescribeLaunchTemplateVersionsPaginator(d.Templates, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &s.template})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read the versions of launch template %s: %w", s.template, err)
		}
		for _, v := range page.LaunchTemplateVersions {
			s.versions[*v.VersionNumber] = readVersion(v)
		}
	}
	return nil
}

// readVersion reads a release from the tags that its machines are launched with.
func readVersion(v types.LaunchTemplateVersion) version {
	out := version{Release: Release{Number: *v.VersionNumber, Image: aws.ToString(v.LaunchTemplateData.ImageId)}}
	for _, spec := range v.LaunchTemplateData.TagSpecifications {
		if spec.ResourceType != types.ResourceTypeInstance {
			continue
		}
		out.Commit, out.By, out.config = tagOf(spec.Tags, TagCommit), tagOf(spec.Tags, TagReleaser), tagOf(spec.Tags, tagConfig)
		out.At, _ = time.Parse(time.RFC3339, tagOf(spec.Tags, TagReleased)) // zero when somebody has changed it
	}
	return out
}

func (d *Deployer) lookGroups(ctx context.Context, e Environment, s *state) error {
	filters := []astypes.Filter{
		{Name: aws.String("tag:" + TagApplication), Values: []string{e.Application}},
		{Name: aws.String("tag:" + TagEnvironment), Values: []string{e.Name}},
	}
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(d.Groups, &autoscaling.DescribeAutoScalingGroupsInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read the auto scaling groups: %w", err)
		}
		for _, g := range page.AutoScalingGroups {
			tags := map[string]string{}
			for _, t := range g.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			number, err := strconv.ParseInt(tags[TagRelease], 10, 64)
			if err != nil || !e.owns(tags) || aws.ToString(g.AutoScalingGroupName) != e.releaseName(number) {
				continue
			}
			u := s.unit(number)
			u.group = &g
			u.retire, _ = time.Parse(time.RFC3339, tags[TagRetire]) // zero when it has none
			u.idle, _ = time.Parse(time.RFC3339, tags[tagIdle])
		}
	}
	return nil
}

func (d *Deployer) lookBalancer(ctx context.Context, e Environment, s *state) error {
	found, err := d.Listeners.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{e.name()}})
	if hasCode(err, "LoadBalancerNotFound") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the load balancer: %w", err)
	}
	lb := found.LoadBalancers[0]
	tags, err := d.tagsOf(ctx, *lb.LoadBalancerArn)
	if err != nil {
		return err
	}
	if !e.owns(tags[*lb.LoadBalancerArn]) {
		return fmt.Errorf("the load balancer %s has the name of this environment's, and not its tags (%s=%s, %s=%s): give it the tags, or rename the environment",
			e.name(), TagApplication, e.Application, TagEnvironment, e.Name)
	}
	s.balancer = &lb
	listeners, err := d.Listeners.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn})
	if err != nil {
		return fmt.Errorf("read the listeners of %s: %w", e.name(), err)
	}
	for _, l := range listeners.Listeners {
		if aws.ToInt32(l.Port) == e.listenerPort() {
			s.listener = &l
		}
	}
	return nil
}

// lookTargets reads the target groups, and what the listener sends to them.
func (d *Deployer) lookTargets(ctx context.Context, e Environment, s *state) error {
	var arns []string
	pages := elb.NewDescribeTargetGroupsPaginator(d.Targets, &elb.DescribeTargetGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read the target groups: %w", err)
		}
		for _, g := range page.TargetGroups {
			if aws.ToString(g.VpcId) == aws.ToString(s.balancer.VpcId) {
				arns = append(arns, *g.TargetGroupArn)
			}
		}
	}
	tags, err := d.tagsOf(ctx, arns...)
	if err != nil {
		return err
	}
	byARN := map[string]*unit{}
	for _, arn := range arns {
		if number, err := strconv.ParseInt(tags[arn][TagRelease], 10, 64); err == nil && e.owns(tags[arn]) {
			u := s.unit(number)
			u.target, byARN[arn] = arn, u
		}
	}
	if s.listener == nil {
		return nil
	}
	for arn, weight := range weights(s.listener.DefaultActions) {
		u := byARN[arn]
		if u == nil {
			return fmt.Errorf("the listener of %s sends requests to %s, which is none of this environment's: give it the tags %s and %s, or take it out", e.name(), arn, TagApplication, TagEnvironment)
		}
		u.weight, u.listed = weight, true
	}
	return d.lookRules(ctx, s, byARN)
}

func (d *Deployer) lookRules(ctx context.Context, s *state, byARN map[string]*unit) error {
	rules, err := d.Listeners.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: s.listener.ListenerArn})
	if err != nil {
		return fmt.Errorf("read the rules of the listener: %w", err)
	}
	for _, r := range rules.Rules {
		if aws.ToBool(r.IsDefault) {
			continue
		}
		for arn := range weights(r.Actions) {
			if u := byARN[arn]; u != nil {
				u.rules = append(u.rules, *r.RuleArn)
			}
		}
	}
	return nil
}

// weights is what an action sends where.
func weights(actions []elbtypes.Action) map[string]int32 {
	all := map[string]int32{}
	for _, a := range actions {
		if a.ForwardConfig == nil {
			if a.TargetGroupArn != nil {
				all[*a.TargetGroupArn] = 1
			}
			continue
		}
		for _, g := range a.ForwardConfig.TargetGroups {
			all[*g.TargetGroupArn] = aws.ToInt32(g.Weight)
		}
	}
	return all
}

// maxTagged is of how many resources AWS tells the tags at once.
const maxTagged = 20

// tagsOf is the tags of what has an ARN of Elastic Load Balancing's. One that has
// gone meanwhile, as another environment's may, has none.
func (d *Deployer) tagsOf(ctx context.Context, arns ...string) (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for some := range slices.Chunk(arns, maxTagged) {
		err := d.readTags(ctx, some, all)
		if hasCode(err, "TargetGroupNotFound") {
			err = nil
			for _, arn := range some {
				err = errors.Join(err, unless(d.readTags(ctx, []string{arn}, all), "TargetGroupNotFound"))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readTags adds the tags of some resources.
func (d *Deployer) readTags(ctx context.Context, arns []string, all map[string]map[string]string) error {
	out, err := d.Targets.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: arns})
	if err != nil {
		return fmt.Errorf("read the tags of %d resources: %w", len(arns), err)
	}
	for _, one := range out.TagDescriptions {
		tags := map[string]string{}
		for _, t := range one.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		all[*one.ResourceArn] = tags
	}
	return nil
}

// filters select what is of the environment.
func (e Environment) filters() []types.Filter {
	return []types.Filter{
		{Name: aws.String("tag:" + TagApplication), Values: []string{e.Application}},
		{Name: aws.String("tag:" + TagEnvironment), Values: []string{e.Name}},
	}
}

// owns says whether tags are those of the environment.
func (e Environment) owns(tags map[string]string) bool {
	return tags[TagApplication] == e.Application && tags[TagEnvironment] == e.Name
}

// listenerPort is that of the listener which has the traffic.
func (e Environment) listenerPort() int32 {
	if e.Certificate != "" {
		return 443
	}
	return 80
}

// errNoSetup says what to do first.
var errNoSetup = errors.New("run imago setup first")
