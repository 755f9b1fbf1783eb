package builder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// How often a claim is renewed, and how long one that is not renewed is believed
// to be a living build's.
const (
	claimBeat     = 10 * time.Second
	claimPatience = 4 * claimBeat
)

// overtaken says that another build has the claim by now, or has made the image.
// This one must not make a second.
type overtaken struct {
	how  string
	leak error // what it could not take away, a *LeakError
}

// Unwrap returns what is left behind.
func (e *overtaken) Unwrap() error { return e.leak }

func (e *overtaken) Error() string { return "another build has " + e.how }

// renew shows those who wait that the build lives, until ctx ends.
func (c *claim) renew(ctx context.Context) {
	defer close(c.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.hurry:
		case <-time.After(claimBeat):
		}
		err := c.beat(ctx)
		switch {
		case err == nil, ctx.Err() != nil:
		case awserr.Is(err, "UnauthorizedOperation"):
			c.giveUp(ctx, err)
			return
		case absent(err):
			if lost := c.look(ctx); lost != nil {
				c.of.lose(lost)
				return
			}
		}
	}
}

// beat renews the claim, and says how far the build is.
func (c *claim) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, claimPatience/2)
	defer cancel()
	c.mu.Lock()
	c.beats++
	tags := merge(c.said, map[string]string{tagBeat: fmt.Sprint(c.beats), TagExpires: expiry()})
	c.mu.Unlock()
	return tag(ctx, c.cloud, tags, c.tagged)
}

// giveUp is for a claim that AWS does not let us renew: one that others took
// over again and again would be worse than none.
func (c *claim) giveUp(ctx context.Context, why error) {
	c.mu.Lock()
	c.void = true
	c.mu.Unlock()
	c.of.b.unclaimed(why)
	c.of.letGo(ctx)
}

func (c *claim) counts() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.void
}

// tell says to those who wait what the build has made.
func (c *claim) tell(t thing) {
	key, ok := map[string]string{KindInstance: tagInstance, KindImage: tagImage}[t.kind]
	if c == nil || !ok || t.region != c.region {
		return
	}
	c.mu.Lock()
	c.said[key] = t.id
	c.mu.Unlock()
	select {
	case c.hurry <- struct{}{}:
	default:
	}
}

// absent says whether AWS does not know what is to be tagged.
func absent(err error) bool {
	api := smithy.APIError(nil)
	return errors.As(err, &api) && (strings.HasSuffix(api.ErrorCode(), ".NotFound") || api.ErrorCode() == "InvalidID")
}

// look says whether the claim is another's now, or nobody's, as an *overtaken. What
// AWS does not say is no reason to end a build.
func (c *claim) look(ctx context.Context) *overtaken {
	all, err := look(ctx, thing{kind: KindKeyPair, name: c.name, cloud: c.cloud}, "")
	if err != nil || len(all) == 0 && time.Since(c.since) < visible {
		return nil
	}
	if slices.ContainsFunc(all, func(l listed) bool { return l.tagged == c.tagged }) {
		return nil
	}
	return &overtaken{how: "taken over, as AWS had not heard of this one for too long"}
}

// confirm renews the claim for sure: from then on nobody takes it for claimPatience.
func (c *claim) confirm(ctx context.Context) error {
	return poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		err := c.beat(ctx)
		switch {
		case err == nil, !c.counts(), awserr.Is(err, "UnauthorizedOperation"): // renew says so
			return true, nil
		case absent(err):
			if lost := c.look(ctx); lost != nil {
				return true, lost
			}
			return false, nil
		}
		return true, err
	})
}

// untilOvertaken is ctx until another build takes over.
func (e *estate) untilOvertaken(ctx context.Context) context.Context {
	ctx, e.cancel = context.WithCancelCause(ctx)
	return ctx
}

// end cleans up, and says how the build ended that err is of. One that another has
// overtaken takes everything back, and everything that went wrong is of that.
func (e *estate) end(ctx context.Context, err error) error {
	defer e.cancel(nil)
	e.mu.Lock()
	lost := e.loss
	e.mu.Unlock()
	if err == nil || lost == nil {
		return errors.Join(err, e.b.cleanUp(ctx, e, err))
	}
	lost.leak = e.b.cleanUp(ctx, e, lost)
	return lost
}

// lose ends the build: another has overtaken it.
func (e *estate) lose(to *overtaken) {
	e.mu.Lock()
	if e.loss == nil {
		e.loss = to
	}
	e.mu.Unlock()
	e.cancel(to)
}

// fence lets nobody pass whose place another build has taken: a second image
// would come of that. One that was asleep for an hour learns it here.
func (e *estate) fence(ctx context.Context, p Plan) error {
	if e.claim == nil || !e.claim.counts() || p.Fingerprint == "" {
		return nil
	}
	defer e.b.span(SpanAWS, "see that no other build has taken over")()
	err := together(
		func() error { return e.claim.confirm(ctx) },
		func() error {
			img, found, err := imageOf(ctx, e.b.EC2, p.Fingerprint)
			if err == nil && found && tagOf(img.Tags, TagBuild) != p.ID {
				return &overtaken{how: "made " + aws.ToString(img.ImageId) + " meanwhile"}
			}
			return err
		},
	)
	if lost, ok := errors.AsType[*overtaken](err); ok {
		e.lose(lost)
		return lost
	}
	return err
}

// awaitFound waits until the image can be found by its fingerprint.
func (b *Builder) awaitFound(ctx context.Context, p Plan) {
	poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		_, found, err := imageOf(ctx, b.EC2, p.Fingerprint)
		return found, err
	})
}
