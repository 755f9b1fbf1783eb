package provision_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/imagobuild/imago/provision"
)

// listKnown lists a tree with a memory.
func listKnown(t *testing.T, root, known string) provision.Listing {
	t.Helper()
	l, err := provision.Tree{Source: root, Dest: "/srv"}.ListKnown(context.Background(), known)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// forge puts another digest in the place of a file's in a memory, and so shows
// whether the memory is believed.
func forge(t *testing.T, known, contents string) {
	t.Helper()
	data, err := os.ReadFile(known)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(contents))
	if !bytes.Contains(data, sum[:]) {
		t.Fatalf("the memory has no digest of %q", contents)
	}
	if err := os.WriteFile(known, bytes.ReplaceAll(data, sum[:], make([]byte, len(sum))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestKnown: a file that has not changed is not read again; one that has, or may have, is.
func TestKnown(t *testing.T) {
	t.Parallel()
	root := plant(t, map[string]string{"a.b/x": "first", "a/x": "second", "a/empty/": "", "link": "-> a"})
	known := filepath.Join(t.TempDir(), "known")
	want := list(t, provision.Tree{Source: root})

	if got := listKnown(t, root, known); got != want {
		t.Errorf("%+v at first, want %+v", got, want)
	}
	forge(t, known, "first")
	if got := listKnown(t, root, known); got != want {
		t.Errorf("a file that has just been written is not read again")
	}

	time.Sleep(2100 * time.Millisecond) // now nothing has just been written
	listKnown(t, root, known)
	if got := listKnown(t, root, known); got != want {
		t.Errorf("%+v from memory, want %+v", got, want)
	}
	for _, contents := range []string{"first", "second"} {
		forge(t, known, contents)
		if got := listKnown(t, root, known); got == want {
			t.Errorf("the file with %q is read again, though it has not changed", contents)
		}
		os.Remove(known)
		listKnown(t, root, known)
	}

	info, err := os.Stat(filepath.Join(root, "a/x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "a/x"), []byte("SECOND"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(root, "a/x"), time.Time{}, info.ModTime()); err != nil { // as tools do that hide a change
		t.Fatal(err)
	}
	if got := listKnown(t, root, known); got != list(t, provision.Tree{Source: root}) || got == want {
		t.Errorf("after a change with the same size and time: %+v", got)
	}
}

// TestKnownBroken: a memory that is no memory, or cannot be written, costs time and nothing else.
func TestKnownBroken(t *testing.T) {
	root := plant(t, map[string]string{"a": "1", "b": "2"})
	want := list(t, provision.Tree{Source: root})
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	listKnown(t, root, whole)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		path := filepath.Join(dir, "cut")
		if err := os.WriteFile(path, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := listKnown(t, root, path); got != want {
			t.Fatalf("with %d bytes of a memory: %+v, want %+v", n, got, want)
		}
	}
	if got := listKnown(t, root, filepath.Join(dir, "missing", "known")); got != want {
		t.Errorf("without a place for a memory: %+v, want %+v", got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestChanges: two memories tell what differs, by name.
func TestChanges(t *testing.T) {
	files := map[string]string{"a/x": "1", "a/y": "2", "a.b": "3", "gone": "4", "mode": "5", "link": "-> a"}
	root, dir := plant(t, files), t.TempDir()
	older, newer := filepath.Join(dir, "older"), filepath.Join(dir, "newer")
	listKnown(t, root, older)
	for _, err := range []error{
		os.WriteFile(root+"/a/y", []byte("9"), 0o644), os.WriteFile(root+"/a/z", nil, 0o644), os.Remove(root + "/gone"),
		os.Chmod(root+"/mode", 0o755), os.Remove(root + "/link"), os.Symlink("b", root+"/link"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	listKnown(t, root, newer)
	want := []string{"contents of a/y", "a/z added", "gone removed", "link of link", "mode of mode"}
	for _, most := range []int{len(want), 2} {
		changes, all, err := provision.Changes(older, newer, most)
		var got []string
		for _, c := range changes {
			got = append(got, c.String())
		}
		if err != nil || all != len(want) || !slices.Equal(got, want[:most]) {
			t.Errorf("%d changes %q, %v; want %d, %q", all, got, err, len(want), want[:most])
		}
	}
	if _, _, err := provision.Changes(filepath.Join(dir, "none"), newer, 1); err == nil {
		t.Error("no error without a memory")
	}
}
