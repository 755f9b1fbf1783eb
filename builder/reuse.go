package builder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
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

// reuses says whether an image that is there may take the place of one to be made: not of
// one that replaces it, nor where only the copies stay, which are looked for by the image.
func (b *Builder) reuses(o Output) bool { return b.Reuse && !o.ReplaceExisting && !o.SkipBuildRegion }

// planReuse looks for an image of the fingerprint, and for its copies.
func (b *Builder) planReuse(ctx context.Context, p *Plan) error {
	if !b.reuses(p.Config.Output) || p.Fingerprint == "" {
		return nil
	}
	others := otherRegions(p.Config)
	if len(others) > 0 && b.InRegion == nil {
		return nil // planNames says so, and nothing is found that would make it fall silent
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

// tagOf is the value of a tag, or "".
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

// checkCopyNames sees to it that the copies that are missing can have the image's
// name. What has it already may be such a copy, of a build that ended too early.
func (b *Builder) checkCopyNames(ctx context.Context, p *Plan) error {
	var mu sync.Mutex
	var missing []string
	err := forEach(len(p.Reuse.Missing), func(i int) error {
		region := p.Reuse.Missing[i]
		out, err := b.InRegion(region).DescribeImages(ctx, imagesNamed(p.Reuse.Name))
		if err != nil {
			return fmt.Errorf("look for images named %q in %s: %w", p.Reuse.Name, region, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(out.Images) == 0 {
			missing = append(missing, region)
			return nil
		}
		img := out.Images[0] // AWS gives a name out once
		if !p.isCopy(img, region) {
			return taken(p.Reuse.Name, region, img)
		}
		p.Reuse.images[region], p.Reuse.Copies[region] = img, aws.ToString(img.ImageId)
		return nil
	})
	slices.Sort(missing)
	p.Reuse.Missing = missing
	return err
}

// isCopy says whether an image is the copy that a region is to have, or will be.
func (p *Plan) isCopy(img types.Image, region string) bool {
	i := slices.IndexFunc(p.Config.Output.Regions, func(r RegionCopy) bool { return r.Region == region })
	there := img.State == types.ImageStateAvailable || img.State == types.ImageStatePending
	return i >= 0 && there && usable(img, time.Now()) &&
		tagOf(img.Tags, TagFingerprint) == copyFingerprint(p.Fingerprint, p.Config.Output.Regions[i])
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
