package machine

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// baseFiles are the files of the base that are not of a package: base/all is the root of every one, and base/SUITE, where it exists, of one.
//
//go:embed base
var baseFiles embed.FS

//go:embed configure.sh
var configureScript string

// certificates is where Debian keeps the certificate authorities that an administrator added.
const certificates = "/usr/local/share/ca-certificates"

// packages are what a base has beyond mmdebstrap's "minbase": what Debian's cloud images have and provisioning scripts
// take for granted.
func packages() []string {
	return []string{
		"systemd-sysv", "libpam-systemd", "libnss-myhostname", "dbus", "udev", "openssh-server", "sudo", "cloud-init",
		"iproute2", "iputils-ping", "netbase", "iptables", "nftables", "kmod", "procps", "psmisc", "libcap2-bin", "ca-certificates",
		"curl", "wget", "gnupg", "less", "vim-tiny", "lsb-release", "locales", "python3", "cron", "rsync", "bzip2", "xz-utils",
	}
}

// recipe is everything that decides what a base becomes. Its hash names the base.
type recipe struct {
	suite    string
	sources  string // deb822 or one-line; empty for mmdebstrap's default mirror
	packages []string
	tree     map[string]string // path from the root → content
}

// BuildBase answers the directory of a base: a Debian with systemd, sshd, sudo and cloud-init, and this computer's own
// certificate authorities. It is built on the first call, in half a minute, and kept in c.Dir. The packages come from this
// computer's apt sources when they are of the same suite, or else from mmdebstrap's default mirror.
func BuildBase(ctx context.Context, c BaseConfig) (string, error) {
	if os.Geteuid() != 0 {
		return "", errors.New("building a base needs root: run it again with sudo")
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	r, err := newRecipe(c.Suite)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return "", err
	}
	dir := filepath.Join(c.Dir, r.name())
	lock, err := waitLock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := r.build(ctx, dir, c.Progress); err != nil {
		return "", fmt.Errorf("build the base %s: %w", r.suite, err)
	}
	return dir, nil
}

// newRecipe reads this computer's apt sources and certificates.
func newRecipe(suite string) (*recipe, error) {
	switch suite {
	case "bookworm", "debian-12":
		suite = "bookworm"
	case "trixie", "debian-13":
		suite = "trixie"
	default:
		return nil, fmt.Errorf("there is no base %q: the bases are debian-12 and debian-13", suite)
	}
	r := &recipe{suite: suite, sources: aptSources("/etc/apt", suite), packages: packages(), tree: map[string]string{}}
	return r, errors.Join(r.addFiles(baseFiles, "base/all", "."), r.addFiles(baseFiles, "base/"+suite, "."), r.addCertificates())
}

// addFiles adds the files below a directory, if there is one.
func (r *recipe) addFiles(fsys fs.FS, from, to string) error {
	return fs.WalkDir(fsys, from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == from {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(fsys, path)
		name, _ := filepath.Rel(from, path)
		r.tree[filepath.Join(to, name)] = string(text)
		return err
	})
}

func (r *recipe) addCertificates() error {
	return r.addFiles(os.DirFS(certificates), ".", certificates[1:])
}

// name is the suite and the hash of the recipe.
func (r *recipe) name() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%q\n%s\n%v", r.suite, r.sources, r.packages, configureScript, r.tree) // %v sorts a map's keys
	return r.suite + "-" + hex.EncodeToString(sum.Sum(nil)[:6])
}

// build makes the base beside its final place, and renames it there when it is whole.
func (r *recipe) build(ctx context.Context, dir string, progress func(string)) (err error) {
	tool, err := exec.LookPath("mmdebstrap")
	if err != nil {
		return errors.New("mmdebstrap, which makes the base, is not on this computer: apt-get install mmdebstrap")
	}
	work, err := os.MkdirTemp(workspace(dir), "imago-base-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := r.writeFiles(work); err != nil {
		return err
	}
	root := filepath.Join(work, "root")
	if err := run(ctx, progress, tool, r.arguments(work, root)...); err != nil {
		return err
	}
	progress("I: saving the base")
	whole := dir + ".new"
	if err := errors.Join(os.RemoveAll(whole), copyTree(ctx, root, whole)); err != nil {
		return err
	}
	// Nothing lies below a base. Flatten reads this.
	if err := unix.Setxattr(whole, opaqueAttribute, []byte("y"), 0); err != nil {
		return fmt.Errorf("mark %s as a base: %w", whole, err)
	}
	return os.Rename(whole, dir)
}

// workspace is where to build: in memory when there is room, which saves dpkg's waits for the disk, or else beside dir.
func workspace(dir string) string {
	var st unix.Statfs_t
	const shm, room = "/dev/shm", 3 << 30
	if unix.Statfs(shm, &st) == nil && st.Type == unix.TMPFS_MAGIC && st.Bavail*uint64(st.Bsize) > room {
		return shm
	}
	return filepath.Dir(dir)
}

// writeFiles writes the tree, the apt sources and the script to where mmdebstrap's hooks find them.
func (r *recipe) writeFiles(work string) error {
	files := map[string]string{"sources": r.sources, "configure.sh": configureScript}
	for name, text := range r.tree {
		files[filepath.Join("tree", name)] = text
	}
	var errs []error
	for name, text := range files {
		path := filepath.Join(work, name)
		errs = append(errs, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
	}
	return errors.Join(errs...)
}

func (r *recipe) arguments(work, root string) []string {
	args := []string{
		"--mode=root", "--variant=minbase", "--format=directory", "--include=" + strings.Join(r.packages, ","),
		"--dpkgopt=force-unsafe-io", "--dpkgopt=force-confold", `--aptopt=Acquire::Languages "none"`,
		// Before the packages are set up, so that their scripts see the files.
		fmt.Sprintf(`--extract-hook=cp -r --no-preserve=ownership %s/tree/. "$1"`, work),
		fmt.Sprintf(`--customize-hook=chroot "$1" /bin/sh < %s/configure.sh`, work),
		"--skip=cleanup/reproducible", r.suite, root,
	}
	if r.sources != "" {
		args = append(args, filepath.Join(work, "sources"))
	}
	return args
}

// run runs a program in a mount namespace of its own, so that a build that is killed leaves no mount, and passes on what it
// says. Its last lines are in the error.
func run(ctx context.Context, progress func(string), name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	said := make(chan []byte, 1)
	go func() { said <- relay(r, progress) }()
	err := cmd.Run()
	w.Close()
	last := <-said
	if ctx.Err() != nil {
		return contextError(ctx, filepath.Base(name))
	}
	if err != nil {
		return fmt.Errorf("%s: %w:\n%s", filepath.Base(name), err, last)
	}
	return nil
}

// relay passes on each line, and answers the last 2 KiB.
func relay(r io.Reader, progress func(string)) []byte {
	var all bytes.Buffer
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		progress(lines.Text())
		fmt.Fprintln(&all, lines.Text())
	}
	_, _ = io.Copy(io.Discard, r) // a line that was too long ended the scan
	return bytes.TrimSpace(lastOf(all.Bytes(), 2<<10))
}
