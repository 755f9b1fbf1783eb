package builder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// reuse hands out the image that is there, after making the copies that it
// lacks and saying of all of them who may use them.
func (b *Builder) reuse(ctx context.Context, p Plan, trash *estate) (img Image, err error) {
	r := p.Reuse
	b.note("reusing %s (%s), made %s ago: everything that decides the image is the same; --no-reuse bakes it anyway",
		r.ID, r.Name, age(r.Created))
	wanted := p.Config.Output.Name
	p.Config.Output.Name = r.Name // its own stays
	all := []made{foundImage(r.images[p.Config.Region], p.Config.Region, b.EC2)}
	for _, region := range slices.Sorted(maps.Keys(r.Copies)) {
		all = append(all, foundImage(r.images[region], region, b.InRegion(region)))
	}
	if err := b.awaitCopies(ctx, p, all[1:]); err != nil {
		return Image{}, err
	}
	if trash.adopted != nil {
		if err := trash.fence(ctx, p); err != nil {
			return Image{}, err
		}
	}
	err = together(
		func() error { return b.complete(ctx, p, all, trash) },
		func() error { return b.compareNames(ctx, *all[0].found, wanted) },
	)
	if err != nil {
		return Image{}, err
	}
	var lacks error
	if len(r.Missing) > 0 {
		copies, err := b.copyMissing(ctx, p, all[0], trash)
		if err != nil && !incomplete(err) {
			return Image{}, err
		}
		all, lacks = append(all, copies...), err
	}
	img = b.result(p, all, trash)
	img.Reused, img.Created = true, r.Created
	trash.handOver(ctx, p)
	return img, errors.Join(lacks, b.protect(ctx, p, all))
}

// awaitCopies waits for copies that another build has begun, and not seen the end of. They are
// this one's from then on, so that the other does not take them back when it learns that it is overtaken.
func (b *Builder) awaitCopies(ctx context.Context, p Plan, copies []made) error {
	return forEach(len(copies), func(i int) error {
		m := &copies[i]
		if !m.finished() {
			own := map[string]string{TagBuild: p.ID, TagExpires: expiry()}
			if err := tag(ctx, m.cloud, own, m.id); err != nil {
				return &Error{StageCapture, m.id, fmt.Errorf("go on with the copy in %s: %w", m.region, err)}
			}
		}
		if m.found.State != types.ImageStatePending {
			return nil
		}
		err := b.awaitAvailable(ctx, p, m)
		if late, ok := errors.AsType[*PendingError](err); ok {
			return &Error{StageCapture, late.Image, fmt.Errorf("the copy in %s is not available after %v", late.Region, late.Waited)}
		}
		return err
	})
}

// compareNames warns where whoever looks for images by their name gets another one.
func (b *Builder) compareNames(ctx context.Context, reused types.Image, wanted string) error {
	id, name := aws.ToString(reused.ImageId), aws.ToString(reused.Name)
	if anyDigits(name) != anyDigits(wanted) {
		b.warn("%s keeps its name, %q: nobody finds it under a name like %q", id, name, wanted)
	}
	newest, found, err := newestNamed(ctx, b.EC2, wanted, nil)
	if err == nil && found && newer(newest, reused) {
		b.warn("%s (%s) is newer than %s: who takes the newest image of that name gets that one",
			aws.ToString(newest.ImageId), aws.ToString(newest.Name), id)
	}
	return err
}

// foundImage is an image that an earlier build made.
func foundImage(img types.Image, region string, cloud EC2) made {
	t := thing{kind: KindImage, name: aws.ToString(img.Name), id: aws.ToString(img.ImageId), region: region, cloud: cloud}
	return made{thing: t, snapshots: snapshotsOf(img), found: &img}
}

// copyMissing makes the copies that are missing.
func (b *Builder) copyMissing(ctx context.Context, p Plan, from made, trash *estate) (copies []made, err error) {
	defer b.stage(ctx, StageCapture)(&err)
	b.note("copying it to %s, where there is none", strings.Join(p.Reuse.Missing, ", "))
	p.Config.Output.Regions = slices.DeleteFunc(slices.Clone(p.Config.Output.Regions), func(r RegionCopy) bool {
		return !slices.Contains(p.Reuse.Missing, r.Region)
	})
	copies, err = b.copies(ctx, p, from, trash)
	if late, ok := errors.AsType[*PendingError](err); ok { // it is made again another time, and the image itself is there
		return nil, &Error{StageCapture, late.Image, fmt.Errorf("the copy to %s is not available after %v", late.Region, late.Waited)}
	}
	if err == nil || incomplete(err) {
		b.stay(ctx, copies)
	}
	return copies, err
}

// complete gives images that are there the tags and permissions that the
// template wants now. What it does not want any more stays: others may count on it.
func (b *Builder) complete(ctx context.Context, p Plan, all []made, trash *estate) error {
	err := forEach(len(all), func(i int) error {
		p := p
		if all[i].finished() {
			p.Config.Output.ProductCodes, p.Config.Output.IMDS = nil, "" // it has them: they have a part in the fingerprint
		}
		return together(
			func() error { return publishOne(ctx, p, all[i]) },
			func() error { return b.retag(ctx, p, all[i]) },
		)
	})
	if err != nil {
		return err
	}
	trash.keepAdopted() // before others may count on it
	b.stay(ctx, slices.DeleteFunc(slices.Clone(all), made.finished))
	return nil
}

// finished says of an image that was found whether its build has seen its end.
func (m made) finished() bool { return tagOf(m.found.Tags, TagExpires) == ExpiresNever }

// retag brings an image's tags up to date, and its snapshots' with them.
func (b *Builder) retag(ctx context.Context, p Plan, m made) error {
	stale := without(wantedTags(p.ImageTags, m.found.Tags), m.found.Tags)
	if len(stale) == 0 {
		return nil
	}
	b.note("tags of %s brought up to date: %s", m.id, strings.Join(slices.Sorted(maps.Keys(stale)), ", "))
	err := together(
		func() error { return tag(ctx, m.cloud, stale, m.id) },
		func() error { return tag(ctx, m.cloud, wantedTags(p.SnapshotTags, m.found.Tags), m.snapshots...) },
	)
	if err != nil {
		return &Error{StageCapture, m.id, fmt.Errorf("set its tags: %w", err)}
	}
	return nil
}

func tag(ctx context.Context, cloud EC2, tags map[string]string, ids ...string) error {
	if len(ids) == 0 || len(tags) == 0 {
		return nil
	}
	_, err := cloud.CreateTags(ctx, &ec2.CreateTagsInput{Resources: ids, Tags: toTags(tags)})
	return err
}

// userTags are tags without imago's own.
func userTags(tags map[string]string) map[string]string {
	all := maps.Clone(tags)
	maps.DeleteFunc(all, func(key, _ string) bool { return strings.HasPrefix(key, "imago:") })
	return all
}

// age is how long ago something was, in the largest unit that says enough.
func age(since time.Time) string {
	d := time.Since(since)
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
