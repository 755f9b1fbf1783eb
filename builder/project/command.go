package project

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/provision"
)

// Command is a build block: what is run here before an image is baked, to compile and optimise what is then uploaded.
type Command struct {
	Line   string   // for /bin/sh -e
	Dir    string   // where it is run
	Env    []string // KEY=value, beside imago's own environment
	Inputs []string // patterns in Dir of the files that decide what it makes; none: nobody knows, and it is always run
	Output string   // the file or directory that it makes
}

// readCommand reads a build block; nil when there is none.
func (f *file) readCommand(b *hcl.Block) *Command {
	if b == nil {
		return nil
	}
	in := open(f.doc, b, "a build block", schema([]string{"command", "dir", "env", "inputs", "output"}, nil))
	for _, name := range []string{"command", "output"} {
		if !in.has(name) {
			f.doc.Problem(b.DefRange, "a build block needs %s, %s", name, map[string]string{
				"command": "a command line such as \"npm run build\"", "output": "the file or directory that the command makes",
			}[name])
		}
	}
	c := &Command{Line: in.text("command"), Dir: f.project.local("."), Inputs: in.texts("inputs")}
	if dir := in.text("dir"); dir != "" {
		c.Dir = f.project.local(dir)
		if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
			in.wrong("dir", "%s is no directory%s", dir, f.beside(dir))
		}
	}
	if output := in.text("output"); output != "" {
		c.Output = f.project.local(output)
	}
	env := in.pairs("env")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		c.Env = append(c.Env, name+"="+env[name])
	}
	return c
}

// Run runs the command for an image, and looks whether its output is there.
func (c *Command) Run(ctx context.Context, p *Project, image string, stdout, stderr io.Writer) error {
	env := append([]string{
		"IMAGO_APPLICATION=" + p.Application, "IMAGO_ENVIRONMENT=" + p.Environment.Name, "IMAGO_IMAGE=" + image,
	}, c.Env...)
	if err := template.Command(ctx, c.Line, c.Line, c.Dir, env, stdout, stderr); err != nil {
		return err
	}
	if _, err := os.Stat(c.Output); err != nil {
		return fmt.Errorf("%s: it has ended well, but its output %s is not there", c.Line, c.Output)
	}
	return nil
}

// Digest is of all that decides what the command makes, and of what it has made: while it stays the same, the command need
// not be run again. It is empty when the inputs are not known or the output is not there.
func (c *Command) Digest(ctx context.Context, p *Project) (string, error) {
	if len(c.Inputs) == 0 {
		return "", nil
	}
	if _, err := os.Stat(c.Output); os.IsNotExist(err) {
		return "", nil
	}
	inputs, err := provision.Tree{Source: strings.TrimSuffix(c.Dir, "/") + "/", Include: c.Inputs, Dest: "/"}.List(ctx)
	if err != nil {
		return "", fmt.Errorf("the inputs of %s: %w", c.Line, err)
	}
	output, err := provision.Tree{Source: c.Output, Dest: "/"}.List(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %q %q %q %q", c.Line, c.Env, p.Application, p.Environment.Name, inputs.Digest, output.Digest)
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// ID tells the command of an image from those of all other projects on this computer.
func (c *Command) ID(image string) (string, error) {
	output, err := filepath.Abs(c.Output)
	sum := sha256.Sum256([]byte(image + "\x00" + output))
	return hex.EncodeToString(sum[:]), err
}
