package builder

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// planTags completes all tags, and the description.
func (p *Plan) planTags() error {
	o, in := &p.Config.Output, &p.Config.Instance
	var errs []error
	fill := func(field string, tags map[string]string) map[string]string {
		filled, err := p.fill(field, tags)
		errs = append(errs, err)
		return filled
	}
	own := map[string]string{TagBuild: p.ID, TagExpires: p.Expires.Format(time.RFC3339)}
	inputs := p.inputTags()
	run := fill("run_tags", in.Tags)
	p.RunTags = merge(map[string]string{"Name": "imago " + p.Config.Name}, run, own)

	p.ImageTags = merge(fill("tags", o.Tags), own, inputs)
	if !o.SkipRunTags {
		p.ImageTags = merge(run, p.ImageTags)
	}
	p.ImageTags = fitTags(p.ImageTags)
	p.SnapshotTags = merge(p.ImageTags, fill("snapshot_tags", o.SnapshotTags), own, inputs)
	p.SnapshotTags = fitTags(p.SnapshotTags)

	in.VolumeTags = fill("run_volume_tags", in.VolumeTags)
	if in.Spot != nil {
		spot := *in.Spot // the caller keeps its own
		spot.Tags = fill("spot_tags", spot.Tags)
		in.Spot = &spot
	}
	o.Description = fill("ami_description", map[string]string{"": o.Description})[""]
	return errors.Join(errs...)
}

// merge puts maps into a new one, later ones winning.
func merge(all ...map[string]string) map[string]string {
	merged := map[string]string{}
	for _, m := range all {
		maps.Copy(merged, m)
	}
	return merged
}

// imageFields are what tags may refer to, as {{ .SourceAMI }}. The names are Packer's.
type imageFields struct {
	BuildRegion, SourceAMI, SourceAMIName, SourceAMICreationDate string
	SourceAMIOwner, SourceAMIOwnerName                           string
	SourceAMITags                                                map[string]string
}

// fill puts what is known of the source image into the values of tags.
func (p *Plan) fill(field string, tags map[string]string) (map[string]string, error) {
	created := ""
	if !p.Source.Created.IsZero() {
		created = p.Source.Created.Format("2006-01-02T15:04:05.000Z")
	}
	fields := imageFields{
		BuildRegion: p.Config.Region, SourceAMI: p.Source.ID, SourceAMIName: p.Source.Name,
		SourceAMICreationDate: created, SourceAMIOwner: p.Source.Owner,
		SourceAMIOwnerName: p.Source.OwnerName, SourceAMITags: p.Source.Tags,
	}
	filled := map[string]string{}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value, err := render(tags[key], fields)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", strings.TrimSuffix(field+": "+key, ": "), err))
		}
		filled[key] = value
	}
	return filled, errors.Join(errs...)
}

// render runs a value through text/template when there is anything to fill in.
func render(text string, fields imageFields) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := template.New("value").Option("missingkey=zero").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, fields); err != nil {
		return "", err
	}
	return out.String(), nil
}

// toTags converts, in a fixed order.
func toTags(m map[string]string) []types.Tag {
	var all []types.Tag
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, types.Tag{Key: aws.String(k), Value: aws.String(m[k])})
	}
	return all
}

// tagSpecs are the tags of resources that one call makes.
func tagSpecs(byType map[types.ResourceType]map[string]string) []types.TagSpecification {
	var all []types.TagSpecification
	for _, r := range slices.SortedFunc(maps.Keys(byType), cmp.Compare[types.ResourceType]) {
		if len(byType[r]) > 0 {
			all = append(all, types.TagSpecification{ResourceType: r, Tags: toTags(byType[r])})
		}
	}
	return all
}
