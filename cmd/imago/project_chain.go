package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/project"
	"github.com/imagobuild/imago/builder/template"
)

// chain is the images of a project on their way: each is baked once the one that
// it is made from is there.
type chain struct {
	project *project.Project
	images  []project.Image // those that are baked, in order
	asked   []string        // those that the command line names; none: all
	links   []*link
}

// link is what those above an image know of it.
type link struct {
	mu      sync.Mutex
	ids     map[string]string // by region, once the image is there
	over    bool              // there will be no more
	changed chan struct{}     // closed, and another one put there, at each change
}

// change changes a link and wakes those who wait for it.
func (l *link) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
	close(l.changed)
	l.changed = make(chan struct{})
}

// look says what is known now: the image's id in a region, once it is there; and how to learn more.
func (l *link) look(region string) (id string, over bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ids[region], l.over, l.changed
}

// await waits for the image in a region. The id is empty when it has not been made.
func (l *link) await(ctx context.Context, region string) (string, error) {
	for {
		id, over, changed := l.look(region)
		if id != "" || over {
			return id, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

func newChain(p *project.Project, images []project.Image, asked []string) *chain {
	c := &chain{project: p, images: images, asked: asked}
	for range images {
		c.links = append(c.links, &link{ids: map[string]string{}, changed: make(chan struct{})})
	}
	return c
}

// named says whether the user has asked for an image, rather than for one above it.
func (c *chain) named(name string) bool { return len(c.asked) == 0 || slices.Contains(c.asked, name) }

// line is an image's line on stdout.
func (c *chain) line(i int, id string) string { return c.images[i].Name + "\t" + id }

// ready says that an image is there and complete: those above need not wait until
// its machine has gone. They do wait for post-processors, which may find fault with it.
func (c *chain) ready(i int, build template.Build, e builder.ImageReady) {
	if len(build.PostProcessors) == 0 {
		c.links[i].change(func() { c.links[i].ids[e.Region] = e.ID })
	}
}

// over says that there is nothing more to wait for.
func (c *chain) over(i int, r *result) {
	c.links[i].change(func() {
		c.links[i].over = true
		if r.err == nil && r.image.ID != "" {
			maps.Copy(c.links[i].ids, r.image.Copies)
			c.links[i].ids[r.image.Region] = r.image.ID
		}
	})
}

// below is the place of the image that another is made from; -1: there is none.
func (c *chain) below(i int) int {
	return slices.IndexFunc(c.images, func(other project.Image) bool { return other.Name == c.images[i].From })
}

// await makes what an image uploads, waits for the image below, and returns the
// build as it is then.
func (b *bake) await(ctx context.Context, i int, build template.Build) (template.Build, error) {
	c, img := b.chain, b.chain.images[i]
	if err := b.runCommand(ctx, img); err != nil {
		return build, err
	}
	from := ""
	if j := c.below(i); j >= 0 {
		if id, over, _ := c.links[j].look(build.Config.Region); id == "" && !over {
			b.view.say(img.Name, detail, "waits for "+img.From)
		}
		id, err := c.links[j].await(ctx, build.Config.Region)
		switch {
		case err != nil:
			return build, err
		case id == "":
			return build, &unmadeError{img.From}
		}
		from = id
	}
	return b.reread(img, build, from)
}

// unmadeError says that an image was not baked because the one below was not.
// What was the matter there is told there.
type unmadeError struct{ below string }

func (e *unmadeError) Error() string {
	return "not baked, since " + e.below + ", which it is made from, did not succeed"
}

// reread reads an image's template once all that it refers to is there.
func (b *bake) reread(img project.Image, build template.Build, from string) (template.Build, error) {
	if from == "" && img.Command == nil {
		return build, nil
	}
	t, err := b.chain.project.Template(img, from, b.options.template)
	if t != nil {
		b.secrets.Hide(t.Sensitive...)
	}
	if err != nil { // not a usageError: something may have been baked by now
		return build, err
	}
	if err := prepare(t, b.options); err != nil {
		return build, err
	}
	again := t.Builds[0]
	again.Config.Region = build.Config.Region // which may be from AWS's own settings
	return again, nil
}

// parse reads the template of a build anew.
func (c *chain) parse(build template.Build, o template.Options) (*template.Template, error) {
	i := slices.IndexFunc(c.images, func(img project.Image) bool { return img.Name == build.Name })
	return c.project.Template(c.images[i], build.Config.Source.ID, o)
}

// checkRegions says which images are not where those above need them.
func (c *chain) checkRegions(t *template.Template) error {
	var errs []error
	for i, img := range c.images {
		j := c.below(i)
		if j < 0 {
			continue
		}
		here, below := t.Builds[i].Config.Region, t.Builds[j].Config
		copied := slices.ContainsFunc(below.Output.Regions, func(r builder.RegionCopy) bool { return r.Region == here })
		if below.Region != here && !copied {
			errs = append(errs, &buildError{img.Name, fmt.Errorf(
				"it is baked in %s, and %s, which it is made from, in %s: give the environment a region, or name %s in ami_regions of %s",
				here, img.From, below.Region, here, img.From)})
		}
	}
	if len(errs) > 0 {
		return &usageError{errors.Join(errs...)}
	}
	return nil
}
