//go:build linux

package provision_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/imagobuild/imago/provision"
)

func TestKeys(t *testing.T) {
	rsa, err := provision.NewRSAKey("me@here", 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]provision.Key{"ssh-ed25519": newKey(t), "ssh-rsa": rsa} {
		parsed, err := provision.ParseKey(key.Private)
		if err != nil {
			t.Fatal(err)
		}
		public, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(key.Public))
		if err != nil {
			t.Fatal(err)
		}
		if public.Type() != name || comment == "" || strings.Contains(key.Public, "\n") {
			t.Errorf("%s: public key is %q", name, key.Public)
		}
		if parsed.Fingerprint != key.Fingerprint || ssh.FingerprintSHA256(public) != key.Fingerprint {
			t.Errorf("%s: fingerprints differ: %s made, %s parsed", name, key.Fingerprint, parsed.Fingerprint)
		}
		if !strings.HasPrefix(key.Public, parsed.Public) {
			t.Errorf("%s: public keys differ: %s made, %s parsed", name, key.Public, parsed.Public)
		}
	}
	if _, err := provision.ParseKey([]byte("no key")); err == nil {
		t.Error("a text that is no key was accepted")
	}
}

func TestFingerprintsFromConsole(t *testing.T) {
	key := newKey(t)
	for name, test := range map[string]struct {
		console string
		want    []string
	}{
		"cloud-init": {`[    9.1] cloud-init[512]: Generating public/private rsa key pair.
<14>Mar  3 10:00:00 cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----` + "\r" + `
<14>Mar  3 10:00:00 cloud-init: 256 SHA256:aaa root@ip-10-0-0-9 (ECDSA)` + "\r" + `
<14>Mar  3 10:00:00 cloud-init: 256 SHA256:bbb root@ip-10-0-0-9 (ED25519)` + "\r" + `
<14>Mar  3 10:00:00 cloud-init: -----END SSH HOST KEY FINGERPRINTS-----` + "\r" + `
debian login: `, []string{"SHA256:aaa", "SHA256:bbb"}},
		"ec2, with the keys": {"ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----\nec2: 2048 1f:51:ae:28:bf:89:e9:d8 root@x (RSA)\nec2: -----END SSH HOST KEY FINGERPRINTS-----\n" +
			"-----BEGIN SSH HOST KEY KEYS-----\n" + key.Public + "\n-----END SSH HOST KEY KEYS-----\n", []string{key.Fingerprint}},
		"both say the same": {"-----BEGIN SSH HOST KEY FINGERPRINTS-----\n256 " + key.Fingerprint + " x (ED25519)\n-----END SSH HOST KEY FINGERPRINTS-----\n" +
			"-----BEGIN SSH HOST KEY KEYS-----\nroot: " + key.Public + "\n-----END SSH HOST KEY KEYS-----\n", []string{key.Fingerprint}},
		"last boot": {"-----BEGIN SSH HOST KEY FINGERPRINTS-----\nSHA256:old\n-----END SSH HOST KEY FINGERPRINTS-----\nreboot\n" +
			"-----BEGIN SSH HOST KEY FINGERPRINTS-----\nSHA256:new\n-----END SSH HOST KEY FINGERPRINTS-----\n", []string{"SHA256:new"}},
		"incomplete":     {"-----BEGIN SSH HOST KEY FINGERPRINTS-----\n256 SHA256:aaa root@x (ECDSA)\n", nil},
		"authorized key": {"ci-info: | ssh-ed25519 | SHA256:mine |\n", nil},
		"nothing":        {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, provision.FingerprintsFromConsole([]byte(test.console))); diff != "" {
				t.Errorf("fingerprints (-want +got):\n%s", diff)
			}
		})
	}
}

