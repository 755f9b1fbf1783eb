package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/redact"
)

// someSpans are a build's: spans of one kind that overlap, and one over the edge of its stage.
func someSpans() []builder.Span {
	at := func(s float64) time.Time {
		return newClock().t.Add(time.Duration(s * float64(time.Second)))
	}
	return []builder.Span{
		{Kind: builder.SpanAWS, Name: "source", Start: at(0), Took: time.Second},
		{Kind: builder.SpanAWS, Name: "name <b>", Start: at(0.5), Took: time.Second},
		{Kind: builder.SpanStage, Name: "plan", Start: at(0), Took: 2 * time.Second},
		{Kind: builder.SpanScript, Name: "hunter2.sh", Start: at(2.5), Took: 3 * time.Second},
		{Kind: builder.SpanStep, Name: "run", Start: at(2), Took: 4 * time.Second},
		{Kind: builder.SpanStage, Name: "provision", Start: at(2), Took: 4 * time.Second},
		{Kind: builder.SpanAWS, Name: "i-1 terminated", Start: at(5), Took: 5 * time.Second},
		{Kind: builder.SpanStage, Name: "clean up", Start: at(6), Took: 4 * time.Second},
	}
}

func TestStageTable(t *testing.T) {
	want := `stage      wall   AWS  SSH  script  transfer
plan       2.0s  1.5s    -       -         -
provision  4.0s  1.0s    -    3.0s         -
clean up   4.0s  4.0s    -       -         -
all         10s  6.5s    -    3.0s         -`
	if diff := cmp.Diff(want, strings.Join(stageTable(someSpans()), "\n")); diff != "" {
		t.Error(diff)
	}
	if rows := stageTable(nil); rows != nil {
		t.Errorf("a build that did not begin has the table %q", rows)
	}
}

// TestTimelineFiles: the trace has every span once, none over another in its row, and
// the page needs nothing but itself. Neither tells a secret.
func TestTimelineFiles(t *testing.T) {
	secrets := &redact.Redactor{}
	secrets.Hide("hunter2")
	times := newTimeline([]string{"web-hunter2", "db"}, secrets.Clean)
	for _, s := range someSpans() {
		times.observe(0, s)
	}
	trace, page := filepath.Join(t.TempDir(), "t.json"), filepath.Join(t.TempDir(), "t.html")
	if err := times.write(trace, page); err != nil {
		t.Fatal(err)
	}
	var got struct{ TraceEvents []traceEvent }
	raw, err := os.ReadFile(trace)
	if err := errors.Join(err, json.Unmarshal(raw, &got)); err != nil {
		t.Fatal(err)
	}
	ends, spans := map[[2]int]int64{}, 0
	for _, e := range got.TraceEvents {
		if e.Phase != "X" {
			continue
		}
		spans++
		row := [2]int{e.Process, e.Thread}
		if e.Start < ends[row] {
			t.Errorf("%s begins at %d µs, before the one beside it ends", e.Name, e.Start)
		}
		ends[row] = e.Start + e.Took
	}
	if spans != len(someSpans()) || ends[[2]int{1, 1}] != 10_000_000 {
		t.Errorf("%d spans, the stages end at %d µs\n%s", spans, ends[[2]int{1, 1}], raw)
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`(?i)<script|<link|src=|href=|@import|url\(|https?:`).Match(html) {
		t.Error("the page needs something from elsewhere")
	}
	for _, want := range []string{"name &lt;b&gt;", "left:50.000%;width:50.000%", "clean up   4.0s"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(string(html)+string(raw), "hunter2") {
		t.Error("a file tells a secret")
	}
}

// TestAnnouncer: ids in the template's order, each as soon as those before it are known.
func TestAnnouncer(t *testing.T) {
	var out []string
	a := newAnnouncer(3, func(_ int, id string) error { out = append(out, id); return nil })
	check := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, out); diff != "" {
			t.Error(diff)
		}
	}
	a.ready(1, "ami-1")
	check()
	a.end(0) // without an image
	check("ami-1")
	a.ready(2, "ami-2")
	check("ami-1", "ami-2")
	a.end(1)
	a.end(2)
	check("ami-1", "ami-2")
	if a.done(0) || !a.done(1) {
		t.Error("the wrong ones are done")
	}
}

func TestParseDelays(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want map[string]time.Duration
		err  string
	}{
		{in: "", want: map[string]time.Duration{}},
		{in: "running=17s, ssh=3s", want: map[string]time.Duration{"running": 17 * time.Second, "ssh": 3 * time.Second}},
		{in: "running", err: `delay "running" is not STATE=TIME, such as running=17s`},
		{in: "running=-1s", err: `delay "running=-1s" is not STATE=TIME, such as running=17s`},
		{in: "stoped=1s", err: `delay "stoped=1s": there is no state stoped; did you mean stopped? (there are running, ssh, stopped, terminated, available, completed, in-service, scaling, health, metric, active, draining, insync)`},
	} {
		got, err := parseDelays([]string{tt.in})
		text := ""
		if err != nil {
			text = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || text != tt.err {
			t.Errorf("%q: error %q, want %q; %s", tt.in, text, tt.err, diff)
		}
	}
}
