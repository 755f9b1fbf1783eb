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

// job is a tree of a benchmark.
type job struct {
	name string
	how  recipe
}

func jobs() []job {
	return []job{{"files=1000", recipe{1000, 7 << 10, nested, texts}}, {"size=64MiB", recipe{1, 64 << 20, flat, blobs}}}
}

func (j job) plant(b *testing.B, dir string) (source string) {
	source = filepath.Join(dir, "source") + "/"
	if err := j.how.make(source, rand.New(rand.NewPCG(1, 2)), j.how); err != nil {
		b.Fatal(err)
	}
	return source
}

func BenchmarkUpload(b *testing.B) {
	for _, j := range jobs() {
		b.Run(j.name, func(b *testing.B) {
			h, dir := dial(b), memoryDir(b)
			source := j.plant(b, dir)
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

// BenchmarkList reads a tree and makes its digest, as every plan does.
func BenchmarkList(b *testing.B) {
	for _, j := range jobs() {
		b.Run(j.name, func(b *testing.B) {
			t := provision.Tree{Source: j.plant(b, memoryDir(b)), Dest: "/x"}
			var l provision.Listing
			for b.Loop() {
				var err error
				if l, err = t.List(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(l.Bytes)
		})
	}
}
