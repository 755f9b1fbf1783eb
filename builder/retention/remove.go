package retention

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/internal/awserr"
)

// removeLimit bounds how long one image may take, with its snapshots.
const removeLimit = 5 * time.Minute

// remover takes images away in one region.
type remover struct {
	looking
	pruner *Pruner
	gone   map[string]bool // images that went, which AWS may list a while longer
}

// remove takes away what is to go in one region, one image after another, the
// newest first: an image before those that it was made from.
func (r *remover) remove(ctx context.Context, plan *Result) error {
	for _, s := range plan.stale {
		r.unmark(ctx, s) // what stays marked is still in use
	}
	leaks := r.removeOrphans(ctx, plan)
	going := pointers(plan.Decisions)
	slices.SortFunc(going, func(a, b *Decision) int { return newestFirst(a.Image, b.Image) })
	for i, d := range going {
		if ctx.Err() != nil {
			for _, left := range going[i:] {
				left.Remove, left.Why = false, "the prune was canceled"
			}
			return errors.Join(append(leaks, context.Cause(ctx))...)
		}
		err := r.removeOne(ctx, d)
		leaks = append(leaks, err)
		r.pruner.tell(*d, err)
	}
	return errors.Join(leaks...)
}

// pointers are the decisions to remove, as they are to be changed.
func pointers(all []Decision) (going []*Decision) {
	for i := range all {
		if all[i].Remove {
			going = append(going, &all[i])
		}
	}
	return going
}

// removeOrphans deletes what earlier prunes have left, and leaves in the plan what has gone.
func (r *remover) removeOrphans(ctx context.Context, plan *Result) (leaks []error) {
	plan.Orphans = slices.DeleteFunc(plan.Orphans, func(s Snapshot) bool {
		used, err := r.deleteSnapshot(ctx, s)
		if err != nil {
			leaks = append(leaks, leak("snapshot "+s.ID, err))
		}
		return used || err != nil
	})
	return leaks
}

// removeOne takes one image away, and then its snapshots, and writes into the
// decision what became of it.
func (r *remover) removeOne(ctx context.Context, d *Decision) error {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), removeLimit, fmt.Errorf("not gone after %v", removeLimit))
	defer cancel()
	why, err := r.deregister(ctx, d.Image)
	if err != nil || why != "" {
		d.Remove, d.Spared, d.Why = false, why != "", why
		if err != nil {
			d.Why = "it could not be taken away"
			return leak("image "+d.ID, err)
		}
		return nil
	}
	r.gone[d.ID] = true
	var leaks []error
	for _, id := range d.Snapshots {
		if _, err := r.deleteSnapshot(ctx, Snapshot{ID: id, Image: d.ID}); err != nil {
			leaks = append(leaks, leak("snapshot "+id, fmt.Errorf("%w; the next prune deletes it", err)))
		}
	}
	return errors.Join(leaks...)
}

// leak says that something stayed that should have gone.
func leak(what string, err error) error {
	return &builder.LeakError{Resources: []string{what}, Err: err}
}

// deregister takes an image away, unless it is needed by now: then it says by
// what. Before, it marks the image's snapshots, so that whoever is killed in
// between, or cannot delete them, leaves none that the next prune does not find.
func (r *remover) deregister(ctx context.Context, img Image) (why string, err error) {
	if err := r.mark(ctx, img); err != nil {
		return "", fmt.Errorf("mark its snapshots with the tag %s: %w", TagPruned, err)
	}
	if why, err = r.neededNow(ctx, img); err != nil || why != "" {
		return why, errors.Join(err, r.unmarkAll(ctx, img))
	}
	_, err = r.cloud.EC2.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &img.ID})
	switch {
	case err == nil, awserr.Is(err, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"): // somebody else prunes too
		return "", nil
	case refused(err):
		return "", errors.Join(err, r.unmarkAll(ctx, img))
	}
	found, lookErr := r.images(ctx, filter("image-id", img.ID)) // the answer that was lost may have been a good one
	if lookErr == nil && (len(found) == 0 || over(found[0])) {
		return "", nil
	}
	return "", err // it may yet turn out that it has gone, and then its snapshots are marked
}

// refused says whether an error means that nothing was done.
func refused(err error) bool {
	api := smithy.APIError(nil)
	return errors.As(err, &api) && !awserr.Is(err, "InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable", "UnknownError")
}

// neededNow looks once more at an image that is to go, and says why it must stay, or "".
func (r *remover) neededNow(ctx context.Context, img Image) (string, error) {
	var now Inventory
	var self, children []Image
	var shared []string
	err := together(
		func() (err error) { self, err = r.images(ctx, filter("image-id", img.ID)); return },
		func() (err error) { children, err = r.madeFrom(ctx, img.ID); return },
		func() (err error) { now.Instances, err = r.instances(ctx, filter("image-id", img.ID)); return },
		func() (err error) { now.Templates, err = r.templates(ctx); return },
		func() (err error) { now.Configurations, err = r.configurations(ctx); return },
		func() (err error) { now.Groups, err = r.groups(ctx); return },
		func() (err error) { shared, err = r.shares(ctx, img); return },
	)
	if err != nil || len(self) == 0 || over(self[0]) {
		return "", err
	}
	self[0].SharedWith = shared
	if !maps.Equal(self[0].Tags, img.Tags) {
		return "its tags have changed", nil
	}
	uses := slices.DeleteFunc(now.Uses(), func(u Use) bool { return u.Image != img.ID })
	if why := needed(self[0], uses); why != "" {
		return why, nil
	}
	for _, child := range children {
		if !over(child) && !r.gone[child.ID] {
			return parentOf(child), nil
		}
	}
	return "", nil
}

// madeFrom are the images that say that they were made from one.
func (r *remover) madeFrom(ctx context.Context, id string) ([]Image, error) {
	all, err := r.images(ctx, filter("source-image-id", id))
	if err != nil {
		return nil, err
	}
	tagged, err := r.images(ctx, filter("tag:"+builder.TagInputs, "*source="+id+" *"))
	return slices.DeleteFunc(append(all, tagged...), func(img Image) bool { return !slices.Contains(img.Parents, id) }), err
}
