package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// took writes a duration for people: 0.2s, 42s, 3m12s.
func took(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// size writes a number of bytes for people, in powers of 1000.
func size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/1000, "kMGT"
	for v >= 999.95 && len(units) > 1 {
		v, units = v/1000, units[1:]
	}
	return fmt.Sprintf("%.1f %cB", v, units[0])
}

// plural writes "1 file", "2 files".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// escape matches a terminal's control sequences; colour those that only set colours.
var (
	escape = regexp.MustCompile(`\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\^_])`)
	colour = regexp.MustCompile(`^\x1b\[[0-9;]*m$`)
)

// printable makes a script's line safe to show: what a carriage return has
// overwritten is dropped, control sequences are taken out (colours stay when
// colours are wanted, and end with the line), and so are other control characters.
func printable(line string, colours bool) string {
	line = strings.TrimRight(line, "\r")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	coloured := false
	line = escape.ReplaceAllStringFunc(line, func(seq string) string {
		if colours && colour.MatchString(seq) {
			coloured = true
			return seq
		}
		return ""
	})
	line = strings.Map(func(r rune) rune {
		if r == '\t' || r == '\x1b' && colours || !unicode.IsControl(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(line, "\uFFFD"))
	if coloured {
		line += "\x1b[0m"
	}
	return line
}

// cleanLine takes the secrets out of a line, also one that has colours in it, as
// grep does it: then the line loses its colours.
func cleanLine(line string, clean func(string) string) string {
	line = clean(line)
	if strings.IndexByte(line, '\x1b') < 0 {
		return line
	}
	if bare := printable(line, false); clean(bare) != bare {
		return clean(bare)
	}
	return line
}

// clip cuts text to width columns, a rune a column.
func clip(text string, width int) string {
	if width <= 0 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// bar draws how far done is of total, width columns wide.
func bar(done, total int64, width int) string {
	full := width
	if total > 0 {
		full = int(min(done, total) * int64(width) / total)
	}
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", width-full) + "]"
}
