package builder

import (
	"cmp"
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
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/imagobuild/imago/builder/internal/awserr"
)

// planSource finds the image to start from.
func (b *Builder) planSource(ctx context.Context, p *Plan) error {
	defer b.span(SpanAWS, "look up the source image")()
	img, err := b.sourceImage(ctx, p.Config.Source)
	if err != nil {
		return err
	}
	if img.State != types.ImageStateAvailable {
		return fmt.Errorf("source image %s is %s, not available", aws.ToString(img.ImageId), img.State)
	}
	if img.RootDeviceType != types.DeviceTypeEbs {
		return fmt.Errorf("source image %s has an %s root device; only EBS images can be built from", aws.ToString(img.ImageId), img.RootDeviceType)
	}
	if want := p.Config.Output.Virtualization; want != "" && want != string(img.VirtualizationType) {
		return fmt.Errorf("source image %s is %s, and the image is to be %s: take another source, or leave the virtualization type out",
			aws.ToString(img.ImageId), img.VirtualizationType, want)
	}
	p.Source = toSourceImage(img)
	p.RootDevice, p.Mappings = aws.ToString(img.RootDeviceName), img.BlockDeviceMappings
	b.note("source image %s (%s)", p.Source.ID, p.Source.Name)
	return nil
}

// FindImage finds an image in the way a build finds its source.
func (b *Builder) FindImage(ctx context.Context, s Source) (SourceImage, error) {
	img, err := b.sourceImage(ctx, s)
	if err != nil {
		return SourceImage{}, err
	}
	return toSourceImage(img), nil
}

// sourceImage resolves the three ways of naming an image.
func (b *Builder) sourceImage(ctx context.Context, s Source) (types.Image, error) {
	parameter := s.Parameter
	if name, ok := strings.CutPrefix(s.ID, "resolve:ssm:"); ok {
		parameter = name
	}
	switch {
	case s.Filter != nil:
		return b.imageByFilter(ctx, *s.Filter)
	case parameter != "":
		id, err := b.parameter(ctx, parameter)
		if err != nil {
			return types.Image{}, err
		}
		return b.imageByID(ctx, id)
	}
	return b.imageByID(ctx, s.ID)
}

// parameter reads an image id from SSM.
func (b *Builder) parameter(ctx context.Context, name string) (string, error) {
	if b.SSM == nil {
		return "", fmt.Errorf("source image parameter %s: this Builder has no SSM client", name)
	}
	out, err := b.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	if err != nil {
		return "", fmt.Errorf("source image parameter %s: %w", name, err)
	}
	return aws.ToString(out.Parameter.Value), nil
}

func (b *Builder) imageByID(ctx context.Context, id string) (types.Image, error) {
	out, err := b.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	if awserr.Is(err, "InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable") || err == nil && len(out.Images) == 0 {
		return types.Image{}, fmt.Errorf("there is no source image %s in this region, or this account may not use it", id)
	}
	if err != nil {
		return types.Image{}, fmt.Errorf("look up source image %s: %w", id, err)
	}
	return out.Images[0], nil
}

func (b *Builder) imageByFilter(ctx context.Context, f ImageFilter) (types.Image, error) {
	in := &ec2.DescribeImagesInput{Owners: f.Owners, Filters: toFilters(f.Filters)}
	if f.IncludeDeprecated {
		in.IncludeDeprecated = aws.Bool(true)
	}
	var found []types.Image
	for pages := ec2.NewDescribeImagesPaginator(b.EC2, in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return types.Image{}, fmt.Errorf("look up the source image by filter: %w", err)
		}
		found = append(found, out.Images...)
	}
	switch {
	case len(found) == 0:
		return types.Image{}, errors.New("no image matches the source filter: " + describe(f))
	case len(found) > 1 && !f.MostRecent:
		return types.Image{}, fmt.Errorf("%d images match the source filter, %s and %s among them: make it narrower, or take the newest with most_recent",
			len(found), aws.ToString(found[0].ImageId), aws.ToString(found[1].ImageId))
	}
	return slices.MaxFunc(found, func(x, y types.Image) int {
		return cmp.Compare(aws.ToString(x.CreationDate), aws.ToString(y.CreationDate))
	}), nil
}

// describe says a filter in the words of the template.
func describe(f ImageFilter) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(f.Filters)) {
		parts = append(parts, name+"="+strings.Join(f.Filters[name], ","))
	}
	return strings.Join(append(parts, "owners="+strings.Join(f.Owners, ",")), " ")
}

// toFilters converts, in a fixed order.
func toFilters(m map[string][]string) []types.Filter {
	var all []types.Filter
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, types.Filter{Name: aws.String(name), Values: m[name]})
	}
	return all
}

// literal keeps a filter value from being read as a pattern.
func literal(value string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(value)
}

// toSourceImage keeps of an image what templates may refer to.
func toSourceImage(img types.Image) SourceImage {
	created, _ := time.Parse(time.RFC3339, aws.ToString(img.CreationDate)) // zero when AWS gives none
	s := SourceImage{
		ID: aws.ToString(img.ImageId), Name: aws.ToString(img.Name),
		Owner: aws.ToString(img.OwnerId), OwnerName: aws.ToString(img.ImageOwnerAlias),
		Architecture: string(img.Architecture), RootDevice: aws.ToString(img.RootDeviceName),
		Virtualization: string(img.VirtualizationType), Created: created, Tags: map[string]string{},
	}
	for _, t := range img.Tags {
		s.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return s
}
