package deploy

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// find is the key pair of the lease's name; nil when there is none.
func (l *lease) find(ctx context.Context) (*types.KeyPairInfo, error) {
	out, err := l.of.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{Filters: []types.Filter{{Name: aws.String("key-name"), Values: []string{l.name}}}})
	if err != nil || len(out.KeyPairs) == 0 {
		return nil, err
	}
	return &out.KeyPairs[0], nil
}

// renew changes the tag until the context ends. When the lease is lost, it says so.
func (l *lease) renew(ctx context.Context, lose context.CancelCauseFunc) {
	for poll.For(ctx, beatEvery) == nil {
		if errors.Is(l.beatOnce(ctx), ErrLost) {
			lose(l.lose())
			return
		}
	}
}

// beatOnce renews once. What else is wrong, the next beat may put right.
func (l *lease) beatOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, trusted)
	defer cancel()
	l.beat++
	_, err := l.of.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{l.id}, Tags: []types.Tag{tag(tagBeat, strconv.Itoa(l.beat))}})
	if awserr.Is(err, "InvalidKeyPair.NotFound", "InvalidKey.NotFound", "InvalidID") && !l.fresh() {
		return ErrLost
	}
	if err == nil {
		l.heard()
	}
	return err
}

// fresh says whether AWS may not know the lease everywhere yet. Nobody takes it
// away meanwhile: that takes longer.
func (l *lease) fresh() bool { return time.Since(l.made) < patience/2 }

// heard notes that AWS has just said that the lease is ours.
func (l *lease) heard() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = time.Now()
}

// guard says whether the lease is still this run's. It asks AWS when the last
// renewal was a while ago, as after a pause; the wall clock counts, too: the
// monotonic one may stand still while a computer sleeps.
func (l *lease) guard(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.mu.Lock()
	seen, lost := l.seen, l.lost
	l.mu.Unlock()
	if lost {
		return ErrLost
	}
	if time.Since(seen) < trusted && time.Now().Round(0).Sub(seen.Round(0)) < trusted {
		return nil
	}
	now, err := l.find(ctx)
	if err != nil {
		return fmt.Errorf("ask for the lease: %w", err)
	}
	if now == nil && l.fresh() {
		return nil
	}
	if now == nil || aws.ToString(now.KeyPairId) != l.id {
		return l.lose()
	}
	l.heard()
	return nil
}

// lose notes that the lease is somebody else's.
func (l *lease) lose() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = true
	return ErrLost
}

// giveBack deletes the lease by its id: never that of somebody else.
func (l *lease) giveBack(ctx context.Context) error {
	if errors.Is(l.guard(context.WithoutCancel(ctx)), ErrLost) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if _, err := l.of.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyPairId: &l.id}); err != nil {
		return fmt.Errorf("give the lease back (others wait %s): %w", patience, err)
	}
	return nil
}
