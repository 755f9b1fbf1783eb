package main

import (
	"fmt"
	"strings"
)

// head says when, where and how it was measured.
func (d document) head() string {
	return fmt.Sprintf("%s, %s; Packer %s, %s; `%s`\n", d.Date.Format("2006-01-02"), d.Machine, d.Packer, firstPart(d.OpenSSH), d.Command)
}

// firstPart is "OpenSSH_9.2p1 Debian-2" without the libraries behind it.
func firstPart(version string) string {
	text, _, _ := strings.Cut(version, ", ")
	return text
}

// short is what the README shows.
func (d document) short() string {
	var t strings.Builder
	t.WriteString(d.head() + "\n" + shortTable(d.Lines) + "\n" + d.memory())
	if n := len(d.Costs); n > 1 {
		first, last := d.Costs[0], d.Costs[n-1]
		fmt.Fprintf(&t, "Scale: a file of %d costs %.0f µs to upload and one of %d costs %.0f µs: %s times as much, connecting included %s.\n",
			last.Files, last.Upload.Median, first.Files, first.Upload.Median, ratioText(last.UploadRatio), ratioText(last.WholeRatio))
		middle := d.Costs[n-2]
		fmt.Fprintf(&t, "A bake takes %.1f MiB for %d files and %.1f MiB for %d.\n", mib(float64(middle.Memory)), middle.Files, mib(float64(last.Memory)), last.Files)
	}
	return t.String()
}

// shortTable has a line for each row and link. What connects is compared with
// what connects, and a part of a bake with the same part of a bake.
func shortTable(lines []line) string {
	var t strings.Builder
	t.WriteString("| median seconds | round trip | imago | packer | imago / packer | imago, connecting too | tar over ssh | rsync -a | scp -r | imago / best of the three |\n")
	t.WriteString("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for len(lines) > 0 {
		n := same(lines, func(a, b line) bool { return a.Row == b.Row && a.Link == b.Link })
		shortRow(&t, lines[:n])
		lines = lines[n:]
	}
	return t.String()
}

func shortRow(t *strings.Builder, of []line) {
	imago, packer, put := find(of, imagoBake), find(of, packerBake), find(of, imagoPut)
	tar, rsync, scp := quickest(of, "tar"), quickest(of, "rsync"), quickest(of, "scp")
	name := of[0].Row
	if of[0].About != "" {
		name += ": " + of[0].About
	}
	best := ""
	if l := quickest(of, "tar", "rsync", "scp"); l != nil && l.Ratio != nil {
		best = ratioText(*l.Ratio)
	}
	against := ""
	if packer != nil && packer.Ratio != nil {
		against = ratioText(*packer.Ratio)
	}
	fmt.Fprintf(t, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", name, of[0].Link,
		took(imago), took(packer), against, took(put), took(tar), took(rsync), took(scp), best)
}

func find(lines []line, contender string) *line {
	for i := range lines {
		if lines[i].Contender == contender {
			return &lines[i]
		}
	}
	return nil
}

// quickest is the quickest line of the programs, whatever their options.
func quickest(lines []line, programs ...string) *line {
	var best *line
	for i, l := range lines {
		for _, p := range programs {
			if strings.HasPrefix(l.Contender, p+" ") && (best == nil || l.Seconds.Median < best.Seconds.Median) {
				best = &lines[i]
			}
		}
	}
	return best
}

// took is a median, and a z when it was reached by compressing.
func took(l *line) string {
	if l == nil {
		return ""
	}
	text := brief(l.Seconds.Median)
	if compresses(l.Contender) {
		text += " z"
	}
	return text
}

func compresses(contender string) bool {
	return strings.HasPrefix(contender, "tar z") || contender == "rsync -az"
}

// memory is a sentence about imago's, over all rows.
func (d document) memory() string {
	var most line
	var size float64
	for _, l := range d.Lines {
		if l.Contender != imagoBake || l.OverIdle == nil {
			continue
		}
		if most.OverIdle == nil || *l.OverIdle > *most.OverIdle {
			most, size = l, spreadOf(pick(l.Samples, largest)).Max
		}
	}
	if most.OverIdle == nil {
		return ""
	}
	text := fmt.Sprintf("Memory: imago takes %.1f MiB when it has started and waits, and at most %.1f MiB (%.1f MiB more: %s, %s)",
		mib(float64(d.Idle[imagoBake])), mib(size), mib(float64(*most.OverIdle)), most.Row, most.Link)
	var packers float64
	for _, l := range d.Lines {
		if l.Contender == packerBake {
			packers = max(packers, spreadOf(pick(l.Samples, func(s sample) float64 { return float64(s.Memory) })).Max)
		}
	}
	if packers > 0 {
		text += fmt.Sprintf("; packer's processes together take %.0f MiB", mib(packers))
	}
	return text + ".\n"
}
