package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/gc"
)

// ec2Calls is an *ec2.Client that has only the calls of builder.EC2 and gc.EC2. text/template
// finds methods by name, so the linker keeps all methods of whatever is put into
// an interface; of *ec2.Client these are 812, and were half of the program.
type ec2Calls ec2.Client

var (
	_ builder.EC2 = (*ec2Calls)(nil)
	_ gc.EC2      = (*ec2Calls)(nil)
)

func (c *ec2Calls) DescribeImages(ctx context.Context, in *ec2.DescribeImagesInput, o ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error) {
	return (*ec2.Client)(c).DescribeImages(ctx, in, o...)
}

func (c *ec2Calls) DescribeVpcs(ctx context.Context, in *ec2.DescribeVpcsInput, o ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	return (*ec2.Client)(c).DescribeVpcs(ctx, in, o...)
}

func (c *ec2Calls) DescribeSubnets(ctx context.Context, in *ec2.DescribeSubnetsInput, o ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	return (*ec2.Client)(c).DescribeSubnets(ctx, in, o...)
}

func (c *ec2Calls) DescribeSecurityGroups(ctx context.Context, in *ec2.DescribeSecurityGroupsInput, o ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	return (*ec2.Client)(c).DescribeSecurityGroups(ctx, in, o...)
}

func (c *ec2Calls) ImportKeyPair(ctx context.Context, in *ec2.ImportKeyPairInput, o ...func(*ec2.Options)) (*ec2.ImportKeyPairOutput, error) {
	return (*ec2.Client)(c).ImportKeyPair(ctx, in, o...)
}

func (c *ec2Calls) DeleteKeyPair(ctx context.Context, in *ec2.DeleteKeyPairInput, o ...func(*ec2.Options)) (*ec2.DeleteKeyPairOutput, error) {
	return (*ec2.Client)(c).DeleteKeyPair(ctx, in, o...)
}

func (c *ec2Calls) CreateSecurityGroup(ctx context.Context, in *ec2.CreateSecurityGroupInput, o ...func(*ec2.Options)) (*ec2.CreateSecurityGroupOutput, error) {
	return (*ec2.Client)(c).CreateSecurityGroup(ctx, in, o...)
}

func (c *ec2Calls) AuthorizeSecurityGroupIngress(ctx context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, o ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	return (*ec2.Client)(c).AuthorizeSecurityGroupIngress(ctx, in, o...)
}

func (c *ec2Calls) DeleteSecurityGroup(ctx context.Context, in *ec2.DeleteSecurityGroupInput, o ...func(*ec2.Options)) (*ec2.DeleteSecurityGroupOutput, error) {
	return (*ec2.Client)(c).DeleteSecurityGroup(ctx, in, o...)
}

func (c *ec2Calls) DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput, o ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
	return (*ec2.Client)(c).DescribeInstances(ctx, in, o...)
}

func (c *ec2Calls) RunInstances(ctx context.Context, in *ec2.RunInstancesInput, o ...func(*ec2.Options)) (*ec2.RunInstancesOutput, error) {
	return (*ec2.Client)(c).RunInstances(ctx, in, o...)
}

func (c *ec2Calls) StopInstances(ctx context.Context, in *ec2.StopInstancesInput, o ...func(*ec2.Options)) (*ec2.StopInstancesOutput, error) {
	return (*ec2.Client)(c).StopInstances(ctx, in, o...)
}

func (c *ec2Calls) TerminateInstances(ctx context.Context, in *ec2.TerminateInstancesInput, o ...func(*ec2.Options)) (*ec2.TerminateInstancesOutput, error) {
	return (*ec2.Client)(c).TerminateInstances(ctx, in, o...)
}

func (c *ec2Calls) ModifyInstanceAttribute(ctx context.Context, in *ec2.ModifyInstanceAttributeInput, o ...func(*ec2.Options)) (*ec2.ModifyInstanceAttributeOutput, error) {
	return (*ec2.Client)(c).ModifyInstanceAttribute(ctx, in, o...)
}

func (c *ec2Calls) GetConsoleOutput(ctx context.Context, in *ec2.GetConsoleOutputInput, o ...func(*ec2.Options)) (*ec2.GetConsoleOutputOutput, error) {
	return (*ec2.Client)(c).GetConsoleOutput(ctx, in, o...)
}

