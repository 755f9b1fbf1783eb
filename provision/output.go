package provision

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// Output runs a short command through the machine's sh, with an empty stdin, and
// returns what it wrote to stdout. It sees the machine as the scripts before it
// have left it: nothing of theirs is there any more. A command that does not end with 0 is an
// *ExitError. The command line is visible on the machine: no secrets.
func (h *Host) Output(ctx context.Context, line string) (string, error) {
	return h.output(ctx, line, nil)
}

// OutputOf is Output with a stdin, which nobody else on the machine sees.
func (h *Host) OutputOf(ctx context.Context, line string, stdin []byte) (string, error) {
	return h.output(ctx, line, func(_ context.Context, w io.Writer) error {
		_, err := w.Write(stdin)
		return err
	})
}

func (h *Host) output(ctx context.Context, line string, feed func(context.Context, io.Writer) error) (string, error) {
	const script = `printf 'imago-output:'; exec sh -c "$1"`
	h.settled(ctx)
	var all strings.Builder
	stderr := &tail{}
	status, err := h.exec(ctx, command("sh", "-c", script, "imago-output", line), streams{feed: feed, stdout: &all, stderr: stderr})
	if err != nil {
		return "", fmt.Errorf("run %q: %w", line, err)
	}
	// The login shell's start-up files may have written something before it.
	_, stdout, _ := strings.Cut(all.String(), "imago-output:")
	if status.code != 0 {
		e := &ExitError{Script: line, Code: status.code, Signal: status.signal, Tail: stderr.String()}
		if e.Tail == "" {
			return stdout, e
		}
		return stdout, fmt.Errorf("%w: %s", e, e.Tail)
	}
	return stdout, nil
}
