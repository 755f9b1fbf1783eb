package main

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagobuild/imago/provision/provisiontest"
)

func TestParseLink(t *testing.T) {
	for text, want := range map[string]link{
		"0": {}, "80ms": {rtt: 80 * time.Millisecond}, "80ms@50": {rtt: 80 * time.Millisecond, mbit: 50}, "0@50": {mbit: 50},
	} {
		if got, err := parseLink(text); err != nil || got != want {
			t.Errorf("parseLink(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "80", "-1ms", "80ms@", "80ms@0", "80ms@fast"} {
		if got, err := parseLink(text); err == nil {
			t.Errorf("parseLink(%q) = %v; want an error", text, got)
		}
	}
}

// TestRelay: what goes in comes out, whole and counted, both ways and on every kind of link.
func TestRelay(t *testing.T) {
	for _, l := range []link{{}, {rtt: 2 * time.Millisecond}, {rtt: 2 * time.Millisecond, mbit: 1000}} {
		t.Run(l.String(), func(t *testing.T) {
			echo := serveEcho(t)
			r, err := newRelay(l)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			conn, err := net.Dial("tcp", loopback(r.port()))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			r.aim(echo) // only now: whoever connects earlier waits
			sent := bytes.Repeat([]byte("relay"), 1<<20)
			go func() {
				conn.Write(sent)
				conn.(*net.TCPConn).CloseWrite()
			}()
			got, err := io.ReadAll(conn)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes came back of %d: %v", len(got), len(sent), err)
			}
			conn.Close()
			if up, down := r.wire(); up != int64(len(sent)) || down != int64(len(sent)) {
				t.Errorf("counted %d up and %d down; want %d each", up, down, len(sent))
			}
		})
	}
}

func serveEcho(t *testing.T) (addr string) {
	return provisiontest.Serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) { io.Copy(c, c) })
}

// endless is a stream to read so many bytes from at once, and to write to at once.
type endless struct {
	left    int
	arrived []time.Time
}

func (s *endless) Read(p []byte) (int, error) {
	n := min(len(p), s.left)
	s.left -= n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (s *endless) Write(p []byte) (int, error) {
	s.arrived = append(s.arrived, time.Now())
	return len(p), nil
}

func (s *endless) CloseRead() error  { return nil }
func (s *endless) CloseWrite() error { return nil }

// TestRelayModel: what a link lets through, in a time that passes only while all
// sleep. Every connection has a window of its own, and all share the rate.
func TestRelayModel(t *testing.T) {
	far := 80 * time.Millisecond
	for name, c := range map[string]struct {
		link               link
		connections, bytes int
		first, last        time.Duration
	}{
		"one connection, bound by its window": {link{rtt: far}, 1, 64 << 20, far / 2, 16 * far},
		"two, each by its own":                {link{rtt: far}, 2, 64 << 20, far / 2, 16 * far},
		"one, bound by the rate":              {link{rtt: far, mbit: 40}, 1, 10e6, far/2 + 32<<10*200*time.Nanosecond, far/2 + 2*time.Second},
		"two, by the same rate":               {link{rtt: far, mbit: 40}, 2, 5e6, far/2 + 32<<10*200*time.Nanosecond, far/2 + 2*time.Second},
		"rate without delay":                  {link{mbit: 40}, 2, 5e6, 32 << 10 * 200 * time.Nanosecond, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, start := &relay{link: c.link}, time.Now()
				to := make([]*endless, c.connections)
				var all sync.WaitGroup
				for i := range to {
					to[i] = &endless{}
					all.Go(func() { r.pump(to[i], &endless{left: c.bytes}, &r.up, start) })
				}
				all.Wait()
				last := time.Since(start)
				first := last
				for _, s := range to {
					first = min(first, s.arrived[0].Sub(start))
				}
				if first.Round(time.Millisecond) != c.first.Round(time.Millisecond) || last.Round(time.Millisecond) != c.last.Round(time.Millisecond) {
					t.Errorf("the first bytes arrive after %v, the last after %v; want %v and %v", first, last, c.first, c.last)
				}
				if got := r.up.bytes.Load(); got != int64(c.connections*c.bytes) {
					t.Errorf("%d bytes counted; want %d", got, c.connections*c.bytes)
				}
			})
		})
	}
}

// TestRelayHandshake: nobody's first byte arrives before the handshake is over.
func TestRelayHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, start := &relay{link: link{rtt: 80 * time.Millisecond}}, time.Now()
		to := &endless{}
		r.pump(to, &endless{left: 1}, &r.up, start.Add(r.link.rtt))
		if got, want := to.arrived[0].Sub(start), 120*time.Millisecond; got != want {
			t.Errorf("the client's first byte arrives after %v; want %v", got, want)
		}
	})
}
