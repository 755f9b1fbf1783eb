package builder

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// copies copies the image to other regions, all at once, and waits for them.
func (b *Builder) copies(ctx context.Context, p Plan, from made, trash *estate) ([]made, error) {
	regions := otherRegions(p.Config)
	all := make([]made, len(regions))
	start := func(i int) error {
		r := regions[i]
		cloud := b.InRegion(r.Region)
		if err := b.removeOlder(ctx, p, r.Region, cloud); err != nil {
			return err
		}
		t := thing{kind: KindImage, name: p.Config.Output.Name, region: r.Region, cloud: cloud}
		t, err := trash.produce(ctx, t, func(ctx context.Context) (thing, error) {
			out, err := settled(ctx, func(ctx context.Context) (*ec2.CopyImageOutput, error) {
				return cloud.CopyImage(ctx, copyInput(p, from, r))
			}, from.thing)
			if err != nil {
				return thing{}, err
			}
			t.id = aws.ToString(out.ImageId)
			return t, nil
		})
		if err != nil {
			return &Error{StageCapture, from.id, fmt.Errorf("copy to %s: %w", r.Region, err)}
		}
		all[i], err = remember(t, trash)
		return err
	}
	if err := forEach(len(all), start); err != nil {
		return nil, err
	}
	return all, forEach(len(all), func(i int) error { return b.awaitAvailable(ctx, p, &all[i]) })
}

// otherRegions are those that get a copy.
func otherRegions(c Config) []RegionCopy {
	return slices.DeleteFunc(slices.Clone(c.Output.Regions), func(r RegionCopy) bool { return r.Region == c.Region })
}

// copyInput is what a build asks of CopyImage.
func copyInput(p Plan, from made, to RegionCopy) *ec2.CopyImageInput {
	o := p.Config.Output
	in := &ec2.CopyImageInput{
		ClientToken: aws.String("imago-" + p.ID + "-" + to.Region),
		Name:        &o.Name, Description: optional(o.Description),
		SourceImageId: &from.id, SourceRegion: &from.region,
		TagSpecifications: tagSpecs(map[types.ResourceType]map[string]string{
			types.ResourceTypeImage: p.copyTags(p.ImageTags, to), types.ResourceTypeSnapshot: p.copyTags(p.SnapshotTags, to),
		}),
	}
	if o.Encrypt != nil && *o.Encrypt || to.KMSKeyID != "" {
		in.Encrypted, in.KmsKeyId = aws.Bool(true), optional(to.KMSKeyID)
	}
	return in
}

// publish says of every image who may use it, and for how long, and then that all
// of them are to stay: from there on other builds may count on them.
func (b *Builder) publish(ctx context.Context, p Plan, all []made) error {
	defer b.span(SpanAWS, "say who may use it")()
	if err := forEach(len(all), func(i int) error { return publishOne(ctx, p, all[i]) }); err != nil {
		return err
	}
	return forEach(len(all), func(i int) error { b.finish(ctx, all[i]); return nil })
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
