package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// silence is how long a plain display may say nothing while a build runs.
const silence = 10 * time.Second

// plain writes lines one after another, for logs: no colours of its own unless
// asked for, never a carriage return, and a sign of life in a long silence.
type plain struct {
	w      io.Writer
	format func(line) string // without the line's end
	clean  func(string) string
	now    func() time.Time
	last   time.Time
}

func (p *plain) print(l line, _ []*progress) {
	p.last = p.now()
	fmt.Fprintln(p.w, p.format(l))
}

func (p *plain) tick(status []*progress) {
	now := p.now()
	if len(status) == 0 || now.Sub(p.last) < silence {
		return
	}
	for _, b := range status {
		p.print(line{b.name, detail, "... " + p.clean(b.status(now))}, nil)
	}
}

func (p *plain) close() {}

// layout is how a line becomes text, in the shape Packer's users know.
type layout struct {
	colours map[string]string // build to escape sequence; nil for none
	stamp   func() string     // -timestamp-ui; nil for none
}

func (f layout) format(l line) string {
	lead, text := "    ", printable(l.text, f.colours != nil)
	switch l.kind {
	case heading, success, failure:
		lead = "==> "
	case warning:
		lead, text = "==> ", "warning: "+text
	}
	text = lead + l.build + ": " + text
	if l.build == "" {
		text = strings.TrimPrefix(text, lead+": ")
	}
	if f.stamp != nil {
		text = f.stamp() + ": " + text
	}
	return f.paint(l, text)
}

// paint colours a line: headings in their build's colour, warnings yellow, failures red.
func (f layout) paint(l line, text string) string {
	if f.colours == nil {
		return text
	}
	switch l.kind {
	case heading, success:
		return "\x1b[1;" + f.colours[l.build] + "m" + text + "\x1b[0m"
	case warning:
		return "\x1b[33m" + text + "\x1b[0m"
	case failure:
		return "\x1b[1;31m" + text + "\x1b[0m"
	default:
		return text
	}
}

// buildColours gives each build a colour of its own: green, cyan, magenta, blue, and again.
func buildColours(names []string) map[string]string {
	palette := []string{"32", "36", "35", "34"}
	m := map[string]string{"": "39"}
	for i, n := range names {
		m[n] = palette[i%len(palette)]
	}
	return m
}
