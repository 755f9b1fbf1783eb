package undo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// log records, in order, what was taken back.
type log struct {
	mu   sync.Mutex
	took []string
}

func (l *log) do(what string, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.took = append(l.took, what)
		return errors.Join(err, ctx.Err())
	}
}

func TestRunOrder(t *testing.T) {
	var l log
	var s Stack
	group := s.Add("group", l.do("group", nil))
	instance := s.Add("instance", l.do("instance", nil), group)
	s.Add("image", l.do("image", nil), instance)
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"image", "instance", "group"}; !slices.Equal(l.took, want) {
		t.Errorf("took back %q, want %q", l.took, want)
	}
}

func TestRunSurvivesCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var l log
	var s Stack
	s.Add("key", l.do("key", errors.New("no such host")))
	s.Add("instance", l.do("instance", nil))
	err := s.Run(ctx)
	if want := "left behind: key: no such host"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	slices.Sort(l.took)
	if want := []string{"instance", "key"}; !slices.Equal(l.took, want) {
		t.Errorf("took back %q, want %q", l.took, want)
	}
}

func TestRunHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Stack{Grace: time.Minute}
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		group := s.Add("group", hang)
		s.Add("instance", hang, group)
		start := time.Now()
		err := s.Run(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("ended after %v with %v", time.Since(start), err)
		}
	})
}

func TestKeep(t *testing.T) {
	var l log
	var s Stack
	s.Add("image", l.do("image", nil)).Keep()
	s.Add("instance", l.do("instance", nil))
	if s.Empty() {
		t.Error("a stack with an instance is empty")
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"instance"}; !slices.Equal(l.took, want) {
		t.Errorf("took back %q, want %q", l.took, want)
	}
}

func TestKeepAll(t *testing.T) {
	var s Stack
	s.Add("group sg-1", nil)
	s.Add("image ami-1", nil).Keep()
	s.Add("instance i-1", nil)
	kept := s.KeepAll()
	if want := []string{"group sg-1", "instance i-1"}; !slices.Equal(kept, want) || !s.Empty() {
		t.Errorf("kept %q, want %q; empty: %v", kept, want, s.Empty())
	}
}

// TestKeepWhatHasBegun: what is being taken back already goes, also when everything is kept.
func TestKeepWhatHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l log
		var s Stack
		s.Add("group sg-1", nil)
		going := s.Add("instance i-1", l.do("instance i-1", nil))
		stuck := s.Add("instance i-2", l.do("instance i-2", errors.New("it stays")))
		s.Start(t.Context(), going)
		s.Start(t.Context(), stuck)
		kept := s.KeepAll()
		slices.Sort(l.took)
		if want := []string{"group sg-1", "instance i-2"}; !slices.Equal(kept, want) || !slices.Equal(l.took, []string{"instance i-1", "instance i-2"}) {
			t.Errorf("kept %q, want %q; took %q back", kept, want, l.took)
		}
	})
}

// TestStart: what was started early is taken back once, and Run waits for it and says how it went.
func TestStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l log
		var s Stack
		group := s.Add("group", l.do("group", nil))
		instance := s.Add("instance", func(ctx context.Context) error {
			time.Sleep(time.Minute)
			return l.do("instance", errors.New("it stays"))(ctx)
		}, group)
		ctx, cancel := context.WithCancel(t.Context())
		s.Start(ctx, instance)
		cancel()
		err := s.Run(ctx)
		if want := "left behind: instance: it stays"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if want := []string{"instance", "group"}; !slices.Equal(l.took, want) {
			t.Errorf("took back %q, want %q", l.took, want)
		}
	})
}

// TestAddFromSeveral: things made at the same time are all taken back.
func TestAddFromSeveral(t *testing.T) {
	var l log
	var s Stack
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { s.Add("key", l.do("key", nil)) })
	}
	all.Wait()
	if err := s.Run(t.Context()); err != nil || len(l.took) != 20 {
		t.Errorf("took %d back: %v", len(l.took), err)
	}
}
