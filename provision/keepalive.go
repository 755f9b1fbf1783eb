package provision

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// unansweredProbes is how many probes may stay unanswered before the machine counts as gone.
const unansweredProbes = 3

// watchedConn remembers when the machine was last heard of.
type watchedConn struct {
	net.Conn
	opened time.Time
	heard  atomic.Int64 // a time.Duration since opened: the wall clock may jump
}

func watch(c net.Conn) *watchedConn { return &watchedConn{Conn: c, opened: time.Now()} }

func (c *watchedConn) silence() time.Duration {
	return time.Since(c.opened) - time.Duration(c.heard.Load())
}

// Read implements net.Conn.
func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.opened)))
	}
	return n, err
}

// keepAlive probes a quiet connection, and closes one that stays quiet. TCP alone
// takes a quarter of an hour to notice that a machine is gone.
func (h *Host) keepAlive() {
	every := h.id.KeepAlive
	if every < 0 {
		return
	}
	if every == 0 {
		every = DefaultKeepAlive
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var probing atomic.Bool
	for {
		select {
		case <-h.done:
			return
		case <-tick.C:
		}
		silence := h.conn.silence()
		if silence > (unansweredProbes+1)*every {
			h.giveUp(fmt.Errorf("no answer for %v", silence.Round(time.Second/10)))
			return
		}
		if silence >= every/2 && probing.CompareAndSwap(false, true) {
			go func() {
				defer probing.Store(false)
				// Any answer counts, a refusal too; an error shows in Done.
				_, _, _ = h.client.SendRequest("keepalive@openssh.com", true, nil)
			}()
		}
	}
}
