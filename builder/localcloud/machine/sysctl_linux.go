package machine

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ownKernelKeys are the keys of /proc/sys/kernel that are the machine's own, by its UTS or IPC namespace, and the one that is
// another at each look. The others are the computer's.
func ownKernelKeys() []string {
	return []string{
		"hostname", "domainname", "shmmax", "shmall", "shmmni", "msgmax", "msgmnb", "msgmni", "sem", "random/uuid",
	}
}

// networkSysctls are the keys of the network that this computer may set, and what they are. A network namespace of a machine
// lacks some of them, and may only read others.
func networkSysctls() map[string]map[string]string {
	found := map[string]map[string]string{}
	for _, dir := range []string{"net/core", "net/ipv4", "net/netfilter"} {
		path := filepath.Join("/proc/sys", dir)
		found[dir] = readKeys(path)
		maps.DeleteFunc(found[dir], func(key, _ string) bool {
			return strings.Contains(key, "/") || !isWritable(filepath.Join(path, key))
		})
	}
	return found
}

// shadowSysctls gives the machine copies of the computer's system-wide sysctls. Scripts set them and read them back; the
// computer keeps its own. Those of the network are the machine's already, but for a few.
func shadowSysctls(root string, network map[string]map[string]string) error {
	groups, err := os.ReadDir(root + "/proc/sys")
	if err != nil {
		return err
	}
	var errs []error
	for _, g := range groups {
		dir := filepath.Join(root, "proc/sys", g.Name())
		switch g.Name() {
		case "net":
		case "kernel":
			errs = append(errs, shadow(dir, ownKernelKeys()), newBootID(dir))
		default:
			errs = append(errs, shadow(dir, nil))
		}
	}
	for dir, values := range network {
		errs = append(errs, complete(root, dir, values))
	}
	return errors.Join(errs...)
}

// newBootID gives this start of the machine an id of its own, by which its journal tells one boot from another. It covers
// the copy of the computer's.
func newBootID(kernel string) error {
	id, err := os.ReadFile(filepath.Join(kernel, "random/uuid"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(kernel, "random/boot_id"), id, 0o444)
}

// shadow mounts a tmpfs with copies of the keys over a directory of /proc/sys. The keys in keep stay real.
func shadow(dir string, keep []string) error {
	kept, err := openKeys(dir, keep)
	if err != nil {
		return err
	}
	defer func() {
		for _, f := range kept {
			f.Close()
		}
	}()
	values := readKeys(dir)
	maps.DeleteFunc(values, func(key, _ string) bool { return kept[key] != nil })
	if err := mount("tmpfs", dir, "tmpfs", apiFlags, "mode=755,size=1m"); err != nil {
		return err
	}
	return errors.Join(writeKeys(dir, values), bindKeys(dir, kept))
}

// complete gives a directory of the machine's own network keys those of values that it lacks or may not set, as copies. No
// name can be added to it, so that a tmpfs takes its place. It has links to the real keys, which are mounted
// beside them: a mount for each of a hundred keys would be a unit of systemd's each.
func complete(root, dir string, values map[string]string) error {
	path := filepath.Join(root, "proc/sys", dir)
	entries, err := os.ReadDir(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil // this kernel has no such keys
	}
	if err != nil {
		return err
	}
	maps.DeleteFunc(values, func(key, _ string) bool { return isWritable(filepath.Join(path, key)) })
	if len(values) == 0 {
		return nil
	}
	own, err := os.OpenFile(path, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer own.Close()
	if err := mount("tmpfs", path, "tmpfs", apiFlags, "mode=755,size=1m"); err != nil {
		return err
	}
	// sysctl(8) follows links and refuses those that lead out of /proc/sys.
	aside := filepath.Join(path, "own")
	errs := []error{os.Mkdir(aside, 0o755), bind(fdPath(own), aside)}
	for _, e := range entries {
		if _, copied := values[e.Name()]; !copied {
			errs = append(errs, os.Symlink(filepath.Join("own", e.Name()), filepath.Join(path, e.Name())))
		}
	}
	return errors.Join(errors.Join(errs...), writeKeys(path, values))
}

func writeKeys(dir string, values map[string]string) error {
	var errs []error
	for key, value := range values {
		path := filepath.Join(dir, key)
		errs = append(errs, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(value), 0o644))
	}
	return errors.Join(errs...)
}

// openKeys opens the keys that stay, before they are covered. A key that this kernel does not have is left out.
func openKeys(dir string, keys []string) (map[string]*os.File, error) {
	open := map[string]*os.File{}
	for _, key := range keys {
		f, err := os.OpenFile(filepath.Join(dir, key), unix.O_PATH, 0)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		open[key] = f
	}
	return open, nil
}

// bindKeys puts the real keys back into the tmpfs.
func bindKeys(dir string, kept map[string]*os.File) error {
	var errs []error
	for key, f := range kept {
		target := filepath.Join(dir, key)
		errs = append(errs, os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, nil, 0o644), bind(fdPath(f), target))
	}
	return errors.Join(errs...)
}

// readKeys reads the files of a directory of /proc/sys and of those below it. Keys that can only be written are left out,
// and so is binfmt_misc, a file system that all machines and the computer would share.
func readKeys(dir string) map[string]string {
	values := map[string]string{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case d.Name() == "binfmt_misc":
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		if text, err := os.ReadFile(path); err == nil {
			key, _ := filepath.Rel(dir, path)
			values[key] = string(text)
		}
		return nil
	})
	return values
}

func fdPath(f *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())) }

func isWritable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().Perm()&0o200 != 0
}
