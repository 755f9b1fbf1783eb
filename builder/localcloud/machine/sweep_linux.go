package machine

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Sweep removes what a process that was killed left on this computer of the Host of dir: processes, cgroups, bridge,
// nftables table and rules, and the value of ip_forward. The machines' disks stay. It does nothing when there is nothing, and
// refuses when a live process has dir open.
func Sweep(dir string) error {
	dir, err := prepareDir(dir)
	if err != nil {
		return err
	}
	unlock, err := lockRegistry(context.Background())
	if err != nil {
		return err
	}
	defer unlock()
	key := keyOf(dir)
	alive, err := tryLock(leasePath(key, "lock"))
	if err != nil {
		return fmt.Errorf("sweep %s: a live process of imago has it open: stop that first: %w", dir, err)
	}
	l := &lease{Key: key, Dir: dir, alive: alive}
	return errors.Join(removeTraces(key), l.forget())
}

// removeTraces removes everything that a host with this key made on the computer. What is not there is no error.
func removeTraces(key string) error {
	return errors.Join(
		removeCgroups(key),
		withdrawForwarding(key),
		deleteTable(key),
		deleteBridge(key),
	)
}

// removeCgroups kills the processes of the host's machines and removes their cgroups.
func removeCgroups(key string) error {
	root, err := cgroupRoot()
	if err != nil {
		return err
	}
	return cgroup(hostCgroup(root, key)).remove()
}

// isGone recognises that somebody else, the kernel mostly, removed a thing first.
func isGone(err error) bool {
	return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT)
}
