package redact_test

import (
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/redact"
)

func TestRedactorCleans(t *testing.T) {
	r := &redact.Redactor{}
	r.Hide("s3cr3t", `it's "quoted"/&`, "ab", "", "first line of it\nsecond line of it\n")
	tests := []struct{ text, want string }{
		{"nothing to hide", "nothing to hide"},
		{"token=s3cr3t;", "token=<sensitive>;"},
		{"s3cr3ts3cr3t", "<sensitive><sensitive>"},
		{`'it'"'"'s "quoted"/&'`, `'<sensitive>'`},
		{`{"a":"it's \"quoted\"/\u0026"}`, `{"a":"<sensitive>"}`},
		{"q=it%27s+%22quoted%22%2F%26", "q=<sensitive>"},
		{"czNjcjN0", "<sensitive>"},
		{"ab is too short to hide", "ab is too short to hide"},
		{"> second line of it", "> <sensitive>"},
	}
	for _, tt := range tests {
		if got := r.Clean(tt.text); got != tt.want {
			t.Errorf("clean(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestRedactingWriter: however a text is cut into writes, what comes out is the same.
func TestRedactingWriter(t *testing.T) {
	r := &redact.Redactor{}
	r.Hide("aabaac", "aabaacaab", "hunter2")
	tests := []struct{ text, want string }{
		{"user hunter2 and hunter", "user <sensitive> and hunter"},
		{"aaabaac", "a<sensitive>"},
		{"aabaacaab", "<sensitive>"},
		{"aabaacaa", "<sensitive>aa"},
		{"aabaaabaac", "aaba<sensitive>"},
		{"hunter2\nhunter2", "<sensitive>\n<sensitive>"},
	}
	for _, tt := range tests {
		for first := range len(tt.text) {
			for second := first; second <= len(tt.text); second++ {
				var out strings.Builder
				w := r.Writer(&out)
				for _, part := range []string{tt.text[:first], tt.text[first:second], tt.text[second:]} {
					if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
						t.Fatalf("Write(%q) = %d, %v", part, n, err)
					}
				}
				w.Flush()
				if out.String() != tt.want {
					t.Errorf("%q cut at %d and %d comes out as %q, want %q", tt.text, first, second, &out, tt.want)
				}
			}
		}
	}
}

// TestRedactingWriterIsPrompt: a line is out at once, and so is a question that no secret begins with.
func TestRedactingWriterIsPrompt(t *testing.T) {
	r := &redact.Redactor{}
	r.Hide("line\nnext line of it")
	var out strings.Builder
	w := r.Writer(&out)
	w.Write([]byte("a line\n"))
	w.Write([]byte("go on? "))
	if got, want := out.String(), "a line\ngo on? "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
