package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
	"github.com/imagobuild/imago/builder/internal/undo"
)

// capture brings the machine to rest and makes the image of it.
func (b *Builder) capture(ctx context.Context, p Plan, c *connection, trash *estate) (img Image, err error) {
	defer b.stage(ctx, StageCapture)(&err)
	same := true
	err = together(
		func() error { return b.stop(ctx, p, c) },
		func() error { same = b.sameTrees(ctx, p); return nil },
	)
	if err != nil {
		return Image{}, &Error{StageCapture, c.inst.id, err}
	}
	if !same {
		p.forgetFingerprint()
		trash.letGo(ctx) // this will not be the image that others wait for
	}
	if err := trash.fence(ctx, p); err != nil {
		return Image{}, err
	}
	return b.image(ctx, p, c.inst, trash)
}

// image turns a machine at rest into an image, and gives the image to whom it
// is for. What was made of that before a build was gone on with is not made again.
func (b *Builder) image(ctx context.Context, p Plan, inst instance, trash *estate) (img Image, err error) {
	var made []made
	if p.Config.Output.SkipBuildRegion {
		made, err = b.create(ctx, p, draftName(p), inst, trash)
	} else if len(p.Replaces[p.Config.Region]) > 0 || trash.hasDraft(p) {
		made, err = b.replace(ctx, p, inst, trash)
	} else {
		made, err = b.create(ctx, p, p.Config.Output.Name, inst, trash)
	}
	if err != nil {
		return Image{}, err
	}
	if b.OnError == CleanUp && b.PauseAt == nil && inst.undo != nil { // nobody wants to look at the machine, or to try again
		trash.Start(ctx, inst.undo)
	}
	copies, lacks := b.copies(ctx, p, made[0], trash)
	if lacks != nil && !incomplete(lacks) {
		return Image{}, lacks
	}
	if err := trash.fence(ctx, p); err != nil {
		return Image{}, err
	}
	if p.Config.Output.SkipBuildRegion {
		made = nil // the copies are all that is wanted
	} else if err := b.publish(ctx, p, made[0]); err != nil {
		return Image{}, err
	}
	if made = append(made, copies...); len(made) == 0 {
		return Image{}, lacks.(*IncompleteError).Err
	}
	if less, ok := lacks.(*IncompleteError); ok && p.Config.Output.SkipBuildRegion {
		lacks = &IncompleteError{Image: made[0].id, Err: less.Err, Alone: true} // the one that it names goes
	}
	b.stay(ctx, made)
	img = b.result(p, made, trash)
	trash.handOver(ctx, p)
	return img, errors.Join(lacks, b.protect(ctx, p, made))
}

// made is an image that this build made, or found, in one region.
type made struct {
	thing
	snapshots []string
	undo      *undo.Entry  // nil: it was there already
	found     *types.Image // the one that was
}

// result keeps what was made and says so.
func (b *Builder) result(p Plan, all []made, trash *estate) Image {
	img := Image{
		ID: all[0].id, Region: all[0].region, Name: p.Config.Output.Name,
		Snapshots: all[0].snapshots, Copies: map[string]string{}, Source: p.Source, Fingerprint: p.Fingerprint, Created: time.Now().UTC(),
	}
	for i, m := range all {
		if m.found == nil {
			m.undo.Keep()
			trash.record(Kept, m.thing) // if that is lost, gc sees by the image itself that it is whole
		}
		b.event(ImageReady{m.region, m.id})
		if i > 0 {
			img.Copies[m.region] = m.id
		}
	}
	return img
}

// stop brings the machine to rest, so that its disks are whole. One-time spot
// instances cannot be stopped; AWS reboots those when it makes the image.
func (b *Builder) stop(ctx context.Context, p Plan, c *connection) error {
	c.Close()
	if c.inst.spot {
		return nil
	}
	if !p.Config.Instance.DisableStop {
		_, err := settled(ctx, func(ctx context.Context) (*ec2.StopInstancesOutput, error) {
			return b.EC2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{c.inst.id}})
		}, c.inst.made)
		if err != nil {
			return fmt.Errorf("stop: %w", err)
		}
	}
	limit := cmp.Or(p.Config.Waits.Stopped, DefaultInstanceTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not stopped after %v", limit))
	defer cancel()
	if err := b.awaitState(ctx, c.inst, types.InstanceStateNameStopped); err != nil {
		return err
	}
	return b.enhanceNetworking(ctx, p, c.inst.id)
}

// enhanceNetworking marks the stopped machine, and with it the image.
func (b *Builder) enhanceNetworking(ctx context.Context, p Plan, id string) error {
	if ena := p.Config.Output.ENA; ena != nil {
		_, err := b.EC2.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{
			InstanceId: &id, EnaSupport: &types.AttributeBooleanValue{Value: ena},
		})
		if err != nil {
			return fmt.Errorf("set ena_support: %w", err)
		}
	}
	if p.Config.Output.SRIOV {
		_, err := b.EC2.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{
			InstanceId: &id, SriovNetSupport: &types.AttributeValue{Value: aws.String("simple")},
		})
		if err != nil {
			return fmt.Errorf("set sriov_support: %w", err)
		}
	}
	return nil
}

