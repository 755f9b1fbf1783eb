package poll

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// world is what a Group looks at: things that are there from some time on.
type world struct {
	start time.Time
	from  map[string]time.Duration
	looks int
	err   error
}

func (w *world) look(_ context.Context, ids []string) (map[string]bool, error) {
	w.looks++
	seen := map[string]bool{}
	for _, id := range ids {
		if time.Since(w.start) >= w.from[id] {
			seen[id] = true
		}
	}
	return seen, w.err
}

func newGroup(w *world) *Group[bool] {
	w.start = time.Now()
	return &Group[bool]{Look: w.look, Pace: HalfSecond(), Limit: rate.NewLimiter(2, 8)}
}

// there is done when the thing is there.
func there(_, there bool) (bool, error) { return there, nil }

// TestGroupRate: fifty who wait look as often as one, whether they come at once
// or one after another, and all are told in time.
func TestGroupRate(t *testing.T) {
	const lasts = 120 * time.Second
	looks := map[string]int{}
	for _, n := range []int{1, 10, 50} {
		for _, apart := range []time.Duration{0, time.Second} {
			synctest.Test(t, func(t *testing.T) {
				w := &world{from: map[string]time.Duration{}}
				g := newGroup(w)
				for i := range n {
					w.from[fmt.Sprint(i)] = lasts + time.Duration(i)*37*time.Millisecond
				}
				var all sync.WaitGroup
				for i := range n {
					all.Go(func() {
						For(t.Context(), time.Duration(i)*apart)
						id := fmt.Sprint(i)
						if err := g.Until(t.Context(), id, there); err != nil {
							t.Error(err)
						}
						if late := time.Since(w.start) - w.from[id]; late < 0 || late > time.Second {
							t.Errorf("%d waiters: told %v late", n, late)
						}
					})
				}
				all.Wait()
				looks[fmt.Sprint(n, apart)] = w.looks
			})
		}
	}
	for how, n := range looks {
		if one := looks["1 0s"]; n > one+one/10+8 { // the pauses that one alone draws out, and the burst
			t.Errorf("%s: %d looks in two minutes, one alone looks %d times", how, n, one)
		}
	}
	t.Log(looks)
}

// TestGroupLatency: how late what becomes true is noticed.
func TestGroupLatency(t *testing.T) {
	var sum, most time.Duration
	const n = 200
	for i := range n {
		synctest.Test(t, func(t *testing.T) {
			w := &world{from: map[string]time.Duration{"x": time.Duration(i) * 613 * time.Millisecond}}
			if err := newGroup(w).Until(t.Context(), "x", there); err != nil {
				t.Fatal(err)
			}
			late := time.Since(w.start) - w.from["x"]
			sum, most = sum+late, max(most, late)
		})
	}
	if mean := sum / n; mean > 320*time.Millisecond || most > 600*time.Millisecond {
		t.Errorf("noticed %v late in the mean, %v at most", mean, most)
	}
	t.Logf("noticed %v late in the mean, %v at most", sum/n, most)
}

// TestGroupAtOnce: what is there already costs no time, also for who comes while others wait.
func TestGroupAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{from: map[string]time.Duration{"late": time.Hour}}
		g := newGroup(w)
		ctx, cancel := context.WithCancelCause(t.Context())
		why, ended := errors.New("enough"), make(chan error)
		go func() { ended <- g.Until(ctx, "late", there) }()
		For(t.Context(), time.Minute)
		start := time.Now()
		if err := g.Until(t.Context(), "there", there); err != nil || time.Since(start) != 0 {
			t.Errorf("told after %v: %v", time.Since(start), err)
		}
		cancel(why)
		if err := <-ended; err != why {
			t.Errorf("got %v, want %v", err, why)
		}
	})
}

// TestGroupError: everybody hears of a look that did not succeed, and who comes
// after that has looks of their own.
func TestGroupError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{err: errors.New("denied")}
		g := newGroup(w)
		if err := g.Until(t.Context(), "x", there); err != w.err {
			t.Errorf("got %v, want %v", err, w.err)
		}
		synctest.Wait() // for the end of the first looking
		w.err = nil
		if err := g.Until(t.Context(), "x", there); err != nil {
			t.Error(err)
		}
	})
}
