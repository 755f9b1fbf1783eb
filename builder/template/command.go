package template

import (
	"context"
	"io"
)

// Command runs a command line here with /bin/sh -e, in a directory and with more in its environment, in a process group of
// its own that ends when ctx does. The name is for messages.
func Command(ctx context.Context, name, line, dir string, env []string, stdout, stderr io.Writer) error {
	shell := localShell{name: name, inline: "#!" + defaultShebang + "\n" + line + "\n", dir: dir}
	return shell.run(ctx, env, stdout, stderr)
}
