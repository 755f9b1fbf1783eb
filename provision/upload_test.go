//go:build linux

package provision_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// transport is a machine, and how far away it is.
type transport struct {
	options provisiontest.Options
	delay   time.Duration
}

// transports are the ways a tree travels: as a stream, compressed and beside it
// over a long link, and file by file.
func transports() map[string]transport {
	return map[string]transport{
		"tar":  {},
		"far":  {delay: veryFarAway},
		"SFTP": {options: provisiontest.Options{Hidden: []string{"/usr/bin/tar"}, Shell: "/usr/bin/bash"}}, // which other distributions have as sh
	}
}

// start starts a machine and connects to it.
func (tr transport) start(t *testing.T, user string) (*provisiontest.Server, *provision.Host) {
	t.Helper()
	s := provisiontest.Start(t, tr.options)
	id := s.Identity()
	id.User = user
	if tr.delay == 0 {
		return s, connect(t, s.Addr, id)
	}
	return s, connect(t, startWire(t, s.Addr, tr.delay).addr, id)
}

// connected is a server and the connection to it.
type connected struct {
	s *provisiontest.Server
	h *provision.Host
}

// machines starts a server for each transport, for all cases of one test.
func machines(t *testing.T) map[string]connected {
	t.Helper()
	all := map[string]connected{}
	for name, tr := range transports() {
		s, h := tr.start(t, provisiontest.User)
		all[name] = connected{s, h}
	}
	return all
}

// snapshot is what is below root, root included: its mode and its contents or target.
func snapshot(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(file)
			if err != nil {
				return err
			}
			text = "-> " + target
		case info.Mode().IsRegular():
			contents, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			text += " " + string(contents)
		}
		found[name] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// home makes files in the server's home, which belong to its user.
