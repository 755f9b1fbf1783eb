package ansible

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imagobuild/imago/provision"
)

// way is how ansible's own SSH client gets to the machine: where to, as whom, and with what.
type way struct {
	host   string
	port   int
	user   string
	key    string   // the file of a private key; empty where the client has one of its own
	common string   // options for ssh, sftp and scp
	env    []string // for ansible
	gate   *provision.Gate
}

// close ends every connection. Its error is why one did not get to the machine.
func (w way) close() error {
	if w.gate == nil {
		return nil
	}
	return w.gate.Close()
}

// way opens it. Keys are in files of the private directory.
func (p Playbook) way(t Target, private string) (way, error) {
	w := way{user: cmp.Or(p.SSH.User, t.User)}
	if p.SSH.SCP {
		w.env = append(w.env, "ANSIBLE_SCP_IF_SSH=True")
	}
	if login, ok := t.Machine.Login(); p.SSH.Direct && ok {
		return w, w.direct(login, private)
	}
	var err error
	if w.gate, err = t.Machine.OpenGate(p.SSH.Gate); err != nil {
		return w, err
	}
	w.host, w.port = "127.0.0.1", w.gate.Port
	if err := w.through(p.SSH.Gate, private); err != nil {
		w.close()
		return w, err
	}
	return w, nil
}

// through is a way through the gate, which checks the machine's host key itself:
// that of the gate need not be checked, unless it is the user's own.
func (w *way) through(o provision.GateOptions, private string) (err error) {
	if len(o.Authorized) == 0 {
		if w.key, err = write(private, "key", w.gate.Key.Private); err != nil {
			return err
		}
	}
	if len(o.HostKey) > 0 {
		return nil
	}
	w.env = append(w.env, "ANSIBLE_HOST_KEY_CHECKING=False")
	return w.know(w.gate.HostKey, knownAs(w.host, w.port), private)
}

// direct is a way without us. The machine has to show the key that it has shown us.
func (w *way) direct(login provision.Login, private string) (err error) {
	w.host, w.port = login.Host, login.Port
	if w.key, err = write(private, "key", slices.Concat(bytes.TrimRight(login.Key, "\n"), []byte("\n"))); err != nil {
		return err
	}
	w.env = append(w.env, "ANSIBLE_HOST_KEY_CHECKING=True")
	if err := w.know(login.HostKey, knownAs(w.host, w.port), private); err != nil {
		return err
	}
	if len(login.Certificate) > 0 {
		cert, err := write(private, "key-cert.pub", login.Certificate)
		w.common += " -o CertificateFile=" + cert
		return err
	}
	return nil
}

// know has the client know the other side by one key alone, and note down nothing for later.
func (w *way) know(key, name, private string) error {
	file, err := write(private, "known_hosts", []byte(name+" "+key+"\n"))
	w.common = strings.Join([]string{"-o UserKnownHostsFile=" + file, "-o GlobalKnownHostsFile=/dev/null", "-o HostKeyAlgorithms=" + algorithms(key)}, " ")
	return err
}

// algorithms are those of signatures by a key.
func algorithms(key string) string {
	kind, _, _ := strings.Cut(key, " ")
	if kind == "ssh-rsa" {
		return "rsa-sha2-512,rsa-sha2-256"
	}
	return kind
}

// knownAs is what known_hosts calls an address.
func knownAs(host string, port int) string {
	if port == 22 {
		return host
	}
	return fmt.Sprintf("[%s]:%d", host, port)
}

// write puts something only its owner may read into the private directory.
func write(private, name string, data []byte) (path string, err error) {
	path = filepath.Join(private, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", fmt.Errorf("prepare a run of ansible: %w", err)
	}
	return path, nil
}

// inDir is a path as seen from elsewhere.
func inDir(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	full, err := filepath.Abs(filepath.Join(dir, path))
	if err != nil {
		return filepath.Join(dir, path)
	}
	return full
}

// sshExtraArgs are those of ssh alone.
func (p Playbook) sshExtraArgs() string {
	if len(p.SSH.ExtraArgs) == 0 {
		return "-o IdentitiesOnly=yes"
	}
	return strings.Join(p.SSH.ExtraArgs, " ")
}
