package retention

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/internal/awsquery"
)

// AutoScaling says what auto scaling groups launch. Images may be resolve:ssm: and a parameter.
type AutoScaling interface {
	AutoScalingGroups(context.Context) ([]AutoScalingGroup, error)
	LaunchConfigurations(context.Context) ([]Configuration, error)
}

// NewAutoScaling is the service of a configuration's region.
func NewAutoScaling(cfg aws.Config) AutoScaling {
	return &scaling{awsquery.Client{Config: cfg, Service: "autoscaling", Setting: "AUTO_SCALING", Version: "2011-01-01"}}
}

type scaling struct{ client awsquery.Client }

// launchTemplate is how a group names a version of a launch template.
type launchTemplate struct {
	ID      string `xml:"LaunchTemplateId"`
	Name    string `xml:"LaunchTemplateName"`
	Version string
}

// groupsAnswer is DescribeAutoScalingGroups' result, as far as it is about images.
type groupsAnswer struct {
	Groups    []groupItem `xml:"AutoScalingGroups>member"`
	NextToken string
}

type groupItem struct {
	Name          string          `xml:"AutoScalingGroupName"`
	Configuration string          `xml:"LaunchConfigurationName"`
	Template      *launchTemplate `xml:"LaunchTemplate"`
	Mixed         struct {
		Template  *launchTemplate `xml:"LaunchTemplateSpecification"`
		Overrides []struct {
			Image    string          `xml:"ImageId"`
			Template *launchTemplate `xml:"LaunchTemplateSpecification"`
		} `xml:"Overrides>member"`
	} `xml:"MixedInstancesPolicy>LaunchTemplate"`
	Tags []struct{ Key, Value string } `xml:"Tags>member"`
}

// AutoScalingGroups lists all groups.
func (s *scaling) AutoScalingGroups(ctx context.Context) (all []AutoScalingGroup, err error) {
	err = s.pages(ctx, "DescribeAutoScalingGroups", func(call func(any) error) (string, error) {
		var page groupsAnswer
		err := call(&page)
		for _, g := range page.Groups {
			all = append(all, g.group())
		}
		return page.NextToken, err
	})
	return all, err
}

// group is everything that a group may launch, also by the policy for mixed instances.
func (g groupItem) group() AutoScalingGroup {
	group := AutoScalingGroup{Name: g.Name, Configuration: g.Configuration}
	for _, t := range g.Tags {
		if t.Key == builder.TagEnvironment {
			group.Environments = builder.Environments(t.Value)
		}
	}
	group.add(g.Template)
	group.add(g.Mixed.Template)
	for _, o := range g.Mixed.Overrides {
		group.add(o.Template)
		if o.Image != "" {
			group.Images = append(group.Images, o.Image)
		}
	}
	return group
}

func (g *AutoScalingGroup) add(t *launchTemplate) {
	if t != nil {
		g.Templates = append(g.Templates, TemplateUse{t.ID, t.Name, t.Version})
	}
}

// LaunchConfigurations lists all launch configurations.
func (s *scaling) LaunchConfigurations(ctx context.Context) (all []Configuration, err error) {
	err = s.pages(ctx, "DescribeLaunchConfigurations", func(call func(any) error) (string, error) {
		var page struct {
			Configurations []struct {
				Name  string `xml:"LaunchConfigurationName"`
				Image string `xml:"ImageId"`
			} `xml:"LaunchConfigurations>member"`
			NextToken string
		}
		err := call(&page)
		for _, c := range page.Configurations {
			all = append(all, Configuration{c.Name, c.Image})
		}
		return page.NextToken, err
	})
	return all, err
}

// pages reads an answer page by page: read calls for one and returns what the next is found by.
func (s *scaling) pages(ctx context.Context, action string, read func(call func(any) error) (next string, err error)) error {
	params := url.Values{"MaxRecords": {"100"}}
	for {
		next, err := read(func(out any) error { return s.client.Call(ctx, action, params, out) })
		if err != nil || next == "" {
			return err
		}
		params.Set("NextToken", next)
	}
}
