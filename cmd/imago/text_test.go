package main

import (
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/redact"
)

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		234 * time.Millisecond: "0.2s", 9900 * time.Millisecond: "9.9s", 42400 * time.Millisecond: "42s", 192 * time.Second: "3m12s",
	} {
		if got := took(d); got != want {
			t.Errorf("took(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 12_300_000_000: "12.3 GB", 5e15: "5000.0 TB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	tests := []struct {
		line    string
		colours bool
		want    string
	}{
		{"plain\r", false, "plain"},
		{" 10%\r 50%\r100%", false, "100%"},
		{"\x1b[31mred\x1b[0m", false, "red"},
		{"\x1b[31mred", true, "\x1b[31mred\x1b[0m"},
		{"a\x1b[2J\x1b[Hb", true, "ab"},
		{"\x1b]0;title\x07text", false, "text"},
		{"bell\x07 tab\t nul\x00", false, "bell tab\t nul"},
		{"bad \xff byte", false, "bad \uFFFD byte"},
	}
	for _, tt := range tests {
		if got := printable(tt.line, tt.colours); got != tt.want {
			t.Errorf("printable(%q, %v) = %q, want %q", tt.line, tt.colours, got, tt.want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{{"abcdef", 6, "abcdef"}, {"abcdef", 5, "abcd…"}, {"äöüß", 3, "äö…"}, {"abc", 0, "abc"}} {
		if got := clip(tt.text, tt.width); got != tt.want {
			t.Errorf("clip(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

func TestBar(t *testing.T) {
	for _, tt := range []struct {
		done, total int64
		want        string
	}{{0, 10, "[    ]"}, {5, 10, "[==  ]"}, {10, 10, "[====]"}, {12, 10, "[====]"}, {0, 0, "[====]"}} {
		if got := bar(tt.done, tt.total, 4); got != tt.want {
			t.Errorf("bar(%d, %d) = %q, want %q", tt.done, tt.total, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"build", "validate", "inspect", "new", "local", "version", "help"}
	for word, want := range map[string]string{
		"bulid": "build", "biuld": "build", "vlidate": "validate", "validat": "validate", "lokal": "local",
		"nwe": "new", "deploy": "", "x": "", "init": "", "console": "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// TestCleanLine: colours within a secret do not hide it, and others stay.
func TestCleanLine(t *testing.T) {
	r := &redact.Redactor{}
	r.Hide("hunter2")
	for line, want := range map[string]string{
		"a \x1b[31mred\x1b[0m line":                           "a \x1b[31mred\x1b[0m line",
		"a \x1b[31mred\x1b[0m hunter2":                        "a \x1b[31mred\x1b[0m <sensitive>",
		"pass: hun\x1b[01;31m\x1b[Kter\x1b[m\x1b[K2 \x1b[1mx": "pass: <sensitive> x",
	} {
		if got := cleanLine(line, r.Clean); got != want {
			t.Errorf("%q comes out as %q, want %q", line, got, want)
		}
	}
}
