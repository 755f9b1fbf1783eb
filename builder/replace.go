package builder

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// replace makes the image while older ones have its name. AWS gives a name out
// once, and never changes it: so the image is made under a name of its own,
// and only when it is available the older ones go and its snapshots are
// registered under the name.
func (b *Builder) replace(ctx context.Context, p Plan, inst instance, trash *estate) ([]made, error) {
	draft, err := b.create(ctx, p, draftName(p), inst, trash)
	if err != nil {
		return nil, err
	}
	out, err := settled(ctx, func(ctx context.Context) (*ec2.DescribeImagesOutput, error) {
		return b.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{draft[0].id}})
	}, draft[0].thing)
	if err != nil || len(out.Images) != 1 {
		return nil, &Error{StageCapture, draft[0].id, fmt.Errorf("look it up: %w", err)}
	}
	if err := b.removeOlder(ctx, p, p.Config.Region, b.EC2); err != nil {
		return nil, err
	}
	return b.rename(ctx, p, draft[0], out.Images[0], trash)
}

// removeOlder takes the older images of the name away in one region.
func (b *Builder) removeOlder(ctx context.Context, p Plan, region string, cloud EC2) error {
	for _, old := range p.Replaces[region] {
		t := thing{kind: KindImage, id: aws.ToString(old.ImageId), cloud: cloud}
		if err := inherit(ctx, p, cloud, old); err != nil {
			return &Error{StageCapture, t.id, fmt.Errorf("say that its snapshots go: %w", err)}
		}
		if err := removeImage(ctx, t, p.Config.Output.DeleteSnapshots); err != nil {
			return &Error{StageCapture, t.id, fmt.Errorf("take the older image away: %w", err)}
		}
		b.note("took %s in %s away, which had the same name", t.id, region)
	}
	return nil
}

// inherit says of an older image's snapshots, if they are to go with it, that they
// are this build's: should it be killed in between, they are taken away with the
// rest. As long as the image is there, they are in use.
func inherit(ctx context.Context, p Plan, cloud EC2, old types.Image) error {
	snapshots := snapshotsOf(old)
	if !p.Config.Output.DeleteSnapshots || len(snapshots) == 0 {
		return nil
	}
	own := toTags(map[string]string{TagBuild: p.ID, TagExpires: expiry()})
	_, err := cloud.CreateTags(ctx, &ec2.CreateTagsInput{Resources: snapshots, Tags: own})
	return ignore(err, "InvalidSnapshot.NotFound")
}

// rename registers the draft's snapshots under the image's real name.
func (b *Builder) rename(ctx context.Context, p Plan, draft made, img types.Image, trash *estate) ([]made, error) {
	draft.undo.Keep() // from here on it is all there is of this name: better an image with an odd name than none
	t := thing{kind: KindImage, name: p.Config.Output.Name, region: p.Config.Region, cloud: b.EC2}
	t, err := trash.produce(ctx, t, func(ctx context.Context) (thing, error) {
		out, err := settled(ctx, func(ctx context.Context) (*ec2.RegisterImageOutput, error) {
			return b.EC2.RegisterImage(ctx, registerInput(p, img))
		}, draft.thing)
		if err != nil {
			return thing{}, err
		}
		t.id = aws.ToString(out.ImageId)
		return t, nil
	})
	if err != nil {
		b.finish(ctx, draft)
		trash.record(Kept, draft.thing)
		return nil, &Error{StageCapture, draft.id, fmt.Errorf("register it under its name: %w; it stays under the name %q", err, aws.ToString(img.Name))}
	}
	m, err := remember(t, trash)
	if err != nil {
		return nil, err
	}
	if err := b.awaitAvailable(ctx, p, &m); err != nil {
		return nil, err
	}
	if err := removeImage(ctx, draft.thing, false); err != nil {
		return nil, &LeakError{Resources: []string{draft.String()}, Err: err}
	}
	trash.record(Gone, draft.thing)
	return []made{m}, nil
}

// draftName is a name that no other image has.
func draftName(p Plan) string {
	name, suffix := p.Config.Output.Name, " imago-"+p.ID
	return name[:min(len(name), 128-len(suffix))] + suffix
}

// registerInput describes an image as another one that has the same snapshots.
func registerInput(p Plan, img types.Image) *ec2.RegisterImageInput {
	in := &ec2.RegisterImageInput{
		Name: &p.Config.Output.Name, Description: optional(p.Config.Output.Description),
		Architecture: img.Architecture, RootDeviceName: img.RootDeviceName,
		VirtualizationType: aws.String(string(img.VirtualizationType)),
		EnaSupport:         img.EnaSupport, SriovNetSupport: img.SriovNetSupport,
		BootMode: img.BootMode, ImdsSupport: img.ImdsSupport, TpmSupport: img.TpmSupport,
		KernelId: img.KernelId, RamdiskId: img.RamdiskId,
		TagSpecifications: tagSpecs(map[types.ResourceType]map[string]string{types.ResourceTypeImage: p.namedTags()}),
	}
	for _, d := range img.BlockDeviceMappings {
		if d.Ebs != nil {
			volume := *d.Ebs
			volume.Encrypted = nil // the snapshot says it, and AWS takes it from nowhere else
			d.Ebs = &volume
		}
		in.BlockDeviceMappings = append(in.BlockDeviceMappings, d)
	}
	return in
}
