package builder

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/provision"
)

// Plan is a Config with every question answered. Executing it makes no further decisions.
type Plan struct {
	Config Config

	// ID names the build in tags and in the names of temporary resources, such as 1f0c9d2e77ab.
	ID string

	// Expires is when what the build made may be taken away by others.
	Expires time.Time

	Source SourceImage

	// RootDevice and Mappings are the source image's volumes.
	RootDevice string
	Mappings   []types.BlockDeviceMapping

	// VPC and Subnet are where the machine goes. Empty: the account's default.
	// Subnets are where it may go as well, in this order, when AWS has no capacity there.
	VPC, Subnet string
	Subnets     []string

	// Groups are existing security groups; when there are none, a temporary one is made for CIDRs.
	Groups []string
	CIDRs  []string

	// Parts are what decides the image, and Fingerprint the digest of them all, in hex.
	// It is empty when something cannot be known before the build; Unknown says what.
	Parts       []Part
	Fingerprint string
	Unknown     []string

	// Reuse is an image that is there already and has the fingerprint. Nil: there is none, or none was wanted.
	Reuse *Reuse

	// Replaces are older images of the same name, by region, taken away once the new one is available.
	Replaces map[string][]types.Image

	named   map[string][]types.Image // images of the same name that must stay, by region
	claimed string                   // the id of the claim that it is baked under
	making  bool                     // one of them is of the fingerprint, and another build is at it

	// Listings are what the upload steps send, by step and tree. Generated trees have none.
	Listings map[int][]provision.Listing

	// ImageTags and SnapshotTags are complete, and so are RunTags.
	ImageTags, SnapshotTags, RunTags map[string]string
}

// Lifetime is how long what a build makes is safe from being taken away by others.
const Lifetime = 12 * time.Hour

// The tags on everything that a build makes: which one it was, and until when it
// may live, a time as in RFC 3339. A living build keeps moving that time; a
// finished image, and its snapshots, have ExpiresNever instead.
const (
	TagBuild     = "imago:build"
	TagExpires   = "imago:expires"
	ExpiresNever = "never"
)

// TagDraft is on an image that is not under its name yet, and says that name.
const TagDraft = "imago:draft-of"

// TagPassing is on an image that is there for its copies in other regions, and goes after them.
const TagPassing = "imago:passing"

// Plan answers every question of cfg. It reads the cloud and the local files, and writes nothing.
func (b *Builder) Plan(ctx context.Context, cfg Config) (p Plan, err error) {
	defer b.stage(ctx, StagePlan)(&err)
	if err := cfg.Validate(); err != nil {
		return Plan{}, err
	}
	if cfg.Instance.ProfilePolicy != "" && b.Profiles == nil {
		return Plan{}, errors.New("temporary_iam_instance_profile_policy_document: this Builder has no Profiles")
	}
	p = Plan{Config: cfg, ID: newID(), Expires: time.Now().Add(Lifetime).UTC().Truncate(time.Second)}
	needed, reused := context.WithCancel(ctx) // by a bake
	defer reused()
	var bake error  // of no account when nothing is baked
	err = together( // each fills in fields of its own
		func() error {
			err := b.planInputs(ctx, &p)
			if p.Reuse != nil {
				reused()
			}
			return err
		},
		func() error { bake = b.planBake(needed, &p); return nil },
	)
	if p.Reuse == nil {
		if b.reuses(cfg.Output) {
			p.expect()
		}
		err = errors.Join(err, bake, p.checkNames())
	}
	if err != nil {
		return Plan{}, err
	}
	return p, p.planTags()
}

// planBake finds what only a bake needs: a place for the machine, and a name.
func (b *Builder) planBake(ctx context.Context, p *Plan) error {
	return together(
		func() error { return b.planNetwork(ctx, p) },
		func() error { return b.planGroups(ctx, p) },
		func() error { return b.planNames(ctx, p) },
	)
}

// planInputs finds out what decides the image, and whether it is there already.
func (b *Builder) planInputs(ctx context.Context, p *Plan) error {
	err := together(
		func() error { return b.planSource(ctx, p) },
		func() error { return b.planTrees(ctx, p) },
		func() error { return p.checkHere(ctx) },
	)
	if err != nil {
		return err
	}
	if err := p.planFingerprint(); err != nil {
		return err
	}
	return b.planReuse(ctx, p)
}

