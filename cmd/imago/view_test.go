package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/redact"
)

// clock is a time that only moves when it is told to.
type clock struct{ t time.Time }

func newClock() *clock                { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }
func (c *clock) now() time.Time       { return c.t }
func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }

// newTestView is a view of builds web and db on a display.
func newTestView(c *clock, out display) *view {
	secrets := &redact.Redactor{}
	secrets.Hide("hunter2")
	return &view{out: out, now: c.now, clean: secrets.Clean, order: []string{"web", "db"}}
}

// bakeWeb plays a build with an upload and a script, some seconds each.
func bakeWeb(v *view, c *clock) {
	v.begin("web")
	stage := func(s builder.Stage, d time.Duration, within ...builder.Event) {
		v.event("web", builder.StageStarted{Stage: s})
		for _, e := range within {
			v.event("web", e)
		}
		start := c.now()
		c.pass(d)
		v.event("web", builder.Span{Kind: builder.SpanStage, Name: string(s), Start: start, Took: d})
	}
	stage(builder.StagePlan, 500*time.Millisecond)
	stage(builder.StageLaunch, 2*time.Second, builder.Created{Kind: "instance", ID: "i-1"})
	v.event("web", builder.StageStarted{Stage: builder.StageStep})
	v.event("web", builder.StepStarted{Index: 0, Count: 2, Title: "upload app to /srv"})
	v.event("web", builder.Uploaded{Done: 500_000, Total: 2_000_000, Files: 1, TotalFiles: 3})
	c.pass(2 * time.Second)
	v.event("web", builder.Uploaded{Done: 2_000_000, Total: 2_000_000, Files: 3, TotalFiles: 3})
	v.event("web", builder.StepStarted{Index: 1, Count: 2, Title: "setup.sh"})
	v.event("web", builder.Line{Text: "token is hunter2\r"})
	v.event("web", builder.Note{Text: "the disk is nearly full", Warning: true})
	v.tick()
	c.pass(11 * time.Second)
	v.tick()
	script := builder.Span{Kind: builder.SpanScript, Start: c.now().Add(-11 * time.Second), Took: 11 * time.Second}
	v.event("web", script)
	v.event("web", builder.Span{Kind: builder.SpanStage, Name: "provision", Start: c.now().Add(-13 * time.Second), Took: 13 * time.Second})
	stage(builder.StageCapture, time.Second, builder.ImageReady{Region: "us-east-1", ID: "ami-1"})
	v.end("web", nil)
	v.close()
}

