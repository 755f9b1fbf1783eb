package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/imagobuild/imago/builder/deploy"
)

// dnsCalls is a *route53.Client that has only the calls of deploy.DNS: see ec2Calls.
type dnsCalls route53.Client

var _ deploy.DNS = (*dnsCalls)(nil)

func (c *dnsCalls) ListHostedZonesByName(ctx context.Context, in *route53.ListHostedZonesByNameInput, o ...func(*route53.Options)) (*route53.ListHostedZonesByNameOutput, error) {
	return (*route53.Client)(c).ListHostedZonesByName(ctx, in, o...)
}

func (c *dnsCalls) ListResourceRecordSets(ctx context.Context, in *route53.ListResourceRecordSetsInput, o ...func(*route53.Options)) (*route53.ListResourceRecordSetsOutput, error) {
	return (*route53.Client)(c).ListResourceRecordSets(ctx, in, o...)
}

func (c *dnsCalls) ChangeResourceRecordSets(ctx context.Context, in *route53.ChangeResourceRecordSetsInput, o ...func(*route53.Options)) (*route53.ChangeResourceRecordSetsOutput, error) {
	return (*route53.Client)(c).ChangeResourceRecordSets(ctx, in, o...)
}

func (c *dnsCalls) GetChange(ctx context.Context, in *route53.GetChangeInput, o ...func(*route53.Options)) (*route53.GetChangeOutput, error) {
	return (*route53.Client)(c).GetChange(ctx, in, o...)
}
