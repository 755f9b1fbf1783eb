package redact_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagobuild/imago/builder/redact"
)

// linesOf cuts a text into writes of n bytes, and returns the lines that come out.
func linesOf(r *redact.Redactor, text string, n int) (out []string) {
	l := r.Lines(func(line string) { out = append(out, line) })
	for part := range slices.Chunk([]byte(text), n) {
		l.Write(part)
	}
	l.Flush()
	return out
}

func TestLines(t *testing.T) {
	r := &redact.Redactor{}
	r.Hide("hunter2", "first line\nsecond one\nx\n")
	tests := []struct {
		name, text string
		want       []string
	}{
		{"within a line", "a hunter2 b\n", []string{"a <sensitive> b"}},
		{"no end", "hunter2", []string{"<sensitive>"}},
		{"over two lines", "a hunt\ner2 b\n", []string{"a <sensitive>", "<sensitive> b"}},
		{"over three, and CRLF", "hun\r\nte\r\nr2\r\n", []string{"<sensitive>", "<sensitive>", "<sensitive>"}},
		{"with an empty line", "hunt\n\ner2\n", []string{"<sensitive>", "", "<sensitive>"}},
		{"a beginning alone", "hunt\ndown\n", []string{"hunt", "down"}},
		{"a beginning at the end", "a hunter", []string{"a hunter"}},
		{"a beginning in a beginning", "hunhunt\ner2\n", []string{"hun<sensitive>", "<sensitive>"}},
		{"two in a row", "hunt\ner2hun\nter2\n", []string{"<sensitive>", "<sensitive><sensitive>", "<sensitive>"}},
		{"less than 3 characters first", "hu\nnter2\n", []string{"hu", "<sensitive>"}},
		{"of several lines", "key:\nfirst line\nsecond one\nx\nend\n", []string{"key:", "<sensitive>", "<sensitive>", "<sensitive>", "end"}},
	}
	for _, tt := range tests {
		for n := 1; n <= len(tt.text); n++ {
			if got := linesOf(r, tt.text, n); !slices.Equal(got, tt.want) {
				t.Errorf("%s, %d bytes at a time: %q, want %q", tt.name, n, got, tt.want)
			}
		}
	}
}

// TestFolded: however narrow the lines are, and however a secret is encoded in
// them, no more of it is seen than the two characters that may have been anything.
func TestFolded(t *testing.T) {
	const secret = "correct-horse-battery-staple"
	r := &redact.Redactor{}
	r.Hide(secret)
	for _, text := range []string{secret, base64.StdEncoding.EncodeToString([]byte("a" + secret + "b"))} {
		for width := 1; width < len(text); width++ {
			folded := "lead "
			for part := range slices.Chunk([]byte(text), width) {
				folded += string(part) + "\n"
			}
			left := strings.NewReplacer(redact.Hidden, "", "\n", "", "lead ", "").Replace(strings.Join(linesOf(r, folded, 7), "\n"))
			if len(left) > 6 { // of the base64 text, a and b are not secret
				t.Errorf("%q, %d wide: %q is left", text, width, left)
			}
		}
	}
}

// TestQuiet: a line that waits is handed on when nothing comes for a while, unless
// what has come without a line's end goes on with the secret; what comes after
// that is still known to go on with it.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &redact.Redactor{}
		r.Hide("hunter2")
		var mu sync.Mutex
		var out []string
		l := r.Lines(func(line string) { mu.Lock(); defer mu.Unlock(); out = append(out, line) })
		expect := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(out, want) {
				t.Errorf("%s: %q, want %q", when, out, want)
			}
			out = nil
		}
		l.Write([]byte("go on\na hunt\n"))
		expect("at once", "go on")
		time.Sleep(redact.Quiet + time.Millisecond)
		expect("after a while", "a hunt")
		l.Write([]byte("er2\n"))
		expect("late", "<sensitive>")
		l.Write([]byte("a hunt\n"))
		time.Sleep(redact.Quiet / 2)
		l.Write([]byte("er"))
		time.Sleep(10 * redact.Quiet)
		expect("while it goes on")
		l.Write([]byte("2\nthe end"))
		l.Flush()
		expect("in the end", "a <sensitive>", "<sensitive>", "the end")
	})
}

// TestCleanLines: a text of several lines is cleaned as a whole.
func TestCleanLines(t *testing.T) {
	r := &redact.Redactor{}
	r.Hide("hunter2")
	if got, want := r.Clean("a hunt\ner2\n\nhunter2\n"), "a <sensitive>\n<sensitive>\n\n<sensitive>\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
