package provision

import (
	"context"
	"net"
	"time"
)

// A packet to a machine whose network is not up yet may be dropped in silence,
// and the kernel repeats it only after 1, 3 and 7 s. So we knock more often.
const (
	knockEvery = 250 * time.Millisecond
	knockFor   = 3 * time.Second
)

// knocked is how one try went.
type knocked struct {
	conn net.Conn
	err  error
}

// persist opens a TCP connection, and does not wait for the answer to one try
// before the next: the first answer counts, also when it is a refusal.
func persist(ctx context.Context, d *net.Dialer, addr string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan knocked)
	ticker := time.NewTicker(knockEvery)
	defer ticker.Stop()
	for {
		go knock(ctx, d, addr, answers)
		select {
		case a := <-answers:
			return a.conn, a.err
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
	}
}

// knock is one try. One that nobody answers, or that comes too late, is silent.
func knock(ctx context.Context, d *net.Dialer, addr string, answers chan<- knocked) {
	try, cancel := context.WithTimeout(ctx, knockFor)
	defer cancel()
	conn, err := d.DialContext(try, "tcp", addr)
	if err != nil && try.Err() != nil {
		return
	}
	select {
	case answers <- knocked{conn, err}:
	case <-ctx.Done():
		if conn != nil {
			conn.Close()
		}
	}
}
