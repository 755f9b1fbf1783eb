package poll

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Group waits for many things with one look at all of them at a time, so that
// the number of looks does not grow with how many wait. A newcomer hurries the
// next look on, within Limit.
type Group[T any] struct {
	// Look looks at all ids at once. What it does not return is not there. Required.
	Look func(ctx context.Context, ids []string) (map[string]T, error)

	// Pace is how often to look. Required.
	Pace Pace

	// Limit bounds the looks. Required.
	Limit *rate.Limiter

	mu      sync.Mutex
	waiters []*waiter[T]
	hurry   chan struct{}      // somebody has come
	stop    context.CancelFunc // ends the looking; nil when nobody looks
}

// waiter is somebody who waits for one thing.
type waiter[T any] struct {
	id   string
	seen chan seen[T] // the newest answer, if not taken yet
}

// seen is what one look said of one thing.
type seen[T any] struct {
	value T
	there bool
	err   error
}

// Until calls check with what each look says of id, until check says that it is
// done or returns an error, a look does not succeed, or ctx ends; then it
// returns the cause of that. check runs in the caller's goroutine.
func (g *Group[T]) Until(ctx context.Context, id string, check func(value T, there bool) (done bool, err error)) error {
	w := g.join(ctx, id)
	defer g.leave(w)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case s := <-w.seen:
			if s.err != nil {
				return s.err
			}
			if done, err := check(s.value, s.there); done || err != nil {
				return err
			}
		}
	}
}

// join adds a waiter, and starts looking when it is the first.
func (g *Group[T]) join(ctx context.Context, id string) *waiter[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := &waiter[T]{id: id, seen: make(chan seen[T], 1)}
	g.waiters = append(g.waiters, w)
	if g.stop == nil {
		g.hurry = make(chan struct{}, 1)
		ctx, g.stop = context.WithCancel(context.WithoutCancel(ctx)) // it looks for others too
		go g.look(ctx, g.hurry)
	}
	select {
	case g.hurry <- struct{}{}:
	default:
	}
	return w
}

// leave takes a waiter away; nobody looks when it was the last.
func (g *Group[T]) leave(w *waiter[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiters = slices.DeleteFunc(g.waiters, func(x *waiter[T]) bool { return x == w })
	if len(g.waiters) == 0 {
		g.stop()
		g.stop = nil
	}
}

// look looks for everybody until ctx ends, which is when nobody waits any more.
func (g *Group[T]) look(ctx context.Context, hurry <-chan struct{}) {
	pause := time.Duration(0) // the first look at once
	for ctx.Err() == nil {
		select {
		case <-hurry:
			pause = g.Pace.First
		case <-time.After(jitter(pause)):
			pause = min(max(2*pause, g.Pace.First), g.Pace.Max)
		case <-ctx.Done():
			return
		}
		if g.Limit.Wait(ctx) != nil {
			return
		}
		g.mu.Lock()
		waiters := slices.Clone(g.waiters)
		g.mu.Unlock()
		values, err := g.Look(ctx, ids(waiters))
		if ctx.Err() != nil { // nobody waits any more; who has come since has another look
			return
		}
		for _, w := range waiters {
			value, there := values[w.id]
			w.tell(seen[T]{value, there, err})
		}
	}
}

// tell leaves the newest answer for the waiter.
func (w *waiter[T]) tell(s seen[T]) {
	select {
	case <-w.seen:
	default:
	}
	w.seen <- s
}

// ids are what waiters wait for, each once.
func ids[T any](waiters []*waiter[T]) []string {
	set := map[string]bool{}
	for _, w := range waiters {
		set[w.id] = true
	}
	return slices.Sorted(maps.Keys(set))
}
