package main

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/template"
)

const consoleHelp = `Evaluates what is typed, a line at a time: with an HCL2 TEMPLATE an expression over its
variables, locals, data sources and functions, which goes on in the next line while a
bracket is open; with a JSON one a text with {{…}} in it. A data source is asked when an
expression needs it. variables shows the variables and locals; exit, or the end of the
input, ends it.

Examples:
  imago console .
  echo 'upper(var.name)' | imago console -var name=web .
  echo '{{timestamp}}' | imago console
  echo 'cidrsubnet("10.0.0.0/16", 8, 3)' | imago console -config-type=hcl2

Exit codes: 0 done, 2 something could not be evaluated.`

func consoleCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "console",
		Usage:       "evaluate expressions with a template's variables",
		ArgsUsage:   "[TEMPLATE]",
		Description: consoleHelp,
		Flags:       slices.Concat(valueFlags(), []cli.Flag{localFlag()}, withoutMeaning(s, "use-sequential-evaluation")),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 1); err != nil {
				return err
			}
			o, err := templateOptions(c, s)
			if err != nil {
				return err
			}
			o.Lookup = &lookup{ctx: c.Context, session: s, onLocal: c.Bool("local")}
			console, err := template.OpenConsole(c.Args().First(), o)
			if err != nil {
				return &usageError{err}
			}
			return s.converse(c.Context, console)
		},
	}
}

// converse reads expressions and writes what they are worth. A mistake is told
// at once; it ends nothing, but is in the exit code.
func (s *session) converse(ctx context.Context, c *template.Console) error {
	in := make(chan string)
	go s.lines(in)
	wrong, text := 0, ""
	for more := true; more; {
		s.prompt(text)
		var line string
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case line, more = <-in:
			text += line + "\n"
		}
		if more && c.Incomplete(text) {
			continue
		}
		asked := strings.TrimSpace(text)
		text = ""
		if asked == "exit" || asked == "quit" {
			break
		}
		if err := s.answer(c, asked); err != nil {
			s.explain(err)
			wrong++
		}
	}
	if wrong > 0 {
		return usagef("console: %s could not be evaluated", plural(wrong, "expression"))
	}
	return nil
}

// lines hands on what is typed, until its end.
func (s *session) lines(in chan<- string) {
	defer close(in)
	for r := bufio.NewReader(s.stdin); ; {
		line, err := r.ReadString('\n')
		if line != "" {
			in <- strings.TrimSuffix(line, "\n")
		}
		if err != nil {
			return
		}
	}
}

// prompt asks for a line, or for more of one, where somebody sits.
func (s *session) prompt(begun string) {
	switch {
	case !s.interactive():
	case begun == "":
		fmt.Fprint(s.stderr, "> ")
	default:
		fmt.Fprint(s.stderr, "  ")
	}
}

// answer writes what one expression is worth.
func (s *session) answer(c *template.Console, asked string) error {
	var out string
	var err error
	switch asked {
	case "":
		return nil
	case "help":
		out = consoleHelp
	case "variables":
		out = variables(c)
	default:
		out, err = c.Eval(asked)
	}
	s.secrets.Hide(c.Sensitive()...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.stdout, s.secrets.Clean(out))
	return err
}

// variables shows a console's variables, in inspect's form.
func variables(c *template.Console) string {
	vars, locals := c.Variables()
	var b strings.Builder
	if !c.HCL() {
		for _, v := range vars {
			fmt.Fprintf(&b, "%s: %s\n", v.Name, v.Value)
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	b.WriteString("> input-variables:\n\n")
	for _, v := range vars {
		fmt.Fprintf(&b, "var.%s: %s\n", v.Name, shownValue(v))
	}
	b.WriteString("\n> local-variables:\n\n")
	for _, l := range locals {
		fmt.Fprintf(&b, "local.%s: %s\n", l.Name, shownValue(l))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
