package provision

import (
	"context"
	"fmt"
	"strings"
)

// Output runs a short command through the machine's sh, with an empty stdin, and
// returns what it wrote to stdout. A command that does not end with 0 is an
// *ExitError. The command line is visible on the machine: no secrets.
func (h *Host) Output(ctx context.Context, line string) (string, error) {
	var stdout strings.Builder
	stderr := &tail{}
	status, err := h.exec(ctx, command("sh", "-c", line), streams{stdout: &stdout, stderr: stderr})
	if err != nil {
		return "", fmt.Errorf("run %q: %w", line, err)
	}
	if status.code != 0 {
		e := &ExitError{Script: line, Code: status.code, Signal: status.signal, Tail: stderr.String()}
		if e.Tail == "" {
			return stdout.String(), e
		}
		return stdout.String(), fmt.Errorf("%w: %s", e, e.Tail)
	}
	return stdout.String(), nil
}
