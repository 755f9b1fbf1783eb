// Package redact takes secrets out of text: as they are, in the forms in which
// programs usually write them, and when the ends of reads or of lines cut them
// in pieces. It is best effort: what a program makes of a secret by other means
// (another case, every second letter, a digest) is not found.
package redact

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Hidden stands where a secret was, as in Packer.
const Hidden = "<sensitive>"

// Values shorter than MinSecret are not hidden: a one-letter secret would shred
// every line. Lines of a secret of several lines count from MinLine on.
const (
	MinSecret = 3
	MinLine   = 8
)

// Redactor takes secrets out of text. The zero value hides nothing yet. Several
// goroutines may use one.
type Redactor struct {
	mu    sync.RWMutex
	forms []string // the longest first
}

// Hide adds values to what is taken out.
func (r *Redactor) Hide(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Clone(r.forms) // somebody may be reading the old ones
	for _, v := range values {
		all = append(all, Forms(v)...)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	r.forms = slices.Compact(all)
}

// all are the forms as they are now.
func (r *Redactor) all() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.forms
}

// Clean returns s without secrets, also without those that the ends of its lines cut.
func (r *Redactor) Clean(s string) string {
	forms := r.all()
	if len(forms) == 0 {
		return s
	}
	if !strings.Contains(s, "\n") {
		return render(s, spans(s, forms), 0, len(s))
	}
	lines := strings.Split(s, "\n")
	return strings.Join(cleanLines("", lines, forms), "\n")
}

// cleanLines cleans lines as if they were one; before is what stands in front of them.
func cleanLines(before string, lines, forms []string) []string {
	joined := before + strings.Join(lines, "")
	found := spans(joined, forms)
	clean, at := make([]string, len(lines)), len(before)
	for i, l := range lines {
		clean[i] = render(joined, found, at, at+len(l))
		at += len(l)
	}
	return clean
}

// span is a part of a text that a secret takes.
type span struct{ from, to int }

// spans finds all secrets in a text. Those that overlap are one.
func spans(text string, forms []string) []span {
	var found []span
	for _, f := range forms {
		for at := 0; ; {
			i := strings.Index(text[at:], f)
			if i < 0 {
				break
			}
			found = append(found, span{at + i, at + i + len(f)})
			at += i + 1
		}
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	var merged []span
	for _, s := range found {
		if n := len(merged); n > 0 && s.from < merged[n-1].to {
			merged[n-1].to = max(merged[n-1].to, s.to)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// render returns text[from:to] without what the spans take of it.
func render(text string, found []span, from, to int) string {
	var out strings.Builder
	for _, s := range found {
		if s.to <= from || s.from >= to || from == to {
			continue
		}
		out.WriteString(text[from:max(from, s.from)])
		out.WriteString(Hidden)
		from = min(to, s.to)
	}
	out.WriteString(text[from:to])
	return out.String()
}

// begun is how many bytes at the end of text could be the beginning of a secret
// that goes on behind it.
func begun(text string, forms []string) (most int) {
	for _, f := range forms {
		for n := min(len(f)-1, len(text)); n > most; n-- {
			if f[0] == text[len(text)-n] && strings.HasPrefix(f, text[len(text)-n:]) {
				most = n
			}
		}
	}
	return most
}
