package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// Sizes of the chart, in pixels.
const (
	chartWidth = 760
	barHeight  = 16
	barLeft    = 210
	barRoom    = chartWidth - barLeft - 90
)

// chart draws a bar for every line. Each row of the table has a scale of its own.
func chart(lines []line) []byte {
	var body bytes.Buffer
	y := 10
	for from := 0; from < len(lines); {
		to := from
		longest := 0.0
		for to < len(lines) && lines[to].Row == lines[from].Row && lines[to].Link == lines[from].Link {
			longest = max(longest, lines[to].Seconds.Max)
			to++
		}
		y += 24
		fmt.Fprintf(&body, `<text x="10" y="%d" class="row">%s, %s</text>`+"\n", y, escape(lines[from].Row), escape(lines[from].Link))
		y += 6
		for _, l := range lines[from:to] {
			bar(&body, l, y, longest)
			y += barHeight + 3
		}
		from = to
	}
	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d">`+"\n", chartWidth, y+20)
	svg.WriteString(`<style>text{font:12px sans-serif;fill:#222}.row{font-weight:bold}.ours{fill:#2a7ab8}.theirs{fill:#b5b5b5}.spread{stroke:#222}</style>` + "\n")
	fmt.Fprintf(&svg, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, y+20)
	svg.Write(body.Bytes())
	svg.WriteString("</svg>\n")
	return svg.Bytes()
}

// bar draws a median, and a line from the least to the greatest value.
func bar(w *bytes.Buffer, l line, y int, longest float64) {
	class := "theirs"
	if l.Contender == imagoBake || l.Contender == imagoPut {
		class = "ours"
	}
	at := func(seconds float64) float64 { return barRoom * seconds / longest }
	fmt.Fprintf(w, `<text x="%d" y="%d" text-anchor="end">%s</text>`, barLeft-8, y+12, escape(l.Contender))
	fmt.Fprintf(w, `<rect x="%d" y="%d" width="%.1f" height="%d" class="%s"/>`, barLeft, y, at(l.Seconds.Median), barHeight, class)
	fmt.Fprintf(w, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%[3]d" class="spread"/>`, barLeft+at(l.Seconds.Min), barLeft+at(l.Seconds.Max), y+barHeight/2)
	fmt.Fprintf(w, `<text x="%.1f" y="%d">%.2f s</text>`+"\n", barLeft+at(l.Seconds.Max)+6, y+12, l.Seconds.Median)
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}
