package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/localcloud"
)

const imageHelp = `Examples:
  imago local image add debian-12 --id ami-22de994a     an id that a template names
  imago local image list
  imago local image rm ami-22de994a`

func localImage(s *session) *cli.Command {
	return &cli.Command{
		Name:        "image",
		Usage:       "add, list and remove the local cloud's images",
		ArgsUsage:   "COMMAND",
		Description: imageHelp,
		Subcommands: []*cli.Command{imageAdd(s), imageList(s), imageRemove(s)},
		Action:      func(c *cli.Context) error { return unknownCommand(c, s) },
	}
}

const imageAddHelp = `Builds the base of SUITE with mmdebstrap, unless it is in the cache already, and
registers it as an image. Starts the local cloud when needed. stdout is the image's id.

Examples:
  imago local image add debian-12
  imago local image add debian-12 --id ami-22de994a --name my-base`

func imageAdd(s *session) *cli.Command {
	return &cli.Command{
		Name:        "add",
		Usage:       "build a base once, and register it as an image",
		ArgsUsage:   "SUITE",
		Description: imageAddHelp,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "id", Usage: "register it under this `AMI-ID`, such as one that a template names"},
			&cli.StringFlag{Name: "name", Usage: "the image's `NAME`; by default one made of SUITE and the date"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON object instead of the id"},
		},
		Action: func(c *cli.Context) error {
			if again := flagsFirst(c); again != nil {
				return c.App.RunContext(c.Context, again)
			}
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			spec := localcloud.ImageSpec{Suite: c.Args().First(), ID: c.String("id"), Name: c.String("name")}
			return s.addImage(c.Context, spec, c.Bool("json"))
		},
	}
}

// flagsFirst is the command line again with the first argument moved behind the
// flags that follow it, or nil when none does. `image add debian-12 --id ami-1` is
// how one says it, and urfave/cli reads no flag after an argument.
func flagsFirst(c *cli.Context) []string {
	args := c.Args().Slice()
	if len(args) < 2 || !strings.HasPrefix(args[1], "-") || args[1] == "--" {
		return nil
	}
	var flags []string
	for _, name := range c.LocalFlagNames() {
		flags = append(flags, fmt.Sprintf("--%s=%v", name, c.Value(name)))
	}
	again := append(strings.Fields(c.Command.HelpName), flags...)
	return append(append(again, args[1:]...), args[0])
}

// addImage is `imago local image add`.
func (s *session) addImage(ctx context.Context, spec localcloud.ImageSpec, asJSON bool) error {
	client, err := s.cloudClient(ctx, true)
	if err != nil {
		return err
	}
	began := time.Now()
	img, err := client.AddImage(ctx, spec, func(text string) { s.say("imago: %s", text) })
	if err != nil {
		return fmt.Errorf("add image %s: %w", spec.Suite, err)
	}
	s.say("imago: %s is image %s, after %s", img.Name, img.ID, took(time.Since(began)))
	if asJSON {
		return writeJSON(s.stdout, imageJSONOf(img))
	}
	_, err = fmt.Fprintln(s.stdout, img.ID)
	return err
}

func imageList(s *session) *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the images",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "write one JSON object"}},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			return s.listImages(c.Context, c.Bool("json"))
		},
	}
}

// imageJSON is an image in --json's output.
type imageJSON struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Region  string    `json:"region"` // empty: a base, in all regions
	State   string    `json:"state"`
	Created time.Time `json:"created"`
}

func imageJSONOf(i localcloud.ImageInfo) imageJSON {
	return imageJSON{ID: i.ID, Name: i.Name, Region: i.Region, State: i.State, Created: i.Created}
}

// listImages is `imago local image list`.
func (s *session) listImages(ctx context.Context, asJSON bool) error {
	client, err := s.cloudClient(ctx, false)
	if err != nil {
		return err
	}
	images, err := client.Images(ctx)
	if err != nil {
		return fmt.Errorf("list images: %w", err)
	}
	if asJSON {
		out := struct {
			Images []imageJSON `json:"images"`
		}{Images: []imageJSON{}}
		for _, i := range images {
			out.Images = append(out.Images, imageJSONOf(i))
		}
		return writeJSON(s.stdout, out)
	}
	if len(images) == 0 {
		s.say("imago: the local cloud has no image; add one with: imago local image add %s", defaultBase)
		return nil
	}
	rows := [][]string{{"ID", "REGION", "STATE", "CREATED", "NAME"}}
	for _, i := range images {
		region := i.Region
		if region == "" {
			region = "(all)"
		}
		rows = append(rows, []string{i.ID, region, i.State, i.Created.Local().Format("2006-01-02 15:04"), i.Name})
	}
	return table(tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0), rows)
}

func imageRemove(s *session) *cli.Command {
	return &cli.Command{
		Name:      "rm",
		Usage:     "remove images and their snapshots; a base stays in the cache",
		ArgsUsage: "AMI-ID...",
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1000); err != nil {
				return err
			}
			return s.removeImages(c.Context, c.Args().Slice())
		},
	}
}

// removeImages is `imago local image rm`.
func (s *session) removeImages(ctx context.Context, ids []string) error {
	client, err := s.cloudClient(ctx, false)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := client.RemoveImage(ctx, id); err != nil {
			return fmt.Errorf("remove image %s: %w", id, err)
		}
		s.say("imago: removed image %s", id)
	}
	return nil
}

// cloudClient is a client of the local cloud, which is started when start says so and it does not run.
func (s *session) cloudClient(ctx context.Context, start bool) (*localcloud.Client, error) {
	reach := func(context.Context) (localcloud.Env, error) { return runningCloud() }
	if start {
		reach = s.ensureCloud
	}
	if _, err := reach(ctx); err != nil {
		return nil, err
	}
	state, err := stateDir()
	if err != nil {
		return nil, err
	}
	return localcloud.NewClient(state)
}
