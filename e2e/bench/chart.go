package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// Sizes of the chart, in pixels. The panels of one row stand two abreast.
const (
	panelWidth = 530
	barHeight  = 15
	barStep    = 19
	barLeft    = 205 // within a panel
	barRoom    = panelWidth - barLeft - 130
	titleRoom  = 44
	linkRoom   = 20
)

// chart draws a panel for each row and link, with a bar for every program. Each
// panel has a scale of its own, from zero.
func chart(lines []line) []byte {
	var body bytes.Buffer
	y := 60
	for len(lines) > 0 {
		n := same(lines, func(a, b line) bool { return a.Row == b.Row })
		y = chartRow(&body, lines[:n], y)
		lines = lines[n:]
	}
	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d">`+"\n", 2*panelWidth, y+16)
	svg.WriteString(`<style>text{font:13px "DejaVu Sans",Verdana,sans-serif;fill:#1a1a1a}.row{font-weight:bold;font-size:15px}.link{fill:#555}.ours{fill:#1f77b4}.theirs{fill:#b8b8b8}.spread{stroke:#1a1a1a;stroke-width:1.5}</style>` + "\n")
	fmt.Fprintf(&svg, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", 2*panelWidth, y+16)
	svg.WriteString(`<text x="10" y="24">Median seconds, less is better; the thin line is from the least to the greatest. ×: times what imago takes for the same,</text>` + "\n")
	svg.WriteString(`<text x="10" y="42">which is for packer the part of a bake, and for tar, rsync and scp the upload with its connecting.</text>` + "\n")
	svg.Write(body.Bytes())
	svg.WriteString("</svg>\n")
	return svg.Bytes()
}

// same is how many of the first lines are alike.
func same(lines []line, alike func(a, b line) bool) int {
	n := 1
	for n < len(lines) && alike(lines[0], lines[n]) {
		n++
	}
	return n
}

// chartRow draws the panels of a row from y on, and returns where they end.
func chartRow(w *bytes.Buffer, lines []line, y int) int {
	title := lines[0].Row
	if lines[0].About != "" {
		title += ": " + lines[0].About
	}
	fmt.Fprintf(w, `<text x="10" y="%d" class="row">%s</text>`+"\n", y+24, escape(title))
	y += titleRoom
	for column, bottom := 0, y; len(lines) > 0; column++ {
		n := same(lines, func(a, b line) bool { return a.Link == b.Link })
		if column == 2 {
			column, y = 0, bottom
		}
		bottom = max(bottom, panel(w, lines[:n], column*panelWidth, y))
		lines = lines[n:]
		if len(lines) == 0 {
			y = bottom
		}
	}
	return y
}

func panel(w *bytes.Buffer, lines []line, x, y int) (bottom int) {
	longest := 0.0
	for _, l := range lines {
		longest = max(longest, l.Seconds.Max)
	}
	text := "round trip " + lines[0].Link
	if lines[0].Link == "direct" {
		text = "directly"
	}
	fmt.Fprintf(w, `<text x="%d" y="%d" class="link">%s</text>`+"\n", x+barLeft, y+8, escape(text))
	y += linkRoom
	for _, l := range lines {
		bar(w, l, x, y, longest)
		y += barStep
	}
	return y + 12
}

// bar draws a median, and a line from the least to the greatest value.
func bar(w *bytes.Buffer, l line, x, y int, longest float64) {
	class := "theirs"
	if l.Contender == imagoBake || l.Contender == imagoPut {
		class = "ours"
	}
	left := float64(x + barLeft)
	at := func(seconds float64) float64 { return left + barRoom*seconds/longest }
	text := brief(l.Seconds.Median) + " s"
	if l.Ratio != nil && l.Ratio.Median > 0 {
		text += " · " + digits(1/l.Ratio.Median) + "×"
	}
	fmt.Fprintf(w, `<text x="%.0f" y="%d" text-anchor="end">%s</text>`, left-8, y+12, escape(l.Contender))
	fmt.Fprintf(w, `<rect x="%.0f" y="%d" width="%.1f" height="%d" class="%s"/>`, left, y, at(l.Seconds.Median)-left, barHeight, class)
	fmt.Fprintf(w, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%[3]d" class="spread"/>`, at(l.Seconds.Min), at(l.Seconds.Max), y+barHeight/2)
	fmt.Fprintf(w, `<text x="%.1f" y="%d">%s</text>`+"\n", at(l.Seconds.Max)+6, y+12, text)
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}
