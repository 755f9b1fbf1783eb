package provision

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"sync"
)

// ledger is what the machine has of a tree: of each stripe the entries before one
// of them, and pieces. It outlives a connection.
type ledger struct {
	at []int // by stripe; empty until the tree is divided

	mu     sync.Mutex
	pieces map[int]*piece // by entry
}

func newLedger() *ledger { return &ledger{pieces: map[int]*piece{}} }

// divide makes the stripes, the first time.
func (l *ledger) divide(far bool) {
	switch {
	case len(l.at) > 0:
	case far:
		l.at = make([]int, farStripes)
	default:
		l.at = make([]int, 1)
	}
}

// arrived grows with whatever arrives.
func (l *ledger) arrived() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, at := range l.at {
		n += at
	}
	for _, p := range l.pieces {
		n += p.arrived()
	}
	return n
}

// piece is an entry that travels by itself, or nil.
func (l *ledger) piece(entry int) *piece {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pieces[entry]
}

func (l *ledger) addPiece(p *piece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pieces[p.index] = p
}

// errChanged is for a tree that is not what it was when the upload began.
var errChanged = errors.New("the tree changed while it was uploaded")

// counter counts a tree's entries, and can tell them from any others.
type counter struct {
	n    int
	seed maphash.Seed
	hash maphash.Hash
}

// newCounter counts like another one, or makes the first.
func newCounter(like *counter) *counter {
	c := &counter{seed: maphash.MakeSeed()}
	if like != nil {
		c.seed = like.seed
	}
	c.hash.SetSeed(c.seed)
	return c
}

// add returns the entry's number.
func (c *counter) add(e entry) int {
	c.hash.WriteString(e.name)
	c.hash.WriteByte(0)
	c.hash.WriteString(e.link)
	var numbers [12]byte
	binary.LittleEndian.PutUint64(numbers[:], uint64(e.size))
	binary.LittleEndian.PutUint32(numbers[8:], uint32(e.mode))
	c.hash.Write(numbers[:])
	c.n++
	return c.n - 1
}

// check returns an error unless the same entries have been counted before.
func (c *counter) check(before *counter) error {
	if c.n != before.n || c.hash.Sum64() != before.hash.Sum64() {
		return errChanged
	}
	return nil
}
