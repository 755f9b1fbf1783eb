//go:build linux

package provision_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// grow fills dir with random files, links and directories. Where old is not
// empty, it is a tree that dir will be laid over, so that what is a directory
// there is one here, and only that.
func grow(t *testing.T, r *rand.Rand, dir, old string, depth int) {
	t.Helper()
	for range r.IntN(8) {
		name := randomName(r)
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		oldInfo, oldErr := os.Lstat(filepath.Join(old, name))
		wasDir := oldErr == nil && oldInfo.IsDir()
		var err error
		switch kind := r.IntN(10); {
		case wasDir || oldErr != nil && kind < 3 && depth > 0:
			if err = os.Mkdir(path, 0o700); err == nil {
				grow(t, r, path, filepath.Join(old, name), depth-1)
				err = os.Chmod(path, 0o700|fs.FileMode(r.IntN(0o100))|randomFlag(r))
			}
		case kind < 5:
			err = os.Symlink(randomName(r)+"/"+randomName(r), path)
		default:
			if err = os.WriteFile(path, randomBytes(r, 1<<r.IntN(18)), 0o600); err == nil {
				err = os.Chmod(path, 0o400|fs.FileMode(r.IntN(0o1000))|randomFlag(r))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// randomName is often short, so that trees have names in common, and sometimes odd.
func randomName(r *rand.Rand) string {
	if r.IntN(3) > 0 {
		return string(rune('a' + r.IntN(6)))
	}
	const bytes = "-.\\*?[]$`'\"!~# \t\n\r\x01\x7f\x80\xff\xc3\xbcabc{}()&;|<>%="
	name := make([]byte, 1+r.IntN(40))
	for i := range name {
		name[i] = bytes[r.IntN(len(bytes))]
	}
	if s := string(name); s != "." && s != ".." {
		return s
	}
	return "dots"
}

func randomFlag(r *rand.Rand) fs.FileMode {
	return []fs.FileMode{0, 0, 0, fs.ModeSetuid, fs.ModeSetgid, fs.ModeSticky}[r.IntN(6)]
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, r.IntN(n))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestRandomTrees uploads a tree, lays another one over it, and downloads the result.
func TestRandomTrees(t *testing.T) {
	t.Parallel()
	for transport, tr := range transports() {
		s, h := tr.start(t, provisiontest.User)
		for range 4 {
			seed := rand.Uint64()
			t.Run(fmt.Sprintf("%s/%d", transport, seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 0))
				base, over := t.TempDir(), t.TempDir()
				grow(t, r, base, "", 3)
				grow(t, r, over, base, 3)
				for _, root := range []string{base, over} {
					if err := os.Chmod(root, 0o755); err != nil {
						t.Fatal(err)
					}
				}
				dest := filepath.Join(home(t, s, nil), "new")
				upload(t, h, provision.Tree{Source: base + "/", Dest: dest})
				want := snapshot(t, base)
				if diff := cmp.Diff(want, snapshot(t, dest)); diff != "" {
					t.Fatalf("after the first tree (-want +got):\n%s", diff)
				}

				upload(t, h, provision.Tree{Source: over + "/", Dest: dest})
				for name, what := range snapshot(t, over) {
					if old, ok := want[name]; !ok || old[0] != 'd' && old[1] != 'd' { // "d…", "dt…" and the like are directories
						want[name] = what
					}
				}
				if diff := cmp.Diff(want, snapshot(t, dest)); diff != "" {
					t.Fatalf("after the second tree (-want +got):\n%s", diff)
				}

				back := filepath.Join(t.TempDir(), "back")
				if err := h.Download(context.Background(), provision.Fetch{Source: dest, Dest: back}, nil); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(withoutFlags(want), withoutFlags(snapshot(t, back))); diff != "" {
					t.Errorf("after the download (-want +got):\n%s", diff)
				}
			})
		}
	}
}
