package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/project"
	"github.com/imagobuild/imago/builder/template"
)

// TestLink: who waits for an image goes on when it is complete in the right region; or, where post-processors may find fault
// with it, when these have not.
func TestLink(t *testing.T) {
	with := template.Build{PostProcessors: []template.PostProcessor{{Name: "check"}}}
	ready := builder.ImageReady{Region: "us-east-1", ID: "ami-1"}
	image := builder.Image{ID: "ami-1", Region: "us-east-1", Copies: map[string]string{"eu-west-1": "ami-2"}}
	for name, tt := range map[string]struct {
		do     func(*chain)
		region string
		want   string // waits: it is waited for until ctx ends
	}{
		"nothing yet":              {func(*chain) {}, "us-east-1", "waits"},
		"ready":                    {func(c *chain) { c.ready(0, template.Build{}, ready) }, "us-east-1", "ami-1"},
		"ready elsewhere":          {func(c *chain) { c.ready(0, template.Build{}, ready) }, "eu-west-1", "waits"},
		"with post-processors":     {func(c *chain) { c.ready(0, with, ready) }, "us-east-1", "waits"},
		"after post-processors":    {func(c *chain) { c.ready(0, with, ready); c.over(0, &result{image: image}) }, "us-east-1", "ami-1"},
		"a copy":                   {func(c *chain) { c.over(0, &result{image: image}) }, "eu-west-1", "ami-2"},
		"not made":                 {func(c *chain) { c.over(0, &result{err: errors.New("no")}) }, "us-east-1", ""},
		"a post-processor says no": {func(c *chain) { c.over(0, &result{image: image, err: errors.New("no")}) }, "us-east-1", ""},
		"ready, and a leak after it": {func(c *chain) {
			c.ready(0, template.Build{}, ready)
			c.over(0, &result{image: image, err: errors.New("no")})
		}, "us-east-1", "ami-1"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(&project.Project{}, []project.Image{{Name: "base"}, {Name: "web", From: "base"}}, nil)
			tt.do(c)
			ctx, cancel := context.WithCancelCause(t.Context())
			ended := errors.New("ended")
			if tt.want == "waits" {
				cancel(ended)
			}
			defer cancel(nil)
			got, err := c.links[c.below(1)].await(ctx, tt.region)
			if errors.Is(err, ended) {
				got = "waits"
			}
			if got != tt.want {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// TestLinkWakes: who waits already is woken.
func TestLinkWakes(t *testing.T) {
	c := newChain(&project.Project{}, []project.Image{{Name: "base"}}, nil)
	got := make(chan string)
	for range 3 {
		go func() {
			id, _ := c.links[0].await(t.Context(), "eu-west-1")
			got <- id
		}()
	}
	c.ready(0, template.Build{}, builder.ImageReady{Region: "us-east-1", ID: "ami-1"})
	c.ready(0, template.Build{}, builder.ImageReady{Region: "eu-west-1", ID: "ami-2"})
	for range 3 {
		if id := <-got; id != "ami-2" {
			t.Errorf("%q", id)
		}
	}
}

// TestRegions: an image is made where the one below it is, or has a copy.
func TestRegions(t *testing.T) {
	build := func(region string, copies ...string) template.Build {
		b := template.Build{Config: builder.Config{Region: region}}
		for _, c := range copies {
			b.Config.Output.Regions = append(b.Config.Output.Regions, builder.RegionCopy{Region: c})
		}
		return b
	}
	c := newChain(&project.Project{}, []project.Image{{Name: "base"}, {Name: "web", From: "base"}}, nil)
	for want, builds := range map[string][]template.Build{
		"":  {build("us-east-1"), build("us-east-1")},
		" ": {build("us-east-1", "eu-west-1"), build("eu-west-1")},
		"web: it is baked in eu-west-1, and base, which it is made from, in us-east-1: give the environment a region, or name eu-west-1 in ami_regions of base": {
			build("us-east-1", "us-west-2"), build("eu-west-1"),
		},
	} {
		err := c.checkRegions(&template.Template{Builds: builds})
		if got := fmt.Sprint(err); got != want && (err != nil || strings.TrimSpace(want) != "") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
