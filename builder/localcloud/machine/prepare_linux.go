package machine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Of a machine's directory: upper is its writable layer, work is overlayfs's, root is where the init stage mounts. The file
// started says that the machine has started before.
func (h *Host) makeMachineDir(id string) (string, error) {
	dir := h.machineDir(id)
	for _, name := range []string{"upper", "work", "root"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func markStarted(dir string) error {
	return os.WriteFile(filepath.Join(dir, "started"), nil, 0o644)
}

// prepare makes the machine's directory and gathers what its init stage needs to know about this computer.
func (m *Machine) prepare(ctx context.Context, c Config) (job, error) {
	dir, err := m.host.makeMachineDir(c.ID)
	if err != nil {
		return job{}, err
	}
	_, err = os.Stat(filepath.Join(dir, "started"))
	j := job{
		Dir: dir, Layers: c.Layers, First: errors.Is(err, fs.ErrNotExist), Hostname: c.Hostname,
		Addr: c.Addr, Gateway: m.host.Gateway(), Bits: m.host.prefix.Bits(), Sysctls: networkSysctls(),
	}
	if j.Resolver, err = resolver(); err != nil {
		return job{}, err
	}
	j.Disk, err = makeDisk(ctx, dir, c.DiskBytes, j.First)
	return j, err
}

// resolver is the resolv.conf for the machines: this computer's, or the one behind systemd-resolved's own address, which
// means nothing inside a machine.
func resolver() (string, error) {
	for _, path := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		text, err := os.ReadFile(path)
		if err == nil && usableResolver(string(text)) {
			return string(text), nil
		}
	}
	return "", errors.New("/etc/resolv.conf names no DNS server that a machine could reach (addresses of 127.0.0.0/8 are this computer's own): add a `nameserver` line with the address of one")
}

func usableResolver(text string) bool {
	for _, addr := range nameservers(text) {
		if !strings.HasPrefix(addr, "127.") && addr != "::1" {
			return true
		}
	}
	return false
}

func nameservers(text string) []string {
	var addrs []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "nameserver" {
			addrs = append(addrs, f[1])
		}
	}
	return addrs
}
