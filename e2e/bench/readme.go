package main

import (
	"fmt"
	"os"
	"strings"
)

// The marks around the part of a README that is ours.
const (
	readmeBegin = "<!-- make bench BENCH='-readme README.md' writes from here -->\n"
	readmeEnd   = "<!-- to here -->\n"
)

// rewrite puts text between the marks of a file.
func rewrite(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(old), readmeBegin)
	_, after, ends := strings.Cut(rest, readmeEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no lines %q and %q to write between", path, strings.TrimSpace(readmeBegin), strings.TrimSpace(readmeEnd))
	}
	return os.WriteFile(path, []byte(before+readmeBegin+text+readmeEnd+after), 0o644)
}
