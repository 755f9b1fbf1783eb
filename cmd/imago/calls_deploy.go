package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/imagobuild/imago/builder/deploy"
)

var (
	_ deploy.Machines  = (*ec2Calls)(nil)
	_ deploy.Templates = (*ec2Calls)(nil)
)

func (c *ec2Calls) CreateLaunchTemplate(ctx context.Context, in *ec2.CreateLaunchTemplateInput, o ...func(*ec2.Options)) (*ec2.CreateLaunchTemplateOutput, error) {
	return (*ec2.Client)(c).CreateLaunchTemplate(ctx, in, o...)
}

func (c *ec2Calls) CreateLaunchTemplateVersion(ctx context.Context, in *ec2.CreateLaunchTemplateVersionInput, o ...func(*ec2.Options)) (*ec2.CreateLaunchTemplateVersionOutput, error) {
	return (*ec2.Client)(c).CreateLaunchTemplateVersion(ctx, in, o...)
}

func (c *ec2Calls) DeleteLaunchTemplate(ctx context.Context, in *ec2.DeleteLaunchTemplateInput, o ...func(*ec2.Options)) (*ec2.DeleteLaunchTemplateOutput, error) {
	return (*ec2.Client)(c).DeleteLaunchTemplate(ctx, in, o...)
}

func (c *ec2Calls) DeleteLaunchTemplateVersions(ctx context.Context, in *ec2.DeleteLaunchTemplateVersionsInput, o ...func(*ec2.Options)) (*ec2.DeleteLaunchTemplateVersionsOutput, error) {
	return (*ec2.Client)(c).DeleteLaunchTemplateVersions(ctx, in, o...)
}

func (c *ec2Calls) DescribeLaunchTemplates(ctx context.Context, in *ec2.DescribeLaunchTemplatesInput, o ...func(*ec2.Options)) (*ec2.DescribeLaunchTemplatesOutput, error) {
	return (*ec2.Client)(c).DescribeLaunchTemplates(ctx, in, o...)
}

func (c *ec2Calls) DescribeLaunchTemplateVersions(ctx context.Context, in *ec2.DescribeLaunchTemplateVersionsInput, o ...func(*ec2.Options)) (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
	return (*ec2.Client)(c).DescribeLaunchTemplateVersions(ctx, in, o...)
}
