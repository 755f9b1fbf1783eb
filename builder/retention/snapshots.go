package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// noticeLimit bounds how long AWS may take to notice that a snapshot's image has gone.
const noticeLimit = time.Minute

// mark says of an image's snapshots that they go with it.
func (r *remover) mark(ctx context.Context, img Image) error {
	for _, id := range img.Snapshots {
		_, err := r.cloud.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: markOf(img.ID)})
		if err != nil && !awserr.Is(err, "InvalidSnapshot.NotFound") {
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
	if awserr.Is(err, "InvalidSnapshot.NotFound") {
		return nil
	}
	return err
}

func markOf(image string) []types.Tag {
	return []types.Tag{{Key: aws.String(TagPruned), Value: &image}}
}

// deleteSnapshot deletes a snapshot, unless another image has it: then that one's
// end is its end, and the mark goes. AWS may take a while to notice that an image has gone.
func (r *remover) deleteSnapshot(ctx context.Context, s Snapshot) (used bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, noticeLimit, fmt.Errorf("AWS says after %v still that it is in use", noticeLimit))
	defer cancel()
	err = poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		_, err := r.cloud.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &s.ID})
		switch {
		case awserr.Is(err, "InvalidSnapshot.NotFound"):
			return true, nil
		case awserr.Is(err, "InvalidSnapshot.InUse"):
			users, err := r.images(ctx, filter("block-device-mapping.snapshot-id", s.ID))
			used = slices.ContainsFunc(users, func(img Image) bool { return !over(img) && !r.gone[img.ID] })
			return used, err
		}
		return true, err
	})
	if err == nil && used {
		err = r.unmark(ctx, s)
	}
	return used, err
}
