package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
)

func (d *Deployer) lookBalancer(ctx context.Context, e Environment, s *state) error {
	found, err := d.Listeners.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{e.name()}})
	if awserr.Is(err, "LoadBalancerNotFound") {
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
		switch aws.ToInt32(l.Port) {
		case 443:
			s.listener = &l
		case 80: // with a certificate, it sends users to the other
			if s.listener == nil && e.Certificate == "" {
				s.listener = &l
			}
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
		if awserr.Is(err, "TargetGroupNotFound") {
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
