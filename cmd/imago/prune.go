package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/project"
	"github.com/imagobuild/imago/builder/retention"
)

const pruneHelp = `Takes away images that nobody needs any more, and their snapshots. Of each image and
environment the newest --keep stay, and all that are younger than --days; without
either, the retention blocks of the project file say it. Never goes: what an
instance, a launch template (any version), a launch configuration or an auto scaling
group needs, what is shared, what a kept image was made from, what is the current or the
previous release, and what imago has not made. See imago help prune.

Examples:
  imago prune --plan                      what would go by imago.hcl, what would stay, and why
  imago prune --keep 5 --plan             the same with a bound of its own
  imago prune --keep 5 --days 30 --env staging
  imago prune --keep 3 --name 'web-*'     images whose names are all they say
  imago prune --keep 5 --region us-east-1,eu-west-1 --json | jq -r '.remove[].id'

Exit codes: 0 done, 1 nothing was done, 2 usage or configuration, 4 something could not
be taken away, 130 canceled.`

// pruneOptions are the flags of prune.
type pruneOptions struct {
	imagesOptions
	plan, kept bool
	project    projectOptions
}

func pruneCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "prune",
		Usage:       "take away images that nobody needs any more",
		Description: pruneHelp,
		Flags: slices.Concat([]cli.Flag{
			&cli.IntFlag{Name: "keep", Usage: "the newest `N` of each image and environment stay"},
			&cli.IntFlag{Name: "days", Usage: "images that are younger than `D` days stay"},
			&cli.StringFlag{Name: "file", Value: project.DefaultPath, Usage: "the project `FILE`, whose retention counts without --keep and --days"},
			&cli.StringSliceFlag{Name: "var", Usage: "set a variable of the project, `NAME=VALUE`; may be repeated"},
			&cli.StringSliceFlag{Name: "var-file", Usage: "read variables of the project from a `FILE`, JSON or HCL; may be repeated"},
			&cli.BoolFlag{Name: "plan", Usage: "change nothing; show what would go, what would stay, and why"},
			&cli.BoolFlag{Name: "kept", Usage: "say of each image that stays, too, why it does"},
		}, imagesFlags()),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			o, err := readPruneOptions(c)
			if err != nil {
				return err
			}
			return s.prune(c.Context, o)
		},
	}
}

// readPruneOptions reads the flags of prune.
func readPruneOptions(c *cli.Context) (o pruneOptions, err error) {
	var errs []error
	for _, name := range []string{"keep", "days"} {
		if c.IsSet(name) && c.Int(name) < 1 {
			errs = append(errs, usagef("prune: --%s %d: it must be 1 or more; the last image of a name never goes", name, c.Int(name)))
		}
	}
	for _, name := range []string{"file", "var", "var-file"} {
		if c.IsSet(name) && (c.IsSet("keep") || c.IsSet("days")) {
			errs = append(errs, usagef("prune: --%s: with --keep or --days the project file is not read; choose images with --application, --image and --env", name))
		}
	}
	o = pruneOptions{imagesOptions: readImagesOptions(c), plan: c.Bool("plan"), kept: c.Bool("kept")}
	o.choose.Bound = retention.Bound{Keep: c.Int("keep"), Age: time.Duration(c.Int("days")) * 24 * time.Hour}
	o.project, err = readProjectOptions(c)
	return o, errors.Join(append(errs, err)...)
}

// errNoBound is the refusal to prune without knowing how much is to stay.
func errNoBound(why string) error {
	return usagef("prune: %s: say how many images stay with --keep N, or how long with --days D (see imago help prune)", why)
}

// bound completes the policy and the regions: without a bound on the command line, by
// what the project file says.
func (s *session) bound(o *pruneOptions) error {
	if !o.choose.None() {
		return nil
	}
	if _, err := os.Stat(o.project.path); errors.Is(err, os.ErrNotExist) {
		return errNoBound("nothing says what is to go, and there is no " + o.project.path + " here")
	}
	p, err := s.readProject(o.project)
	if err != nil {
		return err
	}
	if o.choose.Application == "" {
		o.choose.Application = p.Application
	} else if o.choose.Application != p.Application {
		return errNoBound(o.project.path + " is of " + p.Application + ", not of " + o.choose.Application)
	}
	o.choose.Bound, o.choose.ByImage = boundOf(p.Retention("")), map[string]retention.Bound{}
	for _, img := range p.Images {
		o.choose.ByImage[img.Name] = boundOf(p.Retention(img.Name))
	}
	if o.choose.Validate() != nil {
		return errNoBound(o.project.path + " has no retention block")
	}
	if len(o.regions) == 0 {
		o.regions = projectRegions(p, o.choose.Environment)
	}
	return nil
}

// boundOf converts.
func boundOf(r project.Retention) retention.Bound {
	return retention.Bound{Keep: r.Keep, Age: time.Duration(r.Days) * 24 * time.Hour}
}

// projectRegions are those in which a project's environments are, as far as it says.
func projectRegions(p *project.Project, environment string) (all []string) {
	for _, e := range p.Environments {
		if e.Region != "" && (environment == "" || environment == e.Name) {
			all = append(all, e.Region)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// prune is the command.
func (s *session) prune(ctx context.Context, o pruneOptions) error {
	if err := s.bound(&o); err != nil {
		return err
	}
	p, err := s.pruner(ctx, o)
	if err != nil {
		return err
	}
	run := p.Prune
	if o.plan {
		run = p.Plan
	}
	result, err := run(ctx)
	if err != nil && ctx.Err() != nil && !is[*builder.LeakError](err) {
		err = context.Cause(ctx) // and not each call that it ended
	}
	if denied, _ := retention.Denied(err); len(denied) > 0 {
		s.say("imago: nothing was taken away, since not all that may need an image can be seen")
	}
	return errors.Join(err, s.printPruned(o, result, err))
}
