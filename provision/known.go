package provision

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// knownHeader begins a memory of digests, and says its format.
const knownHeader = "imago known 1\n"

// stamp is what a file system says of a file besides its contents. The zero
// stamp is of nothing: no file has it.
type stamp struct{ dev, ino, mtime, ctime uint64 }

// settled is how old a change must be for the stamp to tell it from the next
// one: some file systems count time in steps of two seconds.
const settled = 2 * time.Second

// appendContent encodes everything about an entry that an upload brings to the
// machine, each part behind its length or of one length, so that no two trees read the same.
func (d digested) appendContent(b []byte) []byte {
	b = appendString(b, d.name)
	b = appendString(b, d.link)
	b = binary.BigEndian.AppendUint32(b, uint32(d.mode))
	b = binary.BigEndian.AppendUint64(b, uint64(d.size))
	return append(b, d.sum[:]...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// trusted is the stamp by which the entry is recognised next time.
func (d digested) trusted(now time.Time) stamp {
	if now.Sub(time.Unix(0, int64(d.stamp.ctime))) < settled {
		return stamp{}
	}
	return d.stamp
}

// knownFile is a memory of digests while a tree is walked: the one from the
// last time is read, and a new one is written, both in the walk's order. All its
// methods do nothing when there is none: it only saves time.
type knownFile struct {
	path string
	old  *knownReader // the last one
	next digested     // of old
	more bool         // next is one

	out    *os.File
	buffer *bufio.Writer
	failed bool // the new one cannot be written
}

func openKnown(path string) *knownFile {
	if path == "" {
		return nil
	}
	k := &knownFile{path: path}
	if old, err := readKnown(path); err == nil {
		k.old = old
		k.advance()
	}
	out, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		k.failed = true
		return k
	}
	k.out, k.buffer = out, bufio.NewWriterSize(out, copyBuffer)
	k.buffer.WriteString(knownHeader)
	return k
}

func (k *knownFile) advance() { k.next, k.more = k.old.read() }

// lookUp returns the digest of a file that has not changed.
func (k *knownFile) lookUp(e entry) (sum [32]byte, ok bool) {
	if k == nil {
		return sum, false
	}
	for k.more && inWalk(k.next.name, e.name) < 0 {
		k.advance()
	}
	if !k.more || k.next.name != e.name || !e.mode.IsRegular() || e.stamp == (stamp{}) {
		return sum, false
	}
	return k.next.sum, k.next.stamp == e.stamp && k.next.size == e.size && k.next.mode.IsRegular()
}

// write adds an entry to the new memory.
func (k *knownFile) write(content []byte, s stamp) {
	if k == nil || k.failed {
		return
	}
	var fixed [4 * 8]byte
	for i, v := range []uint64{s.dev, s.ino, s.mtime, s.ctime} {
		binary.BigEndian.PutUint64(fixed[8*i:], v)
	}
	k.buffer.Write(content) // an error stays until Flush
	k.buffer.Write(fixed[:])
}

// close puts the new memory in the old one's place, if it is whole.
func (k *knownFile) close(whole bool) {
	if k == nil {
		return
	}
	k.old.close()
	if k.out == nil {
		return
	}
	defer os.Remove(k.out.Name()) // of no effect after the rename
	if err := errors.Join(k.buffer.Flush(), k.out.Close()); err == nil && whole {
		os.Rename(k.out.Name(), k.path)
	}
}

// inWalk compares names by their places in a walk: a directory is before what it holds.
func inWalk(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	rank := func(s string) int {
		switch {
		case n == len(s):
			return 0
		case s[n] == '/':
			return 1
		}
		return 2 + int(s[n])
	}
	return rank(a) - rank(b)
}

// knownReader reads a memory.
type knownReader struct {
	in     *os.File
	buffer *bufio.Reader
}

func readKnown(path string) (*knownReader, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &knownReader{in: in, buffer: bufio.NewReaderSize(in, copyBuffer)}
	header := make([]byte, len(knownHeader))
	if _, err := io.ReadFull(r.buffer, header); err != nil || string(header) != knownHeader {
		in.Close()
		return nil, errors.New("no such memory")
	}
	return r, nil
}

func (r *knownReader) close() {
	if r != nil {
		r.in.Close()
	}
}

// read returns the next entry. What cannot be read is the end.
func (r *knownReader) read() (e digested, ok bool) {
	if r == nil {
		return e, false
	}
	name, ok := r.text()
	if !ok {
		return e, false
	}
	link, ok := r.text()
	if !ok {
		return e, false
	}
	var fixed [4 + 8 + 32 + 4*8]byte
	if _, err := io.ReadFull(r.buffer, fixed[:]); err != nil {
		return e, false
	}
	e.name, e.link = name, link
	e.mode = fs.FileMode(binary.BigEndian.Uint32(fixed[:]))
	e.size = int64(binary.BigEndian.Uint64(fixed[4:]))
	copy(e.sum[:], fixed[12:])
	n := func(i int) uint64 { return binary.BigEndian.Uint64(fixed[44+8*i:]) }
	e.stamp = stamp{n(0), n(1), n(2), n(3)}
	return e, true
}

// maxKnownName bounds a name in a memory that something else has written to.
const maxKnownName = 64 << 10

func (r *knownReader) text() (string, bool) {
	var length [4]byte
	if _, err := io.ReadFull(r.buffer, length[:]); err != nil {
		return "", false
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxKnownName {
		return "", false
	}
	text := make([]byte, n)
	_, err := io.ReadFull(r.buffer, text)
	return string(text), err == nil
}
