package builder

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/undo"
)

// TagClaim is on an image that was baked under a claim, and says which one: the
// id of a key pair.
const TagClaim = "imago:claim"

// adopted is an image that another build has left unfinished, and that is this one's now.
type adopted struct {
	thing
	entry *undo.Entry
}

// orphan looks for an image of the fingerprint that another build has made and
// not finished. Only one of a build that had the claim, and so has it no more: it was
// killed, or waited too long for AWS, or will learn that it is overtaken.
func (b *Builder) orphan(ctx context.Context, fingerprint, mine string) (img types.Image, found bool, err error) {
	out, err := b.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Owners: []string{"self"},
		Filters: toFilters(map[string][]string{
			"tag:" + TagFingerprint: {fingerprint}, "tag-key": {TagClaim},
			"state": {string(types.ImageStatePending), string(types.ImageStateAvailable)},
		}),
	})
	if err != nil {
		return img, false, err
	}
	for _, each := range out.Images {
		theirs := tagOf(each.Tags, TagExpires) != ExpiresNever && tagOf(each.Tags, TagClaim) != mine && tagOf(each.Tags, TagDraft) == ""
		if theirs && (!found || newer(each, img)) {
			img, found = each, true
		}
	}
	return img, found, nil
}

// adopt makes an orphan this build's, and waits until it is available: p.Reuse is it
// then. One that comes to nothing is taken away.
func (b *Builder) adopt(ctx context.Context, p *Plan, img types.Image, trash *estate) (err error) {
	defer b.stage(ctx, StageCapture)(&err)
	t := thing{kind: KindImage, name: aws.ToString(img.Name), id: aws.ToString(img.ImageId), region: p.Config.Region, cloud: b.EC2}
	b.note("going on with %s, which build %s has not finished", t.id, tagOf(img.Tags, TagBuild))
	if err := trash.record(Making, t); err != nil {
		return err
	}
	own := map[string]string{TagBuild: p.ID, TagClaim: trash.claim.tagged, TagExpires: expiry()}
	if err := tag(ctx, b.EC2, own, append([]string{t.id}, snapshotsOf(img)...)...); err != nil {
		return errors.Join(ignore(err, t.absence()...), trash.record(Gone, t))
	}
	trash.adopted = &adopted{t, trash.own(t)}
	if err := trash.record(Made, t); err != nil {
		return err
	}
	m := made{thing: t}
	err = b.awaitAvailable(ctx, *p, &m)
	if errors.As(err, new(*failedImage)) || errors.As(err, new(unlisted)) {
		b.note("%v", err)
		trash.adopted.entry.Keep()
		trash.adopted = nil
		return errors.Join(b.takeAway(ctx, t), trash.record(Gone, t))
	}
	if late, ok := errors.AsType[*PendingError](err); ok { // who comes next goes on with it, under the name that it has
		trash.keepAdopted()
		return &Error{StageCapture, t.id, fmt.Errorf("not available after %v; it stays, and another run goes on with it", late.Waited)}
	}
	if err != nil {
		return err
	}
	if img, err = b.awaitImage(ctx, m); err != nil { // which is there
		return err
	}
	p.Reuse = newReuse(img, map[string]types.Image{p.Config.Region: img}, p.Config)
	return b.checkCopyNames(ctx, p)
}

// keepAdopted keeps an image that was adopted: it is finished now.
func (e *estate) keepAdopted() {
	if e.adopted != nil {
		e.adopted.entry.Keep()
		e.record(Kept, e.adopted.thing) // if that is lost, gc sees by the image itself that it is whole
	}
}

// estranged says whether an image that a build has made was adopted by another since.
func (e *estate) estranged(ctx context.Context, t thing) bool {
	if t.kind != KindImage || !e.b.Reuse {
		return false
	}
	out, err := t.cloud.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{t.id}})
	if err != nil || len(out.Images) == 0 {
		return false
	}
	owner := tagOf(out.Images[0].Tags, TagBuild)
	return owner != "" && owner != e.id
}
