package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// layersOf are the directories that an image of the local cloud is made of, top first.
func layersOf(t *testing.T, id string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(cloud.state, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Images map[string]struct{ Layers []string }
	}
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	cache := os.Getenv("IMAGO_CACHE_DIR")
	if cache == "" {
		home, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(home, "imago")
	}
	var dirs []string
	for _, layer := range state.Images[id].Layers {
		if base, ok := strings.CutPrefix(layer, "cache/"); ok {
			dirs = append(dirs, filepath.Join(cache, base))
		} else {
			dirs = append(dirs, filepath.Join(cloud.state, "layers", layer))
		}
	}
	if len(dirs) < 2 {
		t.Fatalf("image %s has layers %v", id, dirs)
	}
	return dirs
}

// tree is the file system of an image: for each path its type, mode, owner, and what a link leads to. Of files that are not
// the base's own there is a digest, too.
func tree(t *testing.T, id string) map[string]string {
	t.Helper()
	dirs := layersOf(t, id)
	root := t.TempDir()
	if err := syscall.Mount("overlay", root, "overlay", syscall.MS_RDONLY, "lowerdir="+strings.Join(dirs, ":")); err != nil {
		t.Fatalf("look into image %s: %v", id, err)
	}
	defer func() {
		if err := syscall.Unmount(root, 0); err != nil {
			t.Errorf("leave image %s: %v", id, err)
		}
	}()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(full string, d fs.DirEntry, err error) error {
		if err != nil || full == root {
			return err
		}
		name := strings.TrimPrefix(full, root)
		all[name], err = entry(full, d, slices.ContainsFunc(dirs[:len(dirs)-1], func(dir string) bool { return isThere(dir + name) }))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func isThere(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// entry describes a file.
func entry(full string, d fs.DirEntry, digest bool) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	stat := info.Sys().(*syscall.Stat_t)
	text := fmt.Sprintf("%s %d:%d", info.Mode(), stat.Uid, stat.Gid)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(full)
		return text + " -> " + target, err
	case info.Mode()&fs.ModeDevice != 0:
		return fmt.Sprintf("%s device %d", text, stat.Rdev), nil
	case info.Mode().IsRegular() && digest:
		body, err := os.ReadFile(full)
		sum := sha256.Sum256(body)
		return fmt.Sprintf("%s %d bytes %x", text, len(body), sum[:8]), err
	default:
		return text, nil
	}
}

// differing lists the paths that are not the same in two trees, but for those that a pattern allows.
func differing(one, other map[string]string, allowed []string) (diff []string) {
	paths := map[string]bool{}
	for _, t := range []map[string]string{one, other} {
		for name := range t {
			paths[name] = true
		}
	}
	for name := range paths {
		if one[name] != other[name] && !slices.ContainsFunc(allowed, func(pattern string) bool { return covers(pattern, name) }) {
			diff = append(diff, fmt.Sprintf("%s\n    packer %s\n    imago  %s", name, one[name], other[name]))
		}
	}
	slices.Sort(diff)
	return diff
}

// covers says whether a pattern, or one for all that is below a directory (/**), has a path.
func covers(pattern, name string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/**"); ok {
		return strings.HasPrefix(name, dir+"/")
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
