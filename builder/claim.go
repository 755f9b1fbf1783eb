package builder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/provision"
)

// claim is the right to bake the image of a fingerprint, which one build in an
// account and region has at a time. It is a key pair that nobody logs in with, because
// AWS gives the name of a key pair out once, and at once; its id tells it from
// one that came after it under the same name.
type claim struct {
	thing
	of *estate

	mu    sync.Mutex
	beats int
	said  map[string]string // how far the build is, for those who wait
	void  bool              // it cannot be renewed, and so does not count

	hurry   chan struct{} // there is something new to say
	stop    context.CancelFunc
	stopped chan struct{} // renewing has
	release sync.Once
	gone    chan struct{} // closed when it is given back
	err     error         // of giving back; after gone
}

// The tags of a claim, beside those that everything has: something that changes
// as long as its build lives, and what those who wait want to know of it.
const (
	tagBeat     = "imago:beat"
	tagHolder   = "imago:holder"
	tagInstance = "imago:instance"
	tagImage    = "imago:pending"
)

// claimPrefix begins the names of claims.
const claimPrefix = "imago-claim-"

// claimName is the name of a fingerprint's claim.
func claimName(fingerprint string) string { return claimPrefix + fingerprint }

// isClaim says whether a thing that a build has made is a claim.
func isClaim(t thing) bool { return t.kind == KindKeyPair && strings.HasPrefix(t.name, claimPrefix) }

// claims says whether others may wait for what the plan bakes or copies, and take
// it: not if they could not find the image.
func (b *Builder) claims(p Plan) bool {
	whole := p.Reuse != nil && len(p.Reuse.Missing) == 0
	return b.reuses(p.Config.Output) && !whole && p.ImageTags[TagFingerprint] != ""
}

// errUnclaimed says that the build goes on without a claim.
var errUnclaimed = errors.New("no claim")

// claim waits for its turn to bake the image. If others have made the image by
// then, p.Reuse says so, and there is nothing to bake.
func (b *Builder) claim(ctx context.Context, p *Plan, trash *estate) error {
	for again := p.making; ; again = true {
		err := b.take(ctx, *p, trash)
		if err == nil && trash.claim == nil {
			err = b.awaitTurn(ctx, *p, trash)
		}
		unclaimed := errors.Is(err, errUnclaimed)
		if err != nil && !unclaimed {
			return err
		}
		orphan, err := b.meanwhile(ctx, p, trash)
		if err != nil {
			return err
		}
		switch {
		case p.Reuse != nil && !b.claims(*p):
			trash.letGo(ctx)
			return nil
		case trash.claim == nil && !unclaimed:
			continue
		case orphan != nil:
			if err := b.adopt(ctx, p, *orphan, trash); err != nil {
				return err
			}
		}
		if p.Reuse == nil && again {
			return errors.Join(b.planNames(ctx, p), p.checkNames())
		}
		return nil
	}
}

// meanwhile looks for what others have made since the plan was: an image, or one
// that they will not finish now that this build has the claim.
func (b *Builder) meanwhile(ctx context.Context, p *Plan, trash *estate) (orphan *types.Image, err error) {
	if trash.claim == nil {
		return nil, b.planReuse(ctx, p)
	}
	p.claimed = trash.claim.tagged
	fingerprint, mine := p.Fingerprint, p.claimed
	err = together(
		func() error { return b.planReuse(ctx, p) },
		func() error {
			img, found, err := b.orphan(ctx, fingerprint, mine)
			if found {
				orphan = &img
			}
			return err
		},
	)
	if p.Reuse != nil {
		orphan = nil
	}
	return orphan, err
}

