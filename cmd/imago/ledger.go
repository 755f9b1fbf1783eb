package main

import (
	"fmt"
	"slices"
	"sync"

	"github.com/imagobuild/imago/builder"
)

// ledger remembers what builds have made and not yet taken back, for the day
// somebody does not want to wait for the clean-up. It learns what journals learn.
type ledger struct {
	mu        sync.Mutex
	items     []resource
	instances map[string]string // the last one of each build
}

// resource is one thing in the cloud that a build made, or has asked for.
type resource struct {
	build, run string // the template's name for it, and its id
	kind, name string
	id         string // empty: AWS has not answered yet
	region     string
}

func (r resource) String() string {
	if r.id == "" {
		return fmt.Sprintf("%s %s in %s (%s), perhaps", r.kind, r.name, r.region, r.build)
	}
	return fmt.Sprintf("%s %s in %s (%s)", r.kind, r.id, r.region, r.build)
}

// record keeps the ledger up to date with one build.
func (l *ledger) record(build string, r builder.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	item := resource{build, r.Build, r.Kind, r.Name, r.ID, r.Region}
	same := func(x resource) bool {
		x.id = item.id // which it may not have yet
		return x == item
	}
	switch r.Act {
	case builder.Making:
		l.items = append(l.items, item)
	case builder.Made:
		if i := slices.IndexFunc(l.items, same); i >= 0 {
			l.items[i].id = r.ID
		} else { // by the build that is gone on with
			l.items = append(l.items, item)
		}
		if r.Kind == builder.KindInstance {
			if l.instances == nil {
				l.instances = map[string]string{}
			}
			l.instances[build] = r.ID
		}
	case builder.Gone, builder.Kept: // a result is not a leftover
		l.items = slices.DeleteFunc(l.items, same)
	case builder.Ended:
		l.items = slices.DeleteFunc(l.items, func(x resource) bool { return x.run == r.Build })
	}
}

// instance returns the id of a build's machine, which may be gone by now.
func (l *ledger) instance(build string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.instances[build]
}

// list returns what is there now.
func (l *ledger) list() []resource {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.items)
}
