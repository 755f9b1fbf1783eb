package main

import "testing"

func TestNeedsRoot(t *testing.T) {
	if err := needsRoot(0); err != nil {
		t.Errorf("as root: %v", err)
	}
	err := needsRoot(1000)
	want := "the local cloud needs root, to make machines of its own; run imago with: sudo -E"
	if !is[*usageError](err) || err.Error() != want {
		t.Errorf("as another user: %v, want a usage error %q", err, want)
	}
}
