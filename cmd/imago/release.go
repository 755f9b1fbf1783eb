package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/deploy"
	"github.com/imagobuild/imago/builder/template"
)

const deployHelp = `Bakes the images of imago.hcl whose inputs have changed, as imago bake does, and puts the
one that the environment's deploy block names into service beside the one that serves:
as many machines, proven healthy, and only then all traffic, which goes back at once if
they turn out not to be. The release before stays warm for a while; imago rollback goes
back to it in seconds. Nothing has changed: nothing is done.
ENV may be left out where it is clear. It needs imago setup once.

Examples:
  imago deploy staging
  imago deploy --local staging              on this computer, no account needed
  imago deploy --image ami-… production     an image that is there, such as staging's
  imago deploy --json staging | jq -r 'select(.type == "result").release.number'

Exit codes: 0 done, 1 failed and the release before serves, 2 usage or configuration,
3 the release is unhealthy and the one before serves, 4 something was left behind,
130 canceled. imago help deploy describes all of it.`

func deployCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "deploy",
		Usage:       "bake what has changed, and put it into service",
		ArgsUsage:   "[ENV]",
		Description: deployHelp,
		Flags: slices.Concat(environmentFlags(), []cli.Flag{
			&cli.StringFlag{Name: "image", Usage: "release this image, `AMI`, and bake nothing"},
			orphanFlag(), noReuseFlag(), hostKeyFlag(),
		}, scanFlags()),
		Action: func(c *cli.Context) error {
			o, err := onlyEnvironment(c)
			if err != nil {
				return err
			}
			bake, err := readDeployBake(c, s, o)
			if err != nil {
				return err
			}
			g, err := s.openStage(c.Context, o)
			if err != nil {
				return err
			}
			return g.release(c.Context, c.String("image"), bake)
		},
	}
}

// readDeployBake is how deploy bakes.
func readDeployBake(c *cli.Context, s *session, o environmentOptions) (bakeOptions, error) {
	b := bakeOptions{project: o.project, buildOptions: buildOptions{
		template: template.Options{Now: time.Now(), Seed: newRunID(), Env: os.LookupEnv}, onError: "cleanup", colour: true,
		json: true, local: o.local, hostKey: c.String("ssh-host-key"), orphan: c.Duration("orphan-timeout"),
		noReuse: c.Bool("no-reuse"), scan: scanOption(c),
	}}
	return b, b.check("deploy", s)
}

// release bakes what is missing and releases it.
func (g *stage) release(ctx context.Context, image string, o bakeOptions) error {
	w := deploy.Wanted{Image: image, Commit: commitOf(ctx, g.project.Dir)}
	if image == "" {
		var err error
		if w.Image, err = g.baked(ctx, o); err != nil {
			return err
		}
	}
	var r deploy.Result
	err := g.watched(ctx, "deploy", func(ctx context.Context) (err error) {
		r, err = g.deploy.Run(ctx, g.env, w)
		return err
	})
	return g.released(r, err)
}

// baked is the id of the image to release, once it has been baked.
func (g *stage) baked(ctx context.Context, o bakeOptions) (string, error) {
	o.images = []string{g.project.Environment.Deploy.Image}
	b, t, err := g.openProject(ctx, o)
	if err != nil {
		return "", err
	}
	results := b.run(ctx, t)
	if err := failures(results); err != nil {
		return "", err
	}
	return g.inRegion(results[len(results)-1].image)
}

// inRegion is the id of an image where the environment is.
func (g *stage) inRegion(img builder.Image) (string, error) {
	if img.Region == g.env.Region {
		return img.ID, nil
	}
	if id := img.Copies[g.env.Region]; id != "" {
		return id, nil
	}
	return "", usagef("the image %s is in %s, and the environment %s in %s: give the environment a region, or name %s in ami_regions",
		img.ID, img.Region, g.env.Name, g.env.Region, g.env.Region)
}

// releasedJSON is the result of deploy and rollback.
type releasedJSON struct {
	Type      string         `json:"type"` // result
	Release   deploy.Release `json:"release"`
	Unchanged bool           `json:"unchanged"`
	Seconds   float64        `json:"seconds"`
	Probes    int            `json:"probes"`
	Failed    int            `json:"failed_probes"`
}

// refusedJSON is the result when the release was unhealthy.
type refusedJSON struct {
	Type     string         `json:"type"` // unhealthy
	Release  deploy.Release `json:"release"`
	Why      string         `json:"why"`
	Evidence []string       `json:"evidence"`
}

// released prints how it went.
func (g *stage) released(r deploy.Result, err error) error {
	if bad, ok := errors.AsType[*deploy.UnhealthyError](err); ok && g.options.json {
		g.writeLine(refusedJSON{"unhealthy", bad.Release, bad.Why, bad.Evidence}) // what is the matter is what counts
	}
	if err != nil {
		return err
	}
	seconds := float64(r.Took.Round(time.Millisecond).Milliseconds()) / 1000
	if g.options.json {
		return g.writeLine(releasedJSON{"result", r.Release, r.Unchanged, seconds, r.Probes, r.Failed})
	}
	if r.Unchanged {
		_, err = fmt.Fprintf(g.stdout, "release %d of %s serves already: nothing to change, %.1f s\n", r.Release.Number, r.Release.Image, seconds)
		return err
	}
	_, err = fmt.Fprintf(g.stdout, "release %d of %s serves, after %.1f s: %d of %s failed\n", r.Release.Number, r.Release.Image, seconds, r.Failed, plural(r.Probes, "probe"))
	return err
}
