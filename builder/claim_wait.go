package builder

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// claimPace is how often those who wait look: so that many of them, who may wait
// for an hour, take little of what AWS allows an account.
func claimPace() poll.Pace { return poll.Pace{First: time.Second, Max: 3 * time.Second} }

// rival is the claim of another build, as its tags describe it.
type rival struct {
	pair, beat string // its key pair's id, and what changes as long as it lives
	Waiting
}

func rivalOf(k types.KeyPairInfo) rival {
	return rival{aws.ToString(k.KeyPairId), tagOf(k.Tags, tagBeat), Waiting{
		Build: tagOf(k.Tags, TagBuild), Holder: tagOf(k.Tags, tagHolder),
		Instance: tagOf(k.Tags, tagInstance), Image: tagOf(k.Tags, tagImage), Since: aws.ToTime(k.CreateTime),
	}}
}

// awaitTurn waits until no other build has the claim: it has ended, with an image
// or without one, or it is not heard of any more, and its claim is taken away.
func (b *Builder) awaitTurn(ctx context.Context, p Plan, trash *estate) (err error) {
	defer b.stage(ctx, StageWait)(&err)
	w := patience{b: b, build: p.ID, last: time.Now()}
	defer func(since time.Time) { trash.waited += time.Since(since) }(w.last)
	err = b.watcher().in(p.Config.Region, b.EC2).claims.Until(ctx, claimName(p.Fingerprint), w.look)
	if err == nil && w.stale() {
		err = b.takeClaim(ctx, w.seen)
	}
	if awserr.Is(err, "UnauthorizedOperation") {
		b.unclaimed(err)
		return errUnclaimed
	}
	return err
}

// takeClaim takes a claim away from a build that is not heard of any more.
func (b *Builder) takeClaim(ctx context.Context, from rival) error {
	b.note("build %s has not been heard of for %v: taking over", from.Build, claimPatience)
	_, err := b.EC2.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyPairId: &from.pair}) // and no other of that name
	if err = ignore(err, thing{kind: KindKeyPair}.absence()...); err != nil {
		return &Error{StageWait, from.pair, fmt.Errorf("take over from build %s: %w", from.Build, err)}
	}
	return nil
}

// patience is how long somebody has watched a claim that does not change.
type patience struct {
	b      *Builder
	build  string // that waits
	seen   rival
	last   time.Time // of a look
	idle   time.Duration
	absent int // looks in a row that have not seen it
}

// look says whether the waiting is over. What counts is the time of this
// computer in which it has looked; while it could not, or slept, its rival may
// have been no better off.
func (w *patience) look(k types.KeyPairInfo, there bool) (bool, error) {
	now := time.Now()
	w.idle += min(now.Sub(w.last), 2*claimPace().Max)
	w.last = now
	if !there { // or not yet, when it is new: then it cannot be had either
		w.absent++
		over := w.seen.pair != "" || w.absent > 1
		w.seen = rival{}
		return over, nil
	}
	r := rivalOf(k)
	if r.Build == w.build {
		return true, nil
	}
	w.absent = 0
	if r.pair != w.seen.pair || r.beat != w.seen.beat {
		w.idle = 0
	}
	if r.Waiting != w.seen.Waiting {
		w.b.event(r.Waiting)
	}
	w.seen = r
	return w.stale(), nil
}

func (w *patience) stale() bool { return w.seen.pair != "" && w.idle >= claimPatience }

// findClaims looks claims up by their names.
func findClaims(ctx context.Context, cloud EC2, names []string) (map[string]types.KeyPairInfo, error) {
	out, err := cloud.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{
		Filters: []types.Filter{{Name: aws.String("key-name"), Values: names}},
	})
	if err != nil {
		return nil, err
	}
	found := map[string]types.KeyPairInfo{}
	for _, k := range out.KeyPairs {
		found[aws.ToString(k.KeyName)] = k
	}
	return found, nil
}
