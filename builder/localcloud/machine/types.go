package machine

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
)

// HostConfig says where a Host keeps its machines.
type HostConfig struct {
	// Dir holds the machines, a directory each. It must be on a real disk (or a tmpfs), not on an overlay: inside a
	// Docker container it must be a volume.
	Dir string
	// Log receives what is worth knowing but is not an error; nil for nowhere.
	Log *slog.Logger
	// Metadata is the TCP port on Gateway to which the machines' requests for 169.254.169.254:80 go; 0 for nowhere.
	Metadata int
}

// Config is one machine.
type Config struct {
	// ID names the machine on its Host: letters, digits, '.', '_' and '-', at most 63.
	ID string
	// Layers are the read-only layers of its disk, the top one first, the base last.
	Layers []string
	// Addr is its address, one of the Host's Prefix.
	Addr netip.Addr
	// Hostname is its name at its first start; later starts keep what is on its disk.
	Hostname string
	// DiskBytes bounds what it can write, when it is more than zero: the writable layer is then an ext4 file system of
	// that size in a file. It is read when the machine is started for the first time. It needs mkfs.ext4 and loop devices.
	DiskBytes int64
}

// BaseConfig is a base to build.
type BaseConfig struct {
	// Suite is Debian's: "bookworm" (or "debian-12"), "trixie" (or "debian-13").
	Suite string
	// Dir is the cache: a base is built once for a recipe and found there the next time.
	Dir string
	// Progress receives a line for each step; nil for nowhere.
	Progress func(string)
}

// Exit says how a machine ended.
type Exit int

// The ways to end.
const (
	// Killed is an end that the machine did not choose.
	Killed Exit = iota
	// Poweroff is an orderly one: poweroff, halt, or Stop.
	Poweroff
	// Reboot asks to be started again.
	Reboot
)

func (e Exit) String() string {
	switch e {
	case Poweroff:
		return "powered off"
	case Reboot:
		return "reboot"
	default:
		return "killed"
	}
}

// HardwareAddr is the MAC address of the machine at addr. It follows from the address, so that no ARP entry is ever stale.
func HardwareAddr(addr netip.Addr) net.HardwareAddr {
	b := addr.As4()
	return net.HardwareAddr{0x0a, 0xff, b[0], b[1], b[2], b[3]}
}

func checkID(id string) error {
	const first, more = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "._-"
	ok := id != "" && len(id) <= 63 && strings.Trim(id, first+more) == "" && strings.Contains(first, id[:1])
	if !ok {
		return fmt.Errorf("machine id %q: use letters, digits, '.', '_' and '-', at most 63 of them", id)
	}
	return nil
}

// contextError is the reason that ended ctx, with what was being done.
func contextError(ctx context.Context, what string) error {
	return fmt.Errorf("%s: %w", what, context.Cause(ctx))
}
