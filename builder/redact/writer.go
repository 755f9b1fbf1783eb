package redact

import (
	"io"
	"strings"
	"sync"
)

// Writer hides secrets in everything written to w, also those that the borders
// of writes cut in two: the end of a write that may be the beginning of a secret
// waits for the next one, or for the end of its line.
func (r *Redactor) Writer(w io.Writer) *Writer { return &Writer{r: r, w: w} }

// Writer is made by Redactor.Writer.
type Writer struct {
	r *Redactor
	w io.Writer

	mu   sync.Mutex
	held string
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.held + string(p)
	w.held = unfinished(text, w.r.all())
	if _, err := io.WriteString(w.w, w.r.Clean(text[:len(text)-len(w.held)])); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what waits.
func (w *Writer) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	io.WriteString(w.w, w.r.Clean(w.held))
	w.held = ""
}

// unfinished returns the end of text that has to wait: the longest that a secret
// begins with, and the whole of a secret that reaches into it. A line's end
// ends the waiting.
func unfinished(text string, forms []string) string {
	if strings.HasSuffix(text, "\n") {
		return ""
	}
	cut := len(text) - begun(text, forms)
	for again := true; again; {
		again = false
		for _, f := range forms {
			from := max(0, cut-len(f)+1)
			if i := strings.Index(text[from:], f); i >= 0 && from+i < cut {
				cut, again = from+i, true
			}
		}
	}
	return text[cut:]
}
