package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// A bounded disk is an ext4 file system in the file "disk" of the machine's directory. The directories upper and work are in
// it, and it is mounted in the machine's own mount namespace only.

func mountedDisk(dir string) string { return filepath.Join(dir, "mounted") }

// makeDisk makes, for a bounded machine that starts for the first time, the file that holds its writable layer.
func makeDisk(ctx context.Context, dir string, size int64, first bool) (string, error) {
	path := filepath.Join(dir, "disk")
	if _, err := os.Stat(path); err == nil && !first {
		return path, nil
	}
	if size <= 0 {
		return "", nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", path).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("a machine with a bounded disk needs mkfs.ext4: apt-get install e2fsprogs")
	}
	if err != nil {
		return "", fmt.Errorf("make a file system of %d bytes in %s: %w: %s", size, path, err, out)
	}
	return path, nil
}

// withDisk mounts a bounded disk for the time of f, and for the thread that runs f.
func withDisk(dir string, f func(mounted string) error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and its mounts with the thread
		done <- func() error {
			if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
				return fmt.Errorf("a mount namespace: %w", err)
			}
			if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return err
			}
			if err := mountDisk(filepath.Join(dir, "disk"), mountedDisk(dir)); err != nil {
				return err
			}
			return errors.Join(f(mountedDisk(dir)), unix.Unmount(mountedDisk(dir), 0))
		}()
	}()
	return <-done
}

// mountDisk mounts a file with a file system by a loop device that the kernel frees when the mount goes.
func mountDisk(file, target string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	loop, path, err := freeLoop(f)
	if err != nil {
		return fmt.Errorf("a machine with a bounded disk needs a loop device: %w", err)
	}
	defer loop.Close()
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := mount(path, target, "ext4", unix.MS_NOATIME, ""); err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Join(target, "upper"), 0o755), os.MkdirAll(filepath.Join(target, "work"), 0o755))
}

// freeLoop finds a loop device and puts the file behind it. Another process may take the one that the kernel named first.
func freeLoop(f *os.File) (*os.File, string, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, "", err
	}
	defer control.Close()
	for range 10 {
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, "", err
		}
		path := fmt.Sprintf("/dev/loop%d", n)
		loop, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return nil, "", err
		}
		config := &unix.LoopConfig{Fd: uint32(f.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
		if err = unix.IoctlLoopConfigure(int(loop.Fd()), config); err == nil {
			return loop, path, nil
		}
		loop.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, "", err
		}
	}
	return nil, "", errors.New("other processes took every one that was free")
}
