package provision

import (
	"bytes"
	"io"
	"strings"
)

// maxLine is how much of a line is kept waiting for its end.
const maxLine = 64 << 10

// lineWriter passes whole lines on, so that two streams do not mix within one.
type lineWriter struct {
	to      io.Writer
	pending []byte
}

// Write implements io.Writer. It takes everything: what happens to the output
// is not the command's business.
func (l *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	end := bytes.LastIndexByte(p, '\n') + 1
	if end > 0 {
		l.pass(p[:end])
		p = p[end:]
	}
	l.pending = append(l.pending, p...)
	if len(l.pending) >= maxLine {
		l.pass(nil)
	}
	return n, nil
}

func (l *lineWriter) pass(p []byte) {
	if len(l.pending) > 0 {
		p = append(l.pending, p...)
		l.pending = nil
	}
	if len(p) > 0 && l.to != nil {
		_, _ = l.to.Write(p)
	}
}

// flush passes on what has no line end.
func (l *lineWriter) flush() { l.pass(nil) }

// tailLines and tailBytes bound what an error says of a command's output.
const (
	tailLines = 20
	tailBytes = 4 << 10
)

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - 2*tailBytes; over > 0 {
		t.kept = append([]byte(nil), t.kept[over:]...)
	}
	return len(p), nil
}

// String is the last lines, without the line end.
func (t *tail) String() string {
	kept := t.kept
	if over := len(kept) - tailBytes; over > 0 {
		kept = kept[over:]
	}
	text := strings.TrimRight(strings.ToValidUTF8(string(kept), "�"), "\r\n\t ")
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
