package provision

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

//go:embed receive.sh
var receiveScript string

// What receive.sh ends with.
const (
	exitNoTar   = 90
	exitRefused = 91 // the destination cannot be; nothing was made
	exitNoGzip  = 93
	exitNoStage = 94
)

// staging is where a tree is put together on the machine, and what it becomes.
type staging struct{ dir, target string }

// receive runs a phase of receive.sh, as root when the tree asks for it. What it
// prints goes to stdout.
func (u *upload) receive(ctx context.Context, phase string, feed func(context.Context, io.Writer) error, stdout io.Writer) error {
	return u.receiveAt(ctx, u.staging, phase, feed, stdout)
}

func (u *upload) receiveAt(ctx context.Context, where staging, phase string, feed func(context.Context, io.Writer) error, stdout io.Writer, more ...string) error {
	words := []string{"sh", "-c", receiveScript, "imago-receive", phase, string(u.survey.shape), u.survey.name, remotePath(u.tree.Dest), u.id}
	if where.dir != "" {
		words = append(append(words, where.target, where.dir), more...)
	}
	if u.tree.Sudo {
		words = asRoot(words)
	}
	stderr := &tail{}
	status, err := u.host.exec(ctx, command(words...), streams{feed: feed, stdout: stdout, stderr: stderr})
	if err != nil {
		return err
	}
	if status.code != 0 {
		return &receiveError{code: status.code, text: stderr.String(), sudo: u.tree.Sudo}
	}
	return nil
}

// remotePath makes a path in the home directory relative: that is where every
// session starts, also one that becomes root.
func remotePath(p string) string {
	if p == "~" {
		return "."
	}
	return strings.TrimPrefix(p, "~/")
}

// asRoot runs words through sudo, unless the user is root already: an image may have no sudo.
func asRoot(words []string) []string {
	const become = `if [ "$(id -u)" -eq 0 ]; then exec "$@"; fi; exec sudo -n -- "$@"`
	return append([]string{"sh", "-c", become, "imago-root"}, words...)
}

// announcement reads where receive.sh puts the tree together. There may be
// chatter of the login shell before it.
type announcement struct {
	made chan struct{} // closed once it is there

	text  []byte
	place staging
}

func newAnnouncement() *announcement { return &announcement{made: make(chan struct{})} }

// Write implements io.Writer.
func (a *announcement) Write(p []byte) (int, error) {
	a.text = append(a.text, p...)
	if a.place.dir != "" {
		return len(p), nil
	}
	_, rest, ok := bytes.Cut(a.text, []byte("imago-stage:"))
	dir, rest, ok2 := bytes.Cut(rest, []byte(":imago-target:"))
	target, rest, ok3 := bytes.Cut(rest, []byte(":imago-end\n"))
	if ok && ok2 && ok3 {
		a.place, a.text = staging{string(dir), string(target)}, rest
		close(a.made)
	}
	return len(p), nil
}

// where is the announced place, or nowhere yet.
func (a *announcement) where() staging {
	select {
	case <-a.made:
		return a.place
	default:
		return staging{}
	}
}

// await returns the place once it is announced.
func (a *announcement) await(ctx context.Context) (staging, error) {
	select {
	case <-a.made:
		return a.place, nil
	case <-ctx.Done():
		return staging{}, context.Cause(ctx)
	}
}

// at sets how far each stripe has come, which is said behind the announcement.
func (a *announcement) at(stripes []int) error {
	clear(stripes)
	for line := range strings.Lines(string(a.text)) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "imago-at:")
		if !ok {
			continue
		}
		number, entries, _ := strings.Cut(text, ":")
		n, err := strconv.Atoi(number)
		at, err2 := strconv.Atoi(entries)
		if errors.Join(err, err2) != nil || n < 0 || n >= len(stripes) {
			return fmt.Errorf("the machine says %q of an upload of %d stripes", text, len(stripes))
		}
		stripes[n] = at
	}
	return nil
}

// receiveError is what went wrong on the machine.
type receiveError struct {
	code int
	text string // its stderr
	sudo bool
}

// Error gives the machine's own words, and what helps against the usual one.
func (e *receiveError) Error() string {
	text := strings.TrimSpace(e.text)
	if text == "" {
		text = fmt.Sprintf("the machine's shell exited with status %d", e.code)
	}
	if !e.sudo && strings.Contains(text, "ermission denied") {
		text += " (upload to a directory that the user may write, or as root: sudo)"
	}
	return text
}