func (c *ec2Calls) CreateImage(ctx context.Context, in *ec2.CreateImageInput, o ...func(*ec2.Options)) (*ec2.CreateImageOutput, error) {
	return (*ec2.Client)(c).CreateImage(ctx, in, o...)
}

func (c *ec2Calls) RegisterImage(ctx context.Context, in *ec2.RegisterImageInput, o ...func(*ec2.Options)) (*ec2.RegisterImageOutput, error) {
	return (*ec2.Client)(c).RegisterImage(ctx, in, o...)
}

func (c *ec2Calls) CopyImage(ctx context.Context, in *ec2.CopyImageInput, o ...func(*ec2.Options)) (*ec2.CopyImageOutput, error) {
	return (*ec2.Client)(c).CopyImage(ctx, in, o...)
}

func (c *ec2Calls) DeregisterImage(ctx context.Context, in *ec2.DeregisterImageInput, o ...func(*ec2.Options)) (*ec2.DeregisterImageOutput, error) {
	return (*ec2.Client)(c).DeregisterImage(ctx, in, o...)
}

func (c *ec2Calls) DeleteSnapshot(ctx context.Context, in *ec2.DeleteSnapshotInput, o ...func(*ec2.Options)) (*ec2.DeleteSnapshotOutput, error) {
	return (*ec2.Client)(c).DeleteSnapshot(ctx, in, o...)
}

func (c *ec2Calls) CreateTags(ctx context.Context, in *ec2.CreateTagsInput, o ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	return (*ec2.Client)(c).CreateTags(ctx, in, o...)
}

func (c *ec2Calls) ModifyImageAttribute(ctx context.Context, in *ec2.ModifyImageAttributeInput, o ...func(*ec2.Options)) (*ec2.ModifyImageAttributeOutput, error) {
	return (*ec2.Client)(c).ModifyImageAttribute(ctx, in, o...)
}

func (c *ec2Calls) ModifySnapshotAttribute(ctx context.Context, in *ec2.ModifySnapshotAttributeInput, o ...func(*ec2.Options)) (*ec2.ModifySnapshotAttributeOutput, error) {
	return (*ec2.Client)(c).ModifySnapshotAttribute(ctx, in, o...)
}

func (c *ec2Calls) EnableImageDeprecation(ctx context.Context, in *ec2.EnableImageDeprecationInput, o ...func(*ec2.Options)) (*ec2.EnableImageDeprecationOutput, error) {
	return (*ec2.Client)(c).EnableImageDeprecation(ctx, in, o...)
}

func (c *ec2Calls) EnableImageDeregistrationProtection(ctx context.Context, in *ec2.EnableImageDeregistrationProtectionInput, o ...func(*ec2.Options)) (*ec2.EnableImageDeregistrationProtectionOutput, error) {
	return (*ec2.Client)(c).EnableImageDeregistrationProtection(ctx, in, o...)
}

func (c *ec2Calls) DescribeVolumes(ctx context.Context, in *ec2.DescribeVolumesInput, o ...func(*ec2.Options)) (*ec2.DescribeVolumesOutput, error) {
	return (*ec2.Client)(c).DescribeVolumes(ctx, in, o...)
}

func (c *ec2Calls) DescribeSnapshots(ctx context.Context, in *ec2.DescribeSnapshotsInput, o ...func(*ec2.Options)) (*ec2.DescribeSnapshotsOutput, error) {
	return (*ec2.Client)(c).DescribeSnapshots(ctx, in, o...)
}

func (c *ec2Calls) DescribeKeyPairs(ctx context.Context, in *ec2.DescribeKeyPairsInput, o ...func(*ec2.Options)) (*ec2.DescribeKeyPairsOutput, error) {
	return (*ec2.Client)(c).DescribeKeyPairs(ctx, in, o...)
}

func (c *ec2Calls) DeleteVolume(ctx context.Context, in *ec2.DeleteVolumeInput, o ...func(*ec2.Options)) (*ec2.DeleteVolumeOutput, error) {
	return (*ec2.Client)(c).DeleteVolume(ctx, in, o...)
}

// ssmCalls is the same of an *ssm.Client, which has 155.
type ssmCalls ssm.Client

var _ builder.Parameters = (*ssmCalls)(nil)

func (c *ssmCalls) GetParameter(ctx context.Context, in *ssm.GetParameterInput, o ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	return (*ssm.Client)(c).GetParameter(ctx, in, o...)
}
