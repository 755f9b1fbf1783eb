package provision

import (
	"context"
	"crypto/sha256"
	"hash"
	"io/fs"
	"runtime"
	"sync"
	"time"
)

// batchSize is how many entries go through the lister together.
const batchSize = 64

// lister digests a tree's entries: some batches are read at once, by all
// processors, and each is added to the whole in the walk's order.
type lister struct {
	ctx   context.Context
	tree  Tree
	known *knownFile
	now   time.Time // when the walk began: what changed just before may change again unseen

	filling *batch
	read    chan *batch // to be read, by any of the readers
	order   chan *batch // the same ones, to be added
	readers sync.WaitGroup
	added   chan struct{} // closed when everything is

	sum    hash.Hash
	unread problems
}

// batch is some entries in a row.
type batch struct {
	entries []digested
	done    chan struct{} // closed when all have their sums
}

// digested is an entry and, for a regular file, the SHA-256 of its contents.
type digested struct {
	entry
	sum  [sha256.Size]byte
	have bool // sum is known without reading
	err  error
}

func newLister(ctx context.Context, t Tree, known string) *lister {
	workers := runtime.GOMAXPROCS(0)
	l := &lister{
		ctx: ctx, tree: t, known: openKnown(known), now: time.Now(),
		read: make(chan *batch, workers), order: make(chan *batch, 4*workers), added: make(chan struct{}), sum: sha256.New(),
	}
	for range workers {
		l.readers.Go(l.reader)
	}
	go l.adder()
	return l
}

// add takes the next entry of the walk.
func (l *lister) add(e entry) {
	if l.filling == nil {
		l.filling = &batch{entries: make([]digested, 0, batchSize), done: make(chan struct{})}
	}
	d := digested{entry: e}
	if e.mode&fs.ModeSymlink != 0 {
		d.mode = fs.ModeSymlink // a link's permissions have no effect, and differ between systems
	}
	d.sum, d.have = l.known.lookUp(e)
	l.filling.entries = append(l.filling.entries, d)
	if len(l.filling.entries) == batchSize {
		l.send()
	}
}

// send hands the batch on; a slow disk makes the walk wait here.
func (l *lister) send() {
	l.order <- l.filling
	l.read <- l.filling
	l.filling = nil
}

// finish waits until all is read, and keeps what was learned when it is whole.
func (l *lister) finish(whole bool) (sum []byte, err error) {
	if l.filling != nil {
		l.send()
	}
	close(l.read)
	close(l.order)
	l.readers.Wait()
	<-l.added
	err = l.unread.err()
	if l.ctx.Err() != nil { // some were not read
		err = context.Cause(l.ctx)
	}
	l.known.close(whole && err == nil)
	return l.sum.Sum(nil), err
}

// reader reads the files of batches.
func (l *lister) reader() {
	contents, buffer := sha256.New(), make([]byte, copyBuffer)
	for b := range l.read {
		for i := range b.entries {
			d := &b.entries[i]
			if d.have || !d.mode.IsRegular() || l.ctx.Err() != nil {
				continue
			}
			contents.Reset()
			_, d.err = l.tree.copyEntry(l.ctx, contents, d.entry, buffer)
			contents.Sum(d.sum[:0])
		}
		close(b.done)
	}
}

// adder adds batches to the whole, and to the memory.
func (l *lister) adder() {
	defer close(l.added)
	var record []byte
	for b := range l.order {
		<-b.done
		for _, d := range b.entries {
			if d.err != nil {
				l.unread.add(d.err)
				continue
			}
			record = d.appendContent(record[:0])
			l.sum.Write(record)
			l.known.write(record, d.trusted(l.now))
		}
	}
}
