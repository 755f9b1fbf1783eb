package retention

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func (l *looking) configurations(ctx context.Context) (all []Configuration, err error) {
	pages := autoscaling.NewDescribeLaunchConfigurationsPaginator(l.cloud.Scaling, &autoscaling.DescribeLaunchConfigurationsInput{MaxRecords: aws.Int32(100)})
	known := map[string]string{}
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, l.denied("autoscaling:DescribeLaunchConfigurations", err)
		}
		for _, c := range out.LaunchConfigurations {
			image, err := l.resolved(ctx, aws.ToString(c.ImageId), known)
			if err != nil {
				return nil, err
			}
			all = append(all, Configuration{aws.ToString(c.LaunchConfigurationName), image})
		}
	}
	return all, nil
}

func (l *looking) groups(ctx context.Context) (all []AutoScalingGroup, err error) {
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(l.cloud.Scaling, &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: aws.Int32(100)})
	known := map[string]string{}
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, l.denied("autoscaling:DescribeAutoScalingGroups", err)
		}
		for _, g := range out.AutoScalingGroups {
			group := toGroup(g)
			for i := range group.Images {
				if group.Images[i], err = l.resolved(ctx, group.Images[i], known); err != nil {
					return nil, err
				}
			}
			all = append(all, group)
		}
	}
	return all, nil
}

// toGroup finds everything that a group may launch, also by the policy for mixed instances.
func toGroup(g types.AutoScalingGroup) AutoScalingGroup {
	group := AutoScalingGroup{Name: aws.ToString(g.AutoScalingGroupName), Configuration: aws.ToString(g.LaunchConfigurationName)}
	for _, t := range g.Tags {
		if aws.ToString(t.Key) == TagEnvironment {
			group.Environments = Environments(aws.ToString(t.Value))
		}
	}
	group.add(g.LaunchTemplate)
	if g.MixedInstancesPolicy != nil && g.MixedInstancesPolicy.LaunchTemplate != nil {
		mixed := g.MixedInstancesPolicy.LaunchTemplate
		group.add(mixed.LaunchTemplateSpecification)
		for _, o := range mixed.Overrides {
			group.add(o.LaunchTemplateSpecification)
			if o.ImageId != nil {
				group.Images = append(group.Images, *o.ImageId)
			}
		}
	}
	return group
}

func (g *AutoScalingGroup) add(t *types.LaunchTemplateSpecification) {
	if t != nil {
		g.Templates = append(g.Templates, TemplateUse{aws.ToString(t.LaunchTemplateId), aws.ToString(t.LaunchTemplateName), aws.ToString(t.Version)})
	}
}
