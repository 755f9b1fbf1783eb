package main

import (
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

const buildHelp = `Launches a temporary instance for each build of TEMPLATE, uploads and runs what
the template says, makes the image and takes everything else away again.
stdout carries the id of each image, in the template's order, and nothing else;
an id is there as soon as the image is, before the machine has gone. When an image
of the same inputs is there already, that one is the result, and nothing is launched
(imago help reuse).

Examples:
  imago build web.json
  imago build -var NODE_ENV=production -var-file common.json web.json
  imago build -only='release.amazon-ebs.*' .      the HCL2 files of a directory
  ami=$(imago build --local web.json)        on this computer, no account needed
  imago build --json web.json | jq -r '.images[0].id'
  imago build -only=web -on-error=abort web.json
  imago build --resume web.json              go on where one that was killed, or whose wait was over, has left off
  imago build --no-reuse web.json            also when nothing has changed

Exit codes: 0 done, 1 failed and nothing left, 2 usage or configuration,
4 something was left behind, 130 canceled.`

// buildOptions are the flags of build.
type buildOptions struct {
	path     string
	template template.Options
	onError  string
	debug    bool
	colour   bool
	stamp    bool
	readable bool
	json     bool
	local    bool
	parallel int
	hostKey  string
	timings  string
	report   string
	noReuse  bool
	orphan   time.Duration // of a machine; 0: never
	resume   bool
	scan     builder.Scan
}

func buildCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "build",
		Usage:       "bake the images of a template",
		ArgsUsage:   "TEMPLATE",
		Description: buildHelp,
		Flags: slices.Concat(templateFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "replace an image of the same name, once the new one is available"},
			&cli.BoolFlag{Name: "resume", Usage: "go on with the image that an earlier build has left while AWS was making it, if there is one (imago help resume)"},
			&cli.StringFlag{Name: "on-error", Value: "cleanup", Usage: "what to do after a failure: cleanup, abort (leave everything there), ask, or run-cleanup-provisioner (run it, and leave everything there)"},
			&cli.BoolFlag{Name: "debug", Usage: "pause before each stage; one build at a time"},
			&cli.BoolFlag{Name: "color", Value: true, Usage: "colours on a terminal; --color=false for none"},
			&cli.BoolFlag{Name: "timestamp-ui", Usage: "begin each line with the time"},
			machineFlag(),
			&cli.BoolFlag{Name: "json", Usage: "write one JSON object to stdout instead of the ids"},
			&cli.IntFlag{Name: "parallel-builds", Usage: "how many builds at once, `N`; 0 for all"},
			&cli.StringFlag{Name: "timings", Usage: "write where the time went to `FILE.json`, for chrome://tracing or Perfetto"},
			&cli.StringFlag{Name: "report", Usage: "write where the time went to `FILE.html`, a page of its own"},
			orphanFlag(),
			&cli.BoolFlag{Name: "warn-on-undeclared-var", Usage: "warn of values in variable files that an HCL2 template has no variable for"},
			noReuseFlag(),
			localFlag(),
			hostKeyFlag(),
		}, scanFlags(), withoutMeaning(s, "ignore-prerelease-plugins", "use-sequential-evaluation", "skip-enforcement")),
		Action: func(c *cli.Context) error {
			o, err := readBuildOptions(c, s)
			if err != nil {
				return err
			}
			return s.build(c.Context, o)
		},
	}
}

// shortestOrphan is what a slow network may take.
const shortestOrphan = 10 * time.Second

// readBuildOptions checks the flags of build against each other and the surroundings.
func readBuildOptions(c *cli.Context, s *session) (buildOptions, error) {
	if err := arguments(c, 1, 1); err != nil {
		return buildOptions{}, err
	}
	t, err := templateOptions(c, s)
	if err != nil {
		return buildOptions{}, err
	}
	t.Force, t.Seed, t.WarnUndeclared = c.Bool("force"), newRunID(), c.Bool("warn-on-undeclared-var")
	o := buildOptions{
		path: c.Args().First(), template: t,
		onError: c.String("on-error"), debug: c.Bool("debug"),
		colour: c.Bool("color"), stamp: c.Bool("timestamp-ui"),
		readable: c.Bool("machine-readable"), json: c.Bool("json"),
		local: c.Bool("local"), parallel: c.Int("parallel-builds"), hostKey: c.String("ssh-host-key"),
		timings: c.String("timings"), report: c.String("report"), orphan: c.Duration("orphan-timeout"),
		noReuse: c.Bool("no-reuse"), resume: c.Bool("resume"),
		scan: scanOption(c),
	}
	if err := o.check("build", s); err != nil {
		return o, err
	}
	if o.debug {
		o.parallel = 1
	}
	return o, nil
}

// check holds the flags that build and bake share against each other and the surroundings.
func (o buildOptions) check(command string, s *session) error {
	switch {
	case o.orphan < 0 || o.orphan > 0 && o.orphan < shortestOrphan:
		return usagef("%s: --orphan-timeout %v is less than %v", command, o.orphan, shortestOrphan)
	case o.parallel < 0:
		return usagef("%s: --parallel-builds %d is negative", command, o.parallel)
	case o.json && o.readable:
		return usagef("%s: --json and --machine-readable both want stdout; choose one", command)
	case (o.onError == "ask" || o.debug) && !s.interactive():
		return usagef("%s: --on-error=ask and --debug ask questions, and there is no terminal to ask on", command)
	}
	if _, ok := errorActions[o.onError]; !ok {
		return usagef("%s: --on-error=%s is none of cleanup, abort, ask and run-cleanup-provisioner", command, o.onError)
	}
	return nil
}
