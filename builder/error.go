package builder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imagobuild/imago/builder/internal/undo"
)

// Error says which stage of a build did not succeed and what it was working on.
type Error struct {
	Stage    Stage
	Resource string // such as "i-0abc"; empty before anything exists
	Err      error
}

// Error names the resource, if there is one, and the cause.
func (e *Error) Error() string {
	if e.Resource == "" {
		return fmt.Sprintf("%s: %v", e.Stage, e.Err)
	}
	return fmt.Sprintf("%s %s: %v", e.Stage, e.Resource, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// IncompleteError says what an image lacks that is there and stays: its copies in some regions, or its protection.
// The same build once more makes up for it, unless Alone.
type IncompleteError struct {
	Image string
	Err   error // why, of each
	Alone bool  // Image is a copy, and what it was made of is gone (skip_save_build_region)
}

// Error names the image, and what it lacks.
func (e *IncompleteError) Error() string {
	next := "another run takes it up from there"
	if e.Alone {
		next = "with skip_save_build_region another run starts anew, and needs another name: copy that image to what is missing, or take it away"
	}
	return fmt.Sprintf("%s is made, and lacks something that was asked for: %v; %s", e.Image, e.Err, next)
}

// Unwrap returns why.
func (e *IncompleteError) Unwrap() error { return e.Err }

// incomplete says whether all but what an error names is there.
func incomplete(err error) bool { return errors.As(err, new(*IncompleteError)) }

// LeakError says that something was left behind; What names it.
type LeakError = undo.LeakError

// stage tells observers that a stage begins. The function it returns, to be
// deferred, tells them that it ended and says in the error which stage it was.
func (b *Builder) stage(ctx context.Context, s Stage) func(*error) {
	if b.PauseAt != nil && s != StagePlan {
		b.PauseAt(ctx, s)
	}
	b.event(StageStarted{s})
	start := time.Now()
	return func(err *error) {
		if staged, leak := new(Error), new(LeakError); *err != nil && !errors.As(*err, &staged) && !errors.As(*err, &leak) {
			*err = &Error{Stage: s, Err: *err}
		}
		b.event(Span{SpanStage, string(s), start, time.Since(start)})
		b.event(StageDone{s, time.Since(start), *err})
	}
}

// span measures until the function it returns is called, and then tells observers.
func (b *Builder) span(kind SpanKind, format string, args ...any) func() {
	start := time.Now()
	return func() { b.event(Span{kind, fmt.Sprintf(format, args...), start, time.Since(start)}) }
}

func (b *Builder) event(e Event) {
	if b.OnEvent == nil {
		return
	}
	b.events.Lock()
	defer b.events.Unlock()
	b.OnEvent(b.discreet(e))
}

func (b *Builder) note(format string, args ...any) {
	b.event(Note{Text: fmt.Sprintf(format, args...)})
}

func (b *Builder) warn(format string, args ...any) {
	b.event(Note{Text: fmt.Sprintf(format, args...), Warning: true})
}
