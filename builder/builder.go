// Package builder bakes Amazon Machine Images: it launches a temporary
// instance, prepares it over SSH, turns it into an image and takes everything
// else away again. It prints nothing and reads no environment; what happens is
// told through Builder.OnEvent.
package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/imagobuild/imago/builder/redact"
	"github.com/imagobuild/imago/provision"
)

// Builder bakes images in one account and region. It may run several builds at
// once. The fields must not change while one runs.
type Builder struct {
	// EC2 is the cloud to build in. Required.
	EC2 EC2

	// SSM reads Source.Parameter. Required with that, else optional.
	SSM Parameters

	// Profiles makes the instance profile of Instance.ProfilePolicy. Required with that, else optional.
	Profiles Profiles

	// InRegion returns the EC2 of another region, for Output.Regions. Required with those, else optional.
	InRegion func(region string) EC2

	// Watcher looks at what builds wait for. Builders of one account share one,
	// so that AWS is not asked more often when more builds run. Optional; defaults to one of this Builder's own.
	Watcher *Watcher

	// Dial opens a connection to a machine.
	// Optional; defaults to provision.Dial.
	Dial func(ctx context.Context, addr string, id provision.Identity) (Machine, error)

	// PublicAddress is the address from which our connections reach the
	// machine; a temporary security group lets in nobody else.
	// Optional; defaults to asking checkip.amazonaws.com.
	PublicAddress func(context.Context) (netip.Addr, error)

	// Journal is told what builds make, before they make it. Optional; without
	// one, what an ended process has left is found by its tags alone.
	Journal Journal

	// OnEvent observes the build. It is called synchronously, from one
	// goroutine at a time, and must not block. Optional; defaults to ignoring events.
	OnEvent func(Event)

	// Log receives diagnostics for the people who maintain imago. What a user
	// should see is an Event. Optional; defaults to discarding.
	Log *slog.Logger

	// Reuse takes an image that is there already, when it has the fingerprint of
	// the one to be made, and completes what it lacks: copies in other regions, who may use it, tags.
	Reuse bool

	// Cache is a directory for what saves time and explains changes: digests of
	// files, and what decided earlier images. Optional; without it every file is read each time.
	Cache string

	// RunID names the run that the build is part of. Optional.
	RunID string

	// OrphanTimeout is how long a machine lives without hearing from its builder;
	// then it ends itself. Optional; defaults to DefaultOrphanTimeout, negative: for ever.
	OrphanTimeout time.Duration

	// OnError says what becomes of a build that does not succeed.
	// Optional; defaults to CleanUp.
	OnError OnError

	// Ask decides with OnError Ask. Required with that, else optional.
	Ask func(ctx context.Context, err error) Decision

	// PauseAt is called before each stage but planning, and holds the build
	// until it returns; it should return when ctx ends. Optional; defaults to going on.
	PauseAt func(ctx context.Context, next Stage)

	// Breakpoint is called at a Pause without a time, and holds the build like PauseAt. Optional; defaults to going on.
	Breakpoint func(ctx context.Context, note string)

	events sync.Mutex // held while OnEvent runs
	own    Watcher    // unless Watcher is set

	secrets redact.Redactor // the sensitive values of all its builds
}

// OnError says what becomes of a build that does not succeed.
type OnError int

// The values of OnError. A canceled build is always cleaned up.
const (
	CleanUp OnError = iota // take everything back
	Abort                  // leave everything as it is, as a *LeakError
	Ask                    // let Builder.Ask decide
)

// Decision is an answer of Builder.Ask.
type Decision int

// The values of Decision.
const (
	DecideCleanUp Decision = iota
	DecideAbort
	DecideRetry // the stage, or the step, once more
)

// Machine is a connected machine. *provision.Host is one.
type Machine interface {
	Upload(context.Context, provision.Tree, func(provision.Progress)) error
	Download(context.Context, provision.Fetch, func(provision.Progress)) error
	Run(ctx context.Context, s provision.Script, stdout, stderr io.Writer) error
	Output(ctx context.Context, command string) (string, error)
	OutputOf(ctx context.Context, command string, stdin []byte) (string, error)
	Left() *provision.Left
	Await(context.Context, *provision.Left) (ready bool, err error)
	Done() <-chan struct{}
	Close() error
}

