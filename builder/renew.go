package builder

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// renewEvery is how often a build says that it still lives, in the tags by which others judge.
const renewEvery = Lifetime / 4

// renew keeps moving the time at which others may take away what the build has
// made, until the function it returns is called.
func (e *estate) renew(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for poll.For(ctx, renewEvery) == nil {
			if err := e.retag(ctx, expiry()); err != nil && ctx.Err() == nil {
				e.b.warn("the tag %s stays as it was: %v", TagExpires, err)
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// retag says anew when everything that was made expires. What is gone already is no error.
func (e *estate) retag(ctx context.Context, when string) error {
	e.mu.Lock()
	things := slices.Clone(e.owned)
	e.mu.Unlock()
	return forEach(len(things), func(i int) error {
		t := things[i]
		if t.kind == KindProfile { // its age says it, and the machine's tag
			return nil
		}
		err := tagExpiry(ctx, t.cloud, when, cmp.Or(t.tagged, t.id))
		return ignore(err, append(t.absence(), "InvalidID")...)
	})
}

// tagExpiry says of things when they may be taken away.
func tagExpiry(ctx context.Context, cloud EC2, when string, ids ...string) error {
	return tag(ctx, cloud, map[string]string{TagExpires: when}, ids...)
}

// expiry is the value of TagExpires for what lives now.
func expiry() string { return time.Now().Add(Lifetime).UTC().Format(time.RFC3339) }
