package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/journal"
	"github.com/imagobuild/imago/builder/retention"
)

const imagesHelp = `Lists the images that imago has made: the application, the image and the environments that
they are of, their fingerprint, age and size, and what needs them: releases, auto
scaling groups, launch templates, launch configurations, instances. It changes nothing.

Examples:
  imago images                              all in AWS_REGION
  imago images --env production --image web
  imago images --local
  imago images --json | jq -r '.images[] | select(.used_by == []) | .id'

Exit codes: 0 done, 1 AWS did not answer, 2 usage or configuration, 130 canceled.`

// imagesOptions are the flags by which images are chosen.
type imagesOptions struct {
	json, local bool
	profile     string
	regions     []string
	choose      retention.Policy
}

// imagesFlags are the flags of commands on images that are there.
func imagesFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "application", Usage: "only images of this application, `NAME`: their tag imago:application"},
		&cli.StringFlag{Name: "image", Usage: "only images that are this one, `NAME`: their tag imago:image, or their name's stem"},
		&cli.StringFlag{Name: "env", Usage: "only images of this environment, `NAME`: their tag imago:environment"},
		&cli.StringFlag{Name: "name", Usage: "only images whose name is like `PATTERN`, in which * is any text"},
		&cli.StringSliceFlag{Name: "region", Usage: "look in these regions, `NAME,NAME`; by default in AWS_REGION"},
		&cli.StringFlag{Name: "profile", Usage: "use this `PROFILE` of the AWS configuration"},
		&cli.BoolFlag{Name: "json", Usage: "write one JSON object to stdout"},
		localFlag(),
	}
}

// readImagesOptions reads imagesFlags.
func readImagesOptions(c *cli.Context) imagesOptions {
	return imagesOptions{
		json: c.Bool("json"), local: c.Bool("local"), profile: c.String("profile"), regions: names(c.StringSlice("region")),
		choose: retention.Policy{Application: c.String("application"), Image: c.String("image"), Environment: c.String("env"), Name: c.String("name")},
	}
}

func imagesCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "images",
		Usage:       "list the images that imago has made, and what needs them",
		Description: imagesHelp,
		Flags:       imagesFlags(),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			return s.images(c.Context, readImagesOptions(c))
		},
	}
}

// images is the command. What it may not see is missing in the list, and it says so.
func (s *session) images(ctx context.Context, o imagesOptions) error {
	clients, err := s.reach(ctx, journal.Via{Local: o.local, Profile: o.profile}, o.regions)
	if err != nil {
		return err
	}
	regions := clients.regions(o.regions)
	found, errs := make([][]retention.Decision, len(regions)), make([]error, len(regions))
	var wait sync.WaitGroup
	for i, region := range regions {
		wait.Go(func() {
			inv, err := retention.Look(ctx, clients.retention(region), region)
			found[i], errs[i] = retention.Plan(inv, o.choose, time.Now()), err
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		denied, other := retention.Denied(err)
		if len(other) > 0 {
			return errors.Join(other...)
		}
		for _, d := range denied {
			s.say("imago: warning: %v", d)
		}
	}
	if o.json {
		return s.imagesJSON(slices.Concat(found...))
	}
	return s.imagesTable(slices.Concat(found...), len(regions) > 1)
}