func home(t *testing.T, s *provisiontest.Server, files map[string]string) string {
	t.Helper()
	dir, err := os.MkdirTemp(s.Home, "case-")
	if err != nil {
		t.Fatal(err)
	}
	source := plant(t, files)
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(file string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(file, s.UID, s.UID)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func upload(t *testing.T, h *provision.Host, tree provision.Tree) {
	t.Helper()
	if err := h.Upload(context.Background(), tree, nil); err != nil {
		t.Fatal(err)
	}
}

// TestUploadPlaces has the cases of Packer's file provisioner that are about
// where things go. There is a directory "old" on the machine.
func TestUploadPlaces(t *testing.T) {
	t.Parallel()
	servers := machines(t)
	const dir, file = "drwxr-xr-x", "-rw-r--r-- "
	source := map[string]string{"a": "A", "sub/b": "B", "empty/": ""}
	old := map[string]string{"old/stale": "S", "old/sub/stale": "T"}
	for name, test := range map[string]struct {
		source  string // below the planted tree, whose name is "tree"
		dest    string
		content string
		want    map[string]string // what is new, and what has changed
	}{
		"contents into an existing directory": {source: "/", dest: "old",
			want: map[string]string{"old/a": file + "A", "old/sub/b": file + "B", "old/empty": dir}},
		"contents into a missing directory": {source: "/", dest: "new",
			want: map[string]string{"new": dir, "new/a": file + "A", "new/sub": dir, "new/sub/b": file + "B", "new/empty": dir}},
		"flat contents into a missing directory": {source: "/sub/", dest: "new",
			want: map[string]string{"new": dir, "new/b": file + "B"}},
		"contents by a dot": {source: "/sub/.", dest: "new",
			want: map[string]string{"new": dir, "new/b": file + "B"}},
		"contents to a slash": {source: "/sub/", dest: "old/",
			want: map[string]string{"old/b": file + "B"}},
		"directory into an existing directory": {source: "", dest: "old",
			want: map[string]string{"old/tree": dir, "old/tree/a": file + "A", "old/tree/sub": dir, "old/tree/sub/b": file + "B", "old/tree/empty": dir}},
		"directory becomes a missing one": {source: "", dest: "new",
			want: map[string]string{"new": dir, "new/a": file + "A", "new/sub": dir, "new/sub/b": file + "B", "new/empty": dir}},
		"directory becomes a missing one with a slash": {source: "/sub", dest: "new/",
			want: map[string]string{"new": dir, "new/b": file + "B"}},
		"directory merged with its namesake": {source: "/sub", dest: "old",
			want: map[string]string{"old/sub/b": file + "B"}},
		"missing parents": {source: "/sub", dest: "far/away/new",
			want: map[string]string{"far": dir, "far/away": dir, "far/away/new": dir, "far/away/new/b": file + "B"}},
		"file":                       {source: "/a", dest: "new", want: map[string]string{"new": file + "A"}},
		"file over a file":           {source: "/a", dest: "old/stale", want: map[string]string{"old/stale": file + "A"}},
		"file into a directory":      {source: "/a", dest: "old", want: map[string]string{"old/a": file + "A"}},
		"file to a slash":            {source: "/a", dest: "old/", want: map[string]string{"old/a": file + "A"}},
		"file to a missing slash":    {source: "/a", dest: "new/", want: map[string]string{"new": dir, "new/a": file + "A"}},
		"content":                    {content: "C", dest: "new", want: map[string]string{"new": "-rw-r----- C"}},
		"spaces, quotes, line end":   {source: "/a", dest: "a b'c\"d\n$e/*", want: map[string]string{"a b'c\"d\n$e": dir, "a b'c\"d\n$e/*": file + "A"}},
		"a name that is not UTF-8":   {source: "/a", dest: "\xff\xfe", want: map[string]string{"\xff\xfe": file + "A"}},
		"a directory that is a dash": {source: "/sub", dest: "-n", want: map[string]string{"-n": dir, "-n/b": file + "B"}},
	} {
		for transport, on := range servers {
			t.Run(name+"/"+transport, func(t *testing.T) {
				s, h := on.s, on.h
				at := home(t, s, old)
				want := snapshot(t, at)
				for k, v := range test.want {
					want[k] = v
				}
				tree := provision.Tree{Source: plant(t, source) + test.source, Dest: at + "/" + test.dest}
				if test.content != "" {
					tree.Source, tree.Content, tree.Mode = "", []byte(test.content), 0o640
				}
				upload(t, h, tree)
				if diff := cmp.Diff(want, snapshot(t, at)); diff != "" {
					t.Errorf("on the machine (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestUploadToHome(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	for _, dest := range []string{"here", "~/here", "./here"} {
		upload(t, h, provision.Tree{Content: []byte("x"), Dest: dest})
		if err := os.Remove(s.Home + "/here"); err != nil {
			t.Errorf("%s: %v", dest, err)
		}
	}
}

// TestUploadKeeps has the cases that are about what a tree is made of.
func TestUploadKeeps(t *testing.T) {
	t.Parallel()
	servers := machines(t)
	long := strings.Repeat("long/", 60) + strings.Repeat("n", 200)
	source := plant(t, map[string]string{
		"file": "F", "dir/x": "X", "to-file": "-> file", "to-dir": "-> dir", "broken": "-> nowhere/at all",
		"cycle": "-> .", "absolute": "-> /etc/passwd", "empty/": "", ".hidden": "h", "..odd": "o", "-rf": "d",
		"sp ace\n'q\"\\": "odd", "umlaut-ü": "u", "latin-\xfc": "l", long: "deep", "*": "star",
		"tool": "t", "shared/": "", "closed/in": "c", "null": strings.Repeat("\x00", 100_000),
		strings.Repeat("-", 120): "-> " + strings.Repeat("t", 300),
	})
	for name, mode := range map[string]fs.FileMode{
		"tool": 0o755 | fs.ModeSetuid, "file": 0o600, "dir/x": 0o444, "shared": 0o777 | fs.ModeSticky, "dir": 0o750,
		".hidden": 0o4711&0o777 | fs.ModeSetgid, "closed": 0o555, "": 0o711,
	} {
		if err := os.Chmod(filepath.Join(source, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for transport, on := range servers {
		t.Run(transport, func(t *testing.T) {
			s, h := on.s, on.h
			at := home(t, s, nil)
			upload(t, h, provision.Tree{Source: source, Dest: at + "/new"})
			if diff := cmp.Diff(snapshot(t, source), snapshot(t, at+"/new")); diff != "" {
				t.Errorf("a new directory (-want +got):\n%s", diff)
			}
			upload(t, h, provision.Tree{Source: source, Dest: at})
			if diff := cmp.Diff(snapshot(t, source), snapshot(t, at+"/tree")); diff != "" {
				t.Errorf("in an existing directory (-want +got):\n%s", diff)
			}
			upload(t, h, provision.Tree{Source: source + "/", Dest: at + "/new", Exclude: []string{"closed"}})
			if diff := cmp.Diff(snapshot(t, source), snapshot(t, at+"/new")); diff != "" {
				t.Errorf("again (-want +got):\n%s", diff)
			}
			home := home(t, s, map[string]string{"keep": ""})
			upload(t, h, provision.Tree{Source: source + "/", Dest: home})
			if diff := cmp.Diff(snapshot(t, source)["closed/in"], snapshot(t, home)["closed/in"]); diff != "" {
				t.Errorf("merged (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUploadLeavesDirectoriesAlone is the row where Packer takes the sticky bit from /tmp.
func TestUploadLeavesDirectoriesAlone(t *testing.T) {
	t.Parallel()
	servers := machines(t)
	for transport, on := range servers {
		t.Run(transport, func(t *testing.T) {
			s, h := on.s, on.h
			at := home(t, s, map[string]string{"tmp/sub/": "", "real/": "", "tmp/link": "-> ../real"})
			for name, mode := range map[string]fs.FileMode{"/tmp": 0o777 | fs.ModeSticky, "/tmp/sub": 0o2770&0o777 | fs.ModeSetgid} {
				if err := os.Chmod(at+name, mode); err != nil {
					t.Fatal(err)
				}
			}
			upload(t, h, provision.Tree{Source: plant(t, map[string]string{"sub/a": "A", "link/b": "B"}) + "/", Dest: at + "/tmp/"})
			want := map[string]string{
				".": "drwxr-xr-x", "real": "drwxr-xr-x", "real/b": "-rw-r--r-- B",
				"tmp": "dtrwxrwxrwx", "tmp/sub": "dgrwxrwx---", "tmp/sub/a": "-rw-r--r-- A", "tmp/link": "-> ../real",
			}
			got := snapshot(t, at)
			want["."] = got["."] // the directory that home made
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("on the machine (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUploadFollowsTheSourceItself(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	source := plant(t, map[string]string{"releases/7/app": "A", "current": "-> releases/7", "file": "-> releases/7/app"})
	at := home(t, s, nil)
	upload(t, h, provision.Tree{Source: source + "/current", Dest: at + "/dir"})
	upload(t, h, provision.Tree{Source: source + "/file", Dest: at + "/file"})
	got := snapshot(t, at)
	delete(got, ".")
	want := map[string]string{"dir": "drwxr-xr-x", "dir/app": "-rw-r--r-- A", "file": "-rw-r--r-- A"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("on the machine (-want +got):\n%s", diff)
	}
}

func TestUploadPatterns(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	at := home(t, s, nil)
	source := plant(t, map[string]string{"a.js": "1", "a.log": "2", "lib/b.js": "3", "lib/b.log": "4", "none/c.log": "5"})
	upload(t, h, provision.Tree{Source: source, Dest: at + "/new", Include: []string{"**/*.js"}})
	want := map[string]string{".": "drwxr-xr-x", "a.js": "-rw-r--r-- 1", "lib": "drwxr-xr-x", "lib/b.js": "-rw-r--r-- 3"}
	if diff := cmp.Diff(want, snapshot(t, at+"/new")); diff != "" {
		t.Errorf("on the machine (-want +got):\n%s", diff)
	}
}

func TestUploadAsRoot(t *testing.T) {
	t.Parallel()
	for transport, tr := range transports() {
		t.Run(transport, func(t *testing.T) {
			s, h := machineWithSudo(t, tr)
			closed := filepath.Join(s.Dir, "closed")
			if err := os.Mkdir(closed, 0o755); err != nil {
				t.Fatal(err)
			}
			tree := provision.Tree{Source: plant(t, map[string]string{"a": "A", "sub/b": "B"}), Dest: closed}
			err := h.Upload(context.Background(), tree, nil)
			if err == nil || !strings.Contains(err.Error(), "ermission denied") || !strings.Contains(err.Error(), "sudo") || !strings.Contains(err.Error(), closed) {
				t.Errorf("Upload = %v, want permission denied for %s, and what helps", err, closed)
			}
			tree.Sudo = true
			upload(t, h, tree)
			want := map[string]string{".": "drwxr-xr-x", "tree": "drwxr-xr-x", "tree/a": "-rw-r--r-- A", "tree/sub": "drwxr-xr-x", "tree/sub/b": "-rw-r--r-- B"}
			if diff := cmp.Diff(want, snapshot(t, closed)); diff != "" {
				t.Errorf("on the machine (-want +got):\n%s", diff)
			}
			for _, name := range []string{"tree", "tree/sub/b"} {
				var stat syscall.Stat_t
				if err := syscall.Stat(filepath.Join(closed, name), &stat); err != nil || stat.Uid != 0 || stat.Gid != 0 {
					t.Errorf("%s belongs to %d:%d (%v), want root's", name, stat.Uid, stat.Gid, err)
				}
			}
		})
	}
}
