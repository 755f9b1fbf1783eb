package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/deploy"
)

const rollbackHelp = `Goes back to the release before, or to RELEASE, a number that imago releases lists. One
that is still warm has all traffic within seconds; another is released anew from its
image, as imago deploy does. ENV may be left out where it is clear.

Examples:
  imago rollback production
  imago rollback production 12
  imago rollback --json production | jq -r 'select(.type == "result").seconds'

Exit codes: as those of imago deploy.`

func rollbackCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "rollback",
		Usage:       "go back to the release before, in seconds",
		ArgsUsage:   "[ENV] [RELEASE]",
		Description: rollbackHelp,
		Flags:       environmentFlags(),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 2); err != nil {
				return err
			}
			o, err := readEnvironmentOptions(c, c.Args().Slice(), isRelease)
			if err != nil {
				return err
			}
			number, err := oneRelease(c, o.args)
			if err != nil {
				return err
			}
			g, err := s.openStage(c.Context, o)
			if err != nil {
				return err
			}
			return g.rollback(c.Context, number)
		},
	}
}

// oneRelease reads the release among the arguments; 0 when there is none.
func oneRelease(c *cli.Context, args []string) (int64, error) {
	if len(args) == 0 {
		return 0, nil
	}
	number, ok := releaseNumber(args[0])
	if !ok || len(args) > 1 {
		return 0, usagef("%s takes %s, and %s is no release: they are numbers (imago releases lists them)", pathOf(c), c.Command.ArgsUsage, args[len(args)-1])
	}
	return number, nil
}

func (g *stage) rollback(ctx context.Context, number int64) error {
	var r deploy.Result
	err := g.watched(ctx, "rollback", func(ctx context.Context) (err error) {
		r, err = g.deploy.Rollback(ctx, g.env, number)
		return err
	})
	return g.released(r, err)
}
