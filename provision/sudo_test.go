//go:build linux

package provision_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// TestMain makes this program, under the name of sudo, what installSudo needs.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "sudo" {
		os.Exit(becomeRoot(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// machineWithSudo is machine, where sudo lets User become root.
func machineWithSudo(t *testing.T, tr transport) (*provisiontest.Server, *provision.Host) {
	t.Helper()
	tr.options.Bin = openDir(t)
	s, h := tr.start(t, provisiontest.User)
	installSudo(t, tr.options.Bin, s.UID)
	return s, h
}

// installSudo puts a sudo into bin that the members of group may use, and nobody else.
func installSudo(t *testing.T, bin string, group int) {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	sudo, err := os.OpenFile(filepath.Join(bin, "sudo"), os.O_WRONLY|os.O_CREATE, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(sudo, self)
	if err == nil {
		err = sudo.Chown(0, group)
	}
	if err == nil {
		err = sudo.Chmod(0o750 | os.ModeSetuid)
	}
	if closeErr := sudo.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		t.Fatal(err)
	}
}

// becomeRoot runs a command as sudo -n does.
func becomeRoot(args []string) int {
	for len(args) > 0 && (args[0] == "-n" || args[0] == "--") {
		args = args[1:]
	}
	for _, err := range []error{syscall.Setgroups([]int{0}), syscall.Setgid(0), syscall.Setuid(0)} {
		if err != nil {
			os.Stderr.WriteString("sudo: " + err.Error() + "\n")
			return 1
		}
	}
	program, err := exec.LookPath(args[0])
	if err == nil {
		err = syscall.Exec(program, args, os.Environ())
	}
	os.Stderr.WriteString("sudo: " + err.Error() + "\n")
	return 1
}
