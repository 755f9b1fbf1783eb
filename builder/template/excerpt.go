package template

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxExcerpt is how many characters of a line are shown.
const maxExcerpt = 160

// excerpt shows the line of a place, and underlines the place in it. It is empty when the file is not there to look in.
func excerpt(source []byte, at pos) string {
	lines := bytes.Split(source, []byte("\n"))
	if at.line < 1 || at.line > len(lines) || len(source) == 0 {
		return ""
	}
	line := strings.TrimRight(strings.ToValidUTF8(string(lines[at.line-1]), "\uFFFD"), "\r")
	if utf8.RuneCountInString(line) > maxExcerpt {
		line = string([]rune(line)[:maxExcerpt])
	}
	count := utf8.RuneCountInString(line)
	before := min(max(at.column-1, 0), count)
	width := max(min(at.width, count-before), 1)
	number := fmt.Sprint(at.line)
	return fmt.Sprintf("  %s | %s\n  %s | %s%s", number, line, strings.Repeat(" ", len(number)), indent(line, before), strings.Repeat("^", width))
}

// within moves a place that is beyond the end of its line there: some that HCL's JSON reader tells are.
func within(source []byte, at pos) pos {
	lines := bytes.Split(source, []byte("\n"))
	if len(source) > 0 && at.line >= 1 && at.line <= len(lines) {
		at.column = min(at.column, utf8.RuneCount(lines[at.line-1])+1)
	}
	return at
}

// indent is as wide as the first n characters of line: tabs stay tabs.
func indent(line string, n int) string {
	var b strings.Builder
	for _, r := range []rune(line)[:n] {
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
