package provisiontest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagobuild/imago/provision"
)

// User is the account of a Server that is not root; Password is its password.
const (
	User     = "baker"
	Password = "correct horse"
)

// passwordHash is Password as /etc/shadow has it.
const passwordHash = `$6$imagotest$.nh2.u13eXgp6sGI8Nt9jpdfeBsxoIfA/wSm3fKoCFWcqBusvktrVAYVjbUXCbDdf8kXmf4mqno0eL5Ck9r8c.`

// Options change a Server. The zero value is a server of the usual kind.
type Options struct {
	// Config is lines of sshd_config that come before all others, and so win over them.
	Config []string

	// Hidden are programs, such as /usr/bin/tar, that the machine is to be without.
	Hidden []string

	// NoSFTP leaves the SFTP server out.
	NoSFTP bool

	// Shell is the program that /bin/sh is to be, such as /usr/bin/bash.
	Shell string

	// Bin is a directory that comes first in the PATH of every session.
	Bin string
}

// Server is a running sshd. It has the host's file system, with accounts, /run
// and processes of its own: root and User, who both accept Key.
type Server struct {
	Addr    string // host:port on loopback
	Dir     string // removed at the end of the test; anybody may enter it
	Home    string // User's home, empty
	UID     int    // User's number and group, another one for each server
	Key     provision.Key
	HostKey provision.Key

	options Options
	process *exec.Cmd
}

// Start starts a server that ends with the test, and everything in it too. It
// returns once the server accepts connections.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{Dir: openDir(t), options: o}
	s.Home = filepath.Join(s.Dir, "home")
	var err error
	if s.Key, err = provision.NewKey("login"); err != nil {
		t.Fatal(err)
	}
	if s.HostKey, err = provision.NewKey("host"); err != nil {
		t.Fatal(err)
	}
	s.Addr, s.UID = freeAddr(t), 100_000+rand.N(1<<28) // an account of its own, too
	s.writeFiles(t, o)
	s.launch(t, o)
	s.wait(t)
	return s
}

// Identity logs in as User by key, and pins the host key.
func (s *Server) Identity() provision.Identity {
	return provision.Identity{
		User:    User,
		Keys:    [][]byte{s.Key.Private},
		HostKey: provision.HostKey{Key: s.HostKey.Public},
	}
}

// Stop ends the server at once, as if the machine had lost power. It may be called twice.
func (s *Server) Stop() {
	_ = s.process.Process.Kill() // an error: it has ended already
	_ = s.process.Wait()         // always "signal: killed"
}

// Restart starts the server again, as when the machine boots after it lost power:
// at the same address, with the same files and another process 1.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop()
	s.launch(t, s.options)
	s.wait(t)
}

// Log is what the server has said, with LogLevel as Config has it.
func (s *Server) Log() string { return s.said() }

func openDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "provisiontest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// freeAddr is a port on a loopback address of its own: on a shared one another
// server that starts at the same time could be given the port, too.
func freeAddr(t testing.TB) string {
	t.Helper()
	ip := net.IPv4(127, byte(1+rand.N(254)), byte(rand.N(256)), byte(1+rand.N(254)))
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// writeFiles writes what launch mounts over the host's files.
func (s *Server) writeFiles(t testing.TB, o Options) {
	t.Helper()
	if err := os.Mkdir(s.Home, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(s.Home, s.UID, s.UID); err != nil {
		t.Fatalf("the test server needs root: %v", err)
	}
	for name, f := range map[string]struct {
		mode os.FileMode
		text string
	}{
		"passwd":      {0o644, fmt.Sprintf("root:x:0:0::%s:/bin/bash\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\nnobody:x:65534:65534::/:/usr/sbin/nologin\n%s:x:%d:%[3]d::%s:/bin/bash\n", s.Dir, User, s.UID, s.Home)},
		"group":       {0o644, fmt.Sprintf("root:x:0:\nnogroup:x:65534:\n%s:x:%d:\n", User, s.UID)},
		"shadow":      {0o600, fmt.Sprintf("root:*:19000::::::\nsshd:!:19000::::::\n%s:%s:19000::::::\n", User, passwordHash)},
		"pam":         {0o644, "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession optional pam_permit.so\n"},
		"host_key":    {0o600, string(s.HostKey.Private)},
		"authorized":  {0o644, s.Key.Public + "\n"},
		"sshd_config": {0o644, s.config(t, o)},
	} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(f.text), f.mode); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *Server) config(t testing.TB, o Options) string {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	lines := append([]string(nil), o.Config...)
	if o.Bin != "" {
		lines = append(lines, "SetEnv PATH="+o.Bin+":/usr/local/bin:/usr/bin:/bin")
	}
	lines = append(lines,
		"ListenAddress "+host, "Port "+port,
		"HostKey "+filepath.Join(s.Dir, "host_key"),
		"AuthorizedKeysFile "+filepath.Join(s.Dir, "authorized"),
		"PidFile none", "StrictModes no", "UsePAM yes", "PrintMotd no",
		"PermitRootLogin prohibit-password", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"AllowAgentForwarding yes", "AllowTcpForwarding yes", "")
	if !o.NoSFTP {
		lines = append(lines, "Subsystem sftp internal-sftp", "")
	}
	return strings.Join(lines, "\n")
}

// launch starts sshd in mount and process namespaces of its own, so that the
// host's accounts stay as they are, and no process of a session outlives the server.
func (s *Server) launch(t testing.TB, o Options) {
	t.Helper()
	script := []string{
		"set -eu", `cd "$1"`,
		"mount --make-rprivate /",
		"mount -t proc proc /proc",
		"mount -t tmpfs -o mode=755 tmpfs /run", "mkdir /run/sshd",
		"for f in passwd group shadow; do mount --bind $f /etc/$f; done",
		"mount --bind pam /etc/pam.d/sshd",
	}
	for _, program := range o.Hidden {
		script = append(script, "mount --bind /dev/null "+provision.Quote(program))
	}
	if o.Shell != "" {
		script = append(script, "mount --bind "+provision.Quote(o.Shell)+` "$(readlink -f /bin/sh)"`)
	}
	script = append(script, `exec /usr/sbin/sshd -D -e -f "$1/sshd_config"`)

	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s.process = exec.Command("/bin/sh", "-c", strings.Join(script, "\n"), "sshd", s.Dir)
	s.process.Stdout, s.process.Stderr = log, log
	s.process.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Setsid:     true,
	}
	if err := s.process.Start(); err != nil {
		t.Fatalf("start sshd: %v", err)
	}
	process := s.process
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
		log.Close()
		if t.Failed() {
			t.Logf("sshd said:\n%s", s.said())
		}
	})
}

func (s *Server) said() string {
	text, err := os.ReadFile(filepath.Join(s.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// wait returns once the server greets.
func (s *Server) wait(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
		if err != nil {
			continue
		}
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		greeting := make([]byte, 4)
		_, err = conn.Read(greeting)
		conn.Close()
		if err == nil && string(greeting) == "SSH-" {
			return
		}
	}
	t.Fatalf("sshd does not answer; is openssh-server installed, and is this root? It said:\n%s", s.said())
}
