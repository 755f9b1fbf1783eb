package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/retention"
	"github.com/imagobuild/imago/builder/template"
)

// takeAway is amazon-ami-management: older images with the same tags go, as imago
// prune has them go. The new one is the newest, and so it stays.
func (b *bake) takeAway(ctx context.Context, build template.Build, c template.Cleaner, img builder.Image) error {
	via, err := b.cleanerClients(ctx, build, c.Access)
	if err != nil {
		return err
	}
	tell := func(d retention.Decision, what string) {
		b.view.say(build.Name, detail, fmt.Sprintf("%s %s (%s) in %s: %s", what, d.ID, d.Name, d.Region, d.Why))
	}
	p := &retention.Pruner{
		InRegion: via.retention,
		Regions:  cleanerRegions(c, img),
		Policy:   retention.Policy{Bound: retention.Bound{Keep: c.Keep, Age: c.Age}, Tags: c.Tags},
		OnImage: func(d retention.Decision, err error) {
			if d.Remove && err == nil {
				tell(d, "took away")
			} else if d.Spared {
				tell(d, "left")
			}
		},
	}
	if !c.DryRun {
		_, err := p.Prune(ctx)
		return settled(ctx, err)
	}
	plan, err := p.Plan(ctx)
	for _, d := range retention.Removed(plan.Decisions) {
		tell(d, "would take away")
	}
	return settled(ctx, err)
}

// cleanerClients reach AWS as the post-processor says or, where it says nothing but a region, as its build does.
func (b *bake) cleanerClients(ctx context.Context, build template.Build, a template.Access) (clients, error) {
	own := a
	own.Region = ""
	if b.local || own == (template.Access{}) {
		return b.clients[build.Name], nil
	}
	return newClients(ctx, a, nil, b.account(&account{}))
}

// cleanerRegions are those to look in.
func cleanerRegions(c template.Cleaner, img builder.Image) []string {
	if len(c.Regions) > 0 {
		return c.Regions
	}
	return append([]string{img.Region}, slices.Sorted(maps.Keys(img.Copies))...)
}

// settled makes of images that could not be taken away an error like any other: they
// were there before this build, which has left nothing, and the next build takes them.
func settled(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return errors.New(err.Error())
}
