package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/deploy"
)

const logsHelp = `Shows what the machines of an environment have written to their consoles: the boot,
cloud-init, and the application, whose service the recipes have log there too. AWS keeps
the end of each, 64 kB. ENV may be left out where it is clear.

Examples:
  imago logs production
  imago logs --release 12 --lines 200 production
  imago logs --follow staging`

func logsCommand(s *session) *cli.Command {
	return &cli.Command{
		Name: "logs", Usage: "show the consoles of the machines", ArgsUsage: "[ENV]", Description: logsHelp,
		Flags: append(environmentFlags(),
			&cli.Int64Flag{Name: "release", Usage: "the release, `N`; by default the one that serves"},
			&cli.IntFlag{Name: "lines", Value: 50, Usage: "how many lines of each console, `N`; 0 for all that AWS has"},
			&cli.BoolFlag{Name: "follow", Usage: "go on until Ctrl-C, with machines that come"},
		),
		Action: func(c *cli.Context) error {
			o, err := onlyEnvironment(c)
			if err != nil {
				return err
			}
			if c.Int("lines") < 0 || c.Int64("release") < 0 {
				return usagef("logs: --lines and --release may not be negative")
			}
			g, err := s.openStage(c.Context, o)
			if err != nil {
				return err
			}
			l := &logs{stage: g, access: g.clients.access(g.deploy), release: c.Int64("release"), most: c.Int("lines"), seen: map[string]string{}}
			return l.show(c.Context, c.Bool("follow"))
		},
	}
}

// followEvery is how often consoles are read.
const followEvery = 2 * time.Second

// logs shows the consoles of a release's machines.
type logs struct {
	*stage
	access  *deploy.Access
	release int64
	most    int
	seen    map[string]string // of each machine, its console when it was last read
}

// consoleJSON is a line of a console as --json has it.
type consoleJSON struct {
	Instance string `json:"instance"`
	Release  int64  `json:"release"`
	Line     string `json:"line"`
}

func (l *logs) show(ctx context.Context, follow bool) error {
	for {
		machines, err := l.access.Instances(ctx, l.env, l.release)
		if err != nil {
			return plainly(ctx, err)
		}
		if len(l.seen) == 0 {
			l.say("imago: the consoles of %s (EC2's GetConsoleOutput)", plural(len(machines), "machine"))
		}
		for _, m := range machines {
			if err := l.one(ctx, m); err != nil {
				return plainly(ctx, err)
			}
		}
		if !follow {
			return nil
		}
		select {
		case <-time.After(followEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// one shows what is new on a machine's console.
func (l *logs) one(ctx context.Context, m deploy.Instance) error {
	text, err := l.deploy.Console(ctx, m.ID)
	if err != nil {
		return err
	}
	last, known := l.seen[m.ID]
	l.seen[m.ID] = text
	lines := splitLines(text)
	switch {
	case known:
		lines = splitLines(newPart(last, text))
	case l.most > 0:
		lines = lines[max(0, len(lines)-l.most):]
	}
	if len(lines) > 0 && !l.options.json {
		fmt.Fprintf(l.stdout, "==> %s, release %d\n", m.ID, m.Release)
	}
	for _, text := range lines {
		if err := l.write(m, l.secrets.Clean(printable(text, false))); err != nil {
			return err
		}
	}
	return nil
}

func (l *logs) write(m deploy.Instance, text string) error {
	if l.options.json {
		return l.writeLine(consoleJSON{m.ID, m.Release, text})
	}
	_, err := fmt.Fprintln(l.stdout, text)
	return err
}

// overlap is how much of the last look is searched for in the next one.
const overlap = 256

// newPart is what came to a console since it was last read. AWS keeps only its
// end, so the beginning moves.
func newPart(last, now string) string {
	if more, ok := strings.CutPrefix(now, last); ok {
		return more
	}
	end := last[max(0, len(last)-overlap):]
	if i := strings.LastIndex(now, end); i >= 0 {
		return now[i+len(end):]
	}
	return now
}

// splitLines takes a text apart, without empty lines at its end.
func splitLines(text string) []string {
	text = strings.TrimRight(text, "\r\n")
	if text == "" {
		return nil
	}
	return slices.Collect(strings.SplitSeq(text, "\n"))
}
