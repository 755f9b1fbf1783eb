package builder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/imagobuild/imago/builder/internal/undo"
)

// NoResumeError says why Resume has nothing to go on with. Nothing was made, and
// nothing of a finished image was touched: Build is the way.
type NoResumeError struct {
	Build string // Plan.ID; empty: there is none
	Why   string
}

// Error names the build, and why.
func (e *NoResumeError) Error() string {
	if e.Build == "" {
		return "there is nothing to go on with: " + e.Why
	}
	return fmt.Sprintf("build %s cannot be gone on with: %s", e.Build, e.Why)
}

// Resume goes on with a build whose builder is gone, or whose wait for the image
// was too short, from that image on: it waits for it, copies and shares it, takes
// away what was made for it, and returns it as Build does. said is the build's
// journal, or what Unfinished returns; cfg must be what the build was of.
//
// When there is no image to go on with, or it has failed, the error is a
// *NoResumeError. The caller sees to it that nobody else is at that build.
func (b *Builder) Resume(ctx context.Context, cfg Config, said []Record) (img Image, err error) {
	start := time.Now()
	b.secrets.Hide(cfg.Sensitive...)
	plan, err := b.planAgain(ctx, cfg, said)
	if err != nil {
		return Image{}, err
	}
	trash := b.newEstate(plan)
	if err := trash.recall(ctx, plan, said); err != nil {
		return Image{}, err
	}
	if trash.unprinted(plan) {
		plan.forgetFingerprint()
	}
	inst, err := trash.takeOver(b.claims(plan))
	if err != nil {
		return Image{}, err
	}
	whole := ctx
	ctx = trash.untilOvertaken(whole)
	defer func() {
		err = givenUp(plan.ID, trash.end(whole, err))
		img.Took = time.Since(start)
	}()
	defer trash.renew(ctx)()
	defer recovered(&err)
	if b.claims(plan) {
		if err := b.claimAgain(ctx, plan, trash); err != nil {
			return Image{}, err
		}
	}
	return attempt(ctx, b, func() (Image, error) { return b.goOn(ctx, plan, inst, trash) })
}

// goOn is what is left to do of a capture.
func (b *Builder) goOn(ctx context.Context, p Plan, inst instance, trash *estate) (img Image, err error) {
	defer b.stage(ctx, StageCapture)(&err)
	b.note("going on with build %s", p.ID)
	if err := trash.retag(ctx, expiry()); err != nil && ctx.Err() == nil {
		b.warn("the tag %s stays as it was: %v", TagExpires, err)
	}
	return b.image(ctx, p, inst, trash)
}

// claimAgain gets the claim of a build that is gone on with, unless another build
// has taken over meanwhile.
func (b *Builder) claimAgain(ctx context.Context, p Plan, trash *estate) error {
	err := b.take(ctx, p, trash)
	switch {
	case errors.Is(err, errUnclaimed):
		return nil
	case err == nil && trash.claim == nil:
		lost := &overtaken{how: "begun to bake it meanwhile"}
		trash.lose(lost)
		return lost
	}
	return err
}

// givenUp says of a build whose image has failed, or whose place another has
// taken, and of which nothing is left, that there is nothing to go on with.
func givenUp(id string, err error) error {
	why := error(nil)
	if failed, ok := errors.AsType[*failedImage](err); ok {
		why = failed
	}
	if lost, ok := errors.AsType[*overtaken](err); ok {
		why = lost
	}
	if why == nil || errors.As(err, new(*LeakError)) {
		return err
	}
	return &NoResumeError{id, why.Error() + "; what it had made is taken away"}
}

