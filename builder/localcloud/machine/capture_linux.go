package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// Capture makes the writable layer of a machine that is not running the directory dst, by a rename where dst is on the
// same file system. The machine goes on with an empty one: it must be started with dst on top of its layers from then on.
func (h *Host) Capture(id, dst string) error {
	dir, err := h.stopped(id)
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	if err := refuseExisting(dst); err != nil {
		return fmt.Errorf("capture the machine %s: %w", id, err)
	}
	take := func(writable string) error { return takeUpper(writable, dst) }
	if _, err := os.Stat(filepath.Join(dir, "disk")); err == nil {
		err = withDisk(dir, take)
	} else {
		err = take(dir)
	}
	if err != nil {
		return fmt.Errorf("capture the machine %s: %w", id, err)
	}
	return nil
}

// takeUpper moves the directory upper away, and makes an empty one.
func takeUpper(writable, dst string) error {
	upper, work := filepath.Join(writable, "upper"), filepath.Join(writable, "work")
	err := os.Rename(upper, dst)
	if errors.Is(err, unix.EXDEV) {
		if err = copyWhole(context.Background(), upper, dst); err == nil {
			err = os.RemoveAll(upper)
		}
	}
	if err != nil {
		return err
	}
	// What overlayfs keeps in work belongs to the layer that has gone.
	return errors.Join(os.RemoveAll(work), os.MkdirAll(upper, 0o755), os.MkdirAll(work, 0o755))
}

// CaptureLive copies the writable layer of a running machine to the directory dst. The machine stands still meanwhile. The
// copy is what a disk would hold after a power cut: what programs kept in memory is not in it.
func (h *Host) CaptureLive(ctx context.Context, id, dst string) (err error) {
	m := h.running(id)
	if m == nil {
		return fmt.Errorf("capture: the machine %s is not running", id)
	}
	if err := refuseExisting(dst); err != nil {
		return fmt.Errorf("capture the machine %s: %w", id, err)
	}
	defer func() {
		if thawed := m.cgroup.thaw(); thawed != nil && !errors.Is(thawed, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("let the machine %s go on: %w", id, thawed))
		}
	}()
	if err := m.cgroup.freeze(ctx); err != nil {
		return fmt.Errorf("stop the machine %s for a moment: %w", id, err)
	}
	if err := copyWhole(ctx, m.upper(), dst); err != nil {
		return fmt.Errorf("capture the machine %s: %w", id, err)
	}
	return nil
}

// upper is the writable layer. That of a bounded disk is mounted in the machine's own namespace, and reached through it.
func (m *Machine) upper() string {
	dir := m.host.machineDir(m.id)
	if m.disk != nil {
		return fmt.Sprintf("/proc/self/fd/%d/upper", m.disk.Fd())
	}
	return filepath.Join(dir, "upper")
}

// Remove deletes the disk and the files of a machine that is not running. An unknown machine is no error.
func (h *Host) Remove(id string) error {
	dir, err := h.stopped(id)
	if err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	return os.RemoveAll(dir)
}

// stopped is the directory of a machine that does not run.
func (h *Host) stopped(id string) (string, error) {
	if err := checkID(id); err != nil {
		return "", err
	}
	if h.running(id) != nil {
		return "", fmt.Errorf("the machine %s is running: stop it first", id)
	}
	return h.machineDir(id), nil
}

func refuseExisting(dst string) error {
	if _, err := os.Lstat(dst); err == nil {
		return fmt.Errorf("%s exists", dst)
	}
	return nil
}

// copyWhole copies a tree so that dst is there only when it is whole.
func copyWhole(ctx context.Context, src, dst string) error {
	part := dst + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := copyTree(ctx, src, part); err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	return os.Rename(part, dst)
}

// Flatten makes one layer, the directory dst, that stands for several, the top one first. They may end with the base or
// anywhere above it.
func Flatten(ctx context.Context, layers []string, dst string) error {
	if len(layers) == 0 {
		return errors.New("flatten: there are no layers")
	}
	if err := refuseExisting(dst); err != nil {
		return fmt.Errorf("flatten: %w", err)
	}
	part := dst + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := flatten(ctx, layers, part); err != nil {
		return errors.Join(fmt.Errorf("flatten: %w", err), os.RemoveAll(part))
	}
	return os.Rename(part, dst)
}

func flatten(ctx context.Context, layers []string, dst string) error {
	if err := os.Mkdir(dst, 0o755); err != nil {
		return err
	}
	for _, layer := range slices.Backward(layers) {
		m := &merger{copier: copier{ctx: ctx, links: map[inode]string{}}}
		if err := m.merge(layer, dst, false); err != nil {
			return err
		}
	}
	return nil
}
