package retention

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// removeLimit bounds how long one image may take, with its snapshots; noticeLimit
// how long AWS may take to notice that a snapshot's image has gone.
const (
	removeLimit = 5 * time.Minute
	noticeLimit = time.Minute
)

// remover takes images away in one region.
type remover struct {
	looking
	pruner *Pruner
	gone   map[string]bool // images that went, which AWS may list a while longer
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
	case err == nil, hasCode(err, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"): // somebody else prunes too
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
	return errors.As(err, &api) && !hasCode(err, "InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable", "UnknownError")
}

// mark says of an image's snapshots that they go with it.
func (r *remover) mark(ctx context.Context, img Image) error {
	for _, id := range img.Snapshots {
		_, err := r.cloud.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: markOf(img.ID)})
		if err != nil && !hasCode(err, "InvalidSnapshot.NotFound") {
			return errors.Join(err, r.unmarkAll(ctx, img))
		}
	}
	return nil
}

// unmarkAll takes that back.
func (r *remover) unmarkAll(ctx context.Context, img Image) error {
	var errs []error
	for _, id := range img.Snapshots {
		errs = append(errs, r.unmark(ctx, Snapshot{ID: id, Image: img.ID}))
	}
	return errors.Join(errs...)
}

func (r *remover) unmark(ctx context.Context, s Snapshot) error {
	_, err := r.cloud.EC2.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{s.ID}, Tags: markOf(s.Image)})
	if hasCode(err, "InvalidSnapshot.NotFound") {
		return nil
	}
	return err
}

func markOf(image string) []types.Tag {
	return []types.Tag{{Key: aws.String(TagPruned), Value: &image}}
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

// deleteSnapshot deletes a snapshot, unless another image has it: then that one's
// end is its end. AWS may take a while to notice that an image has gone.
func (r *remover) deleteSnapshot(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, noticeLimit, fmt.Errorf("AWS says after %v still that it is in use", noticeLimit))
	defer cancel()
	return poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		_, err := r.cloud.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &id})
		switch {
		case hasCode(err, "InvalidSnapshot.NotFound"):
			return true, nil
		case hasCode(err, "InvalidSnapshot.InUse"):
			users, err := r.images(ctx, filter("block-device-mapping.snapshot-id", id))
			return slices.ContainsFunc(users, func(img Image) bool { return !over(img) && !r.gone[img.ID] }), err
		}
		return true, err
	})
}
