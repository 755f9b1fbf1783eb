package builder

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// publish says who may use the image, and for how long. The copies have been given out already.
func (b *Builder) publish(ctx context.Context, p Plan, m made) error {
	defer b.span(SpanAWS, "say who may use it")()
	return publishOne(ctx, p, m)
}

// stay says of images that they are to stay: from there on other builds may count on them.
func (b *Builder) stay(ctx context.Context, all []made) {
	forEach(len(all), func(i int) error { b.finish(ctx, all[i]); return nil }) //nolint:errcheck // each warns
}

// finish takes the end off an image and its snapshots. An image that is whole is
// kept without that too, but its snapshots only as long as it is there.
func (b *Builder) finish(ctx context.Context, m made) {
	_, err := settled(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, tagExpiry(ctx, m.cloud, ExpiresNever, append([]string{m.id}, m.snapshots...)...)
	}, m.thing)
	if err != nil && ctx.Err() == nil {
		b.warn("the tag %s of %s stays as it was: %v", TagExpires, m.id, err)
	}
}

func publishOne(ctx context.Context, p Plan, m made) error {
	for _, in := range imageAttributes(p.Config.Output, m.id) {
		_, err := settled(ctx, func(ctx context.Context) (*ec2.ModifyImageAttributeOutput, error) {
			return m.cloud.ModifyImageAttribute(ctx, in)
		}, m.thing)
		if err != nil {
			return &Error{StageCapture, m.id, fmt.Errorf("set %s: %w", aws.ToString(in.Attribute), err)}
		}
	}
	for _, in := range snapshotAttributes(p.Config.Output, m.snapshots) {
		_, err := settled(ctx, func(ctx context.Context) (*ec2.ModifySnapshotAttributeOutput, error) {
			return m.cloud.ModifySnapshotAttribute(ctx, in)
		}, m.thing)
		if err != nil {
			return &Error{StageCapture, aws.ToString(in.SnapshotId), fmt.Errorf("share it: %w", err)}
		}
	}
	if err := deprecate(ctx, p, m); err != nil {
		return &Error{StageCapture, m.id, fmt.Errorf("set deprecate_at: %w", err)}
	}
	return nil
}

// imageAttributes are the calls that one image needs: AWS takes one attribute in each.
func imageAttributes(o Output, id string) []*ec2.ModifyImageAttributeInput {
	var all []*ec2.ModifyImageAttributeInput
	var add []types.LaunchPermission
	for _, user := range o.Users {
		add = append(add, types.LaunchPermission{UserId: aws.String(user)})
	}
	for _, group := range o.Groups {
		add = append(add, types.LaunchPermission{Group: types.PermissionGroup(group)})
	}
	for _, arn := range o.OrgARNs {
		add = append(add, types.LaunchPermission{OrganizationArn: aws.String(arn)})
	}
	for _, arn := range o.OUARNs {
		add = append(add, types.LaunchPermission{OrganizationalUnitArn: aws.String(arn)})
	}
	if len(add) > 0 {
		all = append(all, &ec2.ModifyImageAttributeInput{
			ImageId: &id, Attribute: aws.String("launchPermission"),
			LaunchPermission: &types.LaunchPermissionModifications{Add: add},
		})
	}
	if len(o.ProductCodes) > 0 {
		all = append(all, &ec2.ModifyImageAttributeInput{ImageId: &id, Attribute: aws.String("productCodes"), ProductCodes: o.ProductCodes})
	}
	if o.IMDS != "" {
		all = append(all, &ec2.ModifyImageAttributeInput{
			ImageId: &id, Attribute: aws.String("imdsSupport"), ImdsSupport: &types.AttributeValue{Value: aws.String(o.IMDS)},
		})
	}
	return all
}

// snapshotAttributes are the calls that share snapshots.
func snapshotAttributes(o Output, snapshots []string) []*ec2.ModifySnapshotAttributeInput {
	if len(o.SnapshotUsers) == 0 && len(o.SnapshotGroups) == 0 {
		return nil
	}
	var all []*ec2.ModifySnapshotAttributeInput
	for _, id := range snapshots {
		all = append(all, &ec2.ModifySnapshotAttributeInput{
			SnapshotId: aws.String(id), Attribute: types.SnapshotAttributeNameCreateVolumePermission,
			OperationType: types.OperationTypeAdd, UserIds: o.SnapshotUsers, GroupNames: o.SnapshotGroups,
		})
	}
	return all
}

func deprecate(ctx context.Context, p Plan, m made) error {
	at := p.Config.Output.DeprecateAt
	if at.IsZero() {
		return nil
	}
	_, err := settled(ctx, func(ctx context.Context) (*ec2.EnableImageDeprecationOutput, error) {
		return m.cloud.EnableImageDeprecation(ctx, &ec2.EnableImageDeprecationInput{ImageId: &m.id, DeprecateAt: &at})
	}, m.thing)
	return err
}

// protect keeps images from being deregistered. It comes after everything that could make us take them back.
func (b *Builder) protect(ctx context.Context, p Plan, all []made) error {
	if p.Config.Output.Protect == "" {
		return nil
	}
	err := forEach(len(all), func(i int) error {
		_, err := settled(ctx, func(ctx context.Context) (*ec2.EnableImageDeregistrationProtectionOutput, error) {
			return all[i].cloud.EnableImageDeregistrationProtection(ctx, &ec2.EnableImageDeregistrationProtectionInput{
				ImageId: &all[i].id, WithCooldown: aws.Bool(p.Config.Output.Protect == ProtectedFor),
			})
		}, all[i].thing)
		if err != nil {
			return fmt.Errorf("protect %s in %s from being deregistered: %w", all[i].id, all[i].region, err)
		}
		return nil
	})
	if err != nil {
		return &IncompleteError{Image: all[0].id, Err: err}
	}
	return nil
}
