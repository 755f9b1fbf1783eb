package gc

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
)

var accounts = flag.Int("accounts", 10000, "how many random accounts TestPlanProperties plans for")

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

const (
	past   = "2026-11-27T11:59:59Z"
	future = "2026-11-27T12:00:01Z"
)

// res is a resource of build b in us-east-1.
func res(kind, id, state, expires string, more ...string) Resource {
	r := Resource{Kind: kind, ID: id, Region: "us-east-1", State: state, Tags: map[string]string{builder.TagBuild: "0123456789ab"}}
	if expires != "" {
		r.Tags[builder.TagExpires] = expires
	}
	r.Uses = more
	return r
}

func named(r Resource, name, draftOf string) Resource {
	r.Name = name
	if draftOf != "" {
		r.Tags[builder.TagDraft] = draftOf
	}
	return r
}

// TestPlan is the table of reasons.
func TestPlan(t *testing.T) {
	gone, living, left := Build{State: Gone, Why: "process 7 is gone"}, Build{State: Living}, Build{State: Left}
	tests := []struct {
		name  string
		build Build
		found []Resource
		want  []string // in the order of going
	}{
		{"expired", Build{}, []Resource{res(Instance, "i-1", "running", past)}, []string{"- instance i-1: expired 2026-11-27T11:59:59Z"}},
		{"not yet", Build{}, []Resource{res(Instance, "i-1", "running", future)}, []string{"+ instance i-1: expires 2026-11-27T12:00:01Z"}},
		{"no time", Build{}, []Resource{res(Instance, "i-1", "running", "")}, []string{"+ instance i-1: it does not say when it expires"}},
		{"the latest time counts", Build{}, []Resource{res(KeyPair, "key-1", "", past), res(Instance, "i-1", "running", future)},
			[]string{"+ instance i-1: expires 2026-11-27T12:00:01Z", "+ key pair key-1: expires 2026-11-27T12:00:01Z"}},
		{"gone", gone, []Resource{res(Instance, "i-1", "running", future)}, []string{"- instance i-1: process 7 is gone"}},
		{"living", living, []Resource{res(Instance, "i-1", "running", past)}, []string{"+ instance i-1: its build still runs"}},
		{"left", left, []Resource{res(Instance, "i-1", "running", future)}, []string{"+ instance i-1: left on purpose until 2026-11-27T12:00:01Z"}},
		{"left too long", left, []Resource{res(Instance, "i-1", "running", past)}, []string{"- instance i-1: expired 2026-11-27T11:59:59Z"}},
		{"kept", gone, []Resource{res(Volume, "vol-1", "available", "never")}, []string{"+ volume vol-1: it is to stay"}},
		{"ended", gone, []Resource{res(Instance, "i-1", "terminated", past), res(Instance, "i-2", "shutting-down", past)}, nil},
		{"users first", gone, []Resource{res(Group, "sg-1", "", past), res(Volume, "vol-1", "in-use", past), res(Instance, "i-1", "running", past, "sg-1", "vol-1")},
			[]string{"- instance i-1: process 7 is gone", "- volume vol-1: process 7 is gone", "- security group sg-1: process 7 is gone"}},
		{"in use by another's", gone, []Resource{res(Group, "sg-1", "", past), {Kind: Instance, ID: "i-9", Region: "us-east-1", State: "stopped", Uses: []string{"sg-1"}}},
			[]string{"+ security group sg-1: in use by instance i-9"}},
		{"was in use", gone, []Resource{res(Group, "sg-1", "", past), {Kind: Instance, ID: "i-9", Region: "us-east-1", State: "terminated", Uses: []string{"sg-1"}}},
			[]string{"- security group sg-1: process 7 is gone"}},
		{"finished image", gone, []Resource{named(res(Image, "ami-1", "available", past, "snap-1"), "web", ""), res(Snapshot, "snap-1", "completed", past), res(Snapshot, "snap-2", "completed", past)},
			[]string{"+ image ami-1: it is finished", "+ snapshot snap-1: in use by image ami-1", "- snapshot snap-2: process 7 is gone"}},
		{"image on the way", gone, []Resource{named(res(Image, "ami-1", "pending", past, "snap-1"), "web", ""), res(Snapshot, "snap-1", "pending", past)},
			[]string{"- image ami-1: process 7 is gone", "- snapshot snap-1: process 7 is gone"}},
		{"disabled image", gone, []Resource{res(Image, "ami-1", "disabled", past)}, []string{"+ image ami-1: it is disabled"}},
		{"draft beside the old image", gone, []Resource{named(res(Image, "ami-2", "available", past), "web x", "web"), {Kind: Image, ID: "ami-1", Region: "us-east-1", State: "available", Name: "web"}},
			[]string{"- image ami-2: process 7 is gone"}},
		{"draft alone", gone, []Resource{named(res(Image, "ami-2", "available", past), "web x", "web"), {Kind: Image, ID: "ami-1", Region: "eu-west-1", State: "available", Name: "web"}},
			[]string{"+ image ami-2: it is all there is of web"}},
		{"draft and its image", gone, []Resource{named(res(Image, "ami-2", "available", past, "snap-1"), "web x", "web"), named(res(Image, "ami-3", "available", past, "snap-1"), "web", ""), res(Snapshot, "snap-1", "completed", past)},
			[]string{"- image ami-2: process 7 is gone", "+ image ami-3: it is finished", "+ snapshot snap-1: in use by image ami-3"}},
		{"draft in use", gone, []Resource{named(res(Image, "ami-2", "available", past), "web x", "web"), {Kind: Image, ID: "ami-1", Region: "us-east-1", State: "available", Name: "web"},
			{Kind: Instance, ID: "i-9", Region: "us-east-1", State: "running", Uses: []string{"ami-2"}}}, []string{"+ image ami-2: in use by instance i-9"}},
		{"look-alikes", gone, []Resource{
			{Kind: Instance, ID: "i-1", State: "running", Tags: map[string]string{"imago:Build": "0123456789ab", builder.TagExpires: past}},
			{Kind: Instance, ID: "i-2", State: "running", Tags: map[string]string{builder.TagBuild: "0123456789AB", builder.TagExpires: past}},
			{Kind: Instance, ID: "i-3", State: "running", Tags: map[string]string{builder.TagBuild: "mine", builder.TagExpires: past}},
			{Kind: Instance, ID: "i-4", State: "running", Tags: map[string]string{builder.TagExpires: past, "Name": "imago web"}},
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.build.ID = "0123456789ab"
			var got []string
			for _, v := range Plan(tt.found, []Build{tt.build}, now) {
				got = append(got, fmt.Sprintf("%s %s: %s", map[bool]string{true: "-", false: "+"}[v.Remove], v.String(), v.Why))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPlanProperties plans for random accounts and holds each plan against what
// must be true of it, said in other words than the plan's own.
func TestPlanProperties(t *testing.T) {
	seed := rand.Uint64()
	for n := range *accounts {
		w := newWorld(rand.New(rand.NewPCG(seed, uint64(n))))
		if err := w.check(Plan(w.found, w.builds, now)); err != nil {
			t.Fatalf("account %d of seed %d: %v", n, seed, err)
		}
	}
}

// world is a random account, and the journals of some of its builds.
type world struct {
	found  []Resource
	builds []Build
	states map[string]State
}

var (
	buildIDs = []string{"000000000001", "000000000002", "000000000003", "000000000004", "000000000005"}
	regions  = []string{"us-east-1", "eu-west-1"}
	states   = map[string][]string{
		Instance: {"pending", "running", "stopped", "shutting-down", "terminated"},
		Image:    {"available", "available", "available", "pending", "failed", "disabled", "deregistered"},
		Volume:   {"available", "in-use", "deleting"},
		Snapshot: {"completed", "pending"},
		KeyPair:  {""}, Group: {""},
	}
)

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func newWorld(r *rand.Rand) world {
	w := world{states: map[string]State{}}
	for _, id := range buildIDs[:4] { // of the last nobody knows anything
		s := pick(r, Unknown, Living, Gone, Left)
		w.builds, w.states[id] = append(w.builds, Build{ID: id, State: s}), s
	}
	for n := range r.IntN(30) {
		kind := pick(r, Instance, Image, Image, Volume, Snapshot, KeyPair, Group)
		x := Resource{Kind: kind, ID: fmt.Sprintf("%s-%d", kind, n), Region: pick(r, regions...), State: pick(r, states[kind]...), Tags: map[string]string{}}
		switch r.IntN(6) {
		case 0: // nobody's
		case 1: // nearly a build's
			x.Tags[pick(r, "imago:Build", "imago:build ", builder.TagBuild)] = pick(r, "", "web", "00000000000", "0000000000001", "00000000000G")
		default:
			x.Tags[builder.TagBuild] = pick(r, buildIDs...)
		}
		if e := pick(r, past, past, past, future, "never", "", "tomorrow", "2026-11-27 11:00"); e != "" {
			x.Tags[builder.TagExpires] = e
		}
		if kind == Image {
			x.Name = pick(r, "web", "db")
			if r.IntN(3) == 0 {
				x.Name, x.Tags[builder.TagDraft] = pick(r, "web", "draft"), pick(r, "web", "db")
			}
		}
		w.found = append(w.found, x)
	}
	w.link(r)
	return w
}

// link has instances and images use others at random.
func (w *world) link(r *rand.Rand) {
	for i := range w.found {
		for _, y := range w.found {
			uses := w.found[i].Kind == Instance && slices.Contains([]string{Volume, Group, Image}, y.Kind) || w.found[i].Kind == Image && y.Kind == Snapshot
			if uses && w.found[i].Region == y.Region && r.IntN(5) == 0 {
				w.found[i].Uses = append(w.found[i].Uses, y.ID)
			}
		}
	}
}

// exact says whether a resource is of a build, by a table and not by a rule.
func (w *world) exact(r Resource) bool { return slices.Contains(buildIDs, r.Tags[builder.TagBuild]) }

// listed says whether something is there at all.
func listed(r Resource) bool {
	return map[string]bool{"terminated": false, "shutting-down": false, "deleting": false, "deregistered": false, "": true,
		"pending": true, "running": true, "stopped": true, "available": true, "failed": true, "disabled": true, "in-use": true, "completed": true}[r.State]
}

// dead says whether nobody can be working on a resource's build any more.
func (w *world) dead(r Resource) bool {
	switch id := r.Tags[builder.TagBuild]; w.states[id] {
	case Living:
		return false
	case Gone:
		return true
	default:
		late := slices.ContainsFunc(w.found, func(x Resource) bool {
			return x.Tags[builder.TagBuild] == id && x.Tags[builder.TagExpires] == future
		})
		return r.Tags[builder.TagExpires] == past && !late
	}
}

// lossless says whether an image may go without loss: it is not available, or
// a draft beside the image that it was to be or to replace.
func (w *world) lossless(r Resource) bool {
	if r.Kind != Image || r.State == "pending" || r.State == "failed" {
		return true
	}
	draft := r.Tags[builder.TagDraft]
	return r.State == "available" && draft != "" && slices.ContainsFunc(w.found, func(x Resource) bool {
		return x.Kind == Image && x.Region == r.Region && x.Name == draft && x.State == "available" && x.Tags[builder.TagDraft] == ""
	})
}

// check is the oracle.
func (w *world) check(plan []Verdict) error {
	goes := map[string]int{} // its place in the plan
	for i, v := range plan {
		if v.Remove {
			goes[v.ID] = i + 1
		}
		if !w.exact(v.Resource) || !listed(v.Resource) {
			return fmt.Errorf("the plan speaks of %+v", v)
		}
	}
	rest := world{builds: w.builds, states: w.states}
	for _, r := range w.found {
		used := slices.ContainsFunc(w.found, func(u Resource) bool {
			return listed(u) && goes[u.ID] == 0 && u.Region == r.Region && slices.Contains(u.Uses, r.ID)
		})
		may := w.exact(r) && listed(r) && r.Tags[builder.TagExpires] != "never" && w.dead(r) && w.lossless(r) && !used
		if may != (goes[r.ID] > 0) {
			return fmt.Errorf("%+v: goes is %v, want %v", r, !may, may)
		}
		for _, u := range r.Uses {
			if goes[r.ID] > 0 && goes[u] > 0 && goes[u] < goes[r.ID] {
				return fmt.Errorf("%s goes before %s, which uses it", u, r.ID)
			}
		}
		if goes[r.ID] == 0 {
			rest.found = append(rest.found, r)
		}
	}
	if err := w.kept(rest); err != nil {
		return err
	}
	return rest.quiet()
}

// kept: every image that could be launched still can be, under its name or as its draft.
func (w *world) kept(rest world) error {
	has := func(in world, region, name string) bool {
		return slices.ContainsFunc(in.found, func(x Resource) bool {
			return x.Kind == Image && x.State == "available" && x.Region == region && (x.Tags[builder.TagDraft] == "" && x.Name == name || x.Tags[builder.TagDraft] == name)
		})
	}
	for _, region := range regions {
		for _, name := range []string{"web", "db"} {
			if has(*w, region, name) && !has(rest, region, name) {
				return fmt.Errorf("the image %s in %s is lost", name, region)
			}
		}
	}
	return nil
}

// quiet: who collects a second time finds nothing.
func (w *world) quiet() error {
	for _, v := range Plan(w.found, w.builds, now) {
		// Without the resource that expired last, or the one that held it, more may have expired.
		if v.Remove && w.states[v.Build] == Gone {
			return fmt.Errorf("%+v is found only the second time", v)
		}
	}
	return nil
}
