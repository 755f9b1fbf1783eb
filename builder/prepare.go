package builder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imagobuild/imago/builder/internal/poll"
	"github.com/imagobuild/imago/builder/redact"
	"github.com/imagobuild/imago/provision"
)

const (
	// errorStepsLimit bounds what runs after a step did not succeed.
	errorStepsLimit = 10 * time.Minute

	// fetches is how often something is downloaded whose connection is lost each time.
	fetches = 5
)

// prepare runs the steps in their order and leaves the machine ready to be captured.
func (b *Builder) prepare(ctx context.Context, p Plan, c *connection) (err error) {
	defer b.stage(ctx, StageStep)(&err)
	if err := b.steps(ctx, p, c, p.Config.Steps); err != nil {
		return errors.Join(err, b.errorSteps(ctx, p, c))
	}
	if p.Config.Output.SkipImage {
		return nil
	}
	_, err = attempt(ctx, b, func() (struct{}, error) { return struct{}{}, b.leave(ctx, p, c) })
	return err
}

// steps runs steps one after another.
func (b *Builder) steps(ctx context.Context, p Plan, c *connection, steps []Step) error {
	for i, s := range steps {
		b.event(StepStarted{Index: i, Count: len(steps), Title: title(s)})
		done := b.span(SpanStep, "%s", title(s))
		_, err := attempt(ctx, b, func() (struct{}, error) { return struct{}{}, b.step(ctx, p, c, s) })
		done()
		if err != nil {
			return &Error{Stage: StageStep, Err: at(s.Common().Where, err)}
		}
	}
	return nil
}

// errorSteps runs what the template wants after an error, canceled or not.
func (b *Builder) errorSteps(ctx context.Context, p Plan, c *connection) error {
	if len(p.Config.ErrorSteps) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), errorStepsLimit)
	defer cancel()
	return b.steps(ctx, p, c, p.Config.ErrorSteps)
}

// step runs one step, as often as it says.
func (b *Builder) step(ctx context.Context, p Plan, c *connection, s Step) (err error) {
	o := s.Common()
	for try := 0; try <= o.MaxRetries; try++ {
		if try > 0 {
			b.warn("try %d of %d: %v", try+1, o.MaxRetries+1, err)
		}
		if err = b.try(ctx, p, c, s); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// try runs one step once, within its time.
func (b *Builder) try(ctx context.Context, p Plan, c *connection, s Step) error {
	o := s.Common()
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("not done after %v", o.Timeout))
		defer cancel()
	}
	if o.PauseBefore > 0 {
		b.note("waiting %v", o.PauseBefore)
		if err := b.rest(ctx, o.PauseBefore); err != nil {
			return err
		}
	}
	if err := c.revive(ctx); err != nil {
		return err
	}
	s, err := informed(s, b.facts(p, c.inst))
	if err != nil {
		return err
	}
	switch s := s.(type) {
	case Upload:
		return b.upload(ctx, c, s)
	case Download:
		return b.download(ctx, c, s)
	case Run:
		return b.runScripts(ctx, p, c, s)
	case Local:
		return b.runHere(ctx, p, c, s)
	case Pause:
		return b.pause(ctx, s)
	}
	return fmt.Errorf("there is no step of type %T", s)
}

func (b *Builder) pause(ctx context.Context, s Pause) error {
	if s.Note != "" {
		b.note("%s", s.Note)
	}
	if s.For == 0 && b.Breakpoint != nil {
		b.Breakpoint(ctx, s.Note)
	}
	return b.rest(ctx, s.For)
}

// rest does nothing for as long as the template asks for.
func (b *Builder) rest(ctx context.Context, d time.Duration) error {
	if d > 0 {
		defer b.span(SpanPause, "wait %v", d)()
	}
	return poll.For(ctx, d)
}

func (b *Builder) upload(ctx context.Context, c *connection, s Upload) error {
	for _, t := range s.Trees {
		done := b.span(SpanTransfer, "upload %s", t.Source)
		there, stop := b.whileThere(ctx, c)
		err := c.Upload(there, t, b.progress)
		stop()
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Builder) download(ctx context.Context, c *connection, s Download) error {
	for _, f := range s.Files {
		done := b.span(SpanTransfer, "download %s", f.Source)
		err := b.fetch(ctx, c, f)
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

// fetch downloads once more when the connection was lost: files appear by rename.
func (b *Builder) fetch(ctx context.Context, c *connection, f provision.Fetch) error {
	for try := 1; ; try++ {
		err := c.Download(ctx, f, b.progress)
		if err == nil || try == fetches || ctx.Err() != nil || !lost(c.Machine) {
			return err
		}
		if err := c.revive(ctx); err != nil {
			return err
		}
	}
}

func (b *Builder) progress(p provision.Progress) {
	b.event(Uploaded(p))
}

func (b *Builder) runScripts(ctx context.Context, p Plan, c *connection, s Run) error {
	scripts := s.Scripts
	if s.Late != nil {
		var err error
		if scripts, err = s.Late(b.facts(p, c.inst)); err != nil {
			return err
		}
	}
	for _, script := range scripts {
		if err := c.revive(ctx); err != nil { // the one before may have expected to lose it
			return err
		}
		stdout, stderr := b.lines(script.Name, false), b.lines(script.Name, true)
		done := b.span(SpanScript, "%s", script.Name)
		there, stop := b.whileThere(ctx, c)
		err := c.Run(there, script, stdout, stderr)
		stop()
		done()
		stdout.Flush()
		stderr.Flush()
		if err != nil {
			return b.discreetExit(err)
		}
	}
	return b.rest(ctx, s.PauseAfter)
}

func (b *Builder) runHere(ctx context.Context, p Plan, c *connection, s Local) error {
	defer b.span(SpanScript, "%s here", s.Name)()
	stdout, stderr := b.lines(s.Name, false), b.lines(s.Name, true)
	err := s.Do(ctx, b.facts(p, c.inst), stdout, stderr)
	stdout.Flush()
	stderr.Flush()
	return b.discreetExit(err)
}

// title says in a few words what a step does.
func title(s Step) string {
	switch s := s.(type) {
	case Upload:
		return "upload " + first(s.Trees, func(t provision.Tree) string { return t.Source + " to " + t.Dest })
	case Download:
		return "download " + first(s.Files, func(f provision.Fetch) string { return f.Source + " to " + f.Dest })
	case Run:
		return "run " + first(s.Scripts, func(s provision.Script) string { return s.Name })
	case Local:
		return "run " + s.Name + " here"
	case Pause:
		if s.For == 0 {
			return "breakpoint"
		}
		return "wait " + s.For.String()
	}
	return ""
}

// first describes the first of several, and says how many more there are.
func first[T any](all []T, text func(T) string) string {
	switch len(all) {
	case 0:
		return "nothing"
	case 1:
		return text(all[0])
	}
	return fmt.Sprintf("%s and %d more", text(all[0]), len(all)-1)
}

// lines makes an event of each line.
func (b *Builder) lines(script string, stderr bool) *redact.Lines {
	return b.secrets.Lines(func(text string) { b.event(Line{Script: script, Stderr: stderr, Text: text}) })
}
