package main

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// barWidth is how many columns an upload's bar has.
const barWidth = 24

// board is the lower end of a terminal, whose lines are redrawn in place while
// others scroll by above them.
type board struct {
	w     io.Writer
	width func() int
	drawn int // lines on the screen now
}

// draw replaces what is on the board by above, which stays, and new lines, in one write.
func (b *board) draw(above string, lines []string) {
	var out bytes.Buffer
	if b.drawn > 0 {
		fmt.Fprintf(&out, "\x1b[%dA\r\x1b[J", b.drawn)
	}
	out.WriteString(above)
	for _, l := range lines {
		fmt.Fprintf(&out, "\x1b[7m%s\x1b[0m\n", clip(l, b.width()))
	}
	b.drawn = len(lines)
	if out.Len() > 0 {
		b.w.Write(out.Bytes())
	}
}

// live is the display of a terminal: lines scroll by, and below them stands one
// line for each running build.
type live struct {
	board
	format func(line) string
	clean  func(string) string
	now    func() time.Time
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

// redraw puts lines above the status, and the status anew.
func (d *live) redraw(above string, status []*progress) {
	now := d.now()
	var lines []string
	for _, p := range status {
		lines = append(lines, d.clean(d.statusLine(p, now)))
	}
	d.draw(above, lines)
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
