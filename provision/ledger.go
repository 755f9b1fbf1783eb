package provision

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
)

// ledger is what the machine has of a tree: the entries before one of them, and
// the pieces. It outlives a connection.
type ledger struct {
	at     int // entries that have arrived, pieces not counted
	marks  map[int]uint64
	pieces map[int]*piece // by entry
	seed   maphash.Seed
}

func newLedger() *ledger {
	return &ledger{marks: map[int]uint64{}, pieces: map[int]*piece{}, seed: maphash.MakeSeed()}
}

// arrived grows with whatever arrives.
func (l *ledger) arrived() int {
	n := l.at
	for _, p := range l.pieces {
		n += p.arrived()
	}
	return n
}

// goBack continues at a mark.
func (l *ledger) goBack(at int) error {
	if _, ok := l.marks[at]; !ok && at != 0 {
		return fmt.Errorf("the machine says that it has %d entries, which it was never told", at)
	}
	l.at = at
	return nil
}

// begin counts a tree's entries from the first one on.
func (l *ledger) begin() *counter {
	c := &counter{ledger: l}
	c.hash.SetSeed(l.seed)
	return c
}

// counter counts entries, and knows the ones that it has counted again.
type counter struct {
	ledger *ledger
	n      int
	before uint64 // the sum of those before the last one
	hash   maphash.Hash
}

// add returns the entry's number.
func (c *counter) add(e entry) int {
	c.before = c.hash.Sum64()
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

// sum tells the entries so far from any others.
func (c *counter) sum() uint64 { return c.hash.Sum64() }

// mark remembers the first entries, which are all up to the last one or all before it.
func (c *counter) mark(entries int) {
	sum := c.before
	if entries == c.n {
		sum = c.sum()
	}
	c.ledger.marks[entries] = sum
}

// check returns an error when the entries so far are not those that have arrived.
func (c *counter) check() error {
	if want, ok := c.ledger.marks[c.n]; ok && c.n == c.ledger.at && want != c.sum() {
		return errChanged
	}
	return nil
}
