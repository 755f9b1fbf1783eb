package provision

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"sync"

	"github.com/klauspost/compress"
)

const (
	// pieceLeast is the size from which a file may travel by itself: below it, round trips are what counts.
	pieceLeast = 64 << 10

	// segmentSize is how much of a piece one sender sends, and what is lost with a connection at most.
	segmentSize = 4 << 20

	// sampleSize is how much of a file is looked at to see whether it compresses.
	sampleSize = 16 << 10

	// dense is an estimate of how well data compresses, from 0 to 1, below which it is left as it is.
	dense = 0.15
)

// piece is a file that travels by itself, beside the stream.
type piece struct {
	index  int // the entry's number
	sparse bool

	mu    sync.Mutex
	acked map[int64]bool // segments that have arrived, by offset
	left  int            // segments of this attempt that have not
	whole bool
}

// path is where the piece is put together, in the staging directory.
func (p *piece) path() string { return path.Join(stagedPieces, strconv.Itoa(p.index)) }

// arrived grows with what arrives.
func (p *piece) arrived() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.whole {
		return 1 << 20
	}
	return len(p.acked)
}

// segment is a part of a piece.
type segment struct {
	piece     *piece
	entry     entry
	from, len int64
}

// segments are those that have not arrived. A piece that is all hole, or all
// there, still has one: somebody has to finish it.
func (p *piece) segments(e entry) ([]segment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := []extent{{0, e.size}}
	if p.sparse {
		var err error
		if parts, err = extents(e.source, e.size); err != nil {
			return nil, err
		}
	}
	var all []segment
	for _, x := range parts {
		for at := x.from; at < x.to; at += segmentSize {
			if !p.acked[at] {
				all = append(all, segment{p, e, at, min(segmentSize, x.to-at)})
			}
		}
	}
	if len(all) == 0 {
		all = []segment{{piece: p, entry: e}}
	}
	p.left = len(all)
	return all, nil
}

// lengthOf is how much segments hold.
func lengthOf(all []segment) (n int64) {
	for _, s := range all {
		n += s.len
	}
	return n
}

// arrive notes a segment, and reports whether it was the last one.
func (p *piece) arrive(s segment) (last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acked[s.from] = true
	p.left--
	return p.left == 0
}

// finish notes that the piece is complete.
func (p *piece) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.whole, p.acked = true, nil
}

// extent is a range of a file that holds data.
type extent struct{ from, to int64 }

// isSparse reports whether a file takes much less room than it is long.
func isSparse(info fs.FileInfo) bool {
	return info.Size() >= segmentSize && blocksOf(info)*512 < info.Size()/4*3
}

// isDense reports whether compressing a file is not worth it, by its middle.
func isDense(f *os.File, size int64) bool {
	sample := make([]byte, sampleSize)
	n, _ := f.ReadAt(sample, size/2) // what cannot be read is found out when it is sent
	return compress.Estimate(sample[:n]) < dense
}
