package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/deploy"
	"github.com/imagobuild/imago/builder/redact"
)

// session is the surroundings of one run of the command.
type session struct {
	stdin   io.Reader
	stdout  io.Writer
	stderr  *redact.Writer
	tty     *os.File // stderr, when it is a terminal
	secrets *redact.Redactor
	made    *ledger
	args    []string
	local   bool                               // builds run on the local cloud
	display atomic.Pointer[func(write func())] // lets others write above what is redrawn in place; nil: nothing is
	halfway atomic.Pointer[string]             // the command that finishes what would be left half done now
}

func newSession(stdin io.Reader, stdout, stderr io.Writer) *session {
	secrets := &redact.Redactor{}
	s := &session{
		stdin: stdin, stdout: stdout, stderr: secrets.Writer(stderr),
		secrets: secrets, made: &ledger{},
	}
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.tty = f
	}
	return s
}

// interactive says whether somebody is there to answer a question.
func (s *session) interactive() bool {
	f, ok := s.stdin.(*os.File)
	return ok && s.tty != nil && term.IsTerminal(int(f.Fd()))
}

// show says that something is redrawn in place from now on, until hide, and how to write above it.
func (s *session) show(aside func(write func())) (hide func()) {
	s.display.Store(&aside)
	return func() { s.display.Store(nil) }
}

// log is for the people who maintain imago: silent unless IMAGO_LOG (or Packer's PACKER_LOG) is set.
func (s *session) log() *slog.Logger {
	if !logging() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// logging says whether somebody asked for the log.
func logging() bool { return envSet("IMAGO_LOG") || envSet("PACKER_LOG") }

// envSet says whether a switch in the environment is on.
func envSet(name string) bool {
	v := os.Getenv(name)
	return v != "" && v != "0"
}

// account makes an account's clients tell the user what is odd about AWS.
func (s *session) account(a *account) *account {
	a.calls.OnSlow = func(action, reason string) {
		s.say("imago: %s is tried again and again: %s", action, reason)
	}
	a.calls.OnSkew = func(ahead time.Duration) {
		how := "behind"
		if ahead < 0 {
			how = "ahead of"
		}
		s.say("imago: warning: this computer's clock is %v %s AWS's; requests go by AWS's, but set it: timedatectl set-ntp true", ahead.Abs().Round(time.Second), how)
	}
	return a
}

// say writes one line for people, above the display if there is one.
func (s *session) say(format string, args ...any) {
	write := func() { fmt.Fprintf(s.stderr, format+"\n", args...) }
	if aside := s.display.Load(); aside != nil {
		(*aside)(write)
		return
	}
	write()
}

// explain prints an error: one line a problem, and how to take away what was left behind.
func (s *session) explain(err error) {
	for _, p := range problems(err) {
		for line := range strings.SplitSeq(s.secrets.Clean(strings.TrimRight(p, "\n")), "\n") {
			s.say("imago: %s", line)
		}
	}
	if bad, ok := errors.AsType[*deploy.UnhealthyError](err); ok {
		s.evidence(bad)
	}
	s.resumeHint(err)
	if is[*builder.ScanError](err) {
		s.say("imago: hint: delete them at the template's end; or take some along with --scan-allow PATH, all with --scan=warn (see imago help secrets)")
	}
	if len(leaks(err)) > 0 {
		s.hint()
	}
}

// evidence shows what the machines of a release that was refused have said.
func (s *session) evidence(bad *deploy.UnhealthyError) {
	for _, text := range bad.Evidence {
		s.say("    %s", s.secrets.Clean(printable(text, false)))
	}
	s.say("imago: nothing has changed for users: what served before serves")
}

// hint says which command takes away what builds have left behind.
func (s *session) hint() {
	var runs []string
	for _, r := range s.made.list() {
		if !slices.Contains(runs, r.run) {
			runs = append(runs, r.run)
		}
	}
	if len(runs) == 0 {
		return
	}
	local := ""
	if s.local {
		local = " --local"
	}
	s.say("imago: hint: imago gc%s --build %s", local, strings.Join(runs, ","))
}

// problems takes a joined error apart: one text each, none twice.
func problems(err error) []string {
	var all []string
	add := func(more []string, prefix string) {
		for _, p := range more {
			if p = prefix + p; !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	switch e := err.(type) {
	case nil:
	case *buildError:
		add(problems(e.err), e.name+": ")
	case *usageError:
		add(problems(e.err), "")
	case *builder.Error:
		add(problems(e.Err), strings.TrimSuffix(e.Error(), e.Err.Error()))
	case *builder.LeakError:
		add([]string{leakText(e)}, "")
	case *statusError: // ssh has said so itself
	case interface{ Unwrap() []error }:
		if !isJoin(err, e.Unwrap()) {
			return []string{err.Error()}
		}
		for _, part := range e.Unwrap() {
			add(problems(part), "")
		}
	default:
		add([]string{err.Error()}, "")
	}
	return all
}

// isJoin tells a mere list of errors from an error that wraps several and has words of its own.
func isJoin(err error, parts []error) bool {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.Error()
	}
	return err.Error() == strings.Join(texts, "\n")
}
