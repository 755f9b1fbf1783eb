package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// dial connects to an sshd of the benchmark's own, without a relay.
func dial(b *testing.B) *provision.Host {
	s := provisiontest.Start(b, provisiontest.Options{})
	h, err := provision.Dial(context.Background(), s.Addr, s.Identity())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { h.Close() })
	return h
}

// memoryDir is a directory on a file system in memory, which anybody may write.
func memoryDir(b *testing.B) string {
	dir, err := os.MkdirTemp("/dev/shm", "imago-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		b.Fatal(err)
	}
	return dir
}

func BenchmarkUpload(b *testing.B) {
	for name, how := range map[string]recipe{
		"files=1000": {1000, 7 << 10, nested, texts},
		"size=64MiB": {1, 64 << 20, flat, blobs},
	} {
		b.Run(name, func(b *testing.B) {
			h, dir := dial(b), memoryDir(b)
			source := filepath.Join(dir, "source") + "/"
			if err := how.make(source, rand.New(rand.NewPCG(1, 2)), how); err != nil {
				b.Fatal(err)
			}
			var bytes int64
			for i := 0; b.Loop(); i++ {
				dest := filepath.Join(dir, fmt.Sprint(i))
				err := h.Upload(context.Background(), provision.Tree{Source: source, Dest: dest}, func(p provision.Progress) { bytes = p.Total })
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := os.RemoveAll(dest); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.SetBytes(bytes)
		})
	}
}

func BenchmarkRun(b *testing.B) {
	h := dial(b)
	for b.Loop() {
		if err := h.Run(context.Background(), provision.Script{Name: "true", Body: []byte("true\n")}, nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDial(b *testing.B) {
	s := provisiontest.Start(b, provisiontest.Options{})
	for b.Loop() {
		h, err := provision.Dial(context.Background(), s.Addr, s.Identity())
		if err != nil {
			b.Fatal(err)
		}
		h.Close()
	}
}