// planAgain is the plan of a build that is gone on with, as far as that needs one.
func (b *Builder) planAgain(ctx context.Context, cfg Config, said []Record) (p Plan, err error) {
	defer b.stage(ctx, StagePlan)(&err)
	if err := cfg.Validate(); err != nil {
		return Plan{}, err
	}
	i := slices.IndexFunc(said, func(r Record) bool { return r.Act == Begun })
	if i < 0 {
		return Plan{}, &NoResumeError{Why: "the journal does not say what the build is of"}
	}
	p = Plan{Config: cfg, ID: said[i].Build, Expires: time.Now().Add(Lifetime).UTC().Truncate(time.Second)}
	err = together(
		func() error { return b.planSource(ctx, &p) },
		func() error { return b.planTrees(ctx, &p) },
	)
	if err != nil {
		return Plan{}, err
	}
	if err := errors.Join(p.planFingerprint(), p.planTags()); err != nil {
		return Plan{}, err
	}
	if is := p.order(); is == "" || is != said[i].Inputs {
		return Plan{}, &NoResumeError{p.ID, "it is of something else: since then the template, a variable, a file or the source image has changed"}
	}
	if err := b.madeMeanwhile(ctx, p); err != nil {
		return Plan{}, err
	}
	err = b.planNames(ctx, &p)
	if b.reuses(cfg.Output) {
		p.expect()
	}
	return p, errors.Join(err, p.checkNames())
}

// madeMeanwhile says that another build has the image that is gone on with, or one like it.
func (b *Builder) madeMeanwhile(ctx context.Context, p Plan) error {
	if !b.claims(p) {
		return nil
	}
	img, found, err := imageOf(ctx, b.EC2, p.Fingerprint)
	if err == nil && found && tagOf(img.Tags, TagBuild) != p.ID {
		err = &NoResumeError{p.ID, fmt.Sprintf("another build has made %s meanwhile", aws.ToString(img.ImageId))}
	}
	return err
}

// recall takes over what a build is said to have made, as far as it is there.
func (e *estate) recall(ctx context.Context, p Plan, said []Record) error {
	things, since := e.b.remembered(p, said)
	found := make([]thing, len(things))
	err := forEach(len(things), func(i int) (err error) {
		found[i], err = e.seek(ctx, things[i], since[i].Add(visible))
		found[i].since = since[i]
		return err
	})
	if err != nil {
		return fmt.Errorf("look for what build %s has made: %w", e.id, err)
	}
	e.earlier = slices.DeleteFunc(found, func(t thing) bool { return t.id == "" })
	if !slices.ContainsFunc(e.earlier, func(t thing) bool { return t.kind == KindImage && t.region == p.Config.Region }) {
		return &NoResumeError{e.id, "it has made no image yet"}
	}
	return nil
}

// unprinted says whether the image has no fingerprint: files had changed while
// they were uploaded.
func (e *estate) unprinted(p Plan) bool {
	return slices.ContainsFunc(e.earlier, func(t thing) bool {
		return t.kind == KindImage && t.region == p.Config.Region && t.fingerprint == ""
	})
}

// takeOver registers what was made earlier for being taken back, groups and
// profiles first, since machines use them. A claim that is wanted again goes another way.
func (e *estate) takeOver(claims bool) (inst instance, err error) {
	slices.SortStableFunc(e.earlier, func(x, y thing) int { return rank(x) - rank(y) })
	var uses []*undo.Entry
	for _, t := range e.earlier {
		if claims && isClaim(t) {
			continue
		}
		switch t.kind {
		case KindGroup, KindProfile:
			uses = append(uses, e.own(t))
		case KindInstance:
			inst = instance{id: t.id, region: t.region, made: t, undo: e.own(t, uses...)}
		default:
			e.own(t)
		}
		err = errors.Join(err, e.record(Made, t))
	}
	return inst, err
}

func rank(t thing) int {
	if t.kind == KindGroup || t.kind == KindProfile {
		return 0
	}
	return 1
}

// hasDraft says whether the image was made under a name of its own before the
// build was gone on with.
func (e *estate) hasDraft(p Plan) bool {
	draft := thing{kind: KindImage, name: draftName(p), region: p.Config.Region}
	return slices.ContainsFunc(e.earlier, draft.same)
}
