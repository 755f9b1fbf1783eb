package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

const destroyHelp = `Takes an environment down: its machines, all releases, the load balancer, the DNS record
that leads to it, security groups, and the network if imago setup has made it. Nothing
without the environment's own tags is touched, and images stay. It says what goes, and
asks. ENV has to be named.

Examples:
  imago destroy staging
  imago destroy --yes staging       without a question
  imago destroy --json --yes staging

Exit codes: 0 done, 1 failed (run it again), 2 usage or configuration, 130 canceled.`

func destroyCommand(s *session) *cli.Command {
	return &cli.Command{
		Name: "destroy", Usage: "take an environment down", ArgsUsage: "ENV", Description: destroyHelp,
		Flags: append(environmentFlags(), &cli.BoolFlag{Name: "yes", Usage: "do not ask"}),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			o, err := onlyEnvironment(c)
			if err != nil {
				return err
			}
			if !c.Bool("yes") && !s.interactive() {
				return usagef("destroy asks, and there is no terminal to ask on: use --yes")
			}
			g, err := s.openStage(c.Context, o)
			if err != nil {
				return err
			}
			return g.destroy(c.Context, c.Bool("yes"))
		},
	}
}

// destroyedJSON is the result of destroy.
type destroyedJSON struct {
	Type      string   `json:"type"` // result
	Destroyed []string `json:"destroyed"`
}

func (g *stage) destroy(ctx context.Context, yes bool) error {
	i := g.clients.infrastructure(g.deploy)
	what, err := i.Standing(ctx, g.env)
	if err != nil {
		return err
	}
	if len(what) > 0 {
		g.say("imago: this goes, and cannot be had back:")
	}
	for _, one := range what {
		g.say("  %s", one)
	}
	if len(what) > 0 && !yes {
		if err := g.confirm(ctx); err != nil {
			return err
		}
	}
	if len(what) > 0 {
		if err := g.watched(ctx, "destroy", func(ctx context.Context) error { return i.Destroy(ctx, g.env) }); err != nil {
			return err
		}
	}
	if g.options.json {
		return g.writeLine(destroyedJSON{"result", append([]string{}, what...)})
	}
	text := fmt.Sprintf("%s is destroyed: %s", g.env.Name, plural(len(what), "resource"))
	if len(what) == 0 {
		text = g.env.Name + " has nothing to destroy"
	}
	_, err = fmt.Fprintln(g.stdout, text)
	return err
}

// confirm has somebody type the environment's name.
func (g *stage) confirm(ctx context.Context) error {
	fmt.Fprintf(g.stderr, "Destroy it? Type %s to go on: ", g.env.Name)
	g.stderr.Flush()
	select {
	case line := <-new(answers).from(g.stdin):
		if strings.TrimSpace(line) == g.env.Name {
			return nil
		}
		return errors.New("not destroyed: that was not " + g.env.Name)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
