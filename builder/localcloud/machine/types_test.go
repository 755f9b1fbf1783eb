package machine

import (
	"strings"
	"testing"
)

// TestCheckID: an id becomes part of a path, so nothing else gets through.
func TestCheckID(t *testing.T) {
	for _, id := range []string{"", ".", "..", "-a", "_a", "a/b", "a b", "a\n", "\xff", "é", strings.Repeat("a", 64)} {
		if checkID(id) == nil {
			t.Errorf("checkID(%q) = nil; want an error", id)
		}
	}
	for _, id := range []string{"a", "7", "i-0123456789abcdef0", "A.b_c-d", strings.Repeat("a", 63)} {
		if err := checkID(id); err != nil {
			t.Error(err)
		}
	}
}
