package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// signalError is the cause of a context that a signal ended.
type signalError struct{ sig os.Signal }

func (e signalError) Error() string { return fmt.Sprintf("canceled by signal (%s)", e.sig) }

// Unwrap makes it a context.Canceled to those who only want to know that much.
func (e signalError) Unwrap() error { return context.Canceled }

// sameSignal is how long a signal may arrive once more without counting as a
// second one: timeout(1) and some CI systems signal a process and then its group.
const sameSignal = time.Second

// watchSignals returns a context that the first of INT, TERM and HUP cancels, and
// a channel that the second closes, unless it comes within same of the first. A signal that was ignored when we were started
// (nohup, a background job) stays ignored.
func (s *session) watchSignals(parent context.Context, same time.Duration) (ctx context.Context, abandoned <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	// A reader of ours that goes away must not kill us in the middle of a
	// build: with somebody listening, a write to it is an error instead.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)

	second, finished := make(chan struct{}), make(chan struct{})
	go func() {
		var first time.Time
		for {
			select {
			case <-finished:
				return
			case sig := <-signals:
				switch {
				case first.IsZero():
					first = time.Now()
					s.say("imago: canceling and cleaning up; a second signal ends imago at once and leaves resources behind")
					cancel(signalError{sig})
				case time.Since(first) >= same:
					close(second)
					return
				}
			}
		}
	}()
	return ctx, second, func() {
		signal.Stop(signals)
		signal.Stop(pipe)
		close(finished)
		cancel(nil)
	}
}

// abandon is the end after a second signal: it says what is left behind, the
// last made first, since that is the order in which it can be taken away.
func (s *session) abandon() int {
	left := s.made.list()
	if finish := s.halfway.Load(); finish != nil {
		s.say("imago: ended by a second signal; something may be half done; this finishes it: %s", *finish)
		return exitLeak
	}
	if len(left) == 0 {
		s.say("imago: ended by a second signal; nothing was left behind")
		return exitCanceled
	}
	s.say("imago: ended by a second signal; the clean-up is not complete")
	for _, r := range slices.Backward(left) {
		s.say("imago: left behind: %s", r)
	}
	s.hint()
	return exitLeak
}
