package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// newApp builds the command line. Nothing in it is shared between two apps of
// one process.
func newApp(s *session) *cli.App {
	app := &cli.App{
		Name:        "imago",
		HelpName:    "imago",
		Usage:       "bake Amazon Machine Images, and put them into service",
		UsageText:   "imago COMMAND [flags] [arguments]",
		Description: "For more: imago help COMMAND, or imago help TOPIC.\nTopics: " + strings.Join(topics(), ", "),
		Reader:      s.stdin,
		Writer:      s.stdout,
		ErrWriter:   s.stderr,
		HideVersion: true,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version", DisableDefaultText: true},
			cli.HelpFlag, // v2 adds it only where there is no command named help
		},
		Commands: []*cli.Command{
			buildCommand(s), bakeCommand(s), planCommand(s), validateCommand(s), inspectCommand(s), newCommand(s),
			setupCommand(s), deployCommand(s), rollbackCommand(s), statusCommand(s), releasesCommand(s),
			logsCommand(s), sshCommand(s), openCommand(s), destroyCommand(s),
			localCommand(s), gcCommand(s), versionCommand(s), helpCommand(s),
		},
		Action: func(c *cli.Context) error {
			if c.Bool("version") && !c.Args().Present() {
				return s.printVersion(false)
			}
			return unknownCommand(c, s)
		},
		// By default v2 exits the process from inside the library when an error
		// has an exit code, past every defer. exitCode decides here.
		ExitErrHandler: func(*cli.Context, error) {},
		// A variable's value may hold a comma; v2 would split it in two.
		DisableSliceFlagSeparator: true,
		HideHelpCommand:           true,
		OnUsageError: func(c *cli.Context, err error, _ bool) error {
			return usagef("%s (see imago --help)", flagMistake(err.Error(), flagNames(c)))
		},
	}
	harden(app.Commands, "")
	return app
}

// harden gives every command what v2 leaves to each: mistakes in flags come back as
// usageError instead of a page on stdout, and no hidden subcommand named help
// takes a template of that name.
func harden(commands []*cli.Command, parent string) {
	for _, c := range commands {
		path := strings.TrimSpace(parent + " " + c.Name)
		c.HideHelpCommand = true
		c.OnUsageError = usageOf(path)
		for _, f := range c.Flags {
			if f, ok := f.(*cli.BoolFlag); ok {
				f.DisableDefaultText = true
			}
		}
		harden(c.Subcommands, path)
	}
}

// usageOf turns what the flag package says into a usageError that names the command to ask.
func usageOf(command string) cli.OnUsageErrorFunc {
	return func(c *cli.Context, err error, _ bool) error {
		return usagef("%s: %s (see imago %s --help)", command, flagMistake(err.Error(), flagNames(c)), command)
	}
}

// flagNames lists the flags that a command shows.
func flagNames(c *cli.Context) (names []string) {
	for _, f := range c.Command.VisibleFlags() {
		for _, n := range f.Names() {
			if len(n) > 1 {
				names = append(names, n)
			}
		}
	}
	return names
}

// flagMistake puts the flag package's two commonest messages in our words.
func flagMistake(text string, known []string) string {
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		name = strings.TrimLeft(name, "-")
		return "there is no flag --" + name + didYouMean(name, known, "--")
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return "--" + strings.TrimLeft(name, "-") + " needs a value"
	}
	return text
}

// unknownCommand is the action of a command that only has subcommands: without
// arguments it shows its help, otherwise it says what there is.
func unknownCommand(c *cli.Context, s *session) error {
	var names []string
	for _, sub := range c.Command.Subcommands {
		if !sub.Hidden {
			names = append(names, sub.Name)
		}
	}
	prefix := ""
	if path := pathOf(c); path != "" {
		prefix = path + ": "
	}
	if first := c.Args().First(); first != "" {
		return usagef("%sthere is no command %s%s (there are %s)", prefix, first, didYouMean(first, names, ""), strings.Join(names, ", "))
	}
	c.App.Writer = s.stderr
	if err := cli.ShowSubcommandHelp(c); err != nil {
		return err
	}
	return usagef("%sa command is missing", prefix)
}

// pathOf is the command as the user typed it, without imago: "local image add".
func pathOf(c *cli.Context) string {
	return strings.TrimPrefix(strings.TrimPrefix(c.Command.HelpName, "imago"), " ")
}

// arguments checks what is left after the flags: between least and most
// arguments, and no flag among them. urfave/cli ignores flags after the first
// argument (https://github.com/urfave/cli/issues/1177).
func arguments(c *cli.Context, least, most int) error {
	args, path := c.Args().Slice(), pathOf(c)
	for i, a := range args {
		if i > 0 && len(a) > 1 && a[0] == '-' {
			return usagef("%s: %s must come before %s (flags first)", path, a, args[0])
		}
	}
	if len(args) >= least && len(args) <= most {
		return nil
	}
	what := c.Command.ArgsUsage
	if what == "" {
		what = "no arguments"
	}
	return usagef("%s takes %s (see imago %s --help)", path, what, path)
}

// usageError is a mistake in the command line or in the configuration. Nothing
// was touched.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef makes a usageError.
func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}
