package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/journal"
	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/builder/template"
)

// result is what became of one build.
type result struct {
	build   template.Build
	image   builder.Image
	printed bool // its id is on stdout
	err     error
}

// buildError says which build an error belongs to.
type buildError struct {
	name string
	err  error
}

func (e *buildError) Error() string { return e.name + ": " + e.err.Error() }
func (e *buildError) Unwrap() error { return e.err }

// build is the command: it reads the template, runs its builds and prints what
// they made. One build's failure does not stop the others.
func (s *session) build(ctx context.Context, o buildOptions) error {
	b, t, err := s.open(ctx, o)
	if err != nil {
		return err
	}
	defer b.lookForUnfinished(t)()
	results := b.run(ctx, t)
	return errors.Join(failures(results), s.report(results, o, b.runID), b.times.write(o.timings, o.report))
}

// open reads the template, checks its builds, and makes their clients.
func (s *session) open(ctx context.Context, o buildOptions) (*bake, *template.Template, error) {
	o.template.Lookup = &lookup{ctx: ctx, session: s, onLocal: o.local}
	t, err := s.parse(o.path, o.template)
	if err != nil {
		return nil, nil, err
	}
	if err := prepare(t, o); err != nil {
		return nil, nil, err
	}
	b := &bake{session: s, options: o, runID: newRunID(), clients: map[string]clients{}}
	return b, t, b.connect(ctx, t)
}

// prepare applies the command line to the builds and checks each of them.
func prepare(t *template.Template, o buildOptions) error {
	var errs []error
	for i := range t.Builds {
		build := &t.Builds[i]
		build.Config.Scan = o.scan
		if err := hostKey(o.hostKey, &build.Config.SSH); err != nil {
			return err
		}
		if err := validate(build.Config); err != nil {
			errs = append(errs, &buildError{build.Name, err})
		}
	}
	if len(errs) > 0 {
		return &usageError{errors.Join(errs...)}
	}
	return nil
}

// validate checks a build whose region may still come from the environment.
func validate(c builder.Config) error {
	c.Region = cmp.Or(c.Region, "us-east-1")
	return c.Validate()
}

// bake runs the builds of one template.
type bake struct {
	*session
	options buildOptions
	runID   string
	view    *view
	times   *timeline
	ids     *announcer
	clients map[string]clients // by build
	asking  sync.Mutex         // held while a question is on the terminal
	answers answers
	unkept  sync.Once // that no journal can be kept is said once

	unfinished []*journal.Found // that --resume may go on with
	chain      *chain           // of a project's images; nil for a template's builds
}

// connect makes every build's clients before the first is launched, so that
// missing credentials cost nothing.
func (b *bake) connect(ctx context.Context, t *template.Template) error {
	var env *localcloud.Env
	if b.options.local {
		e, err := b.ensureCloud(ctx)
		if err != nil {
			return err
		}
		env, b.local = &e, true
	}
	var accounts []*account
	for i := range t.Builds {
		build := &t.Builds[i]
		c, err := newClients(ctx, build.Access, env, b.account(share(&accounts, build.Access)))
		if err != nil {
			return &buildError{build.Name, err}
		}
		if build.Config.Region == "" {
			build.Config.Region = c.config.Region
		}
		b.clients[build.Name] = c
	}
	if env != nil {
		return b.checkLocalImages(ctx, t)
	}
	return nil
}

// run runs all builds, a bounded number at a time, and returns their results in
// the template's order.
func (b *bake) run(ctx context.Context, t *template.Template) []result {
	b.view = b.newView(t)
	b.times = newTimeline(b.view.order, b.secrets.Clean)
	b.ids = newAnnouncer(len(t.Builds), b.printID)
	defer b.show(b.view.aside)()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	go b.view.run(watching, refreshEvery)
	defer b.view.close()
	defer stop()

	var g errgroup.Group
	if b.options.parallel > 0 {
		g.SetLimit(b.options.parallel)
	}
	results := make([]result, len(t.Builds))
	for i, build := range t.Builds {
		g.Go(func() error {
			results[i] = b.one(ctx, i, build)
			return nil // the others go on
		})
	}
	g.Wait()
	for i := range results {
		results[i].printed = b.ids.done(i)
	}
	return results
}

