package main

import (
	"context"
	"os/exec"
	"strings"
)

// commitOf is the git commit of a working tree, with -dirty behind it when the
// tree has changed since; "" when there is none.
func commitOf(ctx context.Context, dir string) string {
	commit, err := git(ctx, dir, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return ""
	}
	if changes, err := git(ctx, dir, "status", "--porcelain", "--", "."); err != nil || changes != "" {
		commit += "-dirty"
	}
	return commit
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// shortCommit is a commit as tables have it.
func shortCommit(commit string) string {
	const most = 8
	id, dirty, _ := strings.Cut(commit, "-")
	switch {
	case commit == "":
		return "-"
	case dirty != "":
		return id[:min(len(id), most)] + "-" + dirty
	}
	return id[:min(len(id), most)]
}
