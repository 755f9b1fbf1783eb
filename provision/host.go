package provision

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// ErrLost is the error of an operation whose connection ended under it. The
// machine may still be working on it.
var ErrLost = errors.New("connection lost")

// Host is a connected machine. Its methods may be called at the same time, but
// a machine's server takes ten of them at once, no more.
type Host struct {
	addr    string
	id      Identity
	client  *ssh.Client
	conn    *watchedConn
	through *Host // the bastion, or nil
	done    chan struct{}
	noTar   atomic.Bool // an upload has found out that the machine has no tar

	mu   sync.Mutex
	lost error // why the connection was given up, when we did it
}

func newHost(client *ssh.Client, conn *watchedConn, through *Host, addr string, id Identity) *Host {
	h := &Host{addr: addr, id: id, client: client, conn: conn, through: through, done: make(chan struct{})}
	go func() {
		client.Wait()
		close(h.done)
	}()
	go h.keepAlive()
	return h
}

// Done is closed when the connection has ended, for whatever reason.
func (h *Host) Done() <-chan struct{} { return h.done }

// Close ends the connection and the bastion's. Closing twice is harmless.
func (h *Host) Close() error {
	h.client.Close() // its error is that the other side was first
	<-h.done
	if h.through != nil {
		return h.through.Close()
	}
	return nil
}

// giveUp ends the connection because of err.
func (h *Host) giveUp(err error) {
	h.mu.Lock()
	h.lost = err
	h.mu.Unlock()
	h.conn.Close()
}

// lostError is what an operation returns when its connection has ended.
func (h *Host) lostError() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost != nil {
		return fmt.Errorf("%w: %s: %w", ErrLost, h.addr, h.lost)
	}
	return fmt.Errorf("%w: %s closed it", ErrLost, h.addr)
}

func (h *Host) forwardAgent() error {
	if !h.id.ForwardAgent {
		return nil
	}
	if h.id.AgentSocket == "" {
		return errors.New("agent forwarding: there is no agent to forward; set AgentSocket")
	}
	return agent.ForwardToRemote(h.client, h.id.AgentSocket)
}
