//go:build linux

package provision_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// turns is a network on which either end only ever sees all that the other had
// to say, as on one that is far away: what comes from one end is kept until that
// end is quiet, and then delivered at once.
//
// It counts round trips with a logical clock. What the client sends is one later
// than the latest answer that it had been given before, and an answer is as late
// as what it answers. So count is how often the client had to wait for the
// machine, one wait after another, however fast either is.
//
// An end that pauses for longer than quiet, though it had more to say, can make
// the count higher and never lower: no answer comes before what it answers.
// Whoever wants to know the least may therefore try again with a longer quiet.
type turns struct {
	addr  string
	quiet time.Duration

	mu    sync.Mutex
	count int // how late the latest answer was that the client has been given
}

func startTurns(t *testing.T, to string, quiet time.Duration) *turns {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	n := &turns{addr: l.Addr().String(), quiet: quiet}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			machine, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			go n.carry(client, machine)
		}
	}()
	return n
}

// carry ends a connection as soon as one end does.
func (n *turns) carry(client, machine net.Conn) {
	defer client.Close()
	defer machine.Close()
	up, down, asked := pieces(client), pieces(machine), 0
	for {
		select {
		case p, ok := <-up:
			if !ok {
				return
			}
			p = n.gather(p, up)
			asked = n.now() + 1
			machine.Write(p)
		case p, ok := <-down:
			if !ok {
				return
			}
			p = n.gather(p, down)
			n.answered(asked)
			client.Write(p)
		}
	}
}

func (n *turns) now() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count
}

func (n *turns) answered(asked int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count = max(n.count, asked)
}

// pieces is what a connection says, until it ends.
func pieces(from net.Conn) <-chan []byte {
	all := make(chan []byte, 4096)
	go func() {
		defer close(all)
		for {
			buffer := make([]byte, 64<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				all <- buffer[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return all
}

// gather adds to p what else comes until it is quiet.
func (n *turns) gather(p []byte, more <-chan []byte) []byte {
	for {
		select {
		case q, ok := <-more:
			if !ok {
				return p
			}
			p = append(p, q...)
		case <-time.After(n.quiet):
			return p
		}
	}
}

// fewest is how many round trips do takes on a connection to addr. It counts
// more and more patiently until they are no more than limit.
func fewest(t *testing.T, addr string, limit int, do func(*turns) (count int)) int {
	t.Helper()
	least := math.MaxInt
	for quiet := 20 * time.Millisecond; quiet < time.Second && least > limit; quiet *= 4 {
		least = min(least, do(startTurns(t, addr, quiet)))
	}
	return least
}

// TestRoundTrips: opening a session, starting a command in it, and the command
// and its end are a round trip each. Nothing else waits for the machine, nor
// does one of 300 files.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	files := map[string]string{}
	for i := range 300 {
		files[fmt.Sprintf("d%d/f%d", i%20, i)] = "x"
	}
	source, at := plant(t, files), home(t, s, nil)
	scripts := func(n int) func(*provision.Host) error {
		return func(h *provision.Host) error {
			for range n {
				if err := h.Run(context.Background(), script("echo done"), io.Discard, io.Discard); err != nil {
					return err
				}
			}
			return nil
		}
	}
	uploads := 0
	for name, c := range map[string]struct {
		limit int
		do    func(*provision.Host) error
	}{
		"one script":  {3, scripts(1)},
		"ten scripts": {30, scripts(10)},
		"upload": {6, func(h *provision.Host) error {
			uploads++
			return h.Upload(context.Background(), provision.Tree{Source: source, Dest: fmt.Sprint(at, "/new", uploads)}, nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := fewest(t, s.Addr, c.limit, func(n *turns) int {
				h := connect(t, n.addr, s.Identity())
				defer h.Close()
				before := n.now()
				if err := c.do(h); err != nil {
					t.Fatal(err)
				}
				return n.now() - before
			})
			t.Logf("%d round trips", got)
			if got > c.limit {
				t.Errorf("%d round trips, want at most %d", got, c.limit)
			}
		})
	}
}

// TestTurns: every round trip is counted, and of what is sent together only one.
func TestTurns(t *testing.T) {
	t.Parallel()
	const rounds = 5
	got := fewest(t, startEcho(t), rounds, func(n *turns) int {
		conn, err := net.Dial("tcp", n.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range rounds {
			for range 3 {
				if _, err := conn.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.ReadFull(conn, make([]byte, 3)); err != nil {
				t.Fatal(err)
			}
		}
		return n.now()
	})
	if got != rounds {
		t.Errorf("%d round trips counted, want %d", got, rounds)
	}
}

func startEcho(t *testing.T) (addr string) {
	t.Helper()
	return provisiontest.Serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) { io.Copy(conn, conn) })
}
