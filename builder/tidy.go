package builder

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
)

//go:embed tidy.sh
var tidyScript string

// tidy takes off the machine what belongs to it alone: our key, the host keys,
// cloud-init's state, the machine's id, shell histories.
func (b *Builder) tidy(ctx context.Context, p Plan, c *connection) error {
	if p.Config.Instance.DisableStop {
		return nil // the template stops the machine itself, and has done so
	}
	if err := c.revive(ctx); err != nil {
		return err
	}
	keys := "ours"
	if p.Config.SSH.ClearAuthorizedKeys {
		keys = "all"
	}
	defer b.span(SpanSSH, "tidy up the machine")()
	said, err := c.Output(ctx, asRoot(tidyScript, p.Config.SSH.User, keyBlob(c.inst.temporaryKey), keys))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("take our keys off the machine: %w; the user %s needs sudo without a password for that", err, p.Config.SSH.User)
	case strings.Contains(said, "host-keys-stay"):
		b.warn("the image has no cloud-init, so its SSH host keys stay in it: every machine made from it has the same")
	}
	return nil
}

// asRoot is a command that runs a script with arguments as root.
func asRoot(script string, args ...string) string {
	quoted := ""
	for _, a := range append([]string{script, "tidy"}, args...) {
		quoted += " '" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	return `if [ "$(id -u)" = 0 ]; then sh -c` + quoted + `; else sudo -n sh -c` + quoted + `; fi`
}

// keyBlob is the part of a public key that identifies it.
func keyBlob(public string) string {
	fields := strings.Fields(public)
	if len(fields) < 2 {
		return ""
	}
	return fields[1]
}
