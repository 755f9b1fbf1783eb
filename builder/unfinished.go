package builder

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// remembered is what records leave in the account, each by its name, and since when.
func (b *Builder) remembered(p Plan, said []Record) (all []thing, since []time.Time) {
	for _, r := range said {
		if r.Kind == "" {
			continue
		}
		t := thing{kind: r.Kind, name: b.named(p, r.Name), region: r.Region, cloud: b.EC2, profiles: b.Profiles}
		if r.Region != p.Config.Region {
			t.cloud = b.InRegion(r.Region)
		}
		if i := slices.IndexFunc(all, t.same); i >= 0 {
			all, since = slices.Delete(all, i, i+1), slices.Delete(since, i, i+1)
		}
		if r.Act != Gone {
			all, since = append(all, t), append(since, r.Time)
		}
	}
	return all, since
}

// Unfinished looks for a build of cfg's image that was left while the image was
// being made, by the image's name and tags alone: for Resume, where there is no
// journal. It cannot see whether that build still runs elsewhere. Without one,
// or with several, the error is a *NoResumeError.
func (b *Builder) Unfinished(ctx context.Context, cfg Config) ([]Record, error) {
	images, err := b.unfinishedImages(ctx, cfg)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range images {
		ids = append(ids, tagOf(i.Tags, TagBuild))
	}
	slices.Sort(ids)
	switch ids = slices.Compact(ids); len(ids) {
	case 0:
		return nil, &NoResumeError{Why: fmt.Sprintf("no image %q is being made in %s", cfg.Output.Name, cfg.Region)}
	case 1:
		return supposed(Plan{Config: cfg, ID: ids[0]}, tagOf(images[0].Tags, TagOrder)), nil
	}
	return nil, &NoResumeError{Why: fmt.Sprintf("several builds have begun the image %q in %s: %s", cfg.Output.Name, cfg.Region, strings.Join(ids, ", "))}
}

// unfinishedImages are the images of a name, or that are to have it, that a build has not finished.
func (b *Builder) unfinishedImages(ctx context.Context, cfg Config) (all []types.Image, err error) {
	for _, filter := range []string{"name", "tag:" + TagDraft} {
		out, err := b.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
			Owners:  []string{"self"},
			Filters: []types.Filter{{Name: aws.String(filter), Values: []string{literal(cfg.Output.Name)}}},
		})
		if err != nil {
			return nil, fmt.Errorf("look for images that are to be %q: %w", cfg.Output.Name, err)
		}
		for _, i := range out.Images {
			if tagOf(i.Tags, TagBuild) != "" && tagOf(i.Tags, TagOrder) != "" && tagOf(i.Tags, TagExpires) != ExpiresNever {
				all = append(all, i)
			}
		}
	}
	return all, nil
}

// supposed are the records of all that a build may have made.
func supposed(p Plan, inputs string) []Record {
	o, region := p.Config.Output, p.Config.Region
	own := "imago-" + p.ID
	all := []Record{
		{Act: Begun, Region: region, Name: o.Name, Config: p.Config.Name, Inputs: inputs},
		{Act: Making, Kind: KindKeyPair, Region: region, Name: cmp.Or(p.Config.SSH.KeyPairName, own)},
		{Act: Making, Kind: KindGroup, Region: region, Name: own},
		{Act: Making, Kind: KindInstance, Region: region}, // its token says how often one was asked for
		{Act: Making, Kind: KindImage, Region: region, Name: draftName(p)},
		{Act: Making, Kind: KindImage, Region: region, Name: o.Name},
	}
	if p.Config.Instance.ProfilePolicy != "" {
		all = append(all, Record{Act: Making, Kind: KindProfile, Region: region, Name: profilePrefix + p.ID})
	}
	for _, r := range otherRegions(p.Config) {
		all = append(all, Record{Act: Making, Kind: KindImage, Region: r.Region, Name: o.Name})
	}
	for i := range all {
		all[i].Build = p.ID
	}
	return all
}
