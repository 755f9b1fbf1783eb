package main

import (
	"os"

	"golang.org/x/term"
)

// defaultWidth is a terminal's width when it does not say.
const defaultWidth = 80

// width is how many columns the terminal has now.
func (s *session) width() int {
	if s.tty == nil {
		return defaultWidth
	}
	w, _, err := term.GetSize(int(s.tty.Fd()))
	if err != nil || w <= 0 {
		return defaultWidth
	}
	return w
}

// dumbTerminal says whether the terminal cannot move its cursor, or nobody looks at it.
func dumbTerminal() bool {
	return os.Getenv("TERM") == "dumb" || envSet("CI")
}

// lively says whether something can be redrawn in place on stderr.
func (s *session) lively() bool { return s.tty != nil && !logging() && !dumbTerminal() }
