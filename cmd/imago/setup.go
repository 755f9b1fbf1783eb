package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/deploy"
)

const setupHelp = `Makes what an environment of imago.hcl stands on, where it is not there yet: a VPC with
two subnets (or those that its deploy block names), security groups, a load balancer,
a DNS record. Nothing answers on port 22. A second run changes nothing. After it,
imago deploy releases. ENV may be left out where it is clear.

Examples:
  imago setup staging
  imago setup --local staging       on this computer, no account needed
  imago setup --force production    the domain leads here, whatever it led to
  imago setup --json staging | jq -r 'select(.type == "result").address'

Exit codes: 0 done, 1 failed (run it again), 2 usage or configuration, 130 canceled.
imago help deploy describes all of it.`

func setupCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "setup",
		Usage:       "make what an environment stands on",
		ArgsUsage:   "[ENV]",
		Description: setupHelp,
		Flags:       append(environmentFlags(), &cli.BoolFlag{Name: "force", Usage: "have the domain lead here, also when it leads elsewhere now"}),
		Action: func(c *cli.Context) error {
			o, err := onlyEnvironment(c)
			if err != nil {
				return err
			}
			g, err := s.openStage(c.Context, o)
			if err != nil {
				return err
			}
			return g.setup(c.Context, c.Bool("force"))
		},
	}
}

// placeJSON is the result of setup.
type placeJSON struct {
	Type string `json:"type"` // result
	deploy.Place
	URL string `json:"url"`
}

func (g *stage) setup(ctx context.Context, force bool) error {
	i := g.clients.infrastructure(g.deploy)
	i.Force = force
	var p deploy.Place
	err := g.watched(ctx, "setup", func(ctx context.Context) (err error) {
		p, err = i.Setup(ctx, g.env)
		return err
	})
	if err != nil {
		return err
	}
	if g.options.json {
		return g.writeLine(placeJSON{"result", p, g.url(p.Address)})
	}
	how := plural(p.Changes, "change")
	if p.Changes == 0 {
		how = "nothing to change"
	}
	_, err = fmt.Fprintf(g.stdout, "%s is set up in %s at %s: %s\n", g.env.Name, p.VPC, g.url(p.Address), how)
	return err
}
