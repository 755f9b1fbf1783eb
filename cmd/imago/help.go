package main

import (
	"embed"
	"io/fs"
	"path"
	"strings"

	"github.com/urfave/cli/v2"
)

// docs is the longer documentation, a file a topic.
//
//go:embed docs/*.md
var docs embed.FS

// topics lists what `imago help` knows beside the commands, in alphabetical order.
func topics() []string {
	files, _ := fs.Glob(docs, "docs/*.md") // the pattern is a good one
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".md")
	}
	return files
}

func helpCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "show the help of a command, or the documentation of a topic",
		ArgsUsage: "[COMMAND | TOPIC]",
		Description: "Topics: " + strings.Join(topics(), ", ") + `

Examples:
  imago help build
  imago help quickstart`,
		Action: func(c *cli.Context) error {
			return s.help(c, c.Args().Slice())
		},
	}
}

// help prints what is asked for; without words, the overview.
func (s *session) help(c *cli.Context, words []string) error {
	if len(words) == 0 {
		return cli.ShowAppHelp(c)
	}
	if text, err := docs.ReadFile("docs/" + words[0] + ".md"); err == nil && len(words) == 1 {
		_, err = s.stdout.Write(text)
		return err
	}
	cmd := c.App.Command(words[0])
	for _, w := range words[1:] {
		if cmd != nil {
			cmd = cmd.Command(w)
		}
	}
	if cmd == nil || cmd.Hidden {
		asked, known := strings.Join(words, " "), topics()
		for _, c := range c.App.VisibleCommands() {
			known = append(known, c.Name)
		}
		return usagef("help: there is no command and no topic %s%s (topics: %s)", asked, didYouMean(asked, known, ""), strings.Join(topics(), ", "))
	}
	// The command's own --help, so that both ways print the same.
	return c.App.RunContext(c.Context, append(append([]string{"imago"}, words...), "--help"))
}
