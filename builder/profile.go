package builder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder/internal/undo"
)

// Profiles makes instance profiles with a role of their own, for Instance.ProfilePolicy. Package iam has one.
type Profiles interface {
	CreateProfile(context.Context, Profile) error

	// DeleteProfile takes away what is there of a profile and its role.
	DeleteProfile(ctx context.Context, name string) error

	// Profiles lists those below a path, and what is there of half-made ones.
	Profiles(ctx context.Context, path string) ([]Profile, error)
}

// Profile is an instance profile, and a role of the same name.
type Profile struct {
	Name, Path string
	Policy     string // a policy document in JSON; not in a list
	Tags       map[string]string
	Created    time.Time
}

// ProfilePath is below which builds in a region make profiles. IAM has no regions.
func ProfilePath(region string) string { return "/imago/" + region + "/" }

// profilePrefix begins the names of profiles, and a build's id ends them.
const profilePrefix = "imago-"

// ProfileTags are the tags of a profile that a list has, by its name and age. IAM lists no tags.
func ProfileTags(p Profile) map[string]string {
	return map[string]string{
		TagBuild: strings.TrimPrefix(p.Name, profilePrefix), TagExpires: p.Created.Add(Lifetime).UTC().Format(time.RFC3339),
	}
}

// profile is the machine's instance profile, when the build made it.
type profile struct {
	made  thing
	entry *undo.Entry // nil: there is none
}

// makeProfile makes the instance profile that a policy asks for.
func (b *Builder) makeProfile(ctx context.Context, p Plan, trash *estate) (profile, error) {
	policy := p.Config.Instance.ProfilePolicy
	if policy == "" {
		return profile{}, nil
	}
	defer b.span(SpanAWS, "create instance profile")()
	t := thing{kind: KindProfile, name: profilePrefix + p.ID, region: p.Config.Region, profiles: b.Profiles}
	var half error
	t, err := trash.produce(ctx, t, func(ctx context.Context) (thing, error) {
		t.id = t.name
		half = b.Profiles.CreateProfile(ctx, Profile{Name: t.name, Path: ProfilePath(t.region), Policy: policy, Tags: p.RunTags})
		return t, half
	})
	if err != nil {
		return profile{}, fmt.Errorf("create the instance profile: %w", err)
	}
	entry, err := trash.add(t)
	if half != nil { // what was found of it is only to be taken back: it takes several calls, and one did not succeed
		return profile{}, errors.Join(fmt.Errorf("create the instance profile: %w", half), err)
	}
	return profile{t, entry}, err
}

// uses are what an instance with the profile keeps from being taken back.
func (p profile) uses() []*undo.Entry {
	if p.entry == nil {
		return nil
	}
	return []*undo.Entry{p.entry}
}

// lookForProfiles lists the profiles of a name, or of a build.
func lookForProfiles(ctx context.Context, t thing, build string) (all []listed, err error) {
	if t.profiles == nil {
		return nil, nil
	}
	found, err := t.profiles.Profiles(ctx, ProfilePath(t.region))
	for _, p := range found {
		if l := (listed{thing: t, build: ProfileTags(p)[TagBuild]}); p.Name == t.name || t.name == "" && l.build == build {
			l.id, l.name = p.Name, p.Name
			all = append(all, l)
		}
	}
	return all, err
}
