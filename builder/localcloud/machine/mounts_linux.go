package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const apiFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s on %s (%s): %w", kind, target, options, err)
	}
	return nil
}

func bind(source, target string) error {
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s on %s: %w", source, target, err)
	}
	return nil
}

// mountRoot makes the mounts of this process its own, and mounts the machine's disk. It answers where.
func mountRoot(j job) (string, error) {
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return "", err
	}
	writable := j.Dir
	if j.Disk != "" {
		writable = mountedDisk(j.Dir)
		if err := mountDisk(j.Disk, writable); err != nil {
			return "", err
		}
	}
	root := filepath.Join(j.Dir, "root")
	return root, mountOverlay(j.Layers, writable, root)
}

// mountOverlay stacks the layers, the top one first, below the writable layer. The kernel takes one page of options, so it
// is shown the directories as open files: ten layers have short names then, whatever their paths are and whatever is
// in them.
func mountOverlay(layers []string, writable, root string) error {
	// Left by "volatile"; the kernel refuses the directory with EINVAL until it is gone.
	if err := os.RemoveAll(filepath.Join(writable, "work/work/incompat")); err != nil {
		return err
	}
	paths := append([]string{filepath.Join(writable, "upper"), filepath.Join(writable, "work")}, layers...)
	dirs, closeAll, err := openDirs(paths)
	if err != nil {
		return err
	}
	defer closeAll()
	// volatile: no fsync, for speed. What is lost with the computer's power is a test machine's disk.
	// redirect_dir=off: a renamed directory is copied, so that each layer means the same below any other (Flatten).
	options := "lowerdir=" + strings.Join(dirs[2:], ":") + ",upperdir=" + dirs[0] + ",workdir=" + dirs[1] + ",index=off,metacopy=off,redirect_dir=off"
	if unix.Mount("overlay", root, "overlay", 0, options+",volatile") == nil {
		return nil
	}
	return mount("overlay", root, "overlay", 0, options)
}

// openDirs opens directories and answers short names for them.
func openDirs(paths []string) (names []string, closeAll func(), err error) {
	var fds []int
	closeAll = func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
	for _, p := range paths {
		fd, err := unix.Open(p, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			closeAll()
			return nil, nil, fmt.Errorf("open the layer %s: %w", p, err)
		}
		fds = append(fds, fd)
		names = append(names, "/proc/self/fd/"+strconv.Itoa(fd))
	}
	return names, closeAll, nil
}

// mountSystem mounts what a kernel and its init would: /proc, /sys, cgroups, /run and /dev.
func mountSystem(root string, j job) error {
	if err := unix.Sethostname([]byte(hostnameOn(root, j.Hostname))); err != nil {
		return fmt.Errorf("set the hostname: %w", err)
	}
	return errors.Join(
		mount("proc", root+"/proc", "proc", apiFlags, ""),
		mount("sysfs", root+"/sys", "sysfs", apiFlags|unix.MS_RDONLY, ""),
		mount("cgroup2", root+"/sys/fs/cgroup", "cgroup2", apiFlags, ""),
		mount("tmpfs", root+"/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=20%"),
		makeDevices(root),
		shadowSysctls(root, j.Sysctls),
		hideKernelFiles(root),
	)
}

// hideKernelFiles covers the files of /proc through which a machine would read the computer's memory or restart it.
func hideKernelFiles(root string) error {
	var errs []error
	for _, name := range []string{"kcore", "sysrq-trigger", "kmsg"} {
		target := filepath.Join(root, "proc", name)
		if _, err := os.Stat(target); err == nil {
			errs = append(errs, bind(root+"/dev/null", target))
		}
	}
	return errors.Join(errs...)
}

// enter makes root the only root there is.
func enter(root string) error {
	if err := unix.Chdir(root); err != nil {
		return fmt.Errorf("enter %s: %w", root, err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot to %s: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the computer's root: %w", err)
	}
	return unix.Chdir("/")
}
