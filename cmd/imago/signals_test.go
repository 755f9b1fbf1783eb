//go:build unix

package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
)

func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			// imago leaves a signal ignored that it finds so, as under nohup; the tests may run there.
			heeded := make(chan os.Signal, 1)
			signal.Notify(heeded, sig)
			signal.Stop(heeded)
			var stderr strings.Builder
			s := newSession(strings.NewReader(""), nil, &stderr)
			ctx, abandoned, stop := s.watchSignals(t.Context(), 0)
			defer stop()

			syscall.Kill(syscall.Getpid(), sig)
			await(t, ctx.Done())
			if code := exitCode(context.Cause(ctx)); code != exitCanceled {
				t.Errorf("after the first signal the exit code is %d, want %d", code, exitCanceled)
			}
			select {
			case <-abandoned:
				t.Fatal("the first signal ends imago at once")
			default:
			}
			syscall.Kill(syscall.Getpid(), sig)
			await(t, abandoned)
			want := "imago: canceling and cleaning up; a second signal ends imago at once and leaves resources behind\n"
			if stderr.String() != want {
				t.Errorf("stderr = %q, want %q", &stderr, want)
			}
		})
	}
}

// TestSameSignal: a signal that comes twice at once, as from timeout(1), is one.
func TestSameSignal(t *testing.T) {
	s := newSession(strings.NewReader(""), nil, io.Discard)
	ctx, abandoned, stop := s.watchSignals(t.Context(), time.Hour)
	defer stop()
	syscall.Kill(syscall.Getpid(), syscall.SIGINT)
	await(t, ctx.Done())
	syscall.Kill(syscall.Getpid(), syscall.SIGINT)
	select {
	case <-abandoned:
		t.Error("the same signal once more ends imago at once")
	case <-time.After(100 * time.Millisecond):
	}
}

func await(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing happens for 10 s")
	}
}

// TestAbandon: after a second signal, imago names what it has made and not yet
// taken back, what it may have made, and the command that takes it away.
func TestAbandon(t *testing.T) {
	var stderr strings.Builder
	s := newSession(strings.NewReader(""), nil, &stderr)
	record := func(build, run string, acts ...string) {
		for _, a := range acts {
			f := strings.Split(a, "|")
			s.made.record(build, builder.Record{Build: run, Act: builder.Act(f[0]), Kind: f[1], Name: f[2], ID: f[3], Region: f[4]})
		}
	}
	record("db", "000000000001", "making|instance|t||us-east-1", "made|instance|t|i-0|us-east-1", "ended||||")
	record("web", "000000000002",
		"making|key pair|imago-web||us-east-1", "made|key pair|imago-web|imago-web|us-east-1",
		"making|security group|imago-web||us-east-1", "made|security group|imago-web|sg-1|us-east-1", "gone|security group|imago-web|sg-1|us-east-1",
		"making|instance|t||us-east-1", "made|instance|t|i-1|us-east-1",
		"making|image|web||us-east-1", "made|image|web|ami-1|us-east-1", "kept|image|web|ami-1|us-east-1",
		"making|image|web||eu-west-1", "made|image|web|ami-2|eu-west-1", "making|image|web||us-west-2")
	record("app", "000000000003", "making|instance|t||us-east-1")
	if code := s.abandon(); code != exitLeak {
		t.Errorf("exit code %d, want %d", code, exitLeak)
	}
	want := `imago: ended by a second signal; the clean-up is not complete
imago: left behind: instance t in us-east-1 (app), perhaps
imago: left behind: image web in us-west-2 (web), perhaps
imago: left behind: image ami-2 in eu-west-1 (web)
imago: left behind: instance i-1 in us-east-1 (web)
imago: left behind: key pair imago-web in us-east-1 (web)
imago: hint: imago gc --build 000000000002,000000000003
`
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := s.made.instance("web"); got != "i-1" {
		t.Errorf("the machine of web is %q, want i-1", got)
	}
}

func TestAbandonNothing(t *testing.T) {
	var stderr strings.Builder
	s := newSession(strings.NewReader(""), nil, &stderr)
	if code := s.abandon(); code != exitCanceled {
		t.Errorf("exit code %d, want %d", code, exitCanceled)
	}
	if want := "imago: ended by a second signal; nothing was left behind\n"; stderr.String() != want {
		t.Errorf("stderr = %q, want %q", &stderr, want)
	}
}
