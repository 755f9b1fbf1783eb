package deploy

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
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
