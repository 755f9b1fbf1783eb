package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitCommand(t *testing.T) {
	tests := []struct {
		name                  string
		args, typed           []string // as the flag package leaves them, and as they were typed
		wantBefore, wantAfter []string
	}{
		{"none", []string{"a", "i-1"}, []string{"imago", "ssh", "a", "i-1"}, []string{"a", "i-1"}, nil},
		{"behind an argument", []string{"a", "--", "ls", "-l"}, []string{"imago", "ssh", "a", "--", "ls", "-l"}, []string{"a"}, []string{"ls", "-l"}},
		{"first of all", []string{"ls", "-l"}, []string{"imago", "ssh", "--", "ls", "-l"}, []string{}, []string{"ls", "-l"}},
		{"one in the command", []string{"a", "--", "x", "--", "y"}, []string{"imago", "ssh", "--local", "a", "--", "x", "--", "y"}, []string{"a"}, []string{"x", "--", "y"}},
	}
	for _, tt := range tests {
		before, after := splitCommand(tt.args, tt.typed)
		if diff := cmp.Diff([][]string{tt.wantBefore, tt.wantAfter}, [][]string{before, after}); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestConsoleKeys(t *testing.T) {
	const old = "-----BEGIN SSH HOST KEY KEYS-----\nssh-rsa AAAAold root@a\n-----END SSH HOST KEY KEYS-----\n"
	const now = "-----BEGIN SSH HOST KEY KEYS-----\r\necdsa-sha2-nistp256 AAAA+/1= root@ssh-box\r\n[   3.1] cloud-init[9]: ssh-ed25519 AAAA2 root@a\r\n-----END SSH HOST KEY KEYS-----\r\n"
	for _, tt := range []struct {
		name, console string
		want          []string
	}{
		{"none", "login:", nil},
		{"of the last boot", "x\n" + old + "y\n" + now, []string{"ecdsa-sha2-nistp256 AAAA+/1=", "ssh-ed25519 AAAA2"}},
		{"half of it yet", old[:60], nil},
	} {
		if diff := cmp.Diff(tt.want, consoleKeys(tt.console)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestNewPart(t *testing.T) {
	for _, tt := range []struct{ name, last, now, want string }{
		{"the same", "a\n", "a\n", ""},
		{"more", "a\n", "a\nb\n", "b\n"},
		{"the beginning has gone", "a\nb\n", "b\nc\n", "b\nc\n"},
		{"the first", "", "a\n", "a\n"},
	} {
		if got := newPart(tt.last, tt.now); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	long := ""
	for range 100 {
		long += "0123456789\n"
	}
	if got := newPart("gone\n"+long+"end\n", long[50:]+"end\nmore\n"); got != "more\n" {
		t.Errorf("of a long console: %q, want %q", got, "more\n")
	}
}

func TestShortCommit(t *testing.T) {
	for commit, want := range map[string]string{"": "-", "0123456789abcdef": "01234567", "0123456789abcdef-dirty": "01234567-dirty", "abc": "abc"} {
		if got := shortCommit(commit); got != want {
			t.Errorf("%q: %q, want %q", commit, got, want)
		}
	}
}
