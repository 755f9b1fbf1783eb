package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/imagobuild/imago/builder"
)

// ledger remembers what builds have made and not yet taken back, for the day
// somebody does not want to wait for the clean-up.
type ledger struct {
	mu        sync.Mutex
	items     []resource
	instances map[string]string // the last one of each build
}

// resource is one thing in the cloud that a build made.
type resource struct{ build, kind, id, region string }

func (r resource) String() string {
	return fmt.Sprintf("%s %s in %s (%s)", r.kind, r.id, r.region, r.build)
}

// observe keeps the ledger up to date with one build.
func (l *ledger) observe(build, region string, e builder.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := e.(type) {
	case builder.Created:
		l.items = append(l.items, resource{build, e.Kind, e.ID, region})
		if e.Kind == "instance" {
			if l.instances == nil {
				l.instances = map[string]string{}
			}
			l.instances[build] = e.ID
		}
	case builder.ImageReady: // a result, not a leftover
		l.forget(func(r resource) bool { return r.id == e.ID })
	case builder.StageDone:
		if e.Stage == builder.StageCleanup && e.Err == nil {
			l.forget(func(r resource) bool { return r.build == build })
		}
	}
}

func (l *ledger) forget(which func(resource) bool) {
	l.items = slices.DeleteFunc(l.items, which)
}

// instance returns the id of a build's machine, which may be gone by now.
func (l *ledger) instance(build string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.instances[build]
}

// region returns where something was made, or "".
func (l *ledger) region(id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.items {
		if r.id == id {
			return r.region
		}
	}
	return ""
}

// list returns what is there now.
func (l *ledger) list() []resource {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.items)
}

// takeAway is the end of an `aws ec2` command that removes a resource, or "".
func takeAway(kind, id, region string) string {
	verbs := map[string]string{
		"i-":    "terminate-instances --instance-ids",
		"sg-":   "delete-security-group --group-id",
		"ami-":  "deregister-image --image-id",
		"snap-": "delete-snapshot --snapshot-id",
		"vol-":  "delete-volume --volume-id",
		"key-":  "delete-key-pair --key-pair-id",
	}
	for prefix, verb := range verbs {
		if strings.HasPrefix(id, prefix) {
			return command(verb, id, region)
		}
	}
	if strings.HasPrefix(kind, "key") {
		return command("delete-key-pair --key-name", id, region)
	}
	return ""
}

func command(verb, id, region string) string {
	if region != "" {
		region = " --region " + region
	}
	return region + " " + verb + " " + id
}
