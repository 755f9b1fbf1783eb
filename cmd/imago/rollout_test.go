package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/deploy"
)

// rolled shows events at a second each, and returns what stdout and stderr have.
func rolled(t *testing.T, set func(*rollout), events ...deploy.Event) (stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	s := newSession(strings.NewReader(""), &out, &err)
	s.secrets.Hide("hunter2")
	now := time.Unix(1762000000, 0)
	r := &rollout{s: s, name: "staging", format: layout{}.format, now: func() time.Time { return now }, began: now, said: now}
	set(r)
	for _, e := range events {
		now = now.Add(time.Second)
		e.At = now.UTC()
		r.event(e)
	}
	now = now.Add(silence)
	r.tick()
	r.close()
	s.stderr.Flush()
	return out.String(), err.String()
}

func someEvents() []deploy.Event {
	one := deploy.Serving{Release: deploy.Release{Number: 1, Image: "ami-1"}, Weight: 1, Desired: 2, InService: 2, Healthy: 2}
	two := deploy.Serving{Release: deploy.Release{Number: 2, Image: "ami-2"}, Desired: 2, InService: 1}
	return []deploy.Event{
		{Step: "launch", Text: "made hunter2", Change: true},
		{Step: "prove", Text: "1 of 2 in service", Table: []deploy.Serving{one, two}},
		{Step: "prove", Text: "1 of 2 in service", Probes: 3, Failed: 1},
	}
}

func TestRolloutPlain(t *testing.T) {
	stdout, stderr := rolled(t, func(*rollout) {}, someEvents()...)
	want := `==> staging: launch
    staging: made <sensitive>
==> staging: prove
    staging: 1 of 2 in service
    staging: ... prove, 13s, 1 of 2 in service, 3 probes, 1 failed
`
	if diff := cmp.Diff(want, stderr); diff != "" || stdout != "" {
		t.Errorf("stdout %q, stderr %s", stdout, diff)
	}
}

func TestRolloutJSON(t *testing.T) {
	stdout, _ := rolled(t, func(r *rollout) { r.json = true }, someEvents()[0], someEvents()[2])
	want := `{"type":"event","at":"2025-11-01T12:26:41Z","step":"launch","text":"made <sensitive>","change":true}
{"type":"event","at":"2025-11-01T12:26:42Z","step":"prove","text":"1 of 2 in service","probes":3,"failed":1}
`
	if diff := cmp.Diff(want, stdout); diff != "" {
		t.Error(diff)
	}
}

func TestRolloutTable(t *testing.T) {
	_, stderr := rolled(t, func(r *rollout) {
		r.board = &board{w: r.s.stderr, width: func() int { return 100 }}
	}, someEvents()...)
	frames := strings.Split(stderr, "\x1b[J")
	want := "\x1b[7m 00:13 staging: prove, 13s, 1 of 2 in service, 3 probes, 1 failed \x1b[0m\n" +
		"\x1b[7m   release   image                  desired in service healthy traffic \x1b[0m\n" +
		"\x1b[7m   2         ami-2                        2          1       0       - \x1b[0m\n" +
		"\x1b[7m   1         ami-1                        2          2       2    100% \x1b[0m\n" +
		"\x1b[4A\r"
	if diff := cmp.Diff(want, frames[len(frames)-2]); diff != "" {
		t.Error(diff)
	}
	if last := frames[len(frames)-1]; last != "" {
		t.Errorf("the table stays: %q", last)
	}
}
