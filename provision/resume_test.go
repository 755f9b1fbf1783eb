//go:build linux

package provision_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// Delays each way from which a link counts as long, and as so long that what goes
// over it is compressed from the start.
const (
	farAway     = 8 * time.Millisecond
	veryFarAway = 22 * time.Millisecond
)

// mixed makes a tree of all that travels differently: small files, files that
// compress and that do not, a sparse one, a directory that may not be changed.
func mixed(t *testing.T, r *rand.Rand) string {
	t.Helper()
	files := map[string]string{"link": "-> big", "empty/": ""}
	for i := range 2500 {
		files[fmt.Sprintf("small/%02d/%04d", i%17, i)] = strings.Repeat("text ", r.IntN(300))
	}
	root := plant(t, files)
	if err := os.Mkdir(root+"/dense", 0o755); err != nil {
		t.Fatal(err)
	}
	noiseFile(t, root+"/big", 20<<20)
	noiseFile(t, root+"/dense/a", 1<<20)
	noiseFile(t, root+"/dense/b", 70<<10)
	fillFile(t, root+"/plain", 6<<20)
	noiseFile(t, root+"/hole", 1<<20)
	if err := os.Truncate(root+"/hole", 16<<20); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root+"/dense/b", 0o444|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root+"/dense", 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(root+"/dense", 0o755) })
	return root
}

// TestUploadResumes cuts all connections at random moments. The tree arrives
// whole, at the place that was meant when the upload began, and what had arrived
// is not sent again.
func TestUploadResumes(t *testing.T) {
	t.Parallel()
	source := mixed(t, rand.New(rand.NewPCG(7, 7)))
	want := snapshot(t, source)
	for name, delay := range map[string]time.Duration{"near": 0, "far": farAway, "very far": veryFarAway} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(7, uint64(delay)))
			s := provisiontest.Start(t, provisiontest.Options{})
			whole := startWire(t, s.Addr, delay)
			at := home(t, s, nil)
			upload(t, connect(t, whole.addr, s.Identity()), provision.Tree{Source: source, Dest: at + "/new"})
			total := whole.sent.Load()
			for range 2 {
				var cuts []int64
				for at := int64(0); len(cuts) < 4; {
					at += 10_000 + r.Int64N(total/3)
					cuts = append(cuts, at)
				}
				at := home(t, s, nil)
				w := startWire(t, s.Addr, delay, cuts...)
				h := connect(t, w.addr, s.Identity())
				var last provision.Progress
				err := h.Upload(context.Background(), provision.Tree{Source: source, Dest: at + "/new"}, func(p provision.Progress) {
					if p.Done < last.Done || p.Done > p.Total || p.Files < last.Files || p.Files > p.TotalFiles {
						t.Errorf("progress %+v after %+v", p, last)
					}
					last = p
				})
				if err != nil {
					t.Fatalf("cut at %v of %d: %v", cuts, total, err)
				}
				if diff := cmp.Diff(want, snapshot(t, at+"/new")); diff != "" {
					t.Errorf("cut at %v of %d: arrived (-want +got):\n%.2000s", cuts, total, diff)
				}
				if left, err := filepath.Glob(at + "/.imago-*"); err != nil || len(left) > 0 {
					t.Errorf("left on the machine: %v", left)
				}
				// What was under way is lost with a cut: at most a mark's distance, or some segments, and a window.
				if most := total + int64(len(cuts))*(28<<20); w.sent.Load() > most {
					t.Errorf("cut at %v: %d bytes sent, where %d had been enough", cuts, w.sent.Load(), total)
				}
			}
		})
	}
}

// TestUploadCutAtTheEnd cuts the connection when nearly everything is sent, so
// that the machine may have put the tree in its place already. The tree must not
// go into the directory that it has become.
func TestUploadCutAtTheEnd(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	source := plant(t, map[string]string{"a": "A", "b/c": "C"})
	want := snapshot(t, source)
	whole := startWire(t, s.Addr, 0)
	upload(t, connect(t, whole.addr, s.Identity()), provision.Tree{Source: source, Dest: home(t, s, nil) + "/new"})
	total := whole.sent.Load()
	for before := int64(0); before < 1500; before += 75 {
		at := home(t, s, nil)
		w := startWire(t, s.Addr, 0, total-before)
		upload(t, connect(t, w.addr, s.Identity()), provision.Tree{Source: source, Dest: at + "/new"})
		if diff := cmp.Diff(want, snapshot(t, at+"/new")); diff != "" {
			t.Errorf("cut %d bytes before the end: arrived (-want +got):\n%s", before, diff)
		}
	}
}

// TestUploadChangedWhileCut changes what has been sent already while the connection is lost.
func TestUploadChangedWhileCut(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	files, r := map[string]string{}, rand.New(rand.NewPCG(8, 8))
	for i := range 4000 {
		data := make([]byte, 5000)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		files[fmt.Sprintf("%04d", i)] = string(data)
	}
	source := plant(t, files)
	at := home(t, s, nil)
	w := startWire(t, s.Addr, 0, 12<<20)
	w.onCut = func() {
		if err := os.Remove(source + "/0001"); err != nil {
			t.Error(err)
		}
	}
	err := connect(t, w.addr, s.Identity()).Upload(context.Background(), provision.Tree{Source: source, Dest: at + "/new"}, nil)
	if err == nil || !strings.Contains(err.Error(), "the tree changed while it was uploaded") {
		t.Errorf("Upload = %v, want it to see the change", err)
	}
	waitGone(t, at)
}

// TestUploadNeverBack has a machine that does not come back.
func TestUploadNeverBack(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	source := plant(t, nil)
	fillFile(t, source+"/a", 32<<20)
	w := startWire(t, s.Addr, 0)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := connect(t, w.addr, s.Identity()).Upload(ctx, provision.Tree{Source: source, Dest: home(t, s, nil) + "/new"}, func(p provision.Progress) {
		if p.Done > 1<<20 {
			s.Stop()
			cancel()
		}
	})
	if err == nil {
		t.Error("an upload to a machine that has gone succeeded")
	}
}
