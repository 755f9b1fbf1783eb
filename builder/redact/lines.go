package redact

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// How long a line waits that may hold the beginning of a secret, when nothing
// more comes, and how much of one it has to be. A line that has no end yet and
// goes on with the secret lets those before it wait on.
const (
	Quiet    = time.Second
	minBegun = 3
)

// maxLine bounds a line that never ends.
const maxLine = 64 << 10

// Lines is a writer that hands on whole lines, without their ends and without
// secrets, also those that are broken by the ends of lines. A line whose end
// could be the beginning of a secret waits for the next one, but not longer
// than Quiet after the last write.
type Lines struct {
	r    *Redactor
	each func(string)

	mu    sync.Mutex
	rest  []byte   // of a line that has no end yet
	held  []string // lines that wait
	said  string   // the end of the last line that is out, as far as a secret may have begun there
	timer *time.Timer
}

// Lines returns a writer that calls each with the lines, one at a time, perhaps
// from another goroutine than the writer's.
func (r *Redactor) Lines(each func(string)) *Lines { return &Lines{r: r, each: each} }

// Write implements io.Writer.
func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			break
		}
		l.add(line)
		l.rest = rest
	}
	if len(l.rest) > maxLine {
		l.add(l.rest)
		l.rest = nil
	}
	return len(p), nil
}

// Flush hands on what waits, and what came without a line's end.
func (l *Lines) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		l.add(l.rest)
	}
	l.rest = nil
	l.release(len(l.held))
	l.said = "" // what comes now is something else
}

// add takes a line in and hands on the lines that no secret can reach into any more.
func (l *Lines) add(line []byte) {
	l.held = append(l.held, string(bytes.TrimRight(line, "\r")))
	forms := l.r.all()
	if len(forms) == 0 {
		l.release(len(l.held))
		return
	}
	open := begun(l.said+strings.Join(l.held, ""), forms)
	ready := len(l.held)
	if open >= minBegun {
		for ready > 0 && open > 0 {
			ready--
			open -= len(l.held[ready])
		}
	}
	if len(l.held) > len(forms[0])+maxEmpty {
		ready = len(l.held)
	}
	l.release(ready)
	l.wait()
}

// maxEmpty bounds the empty lines within one secret.
const maxEmpty = 100

// release hands on the first lines that wait.
func (l *Lines) release(n int) {
	if n == 0 {
		return
	}
	forms := l.r.all()
	if len(forms) == 0 {
		for _, line := range l.held[:n] {
			l.each(line)
		}
		l.held = l.held[n:]
		return
	}
	clean := cleanLines(l.said, l.held, forms)
	out := l.said + strings.Join(l.held[:n], "")
	l.said = out[len(out)-begun(out, forms):]
	l.held = append([]string(nil), l.held[n:]...)
	for _, line := range clean[:n] {
		l.each(line)
	}
}

// goesOn says whether the line that has no end yet continues the secret which
// may have begun in those that wait.
func (l *Lines) goesOn() bool {
	if len(l.rest) == 0 {
		return false
	}
	so := l.said + strings.Join(l.held, "") + string(bytes.TrimRight(l.rest, "\r"))
	forms := l.r.all()
	return len(forms) > 0 && (begun(so, forms) > len(l.rest) || l.r.Clean(so) != so)
}

// wait bounds the time that lines wait.
func (l *Lines) wait() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if len(l.held) == 0 {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(Quiet, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case l.timer != timer: // something has come meanwhile
		case l.goesOn():
			l.wait()
		default:
			l.release(len(l.held))
		}
	})
	l.timer = timer
}
