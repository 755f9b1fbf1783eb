//go:build linux

package provision_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// TestRunLeavesDaemon has a script that leaves a process behind which holds its output.
func TestRunLeavesDaemon(t *testing.T) {
	t.Parallel()
	_, h := machine(t, provisiontest.Options{})
	begun := time.Now()
	got := run(t, h, script("sleep 60 &", "echo started"))
	if diff := cmp.Diff(said{Out: "started\n"}, got); diff != "" {
		t.Errorf("the script (-want +got):\n%s", diff)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("Run waited %v for a daemon", took)
	}
	if output(t, h, "pgrep -c sleep") == "0\n" {
		t.Error("the daemon was ended")
	}
}

// TestRunCanceled has scripts that do not want to end, one of them as root in a session of its own.
func TestRunCanceled(t *testing.T) {
	t.Parallel()
	s, h := machineWithSudo(t, transport{})
	for name, body := range map[string]string{
		"plain":           "echo up; sleep 61",
		"ignores signals": "trap '' TERM HUP INT; echo up; while :; do sleep 61; done",
		"with children":   "(sleep 61 & sleep 61) & echo up; wait",
		"as root":         "sudo -n setsid sh -c 'sleep 61; true' & echo up; wait",
	} {
		t.Run(name, func(t *testing.T) {
			cause := errors.New("the user pressed Ctrl-C")
			ctx, cancel := context.WithCancelCause(context.Background())
			up := writerFunc(func(p []byte) (int, error) {
				time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
				return len(p), nil
			})
			if err := h.Run(ctx, script(body), up, nil); !errors.Is(err, cause) {
				t.Errorf("Run = %v, want %v", err, cause)
			}
			if got, err := h.Output(context.Background(), "pgrep -x -a sleep"); err == nil {
				t.Errorf("still running: %s", got)
			}
			noneLeft(t, s)
		})
	}
}

func TestRunStartTimeout(t *testing.T) {
	t.Parallel()
	_, h := machine(t, provisiontest.Options{})
	s := script("true")
	s.StartTimeout = time.Nanosecond
	if err := h.Run(context.Background(), s, nil, nil); err == nil || !strings.Contains(err.Error(), "inline: it was not started within 1ns") {
		t.Errorf("Run = %v, want a timeout", err)
	}
	s = script("sleep 0.7")
	s.StartTimeout = 500 * time.Millisecond
	if err := h.Run(context.Background(), s, nil, nil); err != nil {
		t.Errorf("Run = %v: the timeout is for the start only", err)
	}
}

// TestRunDisconnected has the machine lose its power in the middle of the script,
// for good.
func TestRunDisconnected(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*provision.Script)
		want   error
	}{
		"not expected":  {func(*provision.Script) {}, provision.ErrLost},
		"expected":      {func(s *provision.Script) { s.ExpectDisconnect = true }, nil},
		"Packer's code": {func(s *provision.Script) { s.ValidExitCodes = []int{0, 2300218} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			server := provisiontest.Start(t, provisiontest.Options{})
			id := server.Identity()
			id.ReconnectFor = 500 * time.Millisecond
			h := connect(t, server.Addr, id)
			s := script("echo going down", "sleep 60")
			test.change(&s)
			stop := writerFunc(func(p []byte) (int, error) { server.Stop(); return len(p), nil })
			err := h.Run(context.Background(), s, stop, nil)
			if !errors.Is(err, test.want) || err == nil != (test.want == nil) {
				t.Errorf("Run = %v, want %v", err, test.want)
			}
			for _, says := range []string{"run inline: connection lost and not back after 500ms", "(it was running; 11 bytes of its output have arrived)"} {
				if err != nil && !strings.Contains(err.Error(), says) {
					t.Errorf("Run = %v, want %q in it", err, says)
				}
			}
			if h.Left() == nil {
				t.Error("it leaves nothing that the next step has to see to")
			}
			for _, dir := range leftBehind(t, server) {
				os.RemoveAll(dir) // the machine had no chance to
			}
		})
	}
}
