//go:build unix

package main

import (
	"context"
	"errors"
	"io"
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
// taken back, and how to look for it and take it away.
func TestAbandon(t *testing.T) {
	var stderr strings.Builder
	s := newSession(strings.NewReader(""), nil, &stderr)
	observe := func(build string, events ...builder.Event) {
		for _, e := range events {
			s.made.observe(build, "us-east-1", e)
		}
	}
	observe("db", builder.Created{Kind: "instance", ID: "i-0"}, builder.StageDone{Stage: builder.StageCleanup})
	observe("web",
		builder.Created{Kind: "key pair", ID: "imago-web"}, builder.Created{Kind: "security group", ID: "sg-1"},
		builder.Created{Kind: "instance", ID: "i-1"}, builder.Created{Kind: "image", ID: "ami-1"}, builder.Created{Kind: "image", ID: "ami-2"},
		builder.ImageReady{Region: "us-east-1", ID: "ami-1"}, builder.StageDone{Stage: builder.StageCleanup, Err: errors.New("no")})
	if code := s.abandon(); code != exitLeak {
		t.Errorf("exit code %d, want %d", code, exitLeak)
	}
	want := `imago: ended by a second signal; the clean-up is not complete
imago: left behind: image ami-2 in us-east-1 (web)
imago: left behind: instance i-1 in us-east-1 (web)
imago: left behind: security group sg-1 in us-east-1 (web)
imago: left behind: key pair imago-web in us-east-1 (web)
imago: hint: aws ec2 --region us-east-1 deregister-image --image-id ami-2
imago: hint: aws ec2 --region us-east-1 terminate-instances --instance-ids i-1
imago: hint: aws ec2 --region us-east-1 delete-security-group --group-id sg-1
imago: hint: aws ec2 --region us-east-1 delete-key-pair --key-name imago-web
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
