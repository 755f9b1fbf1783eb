package main

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/deploy"
)

const statusHelp = `Says what is in service in an environment: the release, its image and git commit, who
released it and when, how many machines are healthy of how many, and what is warm.
It changes nothing. ENV may be left out where it is clear.

Examples:
  imago status production
  imago status --json production | jq -r .serving.image`

const releasesHelp = `Lists the releases that imago rollback can go back to, the newest first: all, as long as
their images are there. It changes nothing. ENV may be left out where it is clear.

Examples:
  imago releases production
  imago releases --json production | jq -r '.[] | "\(.number) \(.commit)"'`

func statusCommand(s *session) *cli.Command {
	return readCommand(s, "status", "say what is in service, and how it is", statusHelp, (*stage).status)
}

func releasesCommand(s *session) *cli.Command {
	return readCommand(s, "releases", "list the releases of an environment", releasesHelp, (*stage).releases)
}

// readCommand is a command that takes an environment, and changes nothing.
func readCommand(s *session, name, usage, help string, do func(*stage, context.Context) error) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "[ENV]", Description: help, Flags: environmentFlags(),
		Action: func(c *cli.Context) error {
			o, err := onlyEnvironment(c)
			if err != nil {
				return err
			}
			g, err := s.openStage(c.Context, o)
			if err != nil {
				return err
			}
			return do(g, c.Context)
		},
	}
}

// stageJSON is what status writes with --json.
type stageJSON struct {
	Application string `json:"application"`
	Environment string `json:"environment"`
	Region      string `json:"region"`
	URL         string `json:"url,omitempty"`
	deploy.Status
}

func (g *stage) status(ctx context.Context) error {
	st, err := g.deploy.Status(ctx, g.env)
	if err != nil {
		return err
	}
	out := stageJSON{Application: g.env.Application, Environment: g.env.Name, Region: g.env.Region, Status: st}
	if st.Address != "" {
		out.URL = g.url(st.Address)
	}
	if g.options.json {
		return g.writeLine(out)
	}
	where := "not set up: " + g.command("setup")
	if st.Address != "" {
		where = out.URL
	}
	fmt.Fprintf(g.stdout, "%s of %s in %s: %s\n", g.env.Name, g.env.Application, g.env.Region, where)
	rows := statusRows(st)
	switch {
	case st.Address == "":
		return nil
	case len(rows) == 0:
		_, err := fmt.Fprintf(g.stdout, "nothing is released yet: %s\n", g.command("deploy"))
		return err
	}
	return table(tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0), rows)
}

// statusRows is a row for each release that has machines.
func statusRows(st deploy.Status) [][]string {
	var rows [][]string
	add := func(state string, s deploy.Serving) {
		if !s.Retire.IsZero() {
			state += " until " + s.Retire.Local().Format(time.TimeOnly)
		}
		rows = append(rows, append(releaseRow(s.Release), fmt.Sprintf("%d of %d healthy", s.Healthy, s.Desired), state))
	}
	if st.Serving != nil {
		add("serves", *st.Serving)
	}
	for _, s := range st.Warm {
		add("warm", s)
	}
	for _, s := range st.Unfinished {
		add("unfinished", s)
	}
	if len(rows) > 0 {
		rows = slices.Insert(rows, 0, []string{"RELEASE", "IMAGE", "COMMIT", "BY", "RELEASED", "MACHINES", "STATE"})
	}
	return rows
}

// releaseRow is what is said of a release in tables.
func releaseRow(r deploy.Release) []string {
	return []string{fmt.Sprint(r.Number), r.Image, shortCommit(r.Commit), r.By, r.At.Local().Format(time.DateTime)}
}

func (g *stage) releases(ctx context.Context) error {
	all, err := g.deploy.Releases(ctx, g.env)
	if err != nil {
		return err
	}
	if g.options.json {
		return g.writeLine(append([]deploy.Release{}, all...))
	}
	if len(all) == 0 {
		_, err := fmt.Fprintf(g.stdout, "nothing is released yet: %s\n", g.command("deploy"))
		return err
	}
	rows := [][]string{{"RELEASE", "IMAGE", "COMMIT", "BY", "RELEASED"}}
	for _, r := range all {
		rows = append(rows, releaseRow(r))
	}
	return table(tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0), rows)
}
