package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// The pauses between tries to get a lost connection back.
const (
	redialFirst = 250 * time.Millisecond
	redialMost  = 5 * time.Second

	// refusedFor is how long a machine that we were logged in to may refuse us.
	refusedFor = time.Minute

	// settleTime bounds removing what a script that has ended leaves.
	settleTime = 15 * time.Second
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

	local, remote []Tunnel       // of this connection, or of the one that it took the place of
	tunnels       sync.WaitGroup // what carries them

	found // what has been found out about the machine, and the way to it

	mu       sync.Mutex
	lost     error             // why the connection was given up, when we did it
	settling []<-chan struct{} // each is closed when what a script leaves has been removed
	left     *Left
}

// found is what uploads have found out.
type found struct {
	noTar, noGzip, noSFTP atomic.Bool
	roundTrip             atomic.Int64 // a time.Duration: the shortest that was seen
	redialed              bool
}

// saw notes that a round trip took no longer than d.
func (f *found) saw(d time.Duration) {
	for {
		old := f.roundTrip.Load()
		if old > 0 && old <= int64(d) || f.roundTrip.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

// far reports whether round trips are long.
func (f *found) far() bool { return f.roundTripAtLeast(far) }

func (f *found) roundTripAtLeast(d time.Duration) bool {
	return time.Duration(f.roundTrip.Load()) >= d
}

func newHost(client *ssh.Client, conn *watchedConn, through *Host, addr string, id Identity) *Host {
	h := &Host{addr: addr, id: id, client: client, conn: conn, through: through, done: make(chan struct{}), local: id.LocalTunnels, remote: id.RemoteTunnels}
	go func() {
		client.Wait()
		close(h.done)
	}()
	go h.keepAlive()
	go h.measure()
	return h
}

// measure takes the time of a round trip: a request that the machine refuses.
func (h *Host) measure() {
	start := time.Now()
	if h.answers() {
		h.saw(time.Since(start))
	}
}

// answers reports whether the machine does. A connection that has been cut is
// told of by what was under way, and a moment later by done.
func (h *Host) answers() bool {
	_, _, err := h.client.SendRequest("keepalive@openssh.com", true, nil) // a refusal is an answer
	return err == nil
}

// again makes another connection to the same machine, without tunnels: their addresses are taken.
func (h *Host) again(ctx context.Context) (*Host, error) {
	id := h.id
	id.LocalTunnels, id.RemoteTunnels = nil, nil
	next, err := Dial(ctx, h.addr, id)
	if err != nil {
		return nil, err
	}
	next.local, next.remote, next.redialed = h.local, h.remote, true
	next.noTar.Store(h.noTar.Load())
	next.noGzip.Store(h.noGzip.Load())
	next.noSFTP.Store(h.noSFTP.Load())
	return next, nil
}

// redial is again, until it succeeds, cannot succeed, or ctx ends. A machine that
// goes down or comes up lets in nobody but root for a while, by pam_nologin.
func (h *Host) redial(ctx context.Context) (*Host, error) {
	refused := time.Time{}
	for pause := redialFirst; ; pause = min(2*pause, redialMost) {
		next, err := h.again(ctx)
		if err == nil {
			h.handOver(ctx, next)
		}
		if err == nil || errors.Is(err, ErrHostKey) {
			return next, err
		}
		if !errors.Is(err, ErrAuth) {
			refused = time.Time{}
		} else if refused.IsZero() {
			refused = time.Now()
		} else if time.Since(refused) > refusedFor {
			return nil, err
		}
		if rest(ctx, pause); ctx.Err() != nil {
			return nil, errors.Join(context.Cause(ctx), err)
		}
	}
}

// rest does nothing for a while, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Done is closed when the connection has ended, for whatever reason.
func (h *Host) Done() <-chan struct{} { return h.done }

// isLost reports whether the connection has ended.
func (h *Host) isLost() bool { return isClosed(h.done) }

// settle has work done that nobody has to wait for but those who look at what it
// leaves.
func (h *Host) settle(work func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settling = append(slices.DeleteFunc(h.settling, isClosed), done)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// settled waits until all of that is done, or cannot be.
func (h *Host) settled(ctx context.Context) {
	h.mu.Lock()
	all := h.settling
	h.settling = nil
	h.mu.Unlock()
	for _, done := range all {
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
}

// Close ends the connection and the bastion's, once the machine has removed what
// belonged to scripts. Closing twice is harmless.
func (h *Host) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	h.settled(ctx)
	h.client.Close() // its error is that the other side was first
	<-h.done
	h.tunnels.Wait()
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