// create makes the image and waits until it is available.
func (b *Builder) create(ctx context.Context, p Plan, name string, inst instance, trash *estate) ([]made, error) {
	done := b.span(SpanAWS, "create image")
	t := thing{kind: KindImage, name: name, region: p.Config.Region, cloud: b.EC2}
	t, err := trash.produce(ctx, t, func(ctx context.Context) (thing, error) {
		out, err := settled(ctx, func(ctx context.Context) (*ec2.CreateImageOutput, error) {
			return b.EC2.CreateImage(ctx, createInput(p, name, inst.id))
		}, inst.made)
		if err != nil {
			return thing{}, err
		}
		t.id = aws.ToString(out.ImageId)
		return t, nil
	})
	done()
	if err != nil {
		return nil, &Error{StageCapture, inst.id, fmt.Errorf("create the image: %w", err)}
	}
	m, err := remember(t, trash)
	if err != nil {
		return nil, err
	}
	if err := b.awaitAvailable(ctx, p, &m); err != nil {
		return nil, err
	}
	return []made{m}, nil
}

// createInput is what a build asks of CreateImage.
func createInput(p Plan, name, instance string) *ec2.CreateImageInput {
	tags := p.namedTags()
	if p.Config.Output.SkipBuildRegion {
		tags = merge(tags, map[string]string{TagPassing: "true"})
	} else if name != p.Config.Output.Name {
		tags = merge(tags, map[string]string{TagDraft: p.Config.Output.Name})
	}
	return &ec2.CreateImageInput{
		InstanceId: &instance, Name: &name, Description: optional(p.Config.Output.Description),
		BlockDeviceMappings: toMappings(p.Config.Output.BlockDevices),
		TagSpecifications: tagSpecs(map[types.ResourceType]map[string]string{
			types.ResourceTypeImage: tags, types.ResourceTypeSnapshot: p.SnapshotTags,
		}),
	}
}

// remember registers an image for being taken back.
func remember(t thing, trash *estate) (made, error) {
	entry, err := trash.add(t)
	return made{thing: t, undo: entry}, err
}

// awaitAvailable waits for an image and learns its snapshots. What ends the wait
// but a cancellation says nothing of an image that AWS is still making.
func (b *Builder) awaitAvailable(ctx context.Context, p Plan, m *made) error {
	limit := cmp.Or(p.Config.Waits.Available, DefaultImageTimeout)
	late := &PendingError{Image: m.id, Region: m.region, Waited: limit}
	waiting, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	img, err := b.awaitImage(waiting, *m)
	switch {
	case err == nil:
		m.snapshots = snapshotsOf(img)
		return nil
	case ctx.Err() == nil && err != late && !errors.As(err, new(*failedImage)) && !errors.As(err, new(unlisted)):
		err = &PendingError{m.id, m.region, limit, err}
	}
	return &Error{StageCapture, m.id, err}
}

// snapshotsOf are the snapshots that an image is made of.
func snapshotsOf(img types.Image) (ids []string) {
	for _, d := range img.BlockDeviceMappings {
		if d.Ebs != nil && d.Ebs.SnapshotId != nil {
			ids = append(ids, *d.Ebs.SnapshotId)
		}
	}
	return ids
}

// removeImage deregisters an image and, if wanted, deletes its snapshots.
func removeImage(ctx context.Context, t thing, snapshots bool) error {
	out, err := settled(ctx, func(ctx context.Context) (*ec2.DescribeImagesOutput, error) {
		return t.cloud.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{t.id}})
	}, t)
	if awserr.Is(err, t.absence()...) || err == nil && len(out.Images) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = settled(ctx, func(ctx context.Context) (*ec2.DeregisterImageOutput, error) {
		return t.cloud.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &t.id})
	}, t)
	if err := ignore(err, t.absence()...); err != nil || !snapshots {
		return err
	}
	for _, snapshot := range snapshotsOf(out.Images[0]) {
		if err := deleteSnapshot(ctx, t.cloud, snapshot); err != nil {
			return err
		}
	}
	return nil
}

// deleteSnapshot deletes a snapshot, which AWS may still believe to be in use.
func deleteSnapshot(ctx context.Context, cloud EC2, id string) error {
	err := poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		_, err := cloud.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &id})
		if awserr.Is(err, "InvalidSnapshot.InUse") {
			return false, nil
		}
		return true, ignore(err, "InvalidSnapshot.NotFound")
	})
	if err != nil {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	return nil
}
