package format

import (
	"bytes"
	"fmt"
	"strings"
)

// context is how many lines that stay are shown around those that change.
const context = 3

// edit is one line of a comparison: it stays (' '), goes ('-') or comes ('+').
type edit struct {
	kind byte
	line string
}

// Diff compares two texts in the unified form of diff -u, and is empty when they are the same.
func Diff(name string, before, after []byte) string {
	if bytes.Equal(before, after) {
		return ""
	}
	edits := compare(lines(before), lines(after))
	var b strings.Builder
	fmt.Fprintf(&b, "--- old/%s\n+++ new/%s\n", name, name)
	from, oldLine, newLine := 0, 1, 1
	for from < len(edits) {
		begin, end := hunk(edits, from)
		if begin == end {
			break
		}
		skipped := begin - from
		oldLine, newLine = oldLine+skipped, newLine+skipped
		olds, news := 0, 0
		for _, e := range edits[begin:end] {
			if e.kind != '+' {
				olds++
			}
			if e.kind != '-' {
				news++
			}
		}
		fmt.Fprintf(&b, "@@ -%s +%s @@\n", span(oldLine, olds), span(newLine, news))
		for _, e := range edits[begin:end] {
			b.WriteByte(e.kind)
			b.WriteString(strings.TrimSuffix(e.line, "\n"))
			b.WriteByte('\n')
			if !strings.HasSuffix(e.line, "\n") {
				b.WriteString("\\ No newline at end of file\n")
			}
		}
		from, oldLine, newLine = end, oldLine+olds, newLine+news
	}
	return b.String()
}

// span is where a hunk begins and how many lines it has. One without lines
// stands behind the line before it.
func span(first, n int) string {
	switch n {
	case 0:
		return fmt.Sprintf("%d,0", first-1)
	case 1:
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d,%d", first, n)
}

// hunk finds the next group of changes from an edit on, with its context.
// Groups whose contexts touch are one.
func hunk(edits []edit, from int) (begin, end int) {
	first := from
	for first < len(edits) && edits[first].kind == ' ' {
		first++
	}
	if first == len(edits) {
		return from, from
	}
	last := first
	for i := first; i < len(edits) && i-last <= 2*context+1; i++ {
		if edits[i].kind != ' ' {
			last = i
		}
	}
	return max(from, first-context), min(len(edits), last+context+1)
}

// lines cuts a text behind its line ends.
func lines(text []byte) []string {
	all := strings.SplitAfter(string(text), "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

// compare finds a shortest way from a to b. Formatting changes lines and hardly
// moves them, so that what is equal at both ends is cut off first.
func compare(a, b []string) (edits []edit) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		edits = append(edits, edit{' ', a[head]})
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	edits = append(edits, common(a[head:len(a)-tail], b[head:len(b)-tail])...)
	for _, l := range a[len(a)-tail:] {
		edits = append(edits, edit{' ', l})
	}
	return edits
}

// common is compare by a table of the longest common rest of each pair of places.
func common(a, b []string) (edits []edit) {
	rest := make([][]int32, len(a)+1)
	for i := range rest {
		rest[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				rest[i][j] = rest[i+1][j+1] + 1
			} else {
				rest[i][j] = max(rest[i+1][j], rest[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			edits = append(edits, edit{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && rest[i+1][j] >= rest[i][j+1]:
			edits = append(edits, edit{'-', a[i]})
			i++
		default:
			edits = append(edits, edit{'+', b[j]})
			j++
		}
	}
	return edits
}
