package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// tcpWindow is the most bytes that one connection may have under way in one
// direction until they are acknowledged, as a kernel's buffers bound it.
const tcpWindow = 4 << 20

// patience is how long the relay waits for a machine that does not answer yet.
const patience = time.Minute

// link says how far away a machine is. The zero value is not far at all.
type link struct {
	rtt  time.Duration
	mbit int // Mbit/s in each direction, for all connections together; 0: no limit
}

// parseLink reads "80ms" or "80ms@50".
func parseLink(text string) (link, error) {
	delay, rate, limited := strings.Cut(text, "@")
	var l link
	var err error
	if delay != "0" {
		if l.rtt, err = time.ParseDuration(delay); err != nil || l.rtt < 0 {
			return link{}, fmt.Errorf("link %q: want a round trip such as 80ms, or 80ms@50 for 50 Mbit/s", text)
		}
	}
	if limited {
		if l.mbit, err = strconv.Atoi(rate); err != nil || l.mbit <= 0 {
			return link{}, fmt.Errorf("link %q: want a whole number of Mbit/s behind the @", text)
		}
	}
	return l, nil
}

// parseLinks reads several of them.
func parseLinks(text, separator string) ([]link, error) {
	var all []link
	for _, each := range strings.Split(text, separator) {
		l, err := parseLink(each)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

func (l link) String() string {
	text := strconv.FormatInt(l.rtt.Milliseconds(), 10) + " ms"
	if l.mbit > 0 {
		text += fmt.Sprintf(", %d Mbit/s", l.mbit)
	}
	return text
}

// here reports whether the machine is not far at all. No relay stands before it
// then: of half a gigabyte, it would take a quarter of a second of this computer.
func (l link) here() bool { return l == link{} }

// relay stands in front of a machine's port 22 and makes it as far away as a
// link says. It models the handshake, the delay of every byte, a window per
// connection and a rate that all connections share; neither loss nor slow start.
type relay struct {
	link     link
	listener net.Listener
	target   atomic.Pointer[string] // host:port; nil while the machine's address is unknown
	up, down direction
	open     sync.WaitGroup
}

// direction is what the connections of a link share.
type direction struct {
	bytes atomic.Int64
	mu    sync.Mutex
	free  time.Time // when the link will have sent everything that it was given
}

// newRelay listens on a loopback port.
func newRelay(l link) (*relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{link: l, listener: listener}
	go r.serve()
	return r, nil
}

func (r *relay) port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// aim says which machine is behind the relay from now on; "" that nobody knows yet.
func (r *relay) aim(addr string) {
	if addr == "" {
		r.target.Store(nil)
		return
	}
	r.target.Store(&addr)
}

// wire waits until all connections have ended, and returns and forgets what they carried.
func (r *relay) wire() (up, down int64) {
	done := make(chan struct{})
	go func() { r.open.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second): // a machine that was terminated tells nobody
	}
	return r.up.bytes.Swap(0), r.down.bytes.Swap(0)
}

func (r *relay) serve() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return // closed
		}
		r.open.Add(1)
		go func() {
			defer r.open.Done()
			defer conn.Close()
			r.carry(conn.(*net.TCPConn))
		}()
	}
}

// carry connects a client to the machine. To the client it looks as if its SYNs
// got no answer until the machine listens.
func (r *relay) carry(client *net.TCPConn) {
	start := time.Now()
	machine, err := r.dial()
	if err != nil {
		_ = client.SetLinger(0)
		return
	}
	defer machine.Close()
	// SYN and SYN-ACK have to travel before the client may send; the machine
	// speaks once the ACK is there.
	oneWay := r.link.rtt / 2
	var both sync.WaitGroup
	both.Go(func() { r.pump(machine, client, &r.up, start.Add(2*oneWay)) })
	both.Go(func() { r.pump(client, machine, &r.down, start.Add(3*oneWay)) })
	both.Wait()
}

func (r *relay) dial() (*net.TCPConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if addr := r.target.Load(); addr != nil {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", *addr)
			if err == nil {
				return conn.(*net.TCPConn), nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// stream is what the relay needs of a *net.TCPConn.
type stream interface {
	io.ReadWriter
	CloseRead() error
	CloseWrite() error
}

// pump copies one direction until it ends, and passes the end on.
func (r *relay) pump(to, from stream, d *direction, begin time.Time) {
	defer to.CloseWrite()
	p := &pipe{relay: r, direction: d}
	p.room = sync.NewCond(&p.mu)
	queue := make(chan chunk, 1<<12)
	var sending sync.WaitGroup
	sending.Go(func() { p.send(to, from, queue) })
	time.Sleep(time.Until(begin))
	p.receive(from, queue)
	close(queue)
	sending.Wait()
}

// chunk is some bytes and when they arrive.
type chunk struct {
	due  time.Time
	data []byte
}

// pipe is one direction of one connection.
type pipe struct {
	relay     *relay
	direction *direction
	mu        sync.Mutex
	room      *sync.Cond
	flying    int
	broken    bool
}

func (p *pipe) receive(from stream, queue chan<- chunk) {
	for {
		data := make([]byte, 32<<10)
		n, err := from.Read(data)
		if n > 0 {
			p.direction.bytes.Add(int64(n))
			p.take(n)
			queue <- chunk{p.direction.arrival(n, p.relay.link), data[:n]}
		}
		if err != nil {
			return
		}
	}
}

// take waits for room in the window. Bytes keep their place in it for a whole
// round trip, and leave here after half of one: so half of it counts.
func (p *pipe) take(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.flying > 0 && p.flying+n > tcpWindow/2 && !p.broken {
		p.room.Wait()
	}
	p.flying += n
}

func (p *pipe) send(to, from stream, queue <-chan chunk) {
	for c := range queue {
		time.Sleep(time.Until(c.due))
		_, err := to.Write(c.data)
		p.mu.Lock()
		p.flying -= len(c.data)
		p.broken = p.broken || err != nil
		p.room.Signal()
		p.mu.Unlock()
		if err != nil {
			_ = from.CloseRead()
		}
	}
}

// arrival is when n bytes that are sent now will be at the other end.
func (d *direction) arrival(n int, l link) time.Time {
	now := time.Now()
	if l.mbit == 0 {
		return now.Add(l.rtt / 2)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.free.Before(now) {
		d.free = now
	}
	d.free = d.free.Add(time.Duration(float64(n) * 8 / float64(l.mbit) * float64(time.Microsecond)))
	return d.free.Add(l.rtt / 2)
}

func (r *relay) close() { r.listener.Close() }
