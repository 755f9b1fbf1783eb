package main

import (
	"io"
	"log/slog"
	"os"
	"sync"
)

// log is for the people who maintain imago: silent unless IMAGO_LOG (or Packer's
// PACKER_LOG) is set, and then on stderr, or in the file that PACKER_LOG_PATH names.
func (s *session) log() *slog.Logger {
	if !logging() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(s.logTo(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// logging says whether somebody asked for the log.
func logging() bool { return envSet("IMAGO_LOG") || envSet("PACKER_LOG") }

// logged says whether the log goes to where people look.
func logged() bool { return logging() && os.Getenv("PACKER_LOG_PATH") == "" }

// logFile is the file of the log, which all logs of a session share.
type logFile struct {
	open sync.Once
	to   io.Writer
}

// logTo is where the log goes.
func (s *session) logTo() io.Writer {
	path := os.Getenv("PACKER_LOG_PATH")
	if path == "" {
		return s.stderr
	}
	s.logFile.open.Do(func() {
		s.logFile.to = s.stderr
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			s.say("imago: warning: PACKER_LOG_PATH: %v; the log is here", err)
			return
		}
		s.logFile.to = s.secrets.Writer(f)
	})
	return s.logFile.to
}
