package retention

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
)

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// old is an image of imago's that is so many days old.
func old(days int, id, name string, tags ...string) Image {
	img := Image{
		ID: id, Region: "us-east-1", Name: name, Owner: "123456789012", State: "available", Created: now.AddDate(0, 0, -days),
		Tags: map[string]string{builder.TagBuild: "0123456789ab", builder.TagExpires: builder.ExpiresNever}, Snapshots: []string{"snap-" + id},
	}
	for i := 0; i < len(tags); i += 2 {
		img.Tags[tags[i]] = tags[i+1]
	}
	return img
}

// web is the image web of the application shop in some environments.
func web(days int, id, environments string) Image {
	return old(days, id, fmt.Sprint("shop web ", days), builder.TagApplication, "shop", builder.TagImage, "web", builder.TagEnvironment, environments)
}

func with(img Image, change func(*Image)) Image {
	img.Tags = maps.Clone(img.Tags)
	change(&img)
	return img
}

// TestPlan is the table of reasons.
func TestPlan(t *testing.T) {
	keep2, week := Policy{Bound: Bound{Keep: 2}}, Policy{Bound: Bound{Age: 7 * 24 * time.Hour}}
	one := Policy{Bound: Bound{Keep: 1}}
	pair := []Image{web(1, "ami-2", "staging"), web(2, "ami-1", "staging")}
	tests := []struct {
		name   string
		policy Policy
		inv    Inventory
		want   []string // newest first
	}{
		{"number", keep2, Inventory{Images: []Image{web(3, "ami-1", ""), web(1, "ami-3", ""), web(2, "ami-2", "")}},
			[]string{"+ ami-3: one of the newest 2", "+ ami-2: one of the newest 2", "- ami-1: not one of the newest 2"}},
		{"age", week, Inventory{Images: []Image{web(8, "ami-1", ""), web(6, "ami-2", ""), web(5, "ami-3", "")}},
			[]string{"+ ami-3: the newest", "+ ami-2: younger than 7 days", "- ami-1: not the newest, and not younger than 7 days"}},
		{"the last one", week, Inventory{Images: []Image{web(80, "ami-1", "")}}, []string{"+ ami-1: the newest"}},
		{"both", Policy{Bound: Bound{Keep: 2, Age: 24 * time.Hour}}, Inventory{Images: []Image{web(0, "ami-4", ""), web(0, "ami-3", ""), web(0, "ami-2", ""), web(1, "ami-1", "")}},
			[]string{"+ ami-4: one of the newest 2", "+ ami-3: one of the newest 2", "+ ami-2: younger than 1 day", "- ami-1: not one of the newest 2, and not younger than 1 day"}},
		{"environments", one, Inventory{Images: []Image{web(1, "ami-4", "staging"), web(2, "ami-3", "production staging"), web(3, "ami-2", "production"), web(4, "ami-1", "production staging")}},
			[]string{"+ ami-3: the newest in production", "- ami-2: not the newest", "- ami-1: not the newest", "+ ami-4: the newest"}},
		{"one environment", Policy{Bound: Bound{Keep: 1}, Environment: "staging"}, Inventory{Images: []Image{web(1, "ami-4", "staging"), web(2, "ami-3", "staging production"), web(3, "ami-2", "production"), web(4, "ami-1", "staging")}},
			[]string{"+ ami-4: the newest", "+ ami-3: it is of shop/web in production too", "- ami-1: not the newest"}},
		{"bounds of images", Policy{ByImage: map[string]Bound{"web": {Keep: 1}, "db": {}}}, Inventory{Images: append([]Image{old(3, "ami-4", "db 2", builder.TagImage, "db"), old(4, "ami-3", "db 1", builder.TagImage, "db"), old(4, "ami-0", "x", builder.TagImage, "x")}, pair...)},
			[]string{"+ ami-4: nothing bounds it", "+ ami-3: nothing bounds it", "+ ami-2: the newest", "- ami-1: not the newest", "+ ami-0: nothing bounds it"}},
		{"instance", one, Inventory{Images: pair, Instances: []Instance{{"i-1", "ami-1", "stopped"}, {"i-2", "ami-1", "running"}}}, []string{"+ ami-2: the newest", "! ami-1: in use by instance i-1 (stopped)"}},
		{"terminated", one, Inventory{Images: pair, Instances: []Instance{{"i-1", "ami-1", "terminated"}}}, []string{"+ ami-2: the newest", "- ami-1: not the newest"}},
		{"old version", one, Inventory{Images: pair, Templates: []Template{{Name: "web", Default: 9, Versions: []Version{{1, "ami-1"}, {3, "ami-1"}, {9, "ami-2"}}}}},
			[]string{"+ ami-2: the newest", "! ami-1: in use by launch template web versions 1, 3"}},
		{"configuration", one, Inventory{Images: pair, Configurations: []Configuration{{"lc-1", "ami-1"}}, Groups: []AutoScalingGroup{{Name: "web", Configuration: "lc-1"}}},
			[]string{"+ ami-2: the newest", "! ami-1: in use by auto scaling group web"}},
		{"mixed instances", one, Inventory{Images: pair, Groups: []AutoScalingGroup{{Name: "web", Images: []string{"ami-1"}}}}, []string{"+ ami-2: the newest", "! ami-1: in use by auto scaling group web"}},
		{"shared", one, Inventory{Images: []Image{pair[0], with(pair[1], func(i *Image) { i.SharedWith = []string{"111122223333", "everybody"} })}}, []string{"+ ami-2: the newest", "! ami-1: shared with 111122223333, everybody"}},
		{"protected", one, Inventory{Images: []Image{pair[0], with(pair[1], func(i *Image) { i.Protected = true })}}, []string{"+ ami-2: the newest", "! ami-1: protected from deregistration"}},
		{"parent", one, Inventory{Images: []Image{with(pair[0], func(i *Image) { i.Parents = []string{"ami-1"} }), pair[1]}}, []string{"+ ami-2: the newest", "! ami-1: the parent of ami-2 (shop web 1), which stays"}},
		{"parent of what is not ours", one, Inventory{Images: append([]Image{{ID: "ami-9", Name: "mine", State: "available", Parents: []string{"ami-1"}}}, pair...)}, []string{"+ ami-2: the newest", "! ami-1: the parent of ami-9 (mine), which stays"}},
		{"parent of a parent", one, Inventory{Images: []Image{pair[0], with(pair[1], func(i *Image) { i.Parents = []string{"ami-0"} }), with(web(4, "ami-0", "staging"), func(i *Image) { i.Parents = []string{"ami--1"} }), web(5, "ami--1", "staging")}, Instances: []Instance{{"i-1", "ami-1", "pending"}}},
			[]string{"+ ami-2: the newest", "! ami-1: in use by instance i-1 (pending)", "! ami-0: the parent of ami-1 (shop web 2), which stays", "! ami--1: the parent of ami-0 (shop web 4), which stays"}},
		{"parent of what goes", one, Inventory{Images: []Image{pair[0], with(pair[1], func(i *Image) { i.Parents = []string{"ami-0"} }), web(4, "ami-0", "staging")}}, []string{"+ ami-2: the newest", "- ami-1: not the newest", "- ami-0: not the newest"}},
		{"not finished", one, Inventory{Images: []Image{
			with(web(0, "ami-9", "staging"), func(i *Image) { i.State = "pending" }), with(web(0, "ami-8", "staging"), func(i *Image) { i.State = "deregistered" }),
			with(web(0, "ami-7", "staging"), func(i *Image) { i.Tags[builder.TagDraft] = "web" }), with(web(0, "ami-6", "staging"), func(i *Image) { i.Tags[builder.TagExpires] = "2026-11-27T12:00:01Z" }), pair[0], pair[1]}},
			[]string{"+ ami-9: it is pending", "+ ami-7: it is not under its name yet", "+ ami-6: its build has not ended", "+ ami-2: the newest", "- ami-1: not the newest"}},
		{"look-alikes", one, Inventory{Images: []Image{pair[0], with(pair[1], func(i *Image) { delete(i.Tags, builder.TagBuild) }), with(web(3, "ami-3", "staging"), func(i *Image) { i.Tags[builder.TagBuild] = "mine" })}}, []string{"+ ami-2: the newest"}},
		{"names", one, Inventory{Images: []Image{old(1, "ami-4", "node18-1700000002"), old(2, "ami-3", "node20-1700000001"), old(3, "ami-2", "node18-1700000000"), old(4, "ami-1", "node18-x")}},
			[]string{"+ ami-4: the newest", "- ami-2: not the newest", "+ ami-1: the newest", "+ ami-3: the newest"}},
		{"a pattern", Policy{Bound: Bound{Keep: 1}, Name: "node??-*"}, Inventory{Images: []Image{old(1, "ami-4", "node18-a"), old(2, "ami-3", "node20-b"), old(4, "ami-1", "node8-a")}},
			[]string{"+ ami-4: the newest", "- ami-3: not the newest"}},
		{"tags", Policy{Bound: Bound{Keep: 1}, Tags: map[string]string{"Managed": "web"}}, Inventory{Images: []Image{
			{ID: "ami-3", State: "available", Created: now, Tags: map[string]string{"Managed": "web", builder.TagEnvironment: "staging"}}, {ID: "ami-2", State: "available", Tags: map[string]string{"Managed": "web"}},
			{ID: "ami-1", State: "available", Tags: map[string]string{"Managed": "webs"}}, pair[0], pair[1]}}, []string{"+ ami-3: the newest", "- ami-2: not the newest"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range Plan(tt.inv, tt.policy, now) {
				mark := map[bool]string{true: "-", false: "+"}[d.Remove]
				if d.Spared {
					mark = "!"
				}
				got = append(got, fmt.Sprintf("%s %s: %s", mark, d.ID, d.Why))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReleases: current is what serves, previous what served before.
func TestReleases(t *testing.T) {
	versions := []Version{{1, "ami-1"}, {2, "ami-2"}, {3, "ami-3"}, {4, "ami-3"}, {5, "ami-5"}}
	for name, tt := range map[string]struct {
		inv  Inventory
		want []string
	}{
		"no release": {Inventory{Templates: []Template{{ID: "lt-1", Name: "web", Default: 4, Versions: versions}}, Groups: []AutoScalingGroup{{Name: "web", Templates: []TemplateUse{{ID: "lt-1"}}}}}, nil},
		"the default": {Inventory{Templates: []Template{{ID: "lt-1", Name: "web", Environments: []string{"staging"}, Default: 4, Versions: versions}}},
			[]string{"ami-3 is the current release in staging, by launch template web version 4", "ami-2 is the previous release in staging, by launch template web version 2"}},
		"what a group launches": {Inventory{
			Templates: []Template{{ID: "lt-1", Name: "web", Default: 1, Latest: 5, Versions: versions}},
			Groups:    []AutoScalingGroup{{Name: "web", Environments: []string{"production"}, Templates: []TemplateUse{{Name: "web", Version: "$Latest"}}}},
		}, []string{"ami-5 is the current release in production, by auto scaling group web", "ami-5 is the current release in production, by launch template web version 5", "ami-3 is the previous release in production, by launch template web version 4"}},
		"the first": {Inventory{Templates: []Template{{ID: "lt-1", Name: "web", Environments: []string{"staging"}, Default: 1, Versions: versions[:1]}}},
			[]string{"ami-1 is the current release in staging, by launch template web version 1"}},
		"a launch configuration": {Inventory{Configurations: []Configuration{{"lc-1", "ami-1"}}, Groups: []AutoScalingGroup{{Name: "web", Environments: []string{"staging"}, Configuration: "lc-1"}}},
			[]string{"ami-1 is the current release in staging, by auto scaling group web"}},
	} {
		var got []string
		for _, u := range tt.inv.Uses() {
			if u.Release != "" {
				got = append(got, u.Image+" is "+u.why())
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestStems: what says when an image was made is no part of its series, whatever else its name says is.
func TestStems(t *testing.T) {
	for name, want := range map[string]string{
		"web 1700000000": "web *", "web-1700000000123": "web-*", "web": "web", "node18-1700000000": "node18-*",
		"web-2026-11-27T12-00-00Z": "web-*", "web 2026-11-27T120000Z x": "web * x", "web-20261127": "web-*", "web-20261127-1200": "web-*",
		"web-20261127120000": "web-*", "web 2026.11.27": "web *", "web-42": "web-42", "debian-12": "debian-12", "v1.2.3": "v1.2.3",
		"web-123456789012": "web-123456789012", "web-20139912": "web-20139912", "a-0f8fad5b-d9cb-469f-a165-70867728950e-b": "a-*-b", "20261127-web-1": "*-web-1", "ubuntu-22.04-20261127": "ubuntu-22.04-*",
	} {
		if got := newStems().of(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestValidate: a policy that says nothing of what is to go is none.
func TestValidate(t *testing.T) {
	for want, p := range map[string]Policy{
		"": {ByImage: map[string]Bound{"web": {Keep: 1}}},
		"neither a number of images nor an age says what is to go":   {ByImage: map[string]Bound{"web": {}}},
		"keep: -1 is not a number of images\nage: -1h0m0s is no age": {Bound: Bound{Keep: -1, Age: -time.Hour}},
	} {
		got := ""
		if err := p.Validate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