// newID makes a build's id.
func newID() string {
	var b [6]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// planNames looks, in each region, for images that have the name already.
func (b *Builder) planNames(ctx context.Context, p *Plan) error {
	o := p.Config.Output
	if o.SkipImage {
		return nil
	}
	p.Replaces, p.named = map[string][]types.Image{}, map[string][]types.Image{}
	var errs []error
	if !o.SkipBuildRegion {
		errs = append(errs, b.planName(ctx, p, p.Config.Region, b.EC2))
	}
	if len(o.Regions) > 0 && b.InRegion == nil {
		return errors.Join(append(errs, errors.New("copies to other regions: this Builder has no InRegion"))...)
	}
	for _, r := range otherRegions(p.Config) {
		errs = append(errs, b.planName(ctx, p, r.Region, b.InRegion(r.Region)))
	}
	return errors.Join(errs...)
}

func (b *Builder) planName(ctx context.Context, p *Plan, region string, cloud EC2) error {
	defer b.span(SpanAWS, "look for the image's name")()
	name := p.Config.Output.Name
	out, err := cloud.DescribeImages(ctx, imagesNamed(name))
	if err != nil {
		return fmt.Errorf("look for images named %q in %s: %w", name, region, err)
	}
	others := slices.DeleteFunc(out.Images, func(i types.Image) bool { return tagOf(i.Tags, TagBuild) == p.ID }) // a build that is gone on with has its own
	if p.Config.Output.ReplaceExisting {
		p.Replaces[region] = others
		return protected(region, others)
	} else {
		p.named[region] = others
	}
	return nil
}

// protected says which images AWS will not deregister. Who protects an image does not want it replaced by a template
// that says no more than force_deregister.
func protected(region string, all []types.Image) error {
	var errs []error
	for _, img := range all {
		if strings.HasPrefix(aws.ToString(img.DeregistrationProtection), "enabled") {
			errs = append(errs, fmt.Errorf("%s in %s has the name, and is protected from being deregistered (%s); take that off first: aws ec2 disable-image-deregistration-protection --region %s --image-id %s",
				aws.ToString(img.ImageId), region, aws.ToString(img.DeregistrationProtection), region, aws.ToString(img.ImageId)))
		}
	}
	return errors.Join(errs...)
}

// imagesNamed asks for the account's images of one name.
func imagesNamed(name string) *ec2.DescribeImagesInput {
	return &ec2.DescribeImagesInput{
		Owners:  []string{"self"},
		Filters: []types.Filter{{Name: aws.String("name"), Values: []string{literal(name)}}},
	}
}

// checkNames says which names are taken by images that must stay.
func (p *Plan) checkNames() error {
	var errs []error
	for _, region := range slices.Sorted(maps.Keys(p.named)) {
		for _, img := range p.named[region] {
			errs = append(errs, taken(p.Config.Output.Name, region, img))
		}
	}
	return errors.Join(errs...)
}

// expect leaves out images that are in the making, and will be what this plan would
// bake: another build is at it, or was; that is seen once it is this one's turn.
func (p *Plan) expect() {
	for region, all := range p.named {
		p.named[region] = slices.DeleteFunc(all, func(i types.Image) bool {
			same := p.Fingerprint != "" && tagOf(i.Tags, TagFingerprint) == p.Fingerprint && tagOf(i.Tags, TagExpires) != ExpiresNever
			p.making = p.making || same
			return same
		})
	}
}

func taken(name, region string, by types.Image) error {
	return fmt.Errorf("the image name %q is taken by %s in %s: choose another name, put {{timestamp}} in it, or replace the image with -force",
		name, aws.ToString(by.ImageId), region)
}

// planTrees looks at everything that will be sent.
func (b *Builder) planTrees(ctx context.Context, p *Plan) error {
	defer b.span(SpanLocal, "look at the files to send")()
	p.Listings = map[int][]provision.Listing{}
	var errs []error
	for i, s := range p.Config.Steps {
		for _, t := range uploads(s) {
			l, err := t.ListKnown(ctx, b.knownFile(t))
			if err != nil {
				errs = append(errs, at(s.Common().Where, err))
			}
			p.Listings[i] = append(p.Listings[i], l)
		}
	}
	return errors.Join(errs...)
}

// checkHere asks the steps that run on this side whether they can, once each.
func (p *Plan) checkHere(ctx context.Context) error {
	var errs []error
	for _, s := range slices.Concat(p.Config.Steps, p.Config.ErrorSteps) {
		if l, ok := s.(Local); ok && l.Check != nil {
			if err := l.Check(ctx); err != nil {
				errs = append(errs, at(l.Where, err))
			}
		}
	}
	return errors.Join(errs...)
}

// at puts the place in the template before an error.
func at(where string, err error) error {
	if where == "" {
		return err
	}
	return fmt.Errorf("%s: %w", where, err)
}
