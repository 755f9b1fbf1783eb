package main

import (
	"errors"
	"strings"

	"github.com/imagobuild/imago/builder"
)

// leaks lists all that err says was left behind.
func leaks(err error) (all []*builder.LeakError) {
	switch e := err.(type) {
	case *builder.LeakError:
		return []*builder.LeakError{e}
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			all = append(all, leaks(part)...)
		}
		return all
	default:
		if inner := errors.Unwrap(err); inner != nil {
			return leaks(inner)
		}
		return nil
	}
}

// leakText says what was left behind, and why.
func leakText(e *builder.LeakError) string {
	text := "left behind: " + strings.Join(e.What(), ", ")
	if e.Err != nil {
		text += " (" + e.Err.Error() + ")"
	}
	return text
}
