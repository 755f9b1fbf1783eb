package poll

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestNoticedInTime: what becomes true is noticed within the pace's ceiling and
// its tenth, however long it takes.
func TestNoticedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, after := range []time.Duration{0, time.Second, 17 * time.Second, 2 * time.Minute} {
			start := time.Now()
			err := Until(t.Context(), Seconds(), func(context.Context) (bool, error) { return time.Since(start) >= after, nil })
			if late := time.Since(start) - after; err != nil || late < 0 || late > 2200*time.Millisecond {
				t.Errorf("what took %v was noticed %v late (%v)", after, late, err)
			}
		}
	})
}

func TestUntilReturnsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := errors.New("no image after 1m")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, late)
		defer cancel()
		err := Until(ctx, Seconds(), func(context.Context) (bool, error) { return false, nil })
		if err != late {
			t.Errorf("got %v, want %v", err, late)
		}
	})
}

func TestUntilStopsAtAnError(t *testing.T) {
	never := errors.New("terminated")
	looks := 0
	err := Until(t.Context(), Seconds(), func(context.Context) (bool, error) { looks++; return false, never })
	if err != never || looks != 1 {
		t.Errorf("got %v after %d looks, want %v after 1", err, looks, never)
	}
}
