package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// device is a character device node.
type device struct {
	name         string
	major, minor uint32
}

func devices() []device {
	return []device{
		{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9},
		{"tty", 5, 0}, {"net/tun", 10, 200}, {"fuse", 10, 229},
	}
}

// makeDevices fills the machine's /dev. The nodes are its own: a bind mount of the computer's would let the machine's
// systemd-tmpfiles change their modes there.
func makeDevices(root string) error {
	dev := filepath.Join(root, "dev")
	if err := mount("tmpfs", dev, "tmpfs", unix.MS_NOSUID|unix.MS_STRICTATIME, "mode=755,size=4m"); err != nil {
		return err
	}
	for _, dir := range []string{"pts", "shm", "net"} {
		if err := os.Mkdir(filepath.Join(dev, dir), 0o755); err != nil {
			return err
		}
	}
	var errs []error
	for _, d := range devices() {
		errs = append(errs, makeNode(filepath.Join(dev, d.name), d))
	}
	for name, target := range map[string]string{
		"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "core": "/proc/kcore",
		"stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		errs = append(errs, os.Symlink(target, filepath.Join(dev, name)))
	}
	return errors.Join(errors.Join(errs...),
		mount("devpts", dev+"/pts", "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"),
		mount("tmpfs", dev+"/shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"),
	)
}

func makeNode(path string, d device) error {
	if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
		return fmt.Errorf("make the device node %s: %w", path, err)
	}
	return os.Chmod(path, 0o666)
}

// makeConsole opens a pseudo-terminal of the machine, and makes one end its /dev/console and this process's standard input
// and outputs. The host gets both ends: as long as it holds the machine's end open, the other does not report a hangup when
// init closes and opens its console.
func makeConsole(root string) (ends [2]int, err error) {
	pts := filepath.Join(root, "dev/pts")
	master, err := unix.Open(filepath.Join(pts, "ptmx"), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ends, err
	}
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return ends, err
	}
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return ends, err
	}
	slave, err := unix.Open(filepath.Join(pts, fmt.Sprint(n)), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ends, err
	}
	for fd := range 3 {
		if err := unix.Dup3(slave, fd, 0); err != nil {
			return ends, err
		}
	}
	console := filepath.Join(root, "dev/console")
	if err := os.WriteFile(console, nil, 0o600); err != nil {
		return ends, err
	}
	return [2]int{master, slave}, bind(filepath.Join(pts, fmt.Sprint(n)), console)
}
