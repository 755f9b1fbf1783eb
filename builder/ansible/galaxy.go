package ansible

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// Galaxy is what ansible-galaxy installs on this computer before the playbook runs.
type Galaxy struct {
	File            string // galaxy_file: the requirements. Optional; without it nothing is installed.
	Command         string // Optional; defaults to ansible-galaxy.
	RolesPath       string
	CollectionsPath string
	Force           bool // galaxy_force_install
	ForceWithDeps   bool
}

func (g Galaxy) command() string { return cmp.Or(g.Command, "ansible-galaxy") }

// install does what the requirements ask for: roles, collections or both.
func (g Galaxy) install(ctx context.Context, p Playbook, stdout, stderr io.Writer) error {
	if g.File == "" {
		return nil
	}
	data, err := os.ReadFile(inDir(p.Dir, g.File))
	if err != nil {
		return fmt.Errorf("galaxy_file: %w", err)
	}
	c := command{dir: p.Dir, env: p.Env, stdout: stdout, stderr: stderr}
	for _, args := range g.Commands(string(data), inDir(p.Dir, g.File)) {
		if err := c.run(ctx, g.command(), args...); err != nil {
			return err
		}
	}
	return nil
}

// Commands are the arguments of ansible-galaxy, once for roles and once for
// collections, for requirements that are in a file.
func (g Galaxy) Commands(requirements, file string) (all [][]string) {
	roles, collections := asks(requirements, "roles"), asks(requirements, "collections")
	if roles || !collections { // a list alone is one of roles
		all = append(all, g.arguments([]string{"install", "-r", file}, "--roles-path", g.RolesPath))
	}
	if collections {
		all = append(all, g.arguments([]string{"collection", "install", "-r", file}, "--collections-path", g.CollectionsPath))
	}
	return all
}

func (g Galaxy) arguments(args []string, option, path string) []string {
	if path != "" {
		args = append(args, option, path)
	}
	if g.Force {
		args = append(args, "--force")
	}
	if g.ForceWithDeps {
		args = append(args, "--force-with-deps")
	}
	return args
}

// asks says whether requirements have a key at their top.
func asks(requirements, key string) bool {
	for line := range strings.Lines(requirements) {
		if rest, ok := strings.CutPrefix(line, key); ok && strings.HasPrefix(strings.TrimSpace(rest), ":") {
			return true
		}
	}
	return false
}
