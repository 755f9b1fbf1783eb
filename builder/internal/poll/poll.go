// Package poll is the one place where imago waits for something to come true:
// Until looks at one thing, a Group at many at once.
package poll

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pace is how often to look: the first look at once, then after First, doubling
// up to Max, each pause up to a tenth longer, so that builds do not look in step.
type Pace struct{ First, Max time.Duration }

// HalfSecond is the pace for states of AWS: what becomes true is noticed 0.3 s
// later in the mean, and 0.6 s at most.
func HalfSecond() Pace { return Pace{100 * time.Millisecond, 500 * time.Millisecond} }

// Seconds is the pace for what each build has to look at alone.
func Seconds() Pace { return Pace{250 * time.Millisecond, 2 * time.Second} }

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
		if err := For(ctx, jitter(pause)); err != nil {
			return err
		}
	}
}

// jitter makes a pause up to a tenth longer.
func jitter(pause time.Duration) time.Duration { return pause + rand.N(pause/10+1) }

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
