package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/imagobuild/imago/builder/deploy"
)

var (
	_ deploy.Network = (*ec2Calls)(nil)
	_ deploy.Doors   = (*ec2Calls)(nil)
)

func (c *ec2Calls) CreateVpc(ctx context.Context, in *ec2.CreateVpcInput, o ...func(*ec2.Options)) (*ec2.CreateVpcOutput, error) {
	return (*ec2.Client)(c).CreateVpc(ctx, in, o...)
}

func (c *ec2Calls) DeleteVpc(ctx context.Context, in *ec2.DeleteVpcInput, o ...func(*ec2.Options)) (*ec2.DeleteVpcOutput, error) {
	return (*ec2.Client)(c).DeleteVpc(ctx, in, o...)
}

func (c *ec2Calls) CreateSubnet(ctx context.Context, in *ec2.CreateSubnetInput, o ...func(*ec2.Options)) (*ec2.CreateSubnetOutput, error) {
	return (*ec2.Client)(c).CreateSubnet(ctx, in, o...)
}

func (c *ec2Calls) ModifySubnetAttribute(ctx context.Context, in *ec2.ModifySubnetAttributeInput, o ...func(*ec2.Options)) (*ec2.ModifySubnetAttributeOutput, error) {
	return (*ec2.Client)(c).ModifySubnetAttribute(ctx, in, o...)
}

func (c *ec2Calls) DeleteSubnet(ctx context.Context, in *ec2.DeleteSubnetInput, o ...func(*ec2.Options)) (*ec2.DeleteSubnetOutput, error) {
	return (*ec2.Client)(c).DeleteSubnet(ctx, in, o...)
}

func (c *ec2Calls) DescribeAvailabilityZones(ctx context.Context, in *ec2.DescribeAvailabilityZonesInput, o ...func(*ec2.Options)) (*ec2.DescribeAvailabilityZonesOutput, error) {
	return (*ec2.Client)(c).DescribeAvailabilityZones(ctx, in, o...)
}

func (c *ec2Calls) CreateInternetGateway(ctx context.Context, in *ec2.CreateInternetGatewayInput, o ...func(*ec2.Options)) (*ec2.CreateInternetGatewayOutput, error) {
	return (*ec2.Client)(c).CreateInternetGateway(ctx, in, o...)
}

func (c *ec2Calls) AttachInternetGateway(ctx context.Context, in *ec2.AttachInternetGatewayInput, o ...func(*ec2.Options)) (*ec2.AttachInternetGatewayOutput, error) {
	return (*ec2.Client)(c).AttachInternetGateway(ctx, in, o...)
}

func (c *ec2Calls) DescribeInternetGateways(ctx context.Context, in *ec2.DescribeInternetGatewaysInput, o ...func(*ec2.Options)) (*ec2.DescribeInternetGatewaysOutput, error) {
	return (*ec2.Client)(c).DescribeInternetGateways(ctx, in, o...)
}

func (c *ec2Calls) DetachInternetGateway(ctx context.Context, in *ec2.DetachInternetGatewayInput, o ...func(*ec2.Options)) (*ec2.DetachInternetGatewayOutput, error) {
	return (*ec2.Client)(c).DetachInternetGateway(ctx, in, o...)
}

func (c *ec2Calls) DeleteInternetGateway(ctx context.Context, in *ec2.DeleteInternetGatewayInput, o ...func(*ec2.Options)) (*ec2.DeleteInternetGatewayOutput, error) {
	return (*ec2.Client)(c).DeleteInternetGateway(ctx, in, o...)
}

func (c *ec2Calls) CreateRouteTable(ctx context.Context, in *ec2.CreateRouteTableInput, o ...func(*ec2.Options)) (*ec2.CreateRouteTableOutput, error) {
	return (*ec2.Client)(c).CreateRouteTable(ctx, in, o...)
}

func (c *ec2Calls) CreateRoute(ctx context.Context, in *ec2.CreateRouteInput, o ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error) {
	return (*ec2.Client)(c).CreateRoute(ctx, in, o...)
}

func (c *ec2Calls) AssociateRouteTable(ctx context.Context, in *ec2.AssociateRouteTableInput, o ...func(*ec2.Options)) (*ec2.AssociateRouteTableOutput, error) {
	return (*ec2.Client)(c).AssociateRouteTable(ctx, in, o...)
}

func (c *ec2Calls) DescribeRouteTables(ctx context.Context, in *ec2.DescribeRouteTablesInput, o ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	return (*ec2.Client)(c).DescribeRouteTables(ctx, in, o...)
}

func (c *ec2Calls) DisassociateRouteTable(ctx context.Context, in *ec2.DisassociateRouteTableInput, o ...func(*ec2.Options)) (*ec2.DisassociateRouteTableOutput, error) {
	return (*ec2.Client)(c).DisassociateRouteTable(ctx, in, o...)
}

func (c *ec2Calls) DeleteRouteTable(ctx context.Context, in *ec2.DeleteRouteTableInput, o ...func(*ec2.Options)) (*ec2.DeleteRouteTableOutput, error) {
	return (*ec2.Client)(c).DeleteRouteTable(ctx, in, o...)
}

func (c *ec2Calls) RevokeSecurityGroupIngress(ctx context.Context, in *ec2.RevokeSecurityGroupIngressInput, o ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	return (*ec2.Client)(c).RevokeSecurityGroupIngress(ctx, in, o...)
}
