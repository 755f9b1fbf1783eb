package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// hidden stands where a secret was, as in Packer.
const hidden = "<sensitive>"

// Values shorter than minSecret are not hidden: a one-letter secret would
// shred every line. Lines of a secret of several lines count from minSecretLine on.
const (
	minSecret     = 3
	minSecretLine = 8
)

// redactor takes secrets out of text, as they are and in the forms in which
// they usually appear: escaped for JSON, a shell or an address, and in base64.
type redactor struct {
	mu       sync.RWMutex
	forms    []string
	replacer *strings.Replacer
}

// hide adds values to what is taken out.
func (r *redactor) hide(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range values {
		r.forms = append(r.forms, forms(v)...)
	}
	// The longest first: a secret may hold another.
	slices.SortFunc(r.forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	r.forms = slices.Compact(r.forms)
	pairs := make([]string, 0, 2*len(r.forms))
	for _, f := range r.forms {
		pairs = append(pairs, f, hidden)
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// clean returns s without secrets.
func (r *redactor) clean(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.replacer == nil {
		return s
	}
	return r.replacer.Replace(s)
}

// forms lists how a secret may be written.
func forms(v string) []string {
	v = strings.TrimRight(v, "\r\n")
	if len(v) < minSecret {
		return nil
	}
	all := []string{
		v,
		url.QueryEscape(v), url.PathEscape(v),
		base64.RawStdEncoding.EncodeToString([]byte(v)), base64.RawURLEncoding.EncodeToString([]byte(v)),
		strings.ReplaceAll(v, `'`, `'"'"'`), strings.ReplaceAll(v, `'`, `'\''`),
	}
	if j, err := json.Marshal(v); err == nil {
		all = append(all, strings.Trim(string(j), `"`))
	}
	if strings.Contains(v, "\n") {
		for line := range strings.SplitSeq(v, "\n") {
			if line = strings.TrimSpace(line); len(line) >= minSecretLine {
				all = append(all, line)
			}
		}
	}
	return all
}

// writer hides secrets in everything written to w, also those that are cut in
// two by the borders of writes: the end of a write that may be the beginning of
// a secret waits for the next one, or for the end of its line.
func (r *redactor) writer(w io.Writer) *redacting { return &redacting{r: r, w: w} }

type redacting struct {
	r *redactor
	w io.Writer

	mu   sync.Mutex
	held string
}

func (w *redacting) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.held + string(p)
	w.held = w.r.start(text)
	if _, err := io.WriteString(w.w, w.r.clean(text[:len(text)-len(w.held)])); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush writes what waits.
func (w *redacting) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	io.WriteString(w.w, w.r.clean(w.held))
	w.held = ""
}

// start returns the end of text that has to wait: the longest that a secret
// begins with, and the whole of a secret that reaches into it. A line's end
// ends the waiting: the lines of a secret of several lines are secrets themselves.
func (r *redactor) start(text string) string {
	if strings.HasSuffix(text, "\n") {
		return ""
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	cut := len(text)
	for _, f := range r.forms {
		for n := min(len(f)-1, len(text)); n > len(text)-cut; n-- {
			if strings.HasPrefix(f, text[len(text)-n:]) {
				cut = len(text) - n
			}
		}
	}
	for again := true; again; {
		again = false
		for _, f := range r.forms {
			from := max(0, cut-len(f)+1)
			if i := strings.Index(text[from:], f); i >= 0 && from+i < cut {
				cut, again = from+i, true
			}
		}
	}
	return text[cut:]
}
