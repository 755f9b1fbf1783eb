package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

const openHelp = `Prints where users find an environment, and opens it in a browser if there is one and
stdout is a terminal. ENV may be left out where it is clear.

Examples:
  imago open staging
  curl "$(imago open staging)"`

func openCommand(s *session) *cli.Command {
	return readCommand(s, "open", "print an environment's address, and open it in a browser", openHelp, (*stage).browse)
}

func (g *stage) browse(ctx context.Context) error {
	st, err := g.deploy.Status(ctx, g.env)
	if err != nil {
		return err
	}
	if st.Address == "" {
		return fmt.Errorf("%s has no load balancer yet: %s", g.env.Name, g.command("setup"))
	}
	url := g.url(st.Address)
	if g.options.json {
		return g.writeLine(map[string]string{"url": url})
	}
	if _, err := fmt.Fprintln(g.stdout, url); err != nil {
		return err
	}
	if f, ok := g.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return startBrowser(ctx, url)
	}
	return nil
}

// startBrowser opens a page where there is something to open it with.
func startBrowser(ctx context.Context, url string) error {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	} else if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return nil
	}
	path, err := exec.LookPath(opener)
	if err != nil {
		return nil // the address is printed
	}
	return exec.CommandContext(ctx, path, url).Run()
}
