package machine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Host is one network of machines on this computer.
type Host struct {
	dir      string
	key      string // names what the host makes: imago-KEY
	log      *slog.Logger
	prefix   netip.Prefix
	metadata int
	lease    *lease
	spawn    chan func() // runs functions on the thread whose death kills the machines

	mu       sync.Mutex
	machines map[string]*Machine
	closed   bool
}

// Open makes the network of a Host: a bridge on a free 10.77.N.0/24, an nftables table, and forwarding. It removes first
// what processes that were killed left on this computer. One process at a time can have dir open.
func Open(ctx context.Context, c HostConfig) (*Host, error) {
	dir, err := prepareDir(c.Dir)
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{dir: dir, key: keyOf(dir), log: c.Log, metadata: c.Metadata, spawn: make(chan func()), machines: map[string]*Machine{}}
	if h.lease, err = acquire(ctx, h.key, dir); err != nil {
		return nil, err
	}
	h.prefix = h.lease.Prefix
	if err := makeNetwork(h.key, h.prefix, h.metadata); err != nil {
		return nil, errors.Join(err, h.lease.release())
	}
	go h.spawner()
	h.log.Info("machines have a network", "prefix", h.prefix, "bridge", bridgeName(h.key))
	return h, nil
}

// Prefix is the network of the machines, a /24. Its first address is the Gateway, and the last before the broadcast address is
// CheckEgress's; the rest is for machines.
func (h *Host) Prefix() netip.Prefix { return h.prefix }

// Gateway is the computer's own address on that network, where the machines' metadata service should listen.
func (h *Host) Gateway() netip.Addr { return gatewayOf(h.prefix) }

// Close stops all machines, with a grace of 10 s, and removes everything that the Host made on this computer except the
// machines' disks.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	running := make([]*Machine, 0, len(h.machines))
	for _, m := range h.machines {
		running = append(running, m)
	}
	h.mu.Unlock()

	errs := make([]error, len(running))
	var wg sync.WaitGroup
	for i, m := range running {
		wg.Go(func() { errs[i] = m.Stop(context.Background(), 10*time.Second) })
	}
	wg.Wait()
	close(h.spawn)
	return errors.Join(errors.Join(errs...), h.lease.release())
}

// spawner runs on one thread for the life of the Host. The kernel sends the machines' parent-death signal when the
// thread that cloned them ends, not the process, so every clone happens here.
func (h *Host) spawner() {
	runtime.LockOSThread()
	for f := range h.spawn {
		f()
	}
}

// running is the running machine with this id, or nil.
func (h *Host) running(id string) *Machine {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.machines[id]
}

func (h *Host) machineDir(id string) string { return filepath.Join(h.dir, id) }

// prepareDir makes the state directory, and refuses the ones that cannot work.
func prepareDir(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("local machines need a state directory")
	}
	if os.Geteuid() != 0 {
		return "", errors.New("local machines need root (namespaces, mounts, a bridge): run it again with sudo")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("state directory: %w", err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "", fmt.Errorf("state directory %s: %w", dir, err)
	}
	if st.Type == unix.OVERLAYFS_SUPER_MAGIC {
		return "", fmt.Errorf("state directory %s is on an overlay file system, where machines cannot have their disks: inside a container, mount a volume and set IMAGO_STATE_DIR to it", dir)
	}
	return dir, nil
}
