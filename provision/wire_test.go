//go:build linux

package provision_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imagobuild/imago/provision/provisiontest"
)

// wire is a way to a server that can be cut, and made long, slow or silent.
type wire struct {
	addr   string
	target atomic.Value  // of a string
	delay  time.Duration // each way
	rate   int           // bytes a second to the server; 0: no limit
	dead   atomic.Bool   // nothing passes any more, and nobody is told
	sent   atomic.Int64  // bytes to the server
	age    atomic.Int64  // how often connections were forgotten
	onCut  func()        // called before a cut; may be nil

	mu    sync.Mutex
	cutAt []int64 // counts of sent at which everything is cut, in order
	open  map[net.Conn]bool
}

// startWire listens until the end of the test.
func startWire(t *testing.T, target string, delay time.Duration, cutAt ...int64) *wire {
	t.Helper()
	w := &wire{delay: delay, cutAt: cutAt, open: map[net.Conn]bool{}}
	w.target.Store(target)
	w.addr = provisiontest.Serve(t, "tcp", "127.0.0.1:0", w.pass)
	t.Cleanup(w.cut)
	return w
}

// pass carries one connection to the server and back.
func (w *wire) pass(client net.Conn) {
	server, err := net.Dial("tcp", w.target.Load().(string))
	if err != nil {
		return
	}
	w.mu.Lock()
	w.open[client], w.open[server] = true, true
	age := w.age.Load()
	w.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { w.carry(server, client, age, w.count) })
	both.Go(func() { w.carry(client, server, age, func(int) {}) })
	both.Wait()
}

// forget drops the connections that are open without telling either end. Whoever
// sends is held up once what is on the way has filled everything.
func (w *wire) forget() { w.age.Add(1) }

// holds reports whether a connection that is still open has been forgotten.
func (w *wire) holds(c net.Conn, age int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open[c] && w.age.Load() != age
}

// parcel is some bytes and when they arrive.
type parcel struct {
	due  time.Time
	data []byte
}

func (w *wire) carry(to, from net.Conn, age int64, count func(int)) {
	parcels := make(chan parcel, 4096)
	go func() {
		defer close(parcels)
		for {
			for w.holds(from, age) {
				time.Sleep(10 * time.Millisecond)
			}
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				count(n)
				parcels <- parcel{time.Now().Add(w.delay), data[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range parcels {
		time.Sleep(time.Until(p.due))
		if w.dead.Load() || w.age.Load() != age {
			continue
		}
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	to.Close()
	_, _ = io.Copy(io.Discard, from)
}

// count slows the sender down, and cuts everything when enough has been sent.
func (w *wire) count(n int) {
	now := w.sent.Add(int64(n))
	if w.rate > 0 {
		time.Sleep(time.Duration(n) * time.Second / time.Duration(w.rate))
	}
	w.mu.Lock()
	due := len(w.cutAt) > 0 && now >= w.cutAt[0]
	if due {
		w.cutAt = w.cutAt[1:]
	}
	w.mu.Unlock()
	if due {
		if w.onCut != nil {
			w.onCut()
		}
		w.cut()
	}
}

// cut ends all connections at once, as a network does that loses its state.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	clear(w.open)
}
