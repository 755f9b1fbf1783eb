package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// words make text that compresses about 3:1, as source code does.
const words = `await async break buffer callback case catch class const continue default delete each else emit
exports extends finally for from function if import in index instanceof key length let map module new null number
object options path pop promise push reject require resolve return shift static stream string super switch this throw
true try typeof undefined value var while with yield`

// tree is a directory, or one file, that is uploaded.
type tree struct {
	name string
	path string // as a file provisioner's source: with a slash when it means a directory's contents
	dest string // as its destination: a file's name for a file, because Packer's scp takes no directory for one
	sum  string // of its contents, as checkScript prints it

	files int
	bytes int64
}

// recipe says what a tree is made of.
type recipe struct {
	files, size int
	place       func(int) string // the directory of the i-th file
	make        func(dir string, r *rand.Rand, how recipe) error
}

func recipes() map[string]recipe {
	return map[string]recipe{
		"many":    {10_000, 7 << 10, nested, texts},
		"flat300": {300, 7 << 10, flat, texts},
		"few":     {40, 7 << 10, nested, texts},
		"big":     {1, 512 << 20, flat, blobs},
		"medium":  {200, 1 << 20, flat, blobs},

		"scale1000":   {1_000, 1 << 10, nested, texts},
		"scale10000":  {10_000, 1 << 10, nested, texts},
		"scale100000": {100_000, 1 << 10, nested, texts},
	}
}

// makeTree writes a tree below dir, the same bytes every time, unless it is there.
func makeTree(dir, name string) (tree, error) {
	how, ok := recipes()[name]
	if !ok {
		return tree{}, fmt.Errorf("there is no tree named %q", name)
	}
	t := tree{name: name, path: filepath.Join(dir, name) + "/", dest: inbox, files: how.files}
	done := filepath.Join(dir, name+".sum")
	sum, err := os.ReadFile(done)
	if err != nil {
		if sum, err = t.fill(how); err != nil {
			return tree{}, err
		}
		if err := os.WriteFile(done, sum, 0o644); err != nil {
			return tree{}, err
		}
	}
	t.sum = string(sum)
	if t.bytes, err = sizeOf(t.path); err != nil {
		return tree{}, err
	}
	return t.single(), nil
}

// fill writes the files, and returns their sum.
func (t tree) fill(how recipe) ([]byte, error) {
	if err := os.RemoveAll(t.path); err != nil {
		return nil, err
	}
	// Not for secrets: the same bytes every time are what is wanted.
	if err := how.make(t.path, rand.New(rand.NewPCG(1, 2)), how); err != nil {
		return nil, err
	}
	sum, err := sumOf(t.path)
	return []byte(sum), err
}

func sizeOf(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}

// single names the file itself for a tree of one file: that is what people upload then.
func (t tree) single() tree {
	if t.name == "big" {
		t.path = filepath.Join(t.path, "blob000.bin")
		t.dest = inbox + "/blob000.bin"
	}
	return t
}

// about is what the tree is, in a few words.
func (t tree) about() string {
	if t.files == 1 {
		return fmt.Sprintf("one file of %.0f MiB", mib(float64(t.bytes)))
	}
	return fmt.Sprintf("%d files, %s MiB", t.files, digits(mib(float64(t.bytes))))
}

// flat and nested say in which directory a file lies; 20 files share a nested one, one to five levels deep.
func flat(int) string { return "" }

func nested(i int) string {
	d := i / 20
	path := fmt.Sprintf("package%03d", d/5)
	for level := range d % 5 {
		path += "/" + []string{"node_modules", "lib", "dist", "src"}[level] + fmt.Sprint(level)
	}
	return path
}

// texts writes files of 1 KiB and up to size more.
func texts(dir string, r *rand.Rand, how recipe) error {
	vocabulary := strings.Fields(words)
	for i := range how.files {
		size := 1024 + r.IntN(how.size)
		var text strings.Builder
		for text.Len() < size {
			text.WriteString(vocabulary[r.IntN(len(vocabulary))])
			if r.IntN(4) == 0 {
				fmt.Fprintf(&text, "_%x", r.IntN(1<<20))
			}
			text.WriteString([]string{" ", " ", " ", "(", ") {\n  ", ";\n", ", ", ".", " = "}[r.IntN(9)])
		}
		if err := write(filepath.Join(dir, how.place(i), fmt.Sprintf("f%05d.js", i)), []byte(text.String()[:size])); err != nil {
			return err
		}
	}
	return nil
}

// blobs writes files that do not compress.
func blobs(dir string, r *rand.Rand, how recipe) error {
	for i := range how.files {
		if err := blob(filepath.Join(dir, fmt.Sprintf("blob%03d.bin", i)), r, how.size); err != nil {
			return err
		}
	}
	return nil
}

// blob writes piece by piece: this process is to stay small, see floor.
func blob(path string, r *rand.Rand, size int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	for range size / 8 {
		_, _ = w.Write(binary.LittleEndian.AppendUint64(w.AvailableBuffer(), r.Uint64())) // Flush tells
	}
	return errors.Join(w.Flush(), f.Close())
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// checkScript prints a sum over the names and contents of all files in the
// current directory. It is what sumOf computes on this side.
const checkScript = `find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64`

func sumOf(dir string) (string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, relErr := filepath.Rel(dir, path)
			names, err = append(names, rel), relErr
		}
		return err
	})
	if err != nil {
		return "", err
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare("./"+a, "./"+b) })
	all := sha256.New()
	for _, name := range names {
		one, err := sumOfFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%x  ./%s\n", one, name)
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

func sumOfFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return sum.Sum(nil), err
}
