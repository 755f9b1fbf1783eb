// Package poll is the one place where imago waits for something to come true.
package poll

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pace is how often to look: the first look at once, then after First, doubling
// up to Max, each pause up to a tenth longer, so that builds do not look in step.
type Pace struct{ First, Max time.Duration }

// Seconds and Minutes are the paces for what takes that long. Their ceilings
// bound what a wait adds to what it waits for.
func Seconds() Pace { return Pace{250 * time.Millisecond, 2 * time.Second} }

// Minutes is for waits of minutes.
func Minutes() Pace { return Pace{250 * time.Millisecond, 5 * time.Second} }

// Until looks until look says that it is done, returns an error, or ctx ends;
// then it returns the cause of that.
func Until(ctx context.Context, p Pace, look func(context.Context) (done bool, err error)) error {
	for pause := p.First; ; pause = min(2*pause, p.Max) {
		done, err := look(ctx)
		if ctx.Err() != nil && !done {
			return context.Cause(ctx)
		}
		if done || err != nil {
			return err
		}
		if err := For(ctx, pause+rand.N(pause/10+1)); err != nil {
			return err
		}
	}
}

// For waits for d, or for the end of ctx, whose cause it then returns.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
