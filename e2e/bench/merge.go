package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// merge puts measurements that were made one after another on the same computer
// into one table, prints it, and rewrites the README's part: the complete one
// takes longer than some have at a time.
func merge(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: bench merge README.md BENCH.json...")
	}
	var all document
	var commands []string
	for _, path := range args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var d document
		if err := json.Unmarshal(text, &d); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if all.Machine != "" && (d.Machine != all.Machine || d.Packer != all.Packer || d.OpenSSH != all.OpenSSH) {
			return fmt.Errorf("%s was measured on another computer, or with other programs, than %s", path, args[1])
		}
		d.Lines, d.Costs, d.Missing = append(all.Lines, d.Lines...), append(all.Costs, d.Costs...), append(all.Missing, d.Missing...)
		commands = append(commands, d.Command)
		all = d
	}
	all.Command = strings.Join(commands, "; ")
	short := all.short()
	fmt.Print(short)
	return rewrite(args[0], short)
}
