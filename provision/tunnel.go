package provision

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// Tunnel carries TCP connections through a connection to a machine: from where it listens to where it leads.
type Tunnel struct {
	Listen string // host:port
	Target string // host:port, as it is known on the other side
}

// openTunnels opens the tunnels of a connection. They end with the connection.
func (h *Host) openTunnels(ctx context.Context) error {
	for _, t := range h.local {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", t.Listen)
		if err != nil {
			return fmt.Errorf("tunnel from %s to %s on the machine: %w", t.Listen, t.Target, err)
		}
		h.tunnel(l, func(ctx context.Context) (net.Conn, error) { return h.client.DialContext(ctx, "tcp", t.Target) })
	}
	for _, t := range h.remote {
		l, err := h.client.Listen("tcp", t.Listen)
		if err != nil {
			return fmt.Errorf("tunnel from %s on the machine to %s here: %w", t.Listen, t.Target, err)
		}
		h.tunnel(l, func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", t.Target) })
	}
	return nil
}

// handOver opens the tunnels of a lost connection on the one that takes its place. A machine that does not know yet
// that the first is lost keeps the port of its own end; then there is no such tunnel until the next script.
func (h *Host) handOver(ctx context.Context, next *Host) {
	if len(h.local)+len(h.remote) == 0 {
		return
	}
	h.conn.Close()
	<-h.done
	h.tunnels.Wait()
	next.openTunnels(ctx) //nolint:errcheck // see above
}

// tunnel carries everything that comes in at one end to the other, until the connection ends.
func (h *Host) tunnel(l net.Listener, dial func(context.Context) (net.Conn, error)) {
	ctx, cancel := context.WithCancel(context.Background())
	h.tunnels.Go(func() {
		<-h.done
		cancel()
		l.Close()
	})
	h.tunnels.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			h.tunnels.Go(func() {
				defer in.Close()
				out, err := dial(ctx)
				if err != nil { // whoever connected sees that nobody is there
					return
				}
				defer out.Close()
				stop := context.AfterFunc(ctx, func() { in.Close(); out.Close() })
				defer stop()
				join(in, out)
			})
		}
	})
}

// join copies in both directions, each until its end.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			io.Copy(way[0], way[1]) //nolint:errcheck // whatever ends one direction ends it for the other side, too
			if half, ok := way[0].(interface{ CloseWrite() error }); ok {
				half.CloseWrite() //nolint:errcheck // its error is that the other side was first
				return
			}
			way[0].Close()
		})
	}
	both.Wait()
}