func TestPlain(t *testing.T) {
	c, out := newClock(), &strings.Builder{}
	v := newTestView(c, nil)
	v.out = &plain{w: out, format: layout{}.format, clean: v.clean, now: c.now}
	bakeWeb(v, c)
	want := `==> web: plan
==> web: launch
    web: created instance i-1
==> web: provision 1/2: upload app to /srv
    web: 3 files, 2.0 MB in 2.0s (1.0 MB/s)
==> web: provision 2/2: setup.sh
    web: token is <sensitive>
==> web: warning: the disk is nearly full
    web: ... provision 2/2: setup.sh, 11s
==> web: capture
    web: ami-1 is available in us-east-1
    web: stage      wall  AWS  SSH  script  transfer
    web: plan       0.5s    -    -       -         -
    web: launch     2.0s    -    -       -         -
    web: provision   13s    -    -     11s         -
    web: capture    1.0s    -    -       -         -
    web: all         17s    -    -     11s         -
==> web: done after 17s
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestPlainSilence: one line for each 10 s without another, for every build under way.
func TestPlainSilence(t *testing.T) {
	c, out := newClock(), &strings.Builder{}
	v := newTestView(c, nil)
	v.out = &plain{w: out, format: layout{}.format, clean: v.clean, now: c.now}
	v.begin("db")
	v.begin("web")
	v.event("db", builder.StageStarted{Stage: builder.StageLaunch})
	v.event("web", builder.StepStarted{Index: 0, Count: 1, Title: "upload"})
	v.event("web", builder.Uploaded{Done: 1_000_000, Total: 4_000_000})
	out.Reset()
	for range 100 { // 20 s
		c.pass(200 * time.Millisecond)
		v.tick()
	}
	want := `    web: ... start 1/1: upload, 10s, 1.0 MB of 4.0 MB (100.0 kB/s)
    db: ... launch, 10s
    web: ... start 1/1: upload, 20s, 1.0 MB of 4.0 MB (50.0 kB/s)
    db: ... launch, 20s
`
	want = strings.ReplaceAll(want, "start 1/1: upload", "start")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPlainStampAndColours(t *testing.T) {
	out := &strings.Builder{}
	c := newClock()
	f := layout{colours: buildColours([]string{"web", "db"}), stamp: func() string { return c.now().Format(time.RFC3339) }}
	p := &plain{w: out, format: f.format, now: c.now}
	for _, l := range []line{
		{"web", heading, "launch"}, {"db", heading, "launch"}, {"db", output, "\x1b[32mok"},
		{"db", warning, "careful"}, {"web", failure, "ended"}, {"", heading, "no build"},
	} {
		p.print(l, nil)
	}
	want := "\x1b[1;32m2026-01-02T03:04:05Z: ==> web: launch\x1b[0m\n" +
		"\x1b[1;36m2026-01-02T03:04:05Z: ==> db: launch\x1b[0m\n" +
		"2026-01-02T03:04:05Z:     db: \x1b[32mok\x1b[0m\n" +
		"\x1b[33m2026-01-02T03:04:05Z: ==> db: warning: careful\x1b[0m\n" +
		"\x1b[1;31m2026-01-02T03:04:05Z: ==> web: ended\x1b[0m\n" +
		"\x1b[1;39m2026-01-02T03:04:05Z: no build\x1b[0m\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestLive: a screen that is drawn as a terminal draws it shows the lines, and
// below them one line for each build under way.
func TestLive(t *testing.T) {
	c, out := newClock(), &strings.Builder{}
	v := newTestView(c, nil)
	v.out = &live{board: board{w: out, width: func() int { return 60 }}, format: layout{}.format, clean: v.clean, now: c.now}
	v.begin("db")
	v.begin("web")
	v.event("web", builder.StageStarted{Stage: builder.StageStep})
	v.event("web", builder.StepStarted{Index: 0, Count: 2, Title: "upload"})
	c.pass(65 * time.Second)
	v.event("web", builder.Uploaded{Done: 1_000_000, Total: 4_000_000})
	v.event("web", builder.Line{Text: "hunter2"})
	v.tick()
	want := []string{
		"==> web: provision 1/2: upload",
		"    web: <sensitive>",
		" 01:05 web: [======                  ] provision 1/2: uploa…",
		" 01:05 db: start, 1m5s ",
		"",
	}
	if diff := cmp.Diff(want, screen(t, out.String())); diff != "" {
		t.Errorf("while it runs (-want +got)\n%s", diff)
	}

	v.aside(func() { out.WriteString("imago: canceling\n") })
	want = append(append(want[:2:2], "imago: canceling"), want[2:]...)
	if diff := cmp.Diff(want, screen(t, out.String())); diff != "" {
		t.Errorf("with a line of somebody else (-want +got)\n%s", diff)
	}

	resume := v.pause() // a question is on the screen
	if diff := cmp.Diff(append(want[:3:3], ""), screen(t, out.String())); diff != "" {
		t.Errorf("paused (-want +got)\n%s", diff)
	}
	resume()
	v.end("web", errors.New("it broke"))
	v.end("db", nil)
	v.close()
	want = append(want[:3:3], "==> web: ended after 1m5s", "==> db: done after 1m5s", "")
	if diff := cmp.Diff(want, screen(t, out.String())); diff != "" {
		t.Errorf("at the end (-want +got)\n%s", diff)
	}
}

// screen is what a terminal shows for text that uses the few control sequences of live.
func screen(t *testing.T, text string) []string {
	t.Helper()
	rows := []string{""}
	text = strings.NewReplacer("\x1b[7m", "", "\x1b[0m", "").Replace(text)
	for text != "" {
		up := 0
		switch rest, found := strings.CutPrefix(text, "\x1b["); {
		case found && rest[1] == 'A':
			up, text = int(rest[0]-'0'), rest[2:]
			rows = rows[:len(rows)-up]
			rows[len(rows)-1] = strings.TrimSuffix(rows[len(rows)-1], "\n")
			rows[len(rows)-1] = ""
			text = strings.TrimPrefix(text, "\r\x1b[J")
		case found:
			t.Fatalf("unknown control sequence in %q", text)
		case text[0] == '\n':
			rows, text = append(rows, ""), text[1:]
		default:
			i := strings.IndexAny(text, "\n\x1b")
			if i < 0 {
				i = len(text)
			}
			rows[len(rows)-1] += text[:i]
			text = text[i:]
		}
	}
	return rows
}
