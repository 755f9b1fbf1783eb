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
	"github.com/imagobuild/imago/builder/template"
)

const bakeHelp = `Bakes the images of a project, imago.hcl: those that are named, and those that they
are made from; without names, all. An image whose inputs have not changed is not
baked again (imago help reuse), images that do not need each other are baked at the
same time, and an image waits for the one that it is made from.
stdout carries a line for each image, NAME, a tab, ID, in that order.

Examples:
  imago bake                              for the default environment
  imago bake --env production carnivore   and what carnivore is made from
  imago bake --plan                       what would be baked, and why; nothing is changed
  imago bake --local                      on this computer, no account needed
  imago bake --no-reuse primal            primal also when nothing has changed
  imago bake --json | jq -r '.images[] | .build + " " + .id'

Exit codes: 0 done, 1 failed and nothing left, 2 usage or configuration,
4 something was left behind, 130 canceled. imago help project describes the file.`

func bakeCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "bake",
		Usage:       "bake the images of a project, in order",
		ArgsUsage:   "[IMAGE...]",
		Description: bakeHelp,
		Flags: slices.Concat(projectFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "plan", Usage: "show what would be done and why, and change nothing"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON object to stdout instead of the lines"},
			&cli.StringFlag{Name: "on-error", Value: "cleanup", Usage: "what to do after a failure: cleanup, abort (leave everything there), ask, or run-cleanup-provisioner (run it, and leave everything there)"},
			&cli.BoolFlag{Name: "color", Value: true, Usage: "colours on a terminal; --color=false for none"},
			&cli.BoolFlag{Name: "timestamp-ui", Usage: "begin each line with the time"},
			&cli.IntFlag{Name: "parallel-builds", Usage: "how many images at once, `N`; 0 for all"},
			&cli.StringFlag{Name: "timings", Usage: "write where the time went to `FILE.json`, for chrome://tracing or Perfetto"},
			&cli.StringFlag{Name: "report", Usage: "write where the time went to `FILE.html`, a page of its own"},
			orphanFlag(),
			noReuseFlag(),
			localFlag(),
			hostKeyFlag(),
		}, scanFlags()),
		Action: func(c *cli.Context) error {
			o, err := readBakeOptions(c, s)
			if err != nil {
				return err
			}
			return s.bake(c.Context, o)
		},
	}
}

// projectFlags are the flags of every command that reads a project file.
func projectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "file", Value: project.DefaultPath, Usage: "the project `FILE`"},
		&cli.StringFlag{Name: "env", Usage: "the environment, `NAME`; by default the file's default_environment, or the only one"},
		&cli.StringSliceFlag{Name: "var", Usage: "set a variable of the project, `NAME=VALUE`; may be repeated"},
		&cli.StringSliceFlag{Name: "var-file", Usage: "read variables of the project from a `FILE`, JSON or HCL; may be repeated, later ones win, --var wins over all"},
	}
}

// readProjectOptions reads projectFlags.
func readProjectOptions(c *cli.Context) (o projectOptions, err error) {
	o = projectOptions{path: c.String("file"), environment: c.String("env"), varFiles: c.StringSlice("var-file")}
	o.vars, err = readVars(c)
	return o, err
}

// bakeOptions are the flags of bake.
type bakeOptions struct {
	buildOptions
	project projectOptions
	images  []string
	plan    bool
}

func readBakeOptions(c *cli.Context, s *session) (o bakeOptions, err error) {
	if err := arguments(c, 0, 1000); err != nil {
		return o, err
	}
	o.images, o.plan = c.Args().Slice(), c.Bool("plan")
	if o.project, err = readProjectOptions(c); err != nil {
		return o, err
	}
	o.buildOptions = buildOptions{
		template: template.Options{Now: time.Now(), Seed: newRunID(), Env: os.LookupEnv},
		onError:  c.String("on-error"), colour: c.Bool("color"), stamp: c.Bool("timestamp-ui"), json: c.Bool("json"),
		local: c.Bool("local"), parallel: c.Int("parallel-builds"), hostKey: c.String("ssh-host-key"),
		timings: c.String("timings"), report: c.String("report"), orphan: c.Duration("orphan-timeout"),
		noReuse: c.Bool("no-reuse"), scan: scanOption(c),
	}
	return o, o.buildOptions.check("bake", s)
}

// bake is the command: it reads the project, bakes its images in order and prints
// them. One image's failure stops those above it, and no others.
func (s *session) bake(ctx context.Context, o bakeOptions) error {
	b, t, err := s.openProject(ctx, o)
	if err != nil {
		return err
	}
	if o.plan {
		return b.planImages(ctx, t)
	}
	results := b.run(ctx, t)
	return errors.Join(failures(results), b.reportImages(results), b.times.write(o.timings, o.report))
}

// openProject reads the project and its templates, checks them all, and makes the builds' clients.
func (s *session) openProject(ctx context.Context, o bakeOptions) (*bake, *template.Template, error) {
	p, err := s.readProject(o.project)
	if err != nil {
		return nil, nil, err
	}
	images, err := p.Select(o.images...)
	if err != nil {
		return nil, nil, &usageError{err}
	}
	b := &bake{session: s, options: o.buildOptions, runID: newRunID(), clients: map[string]clients{}, chain: newChain(p, images, o.images)}
	with := o.template
	with.Lookup = &lookup{ctx: ctx, session: s, onLocal: o.local}
	t, err := b.readImages(with)
	if err != nil {
		return nil, nil, err
	}
	for i := range t.Builds { // not known yet
		if images[i].From != "" {
			t.Builds[i].Config.Source = builder.Source{}
		}
	}
	if err := b.connect(ctx, t); err != nil {
		return nil, nil, err
	}
	return b, t, b.chain.checkRegions(t)
}
