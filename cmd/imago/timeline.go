package main

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"sync"
	"time"

	"github.com/imagobuild/imago/builder"
)

// timeline keeps where the time of a run's builds went.
type timeline struct {
	mu     sync.Mutex
	clean  func(string) string
	builds []*buildTimes
}

// buildTimes are the spans of one build, in the order in which they ended.
type buildTimes struct {
	name  string
	spans []builder.Span
}

func newTimeline(names []string, clean func(string) string) *timeline {
	t := &timeline{clean: clean}
	for _, n := range names {
		t.builds = append(t.builds, &buildTimes{name: n})
	}
	return t
}

// observe keeps an event of a build when it is a span.
func (t *timeline) observe(build int, e builder.Event) {
	s, ok := e.(builder.Span)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Name = t.clean(s.Name)
	t.builds[build].spans = append(t.builds[build].spans, s)
}

// write writes the files that the command line asks for; an empty path is none.
func (t *timeline) write(trace, report string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(writeTo(trace, t.writeTrace), writeTo(report, t.writeReport))
}

func writeTo(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// traceEvent is an element of Chrome's trace event format (chrome://tracing, Perfetto).
type traceEvent struct {
	Name     string            `json:"name"`
	Category string            `json:"cat,omitempty"`
	Phase    string            `json:"ph"`
	Start    int64             `json:"ts"` // µs
	Took     int64             `json:"dur,omitempty"`
	Process  int               `json:"pid"`
	Thread   int               `json:"tid"`
	Args     map[string]string `json:"args,omitempty"`
}

// writeTrace writes the run as a trace: a process for each build, a thread for
// each row of spans, times since the run's first.
func (t *timeline) writeTrace(w io.Writer) error {
	start, _ := t.bounds()
	events := []traceEvent{}
	for i, b := range t.builds {
		events = append(events, traceEvent{Name: "process_name", Phase: "M", Process: i + 1, Args: map[string]string{"name": b.name}})
		for row, spans := range lanes(b.spans) {
			for _, s := range spans {
				events = append(events, traceEvent{
					Name: s.Name, Category: string(s.Kind), Phase: "X", Process: i + 1, Thread: row + 1,
					Start: s.Start.Sub(start).Microseconds(), Took: max(1, s.Took.Microseconds()),
				})
			}
		}
	}
	return writeJSON(w, struct {
		Events []traceEvent `json:"traceEvents"`
		Unit   string       `json:"displayTimeUnit"`
	}{events, "ms"})
}

// bounds are the first start and the last end of all spans.
func (t *timeline) bounds() (start, end time.Time) {
	for _, b := range t.builds {
		for _, s := range b.spans {
			if start.IsZero() || s.Start.Before(start) {
				start = s.Start
			}
			end = later(end, s.Start.Add(s.Took))
		}
	}
	return start, end
}

//go:embed timeline.html
var timelinePage string

// The page's data. Left and Width are percent of the whole time.
type (
	pageBuild struct {
		Name  string
		Table string
		Rows  [][]pageSpan
	}
	pageSpan struct {
		Kind, Name, Took, At string
		Left, Width          float64
	}
	page struct {
		Took   string
		Kinds  []builder.SpanKind
		Ticks  []pageSpan
		Builds []pageBuild
	}
)

// writeReport writes the run as one HTML page that needs nothing else.
func (t *timeline) writeReport(w io.Writer) error {
	start, end := t.bounds()
	all := max(end.Sub(start), time.Millisecond)
	percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(all) }
	p := page{Took: took(all), Kinds: append(waits(), builder.SpanLocal, builder.SpanPause)}
	for i := range 10 {
		at := all * time.Duration(i) / 10
		p.Ticks = append(p.Ticks, pageSpan{Name: took(at), Left: percent(at)})
	}
	for _, b := range t.builds {
		pb := pageBuild{Name: b.name}
		for _, line := range stageTable(b.spans) {
			pb.Table += line + "\n"
		}
		for _, spans := range lanes(b.spans) {
			var row []pageSpan
			for _, s := range spans {
				at := s.Start.Sub(start)
				row = append(row, pageSpan{string(s.Kind), s.Name, took(s.Took), took(at), percent(at), percent(s.Took)})
			}
			pb.Rows = append(pb.Rows, row)
		}
		p.Builds = append(p.Builds, pb)
	}
	return template.Must(template.New("timeline").Parse(timelinePage)).Execute(w, p)
}
