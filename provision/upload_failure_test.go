//go:build linux

package provision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// TestUploadProblems also looks that nothing is left on the machine.
func TestUploadProblems(t *testing.T) {
	t.Parallel()
	servers := machines(t)
	fifo := plant(t, map[string]string{"a": ""})
	if err := syscall.Mkfifo(fifo+"/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		source string
		dest   string
		says   string
	}{
		"directory over a file": {plant(t, map[string]string{"x/y": ""}) + "/", "file", "file is not a directory"},
		"file over a directory": {plant(t, map[string]string{"dir": ""}) + "/", ".", "dir"},
		"directory in a file":   {plant(t, map[string]string{"file/y": ""}) + "/", ".", "file"},
		"file onto a directory": {plant(t, map[string]string{"dir": ""}) + "/dir", ".", "dir is a directory"},
		"parent that is a file": {plant(t, map[string]string{"a": ""}) + "/a", "file/a", "file"},
		"a FIFO in the tree":    {fifo, "new", "pipe is a FIFO"},
		"a source that is gone": {fifo + "/gone", "new", "gone: no such file"},
	} {
		for transport, on := range servers {
			t.Run(name+"/"+transport, func(t *testing.T) {
				s, h := on.s, on.h
				at := home(t, s, map[string]string{"file": "f", "dir/x": "x"})
				before := snapshot(t, at)
				err := h.Upload(context.Background(), provision.Tree{Source: test.source, Dest: at + "/" + test.dest}, nil)
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("Upload = %v, want %q", err, test.says)
				}
				if diff := cmp.Diff(before, snapshot(t, at)); diff != "" {
					t.Errorf("on the machine (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// TestUploadDiskFull fills a small file system.
func TestUploadDiskFull(t *testing.T) {
	t.Parallel()
	for transport, tr := range transports() {
		t.Run(transport, func(t *testing.T) {
			_, h := tr.start(t, "root")
			output(t, h, "mkdir /run/small && mount -t tmpfs -o size=1m tmpfs /run/small")
			big := filepath.Join(t.TempDir(), "big")
			if err := os.WriteFile(big, make([]byte, 3<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			err := h.Upload(context.Background(), provision.Tree{Source: big, Dest: "/run/small/big"}, nil)
			if err == nil || !strings.Contains(err.Error(), "No space left") {
				t.Errorf("Upload = %v, want no space left", err)
			}
			if got := output(t, h, "ls -A /run/small"); got != "" {
				t.Errorf("left on the machine: %q", got)
			}
		})
	}
}

// TestUploadChangingFile has files that do not stay as they were listed: the
// change is made from the progress callback, while the file is being read.
func TestUploadChangingFile(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	const size = 128 << 20
	for name, test := range map[string]struct {
		size   int // of a, which is sent before b
		change func(dir string) error
		says   []string // one of these: over a long link a file is opened more than once
	}{
		"grows":    {size, func(dir string) error { return os.Truncate(dir+"/a", size+1) }, []string{"a grew while it was read", "a changed while the tree was read"}},
		"shrinks":  {size, func(dir string) error { return os.Truncate(dir+"/a", 5) }, []string{"a shrank while it was read", "a changed while the tree was read"}},
		"vanishes": {0, func(dir string) error { return os.Remove(dir + "/b") }, []string{"b vanished while the tree was read"}},
		"replaced": {0, func(dir string) error { os.Remove(dir + "/b"); return syscall.Mkfifo(dir+"/b", 0o600) }, []string{"b is a FIFO"}},
	} {
		t.Run(name, func(t *testing.T) {
			at := home(t, s, nil)
			source := plant(t, map[string]string{"a": "", "b": "B"})
			noiseFile(t, source+"/a", test.size)
			changed := false
			err := h.Upload(context.Background(), provision.Tree{Source: source, Dest: at + "/new"}, func(p provision.Progress) {
				if !changed && (p.Done > 0 || test.size == 0) {
					changed = true
					if err := test.change(source); err != nil {
						t.Error(err)
					}
				}
			})
			if err == nil || !slices.ContainsFunc(test.says, func(s string) bool { return strings.Contains(err.Error(), s) }) {
				t.Errorf("Upload = %v, want %q", err, test.says)
			}
			waitGone(t, at)
		})
	}
}

func TestUploadCanceled(t *testing.T) {
	t.Parallel()
	servers := machines(t)
	for transport, on := range servers {
		t.Run(transport, func(t *testing.T) {
			s, h := on.s, on.h
			at := home(t, s, nil)
			source := plant(t, map[string]string{"a": ""})
			noiseFile(t, source+"/a", 128<<20)
			cause := errors.New("enough")
			ctx, cancel := context.WithCancelCause(context.Background())
			err := h.Upload(ctx, provision.Tree{Source: source, Dest: at + "/new"}, func(p provision.Progress) {
				if p.Done > 0 {
					cancel(cause)
				}
			})
			if !errors.Is(err, cause) {
				t.Errorf("Upload = %v, want %v", err, cause)
			}
			waitGone(t, at)
			output(t, h, "true") // the connection is still good
		})
	}
}

func TestUploadProgress(t *testing.T) {
	t.Parallel()
	servers := machines(t)
	for transport, on := range servers {
		t.Run(transport, func(t *testing.T) {
			s, h := on.s, on.h
			files := map[string]string{"big": strings.Repeat("x", 1<<20)}
			for i := range 50 {
				files[fmt.Sprintf("small-%d", i)] = "0123456789"
			}
			var seen []provision.Progress
			err := h.Upload(context.Background(), provision.Tree{Source: plant(t, files), Dest: home(t, s, nil) + "/new"},
				func(p provision.Progress) { seen = append(seen, p) })
			if err != nil {
				t.Fatal(err)
			}
			var last provision.Progress
			for _, p := range seen {
				if p.Done < last.Done || p.Files < last.Files || p.Done > p.Total || p.Files > p.TotalFiles {
					t.Errorf("%+v follows %+v", p, last)
				}
				last = p
			}
			last.Path = ""
			if want := (provision.Progress{Done: 1<<20 + 500, Total: 1<<20 + 500, Files: 51, TotalFiles: 51}); last != want {
				t.Errorf("the last report is %+v, want %+v", last, want)
			}
		})
	}
}

// fillFile makes a file of size bytes that has no holes.
func fillFile(t *testing.T, name string, size int) {
	t.Helper()
	if err := os.WriteFile(name, bytes.Repeat([]byte("0123456789abcdef"), size/16), 0o644); err != nil {
		t.Fatal(err)
	}
}

// noiseFile makes a file that does not compress, so that sending it takes its time.
func noiseFile(t *testing.T, name string, size int) {
	t.Helper()
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(data) // never fails
	if err := os.WriteFile(name, data, 0o640); err != nil {
		t.Fatal(err)
	}
}
