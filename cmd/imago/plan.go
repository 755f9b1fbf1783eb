package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

const planHelp = `Shows what imago build would do with TEMPLATE, and changes nothing: the source image
that is found, each step with a digest of all that it takes, and the fingerprint of
the whole. Then whether an image of that fingerprint is there to be reused, or, when
not, what has changed since the last image of that name. See imago help reuse.

Examples:
  imago plan web.json
  imago plan --local -var NODE_ENV=production web.json
  imago plan --json web.json | jq -r '.builds[] | .build + ": " + .action'

Exit codes: 0 done, 1 the build could not begin, 2 usage or configuration, 130 canceled.`

func planCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "plan",
		Usage:       "show what a build would do, and what has changed since the last",
		ArgsUsage:   "TEMPLATE",
		Description: planHelp,
		Flags: slices.Concat(templateFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "as in build: replace an image of the same name"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON object to stdout"},
			noReuseFlag(),
			localFlag(),
		}, scanFlags()),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			t, err := templateOptions(c, s)
			if err != nil {
				return err
			}
			t.Force = c.Bool("force")
			return s.plan(c.Context, buildOptions{
				path: c.Args().First(), template: t, json: c.Bool("json"), local: c.Bool("local"), noReuse: c.Bool("no-reuse"), scan: scanOption(c),
			})
		},
	}
}

// planned is what one build would do.
type planned struct {
	build template.Build
	plan  builder.Plan
	since *builder.Since
	anew  bool // --no-reuse

	below string   // the image below, of a project, which is baked first: more is not known
	notes []string // what else there is to say
}

// plan is the command.
func (s *session) plan(ctx context.Context, o buildOptions) error {
	b, t, err := s.open(ctx, o)
	if err != nil {
		return err
	}
	var all []planned
	var errs []error
	for _, build := range t.Builds {
		p, err := b.planOne(ctx, build)
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			errs = append(errs, &buildError{build.Name, err})
			continue
		}
		all = append(all, p)
	}
	show := s.showPlans
	if o.json {
		show = s.showPlansJSON
	}
	return errors.Join(show(all), errors.Join(errs...))
}

// planOne plans a build, and looks for what has changed when it would bake.
func (b *bake) planOne(ctx context.Context, build template.Build) (p planned, err error) {
	x := b.clients[build.Name].builder()
	x.Reuse, x.Cache = !b.anew(build.Name), inputsDir()
	x.Log = b.log().With("build", build.Name)
	p.build, p.anew = build, b.anew(build.Name)
	if p.plan, err = x.Plan(ctx, build.Config); err != nil || p.plan.Reuse != nil {
		return p, err
	}
	p.since, err = x.Since(ctx, p.plan)
	return p, err
}

// The actions of a build.
const (
	actionBake     = "bake"
	actionReuse    = "reuse"
	actionComplete = "complete" // reuse, and copy to other regions
)

func (p planned) action() string {
	switch r := p.plan.Reuse; {
	case r == nil:
		return actionBake
	case len(r.Missing) > 0:
		return actionComplete
	}
	return actionReuse
}

// reasons say why a build bakes.
func (p planned) reasons() []string {
	o := p.plan.Config.Output
	switch {
	case p.below != "":
		return []string{"the image that it is made from, " + p.below + ", is baked first"}
	case len(p.plan.Unknown) > 0:
		return p.plan.Unknown
	case o.ReplaceExisting:
		return []string{"the older image of the name is to be replaced (-force, force_deregister)"}
	case p.anew:
		return []string{"--no-reuse, or IMAGO_NO_REUSE, asks for it"}
	case p.since == nil:
		return []string{"there is no image of this fingerprint, and no earlier one of this name"}
	}
	return []string{"there is no image of this fingerprint"}
}

// when is a time for people.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
