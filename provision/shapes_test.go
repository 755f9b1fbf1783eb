//go:build linux

package provision_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// TestUploadSparse sends files that are mostly hole, one of them all hole: little
// travels, and little is taken on the machine.
func TestUploadSparse(t *testing.T) {
	t.Parallel()
	source := plant(t, map[string]string{"dense": strings.Repeat("x", 100_000)})
	island := bytes.Repeat([]byte("island"), 1000)
	for name, at := range map[string][]int64{"islands": {0, 40 << 20, 1<<28 - 6000}, "hole": nil} {
		f, err := os.Create(source + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, offset := range at {
			if _, err := f.WriteAt(island, offset); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Truncate(1 << 28); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, tr := range map[string]transport{"near": {}, "far": {delay: farAway}} {
		t.Run(name, func(t *testing.T) {
			s := provisiontest.Start(t, tr.options)
			w := startWire(t, s.Addr, tr.delay)
			at := home(t, s, nil)
			upload(t, connect(t, w.addr, s.Identity()), provision.Tree{Source: source, Dest: at + "/new"})
			if sent := w.sent.Load(); sent > 1<<20 {
				t.Errorf("%d bytes sent for 120 kB of data", sent)
			}
			for _, name := range []string{"islands", "hole", "dense"} {
				if !sameFile(t, source+"/"+name, at+"/new/"+name) {
					t.Errorf("%s is not what was sent", name)
				}
				info, err := os.Stat(at + "/new/" + name)
				if err != nil {
					t.Fatal(err)
				}
				if taken := info.Sys().(*syscall.Stat_t).Blocks * 512; taken > 1<<20 {
					t.Errorf("%s takes %d bytes on the machine", name, taken)
				}
			}
		})
	}
}

// sameFile compares two files, however long.
func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	f, err := os.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := os.Open(b)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	x, y := make([]byte, 1<<20), make([]byte, 1<<20)
	for {
		n, errF := f.Read(x)
		m, errG := g.Read(y)
		if n != m || !bytes.Equal(x[:n], y[:m]) || (errF == nil) != (errG == nil) {
			return false
		}
		if errF != nil {
			return true
		}
	}
}

// TestUploadHardLinks has a file with two names: each is a file of its own on the machine, as with cp -R.
func TestUploadHardLinks(t *testing.T) {
	t.Parallel()
	source := plant(t, map[string]string{"a": "A", "sub/": ""})
	if err := os.Link(source+"/a", source+"/sub/b"); err != nil {
		t.Fatal(err)
	}
	for transport, on := range machines(t) {
		t.Run(transport, func(t *testing.T) {
			at := home(t, on.s, nil)
			upload(t, on.h, provision.Tree{Source: source, Dest: at + "/new"})
			if diff := cmp.Diff(snapshot(t, source), snapshot(t, at+"/new")); diff != "" {
				t.Errorf("on the machine (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUploadSlowLink has a link that turns out to be slower than compressing:
// what is left when that is known is sent compressed.
func TestUploadSlowLink(t *testing.T) {
	t.Parallel()
	files := map[string]string{"dir/": ""}
	for _, name := range strings.Fields("a b c d e f g h i j k l m n o p") {
		files[name] = strings.Repeat(name+"bcdefgh ", 200_000)
	}
	source := plant(t, files)
	s := provisiontest.Start(t, provisiontest.Options{})
	w := startWire(t, s.Addr, 0)
	w.rate = 8 << 20
	at := home(t, s, nil)
	upload(t, connect(t, w.addr, s.Identity()), provision.Tree{Source: source, Dest: at + "/new"})
	if diff := cmp.Diff(snapshot(t, source), snapshot(t, at+"/new")); diff != "" {
		t.Errorf("on the machine (-want +got):\n%.2000s", diff)
	}
	if sent := w.sent.Load(); sent > 20<<20 {
		t.Errorf("%d bytes sent of %d: the rest was not compressed", sent, 16*1_800_000)
	}
}

// TestUploadWithout has machines that lack a program which a long link would make
// use of. That shows when a small tree has been sent already, or while a large one is.
func TestUploadWithout(t *testing.T) {
	t.Parallel()
	small := plant(t, map[string]string{"a": "A", "b/c": "C"})
	for name, source := range map[string]string{"large": mixed(t, rand.New(rand.NewPCG(9, 9))), "small": small} {
		want := snapshot(t, source)
		for without, options := range map[string]provisiontest.Options{
			"gzip": {Hidden: []string{"/usr/bin/gzip"}},
			"SFTP": {NoSFTP: true},
		} {
			t.Run(name+" without "+without, func(t *testing.T) {
				s := provisiontest.Start(t, options)
				h := connect(t, startWire(t, s.Addr, veryFarAway).addr, s.Identity())
				at := home(t, s, nil)
				upload(t, h, provision.Tree{Source: source, Dest: at + "/new"})
				if diff := cmp.Diff(want, snapshot(t, at+"/new")); diff != "" {
					t.Errorf("on the machine (-want +got):\n%.2000s", diff)
				}
				if left, err := filepath.Glob(at + "/.imago-*"); err != nil || len(left) > 0 {
					t.Errorf("left on the machine: %v", left)
				}
			})
		}
	}
}

// TestUploadMemory holds that memory does not grow with the tree: what lives in
// memory while many files are sent is what lives there while few are.
func TestUploadMemory(t *testing.T) {
	const most = 2 << 20 // a tree of 20,000 names and sizes would take twice that
	s, h := machine(t, provisiontest.Options{})
	source := t.TempDir()
	for i := range 20_000 {
		dir := filepath.Join(source, "a-directory-with-a-long-name", strconv.Itoa(i/100))
		if i%100 == 0 {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "a-file-with-a-long-name-"+strconv.Itoa(i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lives := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := lives()
	peak := before
	at := home(t, s, nil)
	err := h.Upload(context.Background(), provision.Tree{Source: source, Dest: at + "/new"}, func(p provision.Progress) {
		if p.Files < p.TotalFiles {
			peak = max(peak, lives())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes more in memory during the upload than before it", peak-before)
	if peak == before {
		t.Error("the upload was over before it was looked at")
	}
	if peak > before+most {
		t.Errorf("%d bytes more in memory during the upload than before it, want at most %d", peak-before, most)
	}
}
