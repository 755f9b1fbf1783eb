package main

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// barWidth is how many columns an upload's bar has.
const barWidth = 24

// live is the display of a terminal: lines scroll by, and below them stands one
// line for each running build, redrawn in place.
type live struct {
	w      io.Writer
	format func(line) string
	clean  func(string) string
	now    func() time.Time
	width  func() int
	drawn  int // status lines on the screen now
}

func (d *live) print(l line, status []*progress) {
	d.redraw(d.format(l)+"\n", status)
}

func (d *live) tick(status []*progress) {
	d.redraw("", status)
}

func (d *live) close() {
	d.redraw("", nil)
}

// redraw replaces the status by above and a new status, in one write.
func (d *live) redraw(above string, status []*progress) {
	var b bytes.Buffer
	if d.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", d.drawn)
	}
	b.WriteString(above)
	now := d.now()
	for _, p := range status {
		fmt.Fprintf(&b, "\x1b[7m%s\x1b[0m\n", clip(d.clean(d.statusLine(p, now)), d.width()))
	}
	d.drawn = len(status)
	if b.Len() > 0 {
		d.w.Write(b.Bytes())
	}
}

// statusLine is a build's line in the status: its time, what it is at, and the bar of an upload.
func (d *live) statusLine(p *progress, now time.Time) string {
	total := now.Sub(p.began).Truncate(time.Second)
	text := fmt.Sprintf(" %02d:%02d %s: ", int(total.Minutes()), int(total.Seconds())%60, p.name)
	if p.sending() {
		text += bar(p.upload.Done, p.upload.Total, barWidth) + " "
	}
	return text + p.status(now) + " "
}
