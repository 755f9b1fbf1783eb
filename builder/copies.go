package builder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// copies makes a copy in each of the other regions, at the same time, and returns
// those that came to be. One that did not takes nothing from the others: the error
// of such is an *IncompleteError. Any other error leaves nothing to go on with.
func (b *Builder) copies(ctx context.Context, p Plan, from made, trash *estate) ([]made, error) {
	regions := otherRegions(p.Config)
	all, lacks := make([]made, len(regions)), make([]error, len(regions))
	err := forEach(len(regions), func(i int) error {
		m, err := b.copyTo(ctx, p, from, regions[i], trash)
		if err != nil && ctx.Err() == nil && !errors.As(err, new(*PendingError)) {
			lacks[i] = err
			return nil
		}
		all[i] = m
		return err
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(m made) bool { return m.id == "" })
	if err := errors.Join(lacks...); err != nil {
		return all, &IncompleteError{Image: from.id, Err: err}
	}
	return all, nil
}

// copyTries is how often a region is tried that AWS has given up.
const copyTries = 3

// copyTo makes the copy in one region and says who may use it. A copy that AWS gives
// up, or a call that does not succeed for AWS's own reasons, is tried again, there alone.
func (b *Builder) copyTo(ctx context.Context, p Plan, from made, to RegionCopy, trash *estate) (m made, err error) {
	if err := b.removeOlder(ctx, p, to.Region, b.InRegion(to.Region)); err != nil {
		return made{}, err
	}
	for try := 1; ; try++ {
		m, err = b.copyOnce(ctx, p, from, to, try, trash)
		switch {
		case err == nil:
			return m, nil
		case ctx.Err() != nil, errors.As(err, new(*PendingError)), try == copyTries, finally(err):
			return made{}, err
		}
		b.warn("the copy to %s, try %d of %d: %v", to.Region, try+1, copyTries, err)
		if m.undo != nil {
			if err := trash.discard(ctx, m); err != nil {
				return made{}, err
			}
		}
		if err := poll.For(ctx, time.Duration(try)*copyPause); err != nil {
			return made{}, err
		}
	}
}

// copyPause is how long a region is left alone after the first try.
const copyPause = 2 * time.Second

// finally says whether AWS would answer the same again.
func finally(err error) bool {
	return !errors.As(err, new(*failedImage)) && refused(err)
}

// copyOnce is one try. What it made is returned even when it did not succeed.
func (b *Builder) copyOnce(ctx context.Context, p Plan, from made, to RegionCopy, try int, trash *estate) (made, error) {
	cloud := b.InRegion(to.Region)
	t := thing{kind: KindImage, name: p.Config.Output.Name, region: to.Region, cloud: cloud}
	t, err := trash.produce(ctx, t, func(ctx context.Context) (thing, error) {
		out, err := settled(ctx, func(ctx context.Context) (*ec2.CopyImageOutput, error) {
			return cloud.CopyImage(ctx, copyInput(p, from, to, try))
		}, from.thing)
		if err != nil {
			return thing{}, err
		}
		t.id = aws.ToString(out.ImageId)
		return t, nil
	})
	if err != nil {
		return made{}, &Error{StageCapture, from.id, fmt.Errorf("copy to %s: %w", to.Region, err)}
	}
	m, err := remember(t, trash)
	if err != nil {
		return m, err
	}
	if err := b.awaitAvailable(ctx, p, &m); err != nil {
		return m, err
	}
	return m, publishOne(ctx, p, m)
}

// otherRegions are those that get a copy.
func otherRegions(c Config) []RegionCopy {
	return slices.DeleteFunc(slices.Clone(c.Output.Regions), func(r RegionCopy) bool { return r.Region == c.Region })
}

// copyInput is what a build asks of CopyImage.
func copyInput(p Plan, from made, to RegionCopy, try int) *ec2.CopyImageInput {
	o := p.Config.Output
	in := &ec2.CopyImageInput{
		ClientToken: aws.String(copyToken(p, to, try)),
		Name:        &o.Name, Description: optional(o.Description),
		SourceImageId: &from.id, SourceRegion: &from.region,
		TagSpecifications: tagSpecs(map[types.ResourceType]map[string]string{
			types.ResourceTypeImage: p.copyTags(p.ImageTags, to), types.ResourceTypeSnapshot: p.copyTags(p.SnapshotTags, to),
		}),
	}
	if o.CopyMinutes > 0 {
		in.SnapshotCopyCompletionDurationMinutes = aws.Int64(int64(o.CopyMinutes))
	}
	if o.Encrypt != nil && *o.Encrypt || to.KMSKeyID != "" {
		in.Encrypted, in.KmsKeyId = aws.Bool(true), optional(to.KMSKeyID)
	}
	return in
}

// copyToken is another one for each try: with the same, AWS gives the same answer.
func copyToken(p Plan, to RegionCopy, try int) string {
	token := "imago-" + p.ID + "-" + to.Region
	if try > 1 {
		token += fmt.Sprintf("-%d", try)
	}
	return token
}
