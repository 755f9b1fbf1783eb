package machine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The hosts of this computer share a registry: who has which subnet, and what ip_forward was before the first of them.
// It is in /run because nothing in it means anything after a reboot.
//
//	/run/imago/lock               held while the registry changes
//	/run/imago/ip_forward         the value to put back
//	/run/imago/hosts/KEY.json     a lease
//	/run/imago/hosts/KEY.lock     held for as long as the process of that host lives
const registry = "/run/imago"

const forwardFile = "/proc/sys/net/ipv4/ip_forward"

// lease is one host's entry in the registry.
type lease struct {
	Key    string
	Dir    string
	Prefix netip.Prefix
	alive  *os.File
}

// keyOf names a host by its directory.
func keyOf(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:4])
}

// acquire registers the host of dir, after it has removed the traces of dead ones.
func acquire(ctx context.Context, key, dir string) (*lease, error) {
	unlock, err := lockRegistry(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	alive, err := tryLock(leasePath(key, "lock"))
	if err != nil {
		return nil, fmt.Errorf("state directory %s is in use by another process of imago: stop it (imago local down), or choose another with IMAGO_STATE_DIR: %w", dir, err)
	}
	l := &lease{Key: key, Dir: dir, alive: alive}
	if err := l.claim(); err != nil {
		return nil, errors.Join(err, removeTraces(key), l.forget())
	}
	return l, nil
}

// claim does what needs the registry's lock: it sweeps, chooses a subnet, writes the lease and turns forwarding on.
func (l *lease) claim() error {
	if err := errors.Join(removeTraces(l.Key), sweepDead(l.Key)); err != nil {
		return err
	}
	var err error
	if l.Prefix, err = freeSubnet(); err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := os.WriteFile(leasePath(l.Key, "json"), text, 0o644); err != nil {
		return err
	}
	return turnForwardingOn()
}

// release removes the host's network from the computer and its lease from the registry; the last one out puts
// ip_forward back.
func (l *lease) release() error {
	unlock, err := lockRegistry(context.Background())
	if err != nil {
		return err
	}
	defer unlock()
	return errors.Join(removeTraces(l.Key), sweepDead(l.Key), l.forget())
}

// forget ends the lease. The caller holds the registry.
func (l *lease) forget() error {
	err := errors.Join(removeFile(leasePath(l.Key, "json")), removeFile(leasePath(l.Key, "lock")))
	return errors.Join(err, l.alive.Close(), restoreForwarding())
}

// sweepDead removes what the hosts whose processes are gone left behind, whoever they were. The caller holds the registry.
func sweepDead(except string) error {
	var errs []error
	for _, key := range leaseKeys() {
		if key == except {
			continue
		}
		f, err := tryLock(leasePath(key, "lock"))
		if err != nil {
			continue // it lives
		}
		dead := &lease{Key: key, alive: f}
		errs = append(errs, removeTraces(key), dead.forget())
	}
	return errors.Join(errs...)
}

// turnForwardingOn remembers the value that was there before the first host.
func turnForwardingOn() error {
	before, err := os.ReadFile(forwardFile)
	if err != nil {
		return err
	}
	remembered := filepath.Join(registry, "ip_forward")
	if _, err := os.Stat(remembered); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(remembered, before, 0o644); err != nil {
			return err
		}
	}
	if strings.TrimSpace(string(before)) == "1" {
		return nil
	}
	if err := os.WriteFile(forwardFile, []byte("1"), 0); err != nil {
		return fmt.Errorf("turn on net.ipv4.ip_forward, which the machines need to reach the internet: %w", err)
	}
	return nil
}

// restoreForwarding puts ip_forward back when no host is left.
func restoreForwarding() error {
	if len(leaseKeys()) > 0 {
		return nil
	}
	remembered := filepath.Join(registry, "ip_forward")
	before, err := os.ReadFile(remembered)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := os.ReadFile(forwardFile)
	if err == nil && string(now) != string(before) {
		err = os.WriteFile(forwardFile, before, 0)
	}
	return errors.Join(err, removeFile(remembered))
}

func leasePath(key, kind string) string {
	return filepath.Join(registry, "hosts", key+"."+kind)
}

func leaseKeys() []string {
	entries, err := os.ReadDir(filepath.Join(registry, "hosts"))
	if err != nil {
		return nil
	}
	var keys []string
	for _, e := range entries {
		if key, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// lockRegistry waits for the registry and returns the function that gives it back.
func lockRegistry(ctx context.Context) (func(), error) {
	if err := os.MkdirAll(filepath.Join(registry, "hosts"), 0o755); err != nil {
		return nil, err
	}
	f, err := waitLock(ctx, filepath.Join(registry, "lock"))
	if err != nil {
		return nil, err
	}
	return func() { f.Close() }, nil
}

// tryLock takes the lock of a file, or says at once that another process has it. Closing the file gives it back.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// waitLock takes the lock of a file, asking every 50 ms until ctx ends.
func waitLock(ctx context.Context, path string) (*os.File, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		f, err := tryLock(path)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return f, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, contextError(ctx, "wait for "+path+", which another process of imago holds")
		}
	}
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