// take gets the claim, unless another build has it.
func (b *Builder) take(ctx context.Context, p Plan, trash *estate) error {
	defer b.span(SpanAWS, "claim the image")()
	key, err := provision.NewKey("imago " + p.ID) // AWS wants one; nobody keeps it
	if err != nil {
		return err
	}
	t := thing{kind: KindKeyPair, name: claimName(p.Fingerprint), region: p.Config.Region, cloud: b.EC2}
	tags := map[string]string{
		"Name": "imago claim of " + p.Config.Name, TagBuild: p.ID, TagExpires: expiry(), tagBeat: "0", tagHolder: b.Holder,
	}
	made, err := trash.produce(ctx, t, func(ctx context.Context) (thing, error) {
		out, err := b.EC2.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{
			KeyName: &t.name, PublicKeyMaterial: []byte(key.Public),
			TagSpecifications: tagSpecs(map[types.ResourceType]map[string]string{types.ResourceTypeKeyPair: tags}),
		})
		if nameTaken(err) {
			return b.claimed(ctx, t, p.ID)
		}
		if err != nil {
			return thing{}, err
		}
		t.id, t.tagged = t.name, aws.ToString(out.KeyPairId)
		return t, nil
	})
	switch {
	case err == nil:
		return trash.hold(ctx, made)
	case ctx.Err() != nil:
		return err
	case errors.Is(err, errTaken):
		return nil
	case refused(err):
		b.unclaimed(err)
		return errUnclaimed
	}
	return &Error{StageLaunch, t.name, fmt.Errorf("claim the image: %w", err)}
}

// errTaken says that another build has the claim.
var errTaken = errors.New("another build has the claim")

// claimed looks whose a claim is that is there already: this build's, when the
// answer to the call that made it was lost, and the call was made again.
func (b *Builder) claimed(ctx context.Context, t thing, build string) (thing, error) {
	all, _ := look(ctx, t, build) // AWS may list it late; then those who wait see that it is theirs
	for _, l := range all {
		if l.build == build {
			return l.thing, nil
		}
	}
	return thing{}, errTaken
}

// unclaimed says that the build goes on without a claim.
func (b *Builder) unclaimed(why error) {
	b.warn("should another build bake the same image now, there will be two: AWS does not let this one claim it: %v", why)
}

// hold begins to renew a claim.
func (e *estate) hold(ctx context.Context, t thing) error {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // a canceled build takes back what it made, and has it until then
	e.claim = &claim{
		thing: t, of: e, said: map[string]string{},
		hurry: make(chan struct{}, 1), stop: stop, stopped: make(chan struct{}), gone: make(chan struct{}),
	}
	go e.claim.renew(ctx)
	return e.record(Made, t)
}

// letGo begins to give the claim back.
func (e *estate) letGo(ctx context.Context) {
	if e.claim == nil {
		return
	}
	c := e.claim
	c.release.Do(func() {
		go func() {
			defer close(c.gone)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createLimit)
			defer cancel()
			c.stop()
			<-c.stopped
			if c.err = e.b.takeAway(ctx, c.thing); c.err != nil {
				c.err = &LeakError{Resources: []string{c.thing.String()}, Err: c.err}
				return
			}
			e.record(Gone, c.thing) // if that is lost, gc looks and does not find it
		}()
	})
}

// giveBack gives the claim back, so that the next can have it.
func (e *estate) giveBack(ctx context.Context) error {
	if e.claim == nil {
		return nil
	}
	e.handing.Wait()
	e.letGo(ctx)
	<-e.claim.gone
	return e.claim.err
}

// handOver gives the claim back once the image can be found in its place, by
// those too who ask another part of AWS. Without a fingerprint it never can.
func (e *estate) handOver(ctx context.Context, p Plan) {
	if e.claim == nil || p.Fingerprint == "" {
		return
	}
	e.handing.Go(func() { // while the machine goes
		ctx, cancel := context.WithTimeout(ctx, visible)
		defer cancel()
		e.b.awaitFound(ctx, p) // if that does not come true, time has passed
		e.letGo(ctx)
	})
}

// imaged says whether the build has made an image. As long as that is not gone,
// the next build's would be a second one.
func (e *estate) imaged() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.owned, func(o owned) bool { return o.kind == KindImage })
}