// printID writes an image's id to stdout, unless that is for something else.
func (b *bake) printID(build int, id string) (err error) {
	if b.options.json || b.options.readable {
		return nil
	}
	if b.chain != nil {
		id = b.chain.line(build, id)
	}
	b.view.aside(func() { _, err = fmt.Fprintln(b.stdout, id) })
	return err
}

// one runs one build and its post-processors. A post-processor that fails leaves the image alone.
func (b *bake) one(ctx context.Context, i int, build template.Build) (r result) {
	r = result{build: build}
	defer b.ids.end(i)
	if ctx.Err() != nil { // canceled before its turn
		r.err = context.Cause(ctx)
		return r
	}
	if b.chain != nil {
		defer b.chain.over(i, &r)
		if r.build, r.err = b.await(ctx, i, build); r.err != nil {
			r.err = plainly(ctx, r.err)
			return r
		}
		build = r.build
	}
	b.view.begin(build.Name)
	resumed := false
	if b.options.resume {
		r, resumed = b.resume(ctx, i, build)
	}
	if !resumed {
		r = result{build: build}
		r.image, r.err = b.builder(i, build, b.scribe(build)).Build(ctx, build.Config)
	}
	if r.image.ID != "" {
		r.err = errors.Join(r.err, b.postProcess(ctx, r.build, r.image))
	}
	r.err = plainly(ctx, r.err)
	b.view.end(build.Name, r.err)
	return r
}

// plainly puts the cause of a cancellation, and what was left behind, in place
// of all that a canceled build says of calls that ended too early.
func plainly(ctx context.Context, err error) error {
	if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	errs := []error{context.Cause(ctx)}
	for _, l := range leaks(err) {
		errs = append(errs, l)
	}
	return errors.Join(errs...)
}

// builder makes the Builder of one build.
func (b *bake) builder(i int, build template.Build, j scribe) *builder.Builder {
	x := b.clients[build.Name].builder()
	x.RunID = b.runID
	x.Reuse, x.Cache = !b.anew(build.Name), inputsDir()
	x.Journal = j
	x.OrphanTimeout = cmp.Or(b.options.orphan, -1)
	x.Log = b.log().With("build", build.Name)
	x.OnEvent = func(e builder.Event) {
		b.times.observe(i, e)
		if ready, ok := e.(builder.ImageReady); ok && ready.Region == build.Config.Region {
			b.ids.ready(i, ready.ID)
		}
		if ready, ok := e.(builder.ImageReady); ok && b.chain != nil {
			b.chain.ready(i, build, ready)
		}
		b.view.event(build.Name, e)
	}
	x.OnError = errorActions[b.options.onError]
	x.Ask = func(ctx context.Context, err error) builder.Decision { return b.ask(ctx, build.Name, err) }
	if b.interactive() {
		x.Breakpoint = func(ctx context.Context, note string) { b.breakpoint(ctx, build.Name, note) }
	}
	if b.options.debug {
		x.PauseAt = func(ctx context.Context, next builder.Stage) { b.pauseAt(ctx, build.Name, next) }
	}
	return x
}

// anew says whether a build bakes also when there is an image of its inputs.
func (b *bake) anew(name string) bool {
	return b.options.noReuse && (b.chain == nil || b.chain.named(name))
}

// failures joins the errors of all builds, each with its build's name.
func failures(results []result) error {
	var errs []error
	for _, r := range results {
		if r.err != nil {
			errs = append(errs, &buildError{r.build.Name, r.err})
		}
	}
	return errors.Join(errs...)
}

// newRunID makes the UUID that all builds of a run share.
func newRunID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// refreshEvery is how often the display is looked after.
const refreshEvery = 200 * time.Millisecond
