package main

import (
	"context"
	"errors"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// takeAway is amazon-ami-management.
func (b *bake) takeAway(ctx context.Context, build template.Build, c template.Cleaner, img builder.Image) error {
	return errors.New("not yet")
}
