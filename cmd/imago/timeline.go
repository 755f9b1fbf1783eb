package main

import (
	_ "embed"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"strings"
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
		t.builds = append(t.builds, &buildTimes{name: clean(n)})
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

//go:embed timeline.css
var timelineStyle string

// writeReport writes the run as one HTML page that needs nothing else.
func (t *timeline) writeReport(w io.Writer) error {
	start, end := t.bounds()
	all := max(end.Sub(start), time.Millisecond)
	var p strings.Builder
	fmt.Fprintf(&p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>imago: where %s went</title>\n<style>\n%s</style>\n</head>\n<body>\n", took(all), timelineStyle)
	fmt.Fprintf(&p, "<h1>Where %s went</h1>\n<p class=\"key\">", took(all))
	for _, k := range append(waits(), builder.SpanLocal, builder.SpanPause) {
		fmt.Fprintf(&p, `<span class="%s">%[1]s</span>`, k)
	}
	p.WriteString("</p>\n")
	for _, b := range t.builds {
		b.writeTo(&p, start, all)
	}
	p.WriteString("</body>\n</html>\n")
	_, err := io.WriteString(w, p.String())
	return err
}

// writeTo writes the part of one build: an axis, the rows, the table. Positions
// are percent of the whole run.
func (b *buildTimes) writeTo(p *strings.Builder, start time.Time, all time.Duration) {
	percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(all) }
	fmt.Fprintf(p, "<h2>%s</h2>\n<div class=\"axis\">", html.EscapeString(b.name))
	for i := range time.Duration(10) {
		fmt.Fprintf(p, `<span style="left:%d%%">%s</span>`, 10*i, took(all*i/10))
	}
	p.WriteString("</div>\n")
	for _, row := range lanes(b.spans) {
		p.WriteString(`<div class="row">`)
		for _, s := range row {
			at := s.Start.Sub(start)
			fmt.Fprintf(p, `<div class="%s" style="left:%.3f%%;width:%.3f%%" title="%s: %s, from %s on (%[1]s)">%[4]s</div>`,
				s.Kind, percent(at), percent(s.Took), html.EscapeString(s.Name), took(s.Took), took(at))
		}
		p.WriteString("</div>\n")
	}
	fmt.Fprintf(p, "<pre>%s</pre>\n", html.EscapeString(strings.Join(stageTable(b.spans), "\n")))
}
