package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/imagobuild/imago/builder/template"
)

// planImages shows what would become of each image. Of one whose image below is
// baked first, no more can be known.
func (b *bake) planImages(ctx context.Context, t *template.Template) error {
	all := make([]planned, len(t.Builds))
	var shown []planned
	var errs []error
	for i, build := range t.Builds {
		p, err := b.planImage(ctx, i, build, all)
		if err != nil {
			errs = append(errs, &buildError{build.Name, err})
			p.below = build.Name // so that nothing is said of those above
			all[i] = p
			continue
		}
		all[i] = p
		shown = append(shown, p)
	}
	show := b.showPlans
	if b.options.json {
		show = b.showPlansJSON
	}
	return errors.Join(show(shown), errors.Join(errs...))
}

// planImage plans one image, when those before it have been planned.
func (b *bake) planImage(ctx context.Context, i int, build template.Build, before []planned) (p planned, err error) {
	img, from := b.chain.images[i], ""
	p.build, p.anew, p.plan.Config = build, b.anew(build.Name), build.Config
	var notes []string
	if img.Command != nil {
		done, err := b.commandIsDone(ctx, img)
		if err != nil {
			return p, err
		}
		if !done {
			notes = append(notes, fmt.Sprintf("%s would be run first; what follows is of %s as it is now", img.Command.Line, img.Command.Output))
		}
	}
	if j := b.chain.below(i); j >= 0 {
		r := before[j].plan.Reuse
		if before[j].below != "" || r == nil {
			p.below, p.notes = img.From, notes
			return p, nil
		}
		if from = r.ID; r.Copies[build.Config.Region] != "" {
			from = r.Copies[build.Config.Region]
		}
	}
	if build, err = b.reread(ctx, img, build, from); err != nil {
		return p, err
	}
	p, err = b.planOne(ctx, build)
	p.notes = notes
	return p, err
}

// reportImages writes what was baked to stdout, and a summary to stderr.
func (b *bake) reportImages(results []result) error {
	b.summarize(results)
	if b.options.json {
		return b.reportImagesJSON(results)
	}
	var errs []error
	for i, r := range results {
		if r.image.ID != "" && !r.printed {
			_, err := fmt.Fprintln(b.stdout, b.chain.line(i, r.image.ID))
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// reportImagesJSON writes one object: the project, and what build --json writes of its images.
func (b *bake) reportImagesJSON(results []result) error {
	p := b.chain.project
	return writeJSON(b.stdout, struct {
		Application string `json:"application"`
		Environment string `json:"environment,omitempty"`
		reportJSON
	}{p.Application, p.Environment.Name, b.jsonOf(results, b.runID)})
}
