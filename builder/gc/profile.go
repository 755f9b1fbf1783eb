package gc

import (
	"context"
	"fmt"
	"slices"

	"github.com/imagobuild/imago/builder"
)

// lookForProfiles lists the instance profiles of a region's builds. Who may not ask IAM has made none, unless a journal
// says otherwise.
func (c *Collector) lookForProfiles(ctx context.Context, region string) (all []Resource, err error) {
	if c.Profiles == nil {
		return nil, nil
	}
	found, err := c.Profiles.Profiles(ctx, builder.ProfilePath(region))
	if err != nil && code(err) == "AccessDenied" && !c.madeProfiles() {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for instance profiles of builds in %s: %w", region, err)
	}
	for _, p := range found {
		all = append(all, Resource{Kind: Profile, ID: p.Name, Region: region, Name: p.Name, Tags: builder.ProfileTags(p)})
	}
	return all, nil
}

// madeProfiles says whether a journal speaks of one.
func (c *Collector) madeProfiles() bool {
	return slices.ContainsFunc(c.Builds, func(b Build) bool {
		return slices.ContainsFunc(b.Things, func(t Thing) bool { return t.Kind == Profile })
	})
}

// removeOne takes one resource away.
func (c *Collector) removeOne(ctx context.Context, r Resource) error {
	if r.Kind == Profile {
		return c.Profiles.DeleteProfile(ctx, r.ID)
	}
	return remove(ctx, c.InRegion(r.Region), r)
}
