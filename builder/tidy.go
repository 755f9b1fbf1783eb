package builder

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed tidy.sh
var tidyScript string

// leave makes the machine ready to be captured, in one round trip: it looks for
// what should not be in an image and, if there is nothing, takes off the machine
// what belongs to it alone: our key, the host keys, cloud-init's state, the
// machine's id, shell histories.
func (b *Builder) leave(ctx context.Context, p Plan, c *connection) error {
	if p.Config.Instance.DisableStop { // the template stops the machine itself, and has done so
		if scanMode(p.Config.Scan) != ScanOff {
			b.warn("the machine is not scanned for keys and credentials, since the template stops it (disable_stop_instance)")
		}
		return nil
	}
	if err := c.revive(ctx); err != nil {
		return err
	}
	defer b.span(SpanSSH, "tidy up the machine")()
	said, err := c.OutputOf(ctx, leaveCommand, []byte(leaveScript(p, c)))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r := readReport(said)
	if stop := b.judge(p.Config.Scan, r); stop != nil {
		return errors.Join(stop, r.blindness(p.Config.SSH.User))
	}
	switch {
	case r.asUser:
		return fmt.Errorf("take our keys off the machine: %w; the user %s needs sudo without a password for that", err, p.Config.SSH.User)
	case err == nil && !r.tidied:
		err = errors.New("the script ended early")
		fallthrough
	case err != nil:
		return fmt.Errorf("tidy up the machine: %w", err)
	}
	if r.hostKeysStay {
		b.warn("the image has no cloud-init, so its SSH host keys stay in it: every machine made from it has the same")
	}
	return nil
}

// leaveCommand runs a script from its stdin as root or, when we cannot become
// root, as we are; sudo leaves the script alone then. Nothing of it is in a command line.
// The first sudo of a user may leave a mark in the home directory: the script is told when that would be ours.
const leaveCommand = `if [ "$(id -u)" = 0 ]; then exec sh -s; fi; [ -e ~/.sudo_as_admin_successful ] || set -- marked; ` +
	`sudo -n sh -s "$@" || { status=$?; sh -s; exit $status; }`

// leaveScript is the whole script. It is one function that runs when all of it
// is there: a half of it would do harm.
func leaveScript(p Plan, c *connection) string {
	keys := "ours"
	if p.Config.SSH.ClearAuthorizedKeys {
		keys = "all"
	}
	var s strings.Builder
	set := func(name string, lines ...string) {
		fmt.Fprintf(&s, "%s='%s'\n", name, strings.ReplaceAll(strings.Join(lines, "\n"), "'", `'\''`))
	}
	set("user", p.Config.SSH.User)
	set("key", keyBlob(c.inst.temporaryKey))
	set("keys", keys)
	setScan(set, p, c)
	s.WriteString("scan() (\n" + scanScript + ")\n")
	s.WriteString("tidy() (\n" + tidyScript + ")\n")
	s.WriteString(leaveMain)
	return s.String()
}

// leaveMain is the order of things.
const leaveMain = `
main() {
	rm -rf /tmp/imago-*/env /tmp/imago-*/command /tmp/imago-*/all /tmp/imago-*/state # of a script that a reboot has ended
	found=
	if [ "$mode" != off ]; then
		found=$(scan) || exit
		printf '%s\n' "$found"
	fi
	[ "$(id -u)" = 0 ] || { echo as-user; exit 1; }
	[ "${1-}" != marked ] || rm -f "$(getent passwd "$user" | cut -d: -f6)/.sudo_as_admin_successful"
	if [ "$mode" != stop ] || [ -z "$found" ]; then
		tidy "$user" "$key" "$keys" && echo tidied
	fi
	exit
}
main "$@" < /dev/null
`

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