// Build bakes cfg and returns the image. When it does not succeed, nothing it
// created is left, unless the error wraps a *LeakError; with one of those, the
// image may be complete all the same, and is returned, as with an *IncompleteError; a
// *PendingError says that AWS is still making it. The error of a canceled build wraps context.Cause(ctx).
func (b *Builder) Build(ctx context.Context, cfg Config) (img Image, err error) {
	start := time.Now()
	b.secrets.Hide(cfg.Sensitive...)
	plan, err := b.Plan(ctx, cfg)
	if err != nil {
		return Image{}, err
	}

	trash := b.newEstate(plan)
	defer func() {
		err = errors.Join(err, b.cleanUp(ctx, trash, err))
		img.Took = time.Since(start)
	}()
	defer trash.renew(ctx)()
	defer recovered(&err) // so that a bug leaves nothing behind either

	b.keepInputs(plan)
	if plan.Reuse != nil {
		return attempt(ctx, b, func() (Image, error) { return b.reuse(ctx, plan, trash) })
	}
	inst, err := attempt(ctx, b, func() (instance, error) { return b.launch(ctx, plan, trash) })
	if err != nil {
		return Image{}, err
	}
	conn, err := attempt(ctx, b, func() (*connection, error) { return b.connect(ctx, plan, inst) })
	if err != nil {
		return Image{}, err
	}
	defer conn.Close()

	if err := b.prepare(ctx, plan, conn); err != nil {
		return Image{}, err
	}
	if cfg.Output.SkipImage {
		return Image{Source: plan.Source}, nil
	}
	return attempt(ctx, b, func() (Image, error) { return b.capture(ctx, plan, conn, trash) })
}

// cleanUp takes back what a build made, or leaves it when that is wanted.
func (b *Builder) cleanUp(ctx context.Context, trash *estate, failure error) (err error) {
	if failure != nil && !trash.Empty() && ctx.Err() == nil && b.abort(ctx, failure) {
		kept := trash.KeepAll()
		trash.close(Left)
		return errors.Join(&LeakError{Resources: kept}, trash.leftovers())
	}
	if err = errors.Join(b.takeBack(ctx, trash), trash.leftovers()); err != nil {
		trash.close(Leaked)
		return err
	}
	trash.close(Ended)
	return nil
}

func (b *Builder) takeBack(ctx context.Context, trash *estate) (err error) {
	if trash.Empty() {
		return nil
	}
	defer b.stage(context.WithoutCancel(ctx), StageCleanup)(&err)
	return trash.Run(ctx)
}

// abort says whether a build that did not succeed is left as it is.
func (b *Builder) abort(ctx context.Context, failure error) bool {
	if asked := new(decided); errors.As(failure, &asked) {
		return asked.decision == DecideAbort
	}
	if errors.As(failure, new(*PendingError)) {
		return true
	}
	if incomplete(failure) { // what is wanted of it is kept already
		return false
	}
	return b.OnError == Abort || b.OnError == Ask && b.Ask(ctx, failure) == DecideAbort
}

// attempt does something, and again as long as somebody who is asked wants it.
func attempt[T any](ctx context.Context, b *Builder, do func() (T, error)) (T, error) {
	for {
		result, err := do()
		asked := new(decided)
		if err == nil || b.OnError != Ask || ctx.Err() != nil || errors.As(err, &asked) || incomplete(err) {
			return result, err
		}
		if d := b.Ask(ctx, err); d != DecideRetry {
			return result, &decided{err, d}
		}
	}
}

// decided is an error that the user has been asked about.
type decided struct {
	error
	decision Decision
}

func (d *decided) Unwrap() error { return d.error }

// recovered turns a panic into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("internal error, please report it: %v\n%s", p, debug.Stack())
	}
}
