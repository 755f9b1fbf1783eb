package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/imagobuild/imago/provision"
)

// BenchmarkFingerprintTree digests a tree of 100,000 files for the first time,
// and once more, beside sha256sum over the same files on all processors.
func BenchmarkFingerprintTree(b *testing.B) {
	root := manyFiles(b, 100_000)
	known := filepath.Join(b.TempDir(), "known")
	list := func(b *testing.B) {
		if _, err := (provision.Tree{Source: root + "/", Dest: "/srv"}).ListKnown(context.Background(), known); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("sha256sum", func(b *testing.B) {
		all := fmt.Sprintf("find . -type f -print0 | xargs -0 -P%d -n2000 sha256sum > /dev/null", runtime.NumCPU())
		for b.Loop() {
			cmd := exec.Command("sh", "-c", all)
			cmd.Dir = root
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
		}
	})
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			os.Remove(known)
			list(b)
		}
	})
	b.Run("again", func(b *testing.B) {
		list(b)
		for b.Loop() {
			list(b)
		}
	})
}

// manyFiles makes files of 4 KB on average, 40 in a directory.
func manyFiles(b *testing.B, n int) (root string) {
	b.Helper()
	root = b.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 1<<16)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	for i := range n {
		dir := filepath.Join(root, fmt.Sprintf("m%03d/d%d", i/40%250, i/10_000))
		if i%40 == 0 {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		size := min(len(data), int(4000*random.ExpFloat64()))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), data[:size], 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return root
}
