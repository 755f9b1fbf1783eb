package provision

import (
	"bytes"
	"io"
	"strings"
)

// follower passes one of a script's outputs on. In between it sees what run.sh
// says itself: lines that begin with the run's mark, anywhere in a line.
type follower struct {
	mark   []byte
	to     io.Writer
	before io.Writer                // gets what comes before the first mark: the login shell's chatter, or an error
	say    func(word, about string) // is told what run.sh says
	moved  func()                   // is called after that, and after each output

	begun   bool
	times   int    // how often it has begun
	at      int64  // how much of the output has come, by run.sh's count: its word of the script's end is part of it
	pending []byte // may become a mark
}

// Words of run.sh.
const (
	wordStart = "start" // PID BOOT: the output follows
	wordEnd   = "end"   // STATUS ["leaving"]: the script has ended, and what it wrote itself is complete
	wordOver  = "over"  // STATUS: nobody is left who could write
	wordNone  = "none"  // BOOT: there is no such script on the machine
)

// anew is before another session: what was not understood comes again.
func (f *follower) anew() { f.begun, f.pending = false, nil }

// Write implements io.Writer.
func (f *follower) Write(p []byte) (int, error) {
	f.pending = append(f.pending, p...)
	defer f.moved()
	for {
		at := bytes.Index(f.pending, f.mark)
		if at < 0 {
			f.pass(len(f.pending) - partOf(f.pending, f.mark))
			return len(p), nil
		}
		f.pass(at)
		line := f.pending[len(f.mark):]
		end := bytes.IndexByte(line, '\n')
		if end < 0 {
			return len(p), nil
		}
		word, about, _ := strings.Cut(strings.TrimSpace(string(line[:end])), " ")
		f.pending = line[end+1:]
		switch word {
		case wordStart:
			f.begun = true
			f.times++
		case wordEnd:
			f.at += int64(len(f.mark) + end + 1)
		}
		f.say(word, about)
	}
}

// pass passes on the first n pending bytes.
func (f *follower) pass(n int) {
	to := f.before
	if f.begun {
		to = f.to
		f.at += int64(n)
	}
	if n > 0 && to != nil {
		_, _ = to.Write(f.pending[:n])
	}
	f.pending = append([]byte(nil), f.pending[n:]...)
}

// partOf is how many of the last bytes of text may be the beginning of mark.
func partOf(text, mark []byte) int {
	for n := min(len(text), len(mark)-1); n > 0; n-- {
		if bytes.HasPrefix(mark, text[len(text)-n:]) {
			return n
		}
	}
	return 0
}
