package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/deploy"
)

func TestExitCodes(t *testing.T) {
	leak := &builder.LeakError{Resources: []string{"instance i-1"}}
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"an error", errors.New("no"), 1},
		{"a mistake in the command line", usagef("no"), 2},
		{"canceled", &buildError{"web", fmt.Errorf("launch: %w", context.Canceled)}, 130},
		{"canceled by a signal", &buildError{"web", signalError{}}, 130},
		{"left something", &buildError{"web", errors.Join(errors.New("no"), leak)}, 4},
		{"an image is still being made", &buildError{"web", errors.Join(&builder.PendingError{}, leak)}, 4},
		{"an unhealthy release", errors.Join(&deploy.UnhealthyError{}, errors.New("no")), 3},
		{"an unhealthy release that left something", errors.Join(&deploy.UnhealthyError{}, leak), 4},
		{"what ssh says", &statusError{7}, 7},
		{"canceled and left something", errors.Join(context.Canceled, leak), 4},
	}
	for _, tt := range tests {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: exit code %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestExplain: one line a problem, each with its build, none twice, and a hint for what was left.
func TestExplain(t *testing.T) {
	var stderr strings.Builder
	s := newSession(strings.NewReader(""), nil, &stderr)
	s.secrets.Hide("hunter2")
	s.local = true
	s.made.record("web", builder.Record{Build: "0123456789ab", Act: builder.Making, Kind: "instance", Name: "t", Region: "eu-west-1"})
	s.explain(errors.Join(
		&buildError{"web", errors.Join(
			&builder.Error{Stage: builder.StageLaunch, Resource: "i-1", Err: errors.New("hunter2 is not a password")},
			&builder.LeakError{Resources: []string{"instance i-1", "key pair imago-web"}, Err: errors.New("AWS says no")},
		)},
		&buildError{"db", &usageError{errors.Join(errors.New("one"), errors.New("two"), errors.New("one"))}},
		&buildError{"db", fmt.Errorf("%w and %w", errors.New("this"), errors.New("that"))},
	))
	want := `imago: web: launch i-1: <sensitive> is not a password
imago: web: left behind: instance i-1, key pair imago-web (AWS says no)
imago: db: one
imago: db: two
imago: db: this and that
imago: hint: imago gc --local --build 0123456789ab
`
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestResumeHint: the command that goes on with a pending image is the user's own, as a shell takes it.
func TestResumeHint(t *testing.T) {
	pending := &buildError{"web", errors.Join(&builder.PendingError{Image: "ami-1", Region: "us-east-1"}, &builder.LeakError{Resources: []string{"image ami-1"}})}
	for _, tt := range []struct {
		args, want string
		err        error
	}{
		{"imago build -var|a=it's hunter2|--resume|web.json", "imago: hint: to go on with it: imago build --resume -var 'a=it'\\''s <sensitive>' web.json\n", pending},
		{"imago build web.json", "", &buildError{"web", errors.New("no")}},
	} {
		var stderr strings.Builder
		s := newSession(strings.NewReader(""), nil, &stderr)
		s.secrets.Hide("hunter2")
		s.args = append([]string{"imago", "build"}, strings.Split(strings.TrimPrefix(tt.args, "imago build "), "|")...)
		s.resumeHint(tt.err)
		if stderr.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.args, stderr.String(), tt.want)
		}
	}
}

// TestExplainSensitive: lines of an error do not come apart in the middle of a
// secret, and what a scan found is one line each, with what to do.
func TestExplainSensitive(t *testing.T) {
	var stderr strings.Builder
	s := newSession(strings.NewReader(""), nil, &stderr)
	s.secrets.Hide("one\ntwo\nthree")
	s.explain(&buildError{"web", errors.Join(
		errors.New("the script says one\ntwo\nthree"),
		&builder.Error{Stage: builder.StageStep, Err: &builder.ScanError{Findings: []builder.Finding{
			{Path: "/root/.zsh_history", Kind: builder.FoundHistory}, {Path: "/srv/.env", Kind: builder.FoundSensitive},
		}}},
	)})
	want := `imago: web: the script says <sensitive>
imago: <sensitive>
imago: <sensitive>
imago: web: provision: /root/.zsh_history: a history of what was typed, passwords perhaps; delete it
imago: web: provision: /srv/.env: the value of a sensitive variable; let the machine get it when it boots
imago: hint: delete them at the template's end; or take some along with --scan-allow PATH, all with --scan=warn (see imago help secrets)
`
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestDiscreetEnviron: a server that stays has no secrets in its environment.
func TestDiscreetEnviron(t *testing.T) {
	t.Setenv("TOKEN", "hunter2")
	t.Setenv("LIKE_IT", "/home/hunter2/bin")
	s := newSession(strings.NewReader(""), nil, nil)
	s.secrets.Hide("hunter2")
	if env := s.discreetEnviron(); slices.Contains(env, "TOKEN=hunter2") || !slices.Contains(env, "LIKE_IT=/home/hunter2/bin") {
		t.Errorf("the server has %q", env)
	}
}

// TestProblemsOfAStage: each of several problems of a stage says which stage it is.
func TestProblemsOfAStage(t *testing.T) {
	err := &buildError{"web", &builder.Error{Stage: builder.StagePlan, Err: errors.Join(errors.New("one"), errors.New("two"))}}
	if diff := cmp.Diff([]string{"web: plan: one", "web: plan: two"}, problems(err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestPlainly: a canceled build says why, and what it left; another says everything.
func TestPlainly(t *testing.T) {
	leak := &builder.LeakError{Resources: []string{"instance i-1"}}
	noise := fmt.Errorf("operation error EC2: %w", context.Canceled)
	ctx, cancel := context.WithCancelCause(t.Context())
	if got := plainly(ctx, noise); got != noise {
		t.Errorf("not canceled: %v", got)
	}
	cancel(signalError{syscall.SIGTERM})
	for _, tt := range []struct {
		err  error
		want []string
	}{
		{noise, []string{"canceled by signal (terminated)"}},
		{errors.Join(noise, leak), []string{"canceled by signal (terminated)", "left behind: instance i-1"}},
		{errors.New("it broke just before"), []string{"it broke just before"}},
		{nil, nil},
	} {
		if diff := cmp.Diff(tt.want, problems(plainly(ctx, tt.err))); diff != "" {
			t.Errorf("%v (-want +got)\n%s", tt.err, diff)
		}
	}
}
