package provision

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
)

//go:embed receive.sh
var receiveScript string

// exitNoTar is receive.sh's status on a machine without tar.
const exitNoTar = 90

// Upload sends a tree. Everything is put together in a private directory beside
// the destination and appears by rename, so that no file is ever seen half
// written; when the destination is new, the tree appears all at once. Missing
// parents of Dest are made. Directories that exist keep their modes, and what
// else they hold. on is called from one goroutine at a time, some times a second
// and at the end, and may be nil.
//
// The tree travels as one tar stream, or by SFTP to a machine without tar.
func (h *Host) Upload(ctx context.Context, t Tree, on func(Progress)) error {
	s, err := t.look(ctx)
	if err != nil {
		return err
	}
	progress := newMeter(on, s.bytes, s.files)
	if !h.noTar.Load() {
		err = h.uploadTar(ctx, t, s, progress)
		if exit := (*receiveError)(nil); errors.As(err, &exit) && exit.code == exitNoTar {
			h.noTar.Store(true)
			progress = progress.again()
		}
	}
	defer progress.stop()
	if h.noTar.Load() {
		err = h.uploadSFTP(ctx, t, s, progress)
	}
	if err != nil {
		return fmt.Errorf("upload %s to %s: %w", t.label(), t.Dest, err)
	}
	progress.finish()
	return nil
}

func (h *Host) uploadTar(ctx context.Context, t Tree, s *survey, progress *meter) error {
	_, err := h.receive(ctx, t, s, "all", func(ctx context.Context, w io.Writer) error {
		return t.writeTar(ctx, w, s, progress)
	})
	return err
}

// receive runs a phase of receive.sh, as root when the tree asks for it.
func (h *Host) receive(ctx context.Context, t Tree, s *survey, phase string, feed func(context.Context, io.Writer) error, more ...string) (string, error) {
	words := append([]string{"sh", "-c", receiveScript, "imago-receive", phase, string(s.shape), s.name, remotePath(t.Dest)}, more...)
	if t.Sudo {
		words = asRoot(words)
	}
	var stdout strings.Builder
	stderr := &tail{}
	status, err := h.exec(ctx, command(words...), streams{feed: feed, stdout: &stdout, stderr: stderr})
	if err != nil {
		return "", err
	}
	if status.code != 0 {
		return "", &receiveError{code: status.code, text: stderr.String(), sudo: t.Sudo}
	}
	return stdout.String(), nil
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
