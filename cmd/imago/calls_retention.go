package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/imagobuild/imago/builder/retention"
)

var _ retention.EC2 = (*ec2Calls)(nil)

// retention is a region as retention sees it.
func (c clients) retention(region string) retention.Cloud {
	here := c.calling()
	if region != "" {
		here.Region = region
	}
	return retention.Cloud{
		EC2:        (*ec2Calls)(c.ec2(region)),
		Scaling:    retention.NewAutoScaling(here),
		Parameters: (*ssmCalls)(ssm.NewFromConfig(here)),
	}
}

// regions are those that were asked for or, when none was, the usual one.
func (c clients) regions(asked []string) []string {
	if len(asked) > 0 {
		return asked
	}
	return []string{c.config.Region}
}

func (c *ec2Calls) DescribeImageAttribute(ctx context.Context, in *ec2.DescribeImageAttributeInput, o ...func(*ec2.Options)) (*ec2.DescribeImageAttributeOutput, error) {
	return (*ec2.Client)(c).DescribeImageAttribute(ctx, in, o...)
}

func (c *ec2Calls) DescribeSnapshotAttribute(ctx context.Context, in *ec2.DescribeSnapshotAttributeInput, o ...func(*ec2.Options)) (*ec2.DescribeSnapshotAttributeOutput, error) {
	return (*ec2.Client)(c).DescribeSnapshotAttribute(ctx, in, o...)
}

func (c *ec2Calls) DeleteTags(ctx context.Context, in *ec2.DeleteTagsInput, o ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error) {
	return (*ec2.Client)(c).DeleteTags(ctx, in, o...)
}
