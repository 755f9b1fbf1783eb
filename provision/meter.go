package provision

import (
	"io"
	"sync"
	"time"
)

// reportEvery is how often progress is told at most: the telling must not slow the transfer.
const reportEvery = 100 * time.Millisecond

// meter counts what has been sent and tells of it now and then.
type meter struct {
	mu    sync.Mutex
	on    func(Progress) // nil when nobody listens any more
	now   Progress
	least Progress // told already, by a meter before this one
	last  time.Time
}

func newMeter(on func(Progress), bytes int64, files int) *meter {
	return &meter{on: on, now: Progress{Total: bytes, TotalFiles: files}}
}

func (m *meter) change(change func(*Progress)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.now)
	if m.on != nil && time.Since(m.last) >= reportEvery {
		m.last = time.Now()
		m.on(m.told())
	}
}

// told is what is to be told: never less than before.
func (m *meter) told() Progress {
	p := m.now
	p.Done, p.Files = max(p.Done, m.least.Done), max(p.Files, m.least.Files)
	return p
}

func (m *meter) file(name string) { m.change(func(p *Progress) { p.Path = name }) }

func (m *meter) fileDone() { m.change(func(p *Progress) { p.Files++ }) }

func (m *meter) bytes(n int64) { m.change(func(p *Progress) { p.Done += n }) }

// again returns a meter for a second attempt, and stops this one, which the first
// may still be counting on. What is told never goes back.
func (m *meter) again() *meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := newMeter(m.on, m.now.Total, m.now.TotalFiles)
	next.least = m.told()
	m.on = nil
	return next
}

// finish tells that everything has arrived.
func (m *meter) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Done, m.now.Files = m.now.Total, m.now.TotalFiles
	if m.on != nil {
		m.on(m.told())
	}
}

// stop ends the telling. What is still being sent is told to nobody.
func (m *meter) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on = nil
}

// count returns a writer to w that counts.
func (m *meter) count(w io.Writer) io.Writer { return &countingWriter{w: w, m: m} }

type countingWriter struct {
	w io.Writer
	m *meter
}

// Write implements io.Writer.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.m.bytes(int64(n))
	return n, err
}

// countingReader is for a sender that wants to read by itself.
type countingReader struct {
	r io.Reader
	m *meter
}

// Read implements io.Reader.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.m.bytes(int64(n))
	return n, err
}
