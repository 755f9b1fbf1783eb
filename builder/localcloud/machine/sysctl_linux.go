package machine

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// The keys of /proc/sys/kernel that are the machine's own, by its UTS, IPC or PID namespace, or that only tell. The
// others are the computer's.
func ownKernelKeys() []string {
	return []string{
		"hostname", "domainname", "random/boot_id", "random/uuid", "shmmax", "shmall", "shmmni", "msgmax", "msgmnb", "msgmni", "sem",
		"cap_last_cap", "overflowuid", "overflowgid", "osrelease", "ostype", "version", "ngroups_max",
	}
}

// shadowSysctls gives the machine copies of the computer's system-wide sysctls. Scripts set them and read them back; the
// computer keeps its own. Those of the network namespace are the machine's already, but for some of net.core.
func shadowSysctls(root string, netCore map[string]string) error {
	sys := filepath.Join(root, "proc/sys")
	groups, err := os.ReadDir(sys)
	if err != nil {
		return err
	}
	own := slices.Collect(maps.Keys(writableKeys(filepath.Join(sys, "net/core"))))
	errs := []error{shadow(filepath.Join(sys, "net/core"), own, netCore)}
	for _, g := range groups {
		dir := filepath.Join(sys, g.Name())
		switch g.Name() {
		case "net":
		case "kernel":
			errs = append(errs, shadow(dir, ownKernelKeys(), nil))
		default:
			errs = append(errs, shadow(dir, nil, nil))
		}
	}
	return errors.Join(errs...)
}

// shadow mounts a tmpfs with copies of the keys over a directory of /proc/sys, and adds more. The keys in keep stay real.
func shadow(dir string, keep []string, more map[string]string) error {
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
	maps.Copy(values, more)
	maps.DeleteFunc(values, func(key, _ string) bool { return kept[key] != nil })
	if err := mount("tmpfs", dir, "tmpfs", apiFlags, "mode=755,size=1m"); err != nil {
		return err
	}
	return errors.Join(writeKeys(dir, values), bindKeys(dir, kept))
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
		errs = append(errs, os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, nil, 0o644), bind("/proc/self/fd/"+strconv.Itoa(int(f.Fd())), target))
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

// writableKeys are the keys of a directory that this network namespace may set, which makes them its own.
func writableKeys(dir string) map[string]string {
	values := readKeys(dir)
	maps.DeleteFunc(values, func(key, _ string) bool {
		st, err := os.Stat(filepath.Join(dir, key))
		return err != nil || st.Mode().Perm()&0o200 == 0
	})
	return values
}
