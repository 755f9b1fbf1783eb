// Package undo remembers how to take back what was made.
package undo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultGrace bounds how long taking back may take.
const DefaultGrace = 5 * time.Minute

// Stack holds compensations. The zero value is ready for use, by several
// goroutines at once; nothing may be added while Run runs.
type Stack struct {
	// Grace bounds Run, and what Start starts. Optional; defaults to DefaultGrace.
	Grace time.Duration

	mu      sync.Mutex
	entries []*Entry
}

// Entry is one compensation of a Stack.
type Entry struct {
	what string
	do   func(context.Context) error
	uses []*Entry
	kept atomic.Bool

	begun atomic.Bool
	done  chan struct{} // closed when it is taken back, or kept
	err   error         // of do, a *LeakError; after done
}

// Add remembers what to do to take something back. It must be called the moment
// the thing exists, before anybody waits for it. What it uses cannot go before
// it: an entry is taken back before the entries it uses, and beside the others.
func (s *Stack) Add(what string, do func(context.Context) error, uses ...*Entry) *Entry {
	e := &Entry{what: what, do: do, uses: uses, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, e)
	return e
}

// Keep forgets how to take e back: what it stands for stays.
func (e *Entry) Keep() { e.kept.Store(true) }

// KeepAll keeps everything and returns what that is, in the order it was made.
// What is being taken back already goes, and is waited for.
func (s *Stack) KeepAll() (kept []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.begun.Load() {
			<-e.done
		}
		if !e.kept.Load() && (!e.begun.Load() || e.err != nil) {
			kept = append(kept, e.what)
		}
	}
	s.entries = nil
	return kept
}

// Empty says whether there is nothing to take back.
func (s *Stack) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(s.entries, func(e *Entry) bool { return !e.kept.Load() })
}

// Run takes everything back, users before what they use. It runs every entry
// even when others fail, and even when ctx is already canceled. What it could
// not take back in time is in the error, a *LeakError each.
func (s *Stack) Run(ctx context.Context) error {
	ctx, cancel := s.grace(ctx)
	defer cancel()
	users := map[*Entry][]*Entry{}
	for _, e := range s.entries {
		for _, u := range e.uses {
			users[u] = append(users[u], e)
		}
	}
	leaks := make([]error, len(s.entries))
	var wg sync.WaitGroup
	for i, e := range s.entries {
		wg.Go(func() {
			for _, u := range users[e] {
				<-u.done
			}
			e.takeBack(ctx)
			leaks[len(leaks)-1-i] = e.err
		})
	}
	wg.Wait()
	s.entries = nil
	return errors.Join(leaks...)
}

// Start takes e back now, in the background, if nothing uses it any more. Run
// waits for that, and returns how it went.
func (s *Stack) Start(ctx context.Context, e *Entry) {
	if !e.begun.CompareAndSwap(false, true) {
		return
	}
	go func() {
		ctx, cancel := s.grace(ctx)
		defer cancel()
		e.finish(ctx)
	}()
}

// TakeBack takes e back now, if nothing uses it any more. What it could not take back is a *LeakError, which Run returns again.
func (s *Stack) TakeBack(ctx context.Context, e *Entry) error {
	ctx, cancel := s.grace(ctx)
	defer cancel()
	e.takeBack(ctx)
	return e.err
}

// grace is a context that survives cancellation, but not forever.
func (s *Stack) grace(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(s.Grace, DefaultGrace))
}

// takeBack runs one entry, once.
func (e *Entry) takeBack(ctx context.Context) {
	if !e.begun.CompareAndSwap(false, true) {
		<-e.done
		return
	}
	e.finish(ctx)
}

// finish is the rest of what was begun.
func (e *Entry) finish(ctx context.Context) {
	defer close(e.done)
	if e.kept.Load() {
		return
	}
	if err := e.do(ctx); err != nil {
		e.err = &LeakError{Resources: []string{e.what}, Err: err}
	}
}

// LeakError says that something was left behind.
type LeakError struct {
	Resources []string // such as "instance i-0abc"
	Err       error
}

// Error names what was left and why.
func (e *LeakError) Error() string {
	text := "left behind:"
	for i, r := range e.Resources {
		if i > 0 {
			text += ","
		}
		text += " " + r
	}
	if e.Err == nil {
		return text
	}
	return fmt.Sprintf("%s: %v", text, e.Err)
}

// Unwrap returns why it could not be taken back.
func (e *LeakError) Unwrap() error { return e.Err }

// What lists the resources, such as "instance i-0abc".
func (e *LeakError) What() []string { return e.Resources }
