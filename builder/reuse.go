package builder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Reuse is an image that is there already, and what it lacks.
type Reuse struct {
	ID, Name string
	Created  time.Time
	Copies   map[string]string // those that are there: region to id
	Missing  []string          // regions that get a copy

	images map[string]types.Image // the image and its copies, by region
}

// planReuse looks for an image of the fingerprint, and for its copies.
func (b *Builder) planReuse(ctx context.Context, p *Plan) error {
	if !b.Reuse || p.Fingerprint == "" || p.Config.Output.ReplaceExisting {
		return nil
	}
	others := otherRegions(p.Config)
	if len(others) > 0 && b.InRegion == nil {
		return nil // planNames says so
	}
	defer b.span(SpanAWS, "look for an image of the fingerprint")()
	var mu sync.Mutex
	images := map[string]types.Image{}
	look := func(region, fingerprint string, cloud EC2) error {
		img, found, err := imageOf(ctx, cloud, fingerprint)
		if err != nil {
			return fmt.Errorf("look for an image of the fingerprint in %s: %w", region, err)
		}
		if found {
			mu.Lock()
			defer mu.Unlock()
			images[region] = img
		}
		return nil
	}
	err := forEach(1+len(others), func(i int) error {
		if i == 0 {
			return look(p.Config.Region, p.Fingerprint, b.EC2)
		}
		r := others[i-1]
		return look(r.Region, copyFingerprint(p.Fingerprint, r), b.InRegion(r.Region))
	})
	img, found := images[p.Config.Region]
	if err != nil || !found {
		return err
	}
	p.Reuse = newReuse(img, images, p.Config)
	return b.checkCopyNames(ctx, p)
}

// imageOf finds the newest image that is whole and has a fingerprint. One that
// still expires is another build's, which may yet take it back.
func imageOf(ctx context.Context, cloud EC2, fingerprint string) (img types.Image, found bool, err error) {
	out, err := cloud.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Owners: []string{"self"},
		Filters: toFilters(map[string][]string{
			"tag:" + TagFingerprint: {fingerprint}, "tag:" + TagExpires: {ExpiresNever}, "state": {string(types.ImageStateAvailable)},
		}),
	})
	if err != nil {
		return img, false, err
	}
	for _, each := range out.Images {
		if !usable(each, time.Now()) {
			continue
		}
		if !found || newer(each, img) {
			img, found = each, true
		}
	}
	return img, found, nil
}

// usable says whether an image may still be handed out.
func usable(img types.Image, now time.Time) bool {
	deprecated, err := time.Parse(time.RFC3339, aws.ToString(img.DeprecationTime))
	return (err != nil || now.Before(deprecated)) && tagOf(img.Tags, TagDraft) == ""
}

func newer(a, b types.Image) bool {
	return cmp.Or(
		cmp.Compare(aws.ToString(a.CreationDate), aws.ToString(b.CreationDate)),
		cmp.Compare(aws.ToString(a.ImageId), aws.ToString(b.ImageId)),
	) > 0
}

func tagOf(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}

func newReuse(img types.Image, images map[string]types.Image, c Config) *Reuse {
	s := toSourceImage(img)
	r := &Reuse{ID: s.ID, Name: s.Name, Created: s.Created, Copies: map[string]string{}, images: images}
	for _, other := range otherRegions(c) {
		if found, ok := images[other.Region]; ok {
			r.Copies[other.Region] = aws.ToString(found.ImageId)
		} else {
			r.Missing = append(r.Missing, other.Region)
		}
	}
	return r
}

// checkCopyNames sees to it that the copies that are missing can have the image's name.
func (b *Builder) checkCopyNames(ctx context.Context, p *Plan) error {
	return forEach(len(p.Reuse.Missing), func(i int) error {
		region := p.Reuse.Missing[i]
		out, err := b.InRegion(region).DescribeImages(ctx, imagesNamed(p.Reuse.Name))
		if err != nil {
			return fmt.Errorf("look for images named %q in %s: %w", p.Reuse.Name, region, err)
		}
		var errs []error
		for _, img := range out.Images {
			errs = append(errs, taken(p.Reuse.Name, region, img))
		}
		return errors.Join(errs...)
	})
}

// copyFingerprint is what a copy has for its fingerprint: one that is encrypted
// with a key of its own is not the same.
func copyFingerprint(fingerprint string, to RegionCopy) string {
	if to.KMSKeyID == "" || fingerprint == "" {
		return fingerprint
	}
	sum := sha256.Sum256([]byte(fingerprint + " " + to.KMSKeyID))
	return hex.EncodeToString(sum[:])
}

// copyTags are a copy's tags.
func (p *Plan) copyTags(tags map[string]string, to RegionCopy) map[string]string {
	if tags[TagFingerprint] == "" {
		return tags
	}
	return merge(tags, map[string]string{TagFingerprint: copyFingerprint(p.Fingerprint, to)})
}

// reuse hands out the image that is there, after making the copies that it
// lacks and saying of all of them who may use them.
func (b *Builder) reuse(ctx context.Context, p Plan, trash *estate) (img Image, err error) {
	r := p.Reuse
	b.note("reusing %s (%s), made %s ago: everything that decides the image is the same; --no-reuse bakes it anyway",
		r.ID, r.Name, age(r.Created))
	p.Config.Output.Name = r.Name // its own stays
	all := []made{foundImage(r.images[p.Config.Region], p.Config.Region, b.EC2)}
	for _, region := range slices.Sorted(maps.Keys(r.Copies)) {
		all = append(all, foundImage(r.images[region], region, b.InRegion(region)))
	}
	if err := b.complete(ctx, p, all); err != nil {
		return Image{}, err
	}
	if len(r.Missing) > 0 {
		copies, err := b.copyMissing(ctx, p, all[0], trash)
		if err != nil {
			return Image{}, err
		}
		all = append(all, copies...)
	}
	img = b.result(p, all, trash)
	img.Reused, img.Created = true, r.Created
	return img, nil
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
	if copies, err = b.copies(ctx, p, from, trash); err != nil {
		return nil, err
	}
	return copies, b.publish(ctx, p, copies)
}

// complete gives images that are there the tags and permissions that the
// template wants now. What it does not want any more stays: others may count on it.
func (b *Builder) complete(ctx context.Context, p Plan, all []made) error {
	p.Config.Output.ProductCodes, p.Config.Output.IMDS = nil, "" // they have a part in the fingerprint
	return forEach(len(all), func(i int) error {
		return together(
			func() error { return publishOne(ctx, p, all[i]) },
			func() error { return retag(ctx, p, all[i]) },
		)
	})
}

// retag brings an image's tags up to date, and its snapshots' with them.
func retag(ctx context.Context, p Plan, m made) error {
	stale := userTags(p.ImageTags)
	for _, t := range m.found.Tags {
		if stale[aws.ToString(t.Key)] == aws.ToString(t.Value) {
			delete(stale, aws.ToString(t.Key))
		}
	}
	if len(stale) == 0 {
		return nil
	}
	err := together(
		func() error { return tag(ctx, m.cloud, stale, m.id) },
		func() error { return tag(ctx, m.cloud, userTags(p.SnapshotTags), m.snapshots...) },
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
