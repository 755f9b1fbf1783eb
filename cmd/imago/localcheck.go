package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/imagobuild/imago/builder/template"
)

// defaultBase is the distribution that hints name.
const defaultBase = "debian-12"

// checkLocalImages says, before anything is launched, which of the templates'
// source images the local cloud does not have, and the command that adds each.
func (b *bake) checkLocalImages(ctx context.Context, t *template.Template) error {
	var errs []error
	for _, build := range t.Builds {
		out, err := b.clients[build.Name].ec2("").DescribeImages(ctx, &ec2.DescribeImagesInput{})
		if err != nil {
			return &buildError{build.Name, fmt.Errorf("list the local cloud's images: %w", err)}
		}
		have := map[string]bool{}
		for _, img := range out.Images {
			have[*img.ImageId] = true
		}
		switch id := build.Config.Source.ID; {
		case strings.HasPrefix(id, "ami-") && !have[id]:
			errs = append(errs, &buildError{build.Name, fmt.Errorf(
				"source image %s is not in the local cloud; add it with: imago local image add %s --id %s", id, defaultBase, id)})
		case len(have) == 0:
			errs = append(errs, &buildError{build.Name, fmt.Errorf(
				"the local cloud has no image; add one with: imago local image add %s", defaultBase)})
		}
	}
	return errors.Join(errs...)
}