// plant makes files below a new directory: a name that ends in a slash is a
// directory, a value that begins with "-> " a link.
func plant(t *testing.T, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "tree")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, value := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch target, isLink := strings.CutPrefix(value, "-> "); {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(file, 0o755)
		case isLink:
			err = os.Symlink(target, file)
		default:
			err = os.WriteFile(file, []byte(value), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func list(t *testing.T, tree provision.Tree) provision.Listing {
	t.Helper()
	if tree.Dest == "" {
		tree.Dest = "/srv"
	}
	l, err := tree.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestListPatterns(t *testing.T) {
	root := plant(t, map[string]string{
		"app.js": "1", "app.log": "22", "lib/a.js": "4444", "lib/a.log": "88888888",
		"lib/deep/b.js": strings.Repeat("x", 16), "node_modules/m/m.js": strings.Repeat("x", 32), "empty/": "",
	})
	for name, test := range map[string]struct {
		include, exclude []string
		files            int
		bytes            int64 // tells which files, each having a size of its own
	}{
		"everything":             {nil, nil, 6, 63},
		"top only":               {nil, []string{"*.log"}, 5, 61},
		"any depth":              {nil, []string{"**/*.log"}, 4, 53},
		"a directory":            {nil, []string{"node_modules"}, 5, 31},
		"with a slash":           {nil, []string{"node_modules/"}, 5, 31},
		"below a directory":      {nil, []string{"lib/**"}, 3, 35},
		"include":                {[]string{"**/*.js"}, nil, 4, 53},
		"include a directory":    {[]string{"lib"}, nil, 3, 28},
		"include and exclude":    {[]string{"lib", "*.js"}, []string{"**/deep"}, 3, 13},
		"several stars":          {[]string{"**/deep/**/*.js"}, nil, 1, 16},
		"question and range":     {[]string{"lib/[a-c].j?"}, nil, 1, 4},
		"exclude a path element": {nil, []string{"**/deep/**", "empty"}, 5, 47},
	} {
		t.Run(name, func(t *testing.T) {
			got := list(t, provision.Tree{Source: root, Include: test.include, Exclude: test.exclude})
			if got.Files != test.files || got.Bytes != test.bytes {
				t.Errorf("%d files of %d bytes, want %d of %d", got.Files, got.Bytes, test.files, test.bytes)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	files := map[string]string{"a": "1", "dir/b": "2", "link": "-> a", "empty/": ""}
	root := plant(t, files)
	want := list(t, provision.Tree{Source: root})
	if len(want.Digest) != 64 {
		t.Errorf("digest is %q", want.Digest)
	}
	if want.Name != filepath.Base(root) {
		t.Errorf("it may be called %q, want %q", want.Name, filepath.Base(root))
	}
	want.Name = "" // contents have none
	if got := list(t, provision.Tree{Source: plant(t, files) + "/", Dest: "/elsewhere"}); got != want {
		t.Errorf("the same tree elsewhere is %+v, want %+v", got, want)
	}
	for name, change := range map[string]func(root string) error{
		"contents":  func(root string) error { return os.WriteFile(root+"/a", []byte("9"), 0o644) },
		"mode":      func(root string) error { return os.Chmod(root+"/a", 0o755) },
		"setuid":    func(root string) error { return os.Chmod(root+"/a", 0o644|os.ModeSetuid) },
		"name":      func(root string) error { return os.Rename(root+"/a", root+"/c") },
		"link":      func(root string) error { os.Remove(root + "/link"); return os.Symlink("b", root+"/link") },
		"directory": func(root string) error { return os.Remove(root + "/empty") },
	} {
		t.Run(name, func(t *testing.T) {
			root := plant(t, files)
			if err := change(root); err != nil {
				t.Fatal(err)
			}
			if got := list(t, provision.Tree{Source: root}); got.Digest == want.Digest {
				t.Error("the digest is the same")
			}
		})
	}
}

func TestListProblems(t *testing.T) {
	root := plant(t, map[string]string{"good": "", "run/": ""})
	for name, mode := range map[string]uint32{"run/pipe": syscall.S_IFIFO, "disk": syscall.S_IFBLK, "talk": syscall.S_IFSOCK} {
		if err := syscall.Mknod(filepath.Join(root, name), mode|0o600, 7<<8); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		tree provision.Tree
		says []string
	}{
		"special files": {provision.Tree{Source: root, Dest: "/x"},
			[]string{root + "/run/pipe is a FIFO", root + "/disk is a device", root + "/talk is a socket"}},
		"the source itself":       {provision.Tree{Source: root + "/run/pipe", Dest: "/x"}, []string{"/run/pipe is a FIFO"}},
		"missing":                 {provision.Tree{Source: root + "/gone", Dest: "/x"}, []string{root + "/gone: no such file"}},
		"file with a slash":       {provision.Tree{Source: root + "/good/", Dest: "/x"}, []string{root + "/good/", "not a directory"}},
		"no source":               {provision.Tree{Dest: "/x"}, []string{"needs a source or content"}},
		"source and content":      {provision.Tree{Source: root, Content: []byte("x"), Dest: "/x"}, []string{"not both"}},
		"no destination":          {provision.Tree{Source: root}, []string{root + ": no destination"}},
		"NUL":                     {provision.Tree{Source: root, Dest: "/x\x00y"}, []string{"NUL"}},
		"two bad patterns":        {provision.Tree{Source: root, Dest: "/x", Include: []string{"[a"}, Exclude: []string{"/etc"}}, []string{`include pattern "[a"`, `exclude pattern "/etc"`}},
		"include of nothing":      {provision.Tree{Source: root + "/", Dest: "/x", Include: []string{"*.tgz", "good"}}, []string{`include pattern "*.tgz" matches nothing`}},
		"include of the excluded": {provision.Tree{Source: root, Dest: "/x", Include: []string{"good"}, Exclude: []string{"goo?"}}, []string{`include pattern "good" matches nothing`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.tree.List(context.Background())
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
	if got := list(t, provision.Tree{Source: root, Exclude: []string{"run", "disk", "talk"}}); got.Files != 1 {
		t.Errorf("%d files with the special ones excluded, want 1", got.Files)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x`y`\n\\": "'$x`y`\n\\'"} {
		if got := provision.Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}
