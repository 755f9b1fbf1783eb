package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/imagobuild/imago/builder"
)

// line is one line for people, about one build.
type line struct {
	build string
	kind  kind
	text  string
}

// kind decides how a line looks.
type kind int

const (
	heading kind = iota // a stage or a step
	detail              // what was found, made, decided
	output              // a script's own words
	warning
	failure
	success
)

// display is where lines go. status describes the builds under way, in the
// template's order, for a display that shows it.
type display interface {
	print(l line, status []*progress)
	tick(status []*progress)
	close()
}

// view shows several builds at once on one display. Builds report from
// goroutines of their own.
type view struct {
	mu      sync.Mutex
	out     display
	now     func() time.Time
	clean   func(string) string
	order   []string // the builds' names, as in the template
	running []*progress
	paused  bool // the status is not shown
}

// begin says that a build starts.
func (v *view) begin(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	v.running = append(v.running, &progress{name: name, began: now, since: now, stage: "start"})
	slices.SortFunc(v.running, func(a, b *progress) int {
		return slices.Index(v.order, a.name) - slices.Index(v.order, b.name)
	})
}

// event shows what a running build did.
func (v *view) event(name string, e builder.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.find(name)
	if p == nil {
		return
	}
	for _, l := range p.learn(e, v.now()) {
		v.print(l)
	}
}

// end says that a build is over, where its time went, and how long everything took.
func (v *view) end(name string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.find(name)
	if p == nil {
		return
	}
	v.running = slices.DeleteFunc(v.running, func(r *progress) bool { return r == p })
	for _, row := range stageTable(p.spans) {
		v.print(line{name, detail, row})
	}
	after := " after " + took(v.now().Sub(p.began))
	l := line{name, success, "done" + after}
	if err != nil {
		l.kind, l.text = failure, "ended"+after
	}
	v.print(l)
}

// say shows a line that is not an event.
func (v *view) say(name string, k kind, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.print(line{name, k, text})
}

func (v *view) print(l line) {
	l.text = cleanLine(l.text, v.clean)
	v.out.print(l, v.shown())
}

func (v *view) find(name string) *progress {
	for _, p := range v.running {
		if p.name == name {
			return p
		}
	}
	return nil
}

// run keeps the display up to date until ctx ends.
func (v *view) run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			v.tick()
		}
	}
}

func (v *view) tick() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.out.tick(v.shown())
}

// pause takes the status away while a question is on the terminal.
func (v *view) pause() (resume func()) {
	v.set(true)
	return func() { v.set(false) }
}

func (v *view) set(paused bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.paused = paused
	v.out.tick(v.shown())
}

// aside takes the status away while somebody else writes.
func (v *view) aside(write func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.out.tick(nil)
	write()
	v.out.tick(v.shown())
}

// shown are the builds whose status is on the display.
func (v *view) shown() []*progress {
	if v.paused {
		return nil
	}
	return v.running
}

func (v *view) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.out.close()
}
