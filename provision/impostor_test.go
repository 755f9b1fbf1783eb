//go:build linux

package provision_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// impostor is another real sshd, with a host key of its own, that would let in
// whoever comes: it knows our password and takes our key. What it lets in it
// passes on to the real machine, as a man in the middle does.
func impostor(t *testing.T, real *provisiontest.Server) *provisiontest.Server {
	t.Helper()
	host, port, _ := strings.Cut(real.Addr, ":")
	relay := "ssh -i " + writeKey(t, real.Key) + " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -p " + port + " " + provisiontest.User + "@" + host
	return provisiontest.Start(t, provisiontest.Options{Config: []string{
		"LogLevel DEBUG3", "PasswordAuthentication yes", "KbdInteractiveAuthentication yes",
		"AuthorizedKeysFile " + writeFile(t, "authorized", real.Key.Public+"\n"),
		"ForceCommand " + relay + ` "$SSH_ORIGINAL_COMMAND"`,
	}})
}

// writeKey writes a login key that any account of the test may use.
func writeKey(t *testing.T, key provision.Key) string {
	t.Helper()
	file := filepath.Join(openDir(t), "key")
	if err := os.WriteFile(file, key.Private, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// heardNothing checks that an impostor has been spoken to, and heard of no way to
// log in and of nothing else that we would tell a machine.
func heardNothing(t *testing.T, s *provisiontest.Server) {
	t.Helper()
	var log string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if log = s.Log(); strings.Contains(log, "[preauth]") && (strings.Contains(log, "Connection closed") || strings.Contains(log, "Connection reset") || strings.Contains(log, "Received disconnect") || strings.Contains(log, "Disconnected from")) {
			break
		}
	}
	if !strings.Contains(log, "SSH2_MSG_KEXINIT received") {
		t.Errorf("the impostor has not been spoken to:\n%s", log)
	}
	for _, told := range []string{"userauth-request", "service-request", "Accepted", "Failed password", "session opened"} {
		if strings.Contains(log, told) {
			t.Errorf("the impostor has heard a %s:\n%s", told, log)
		}
	}
}

// TestImpostor: whoever sits where the machine should be gets to know nothing,
// with any way to pin the host key and any way to log in.
func TestImpostor(t *testing.T) {
	t.Parallel()
	real := provisiontest.Start(t, provisiontest.Options{})
	for name, change := range map[string]func(*provision.Identity){
		"key": func(*provision.Identity) {},
		"fingerprint": func(id *provision.Identity) {
			id.HostKey = provision.HostKey{Fingerprints: []string{real.HostKey.Fingerprint}}
		},
		"password": func(id *provision.Identity) { id.Keys, id.Password = nil, provisiontest.Password },
		"agent": func(id *provision.Identity) {
			id.Keys, id.AgentSocket, id.ForwardAgent = nil, startAgent(t, real.Key), true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := impostor(t, real)
			id := real.Identity()
			change(&id)
			h, err := provision.Dial(context.Background(), fake.Addr, id)
			if err == nil {
				h.Close()
			}
			if !errors.Is(err, provision.ErrHostKey) {
				t.Errorf("Dial = %v, want %v", err, provision.ErrHostKey)
			}
			heardNothing(t, fake)
		})
	}
}

// TestImpostorWouldRelay: the impostor of these tests is a real danger to whoever
// does not look at its host key.
func TestImpostorWouldRelay(t *testing.T) {
	t.Parallel()
	real := provisiontest.Start(t, provisiontest.Options{})
	id := real.Identity()
	id.User, id.HostKey = "root", provision.HostKey{Insecure: true} // root may read the relay's key
	if _, err := connect(t, impostor(t, real).Addr, id).Output(context.Background(), "echo tricked > ~/tricked"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(real.Home, "tricked")); err != nil || string(text) != "tricked\n" {
		t.Errorf("the real machine has %q (%v)", text, err)
	}
}

// TestImpostorInBetween has the impostor take over while a script runs, and while
// a tree is uploaded: the connection is cut, and the next one ends at the impostor.
func TestImpostorInBetween(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(t *testing.T, h *provision.Host, at string, takeOver func()) error{
		"script": func(_ *testing.T, h *provision.Host, _ string, takeOver func()) error {
			up := writerFunc(func(p []byte) (int, error) { takeOver(); return len(p), nil })
			return h.Run(context.Background(), script("echo up", "sleep 60"), up, nil)
		},
		"upload": func(t *testing.T, h *provision.Host, at string, takeOver func()) error {
			source := plant(t, nil)
			noiseFile(t, source+"/a", 32<<20)
			return h.Upload(context.Background(), provision.Tree{Source: source, Dest: at + "/new"}, func(p provision.Progress) {
				if p.Done > 1<<20 && p.Done < p.Total {
					takeOver()
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			real := provisiontest.Start(t, provisiontest.Options{})
			fake := impostor(t, real)
			w := startWire(t, real.Addr, 0)
			w.rate = 16 << 20
			h := connect(t, w.addr, real.Identity())
			err := do(t, h, home(t, real, nil), func() {
				w.target.Store(fake.Addr)
				w.cut()
			})
			if !errors.Is(err, provision.ErrHostKey) {
				t.Errorf("%v, want %v", err, provision.ErrHostKey)
			}
			heardNothing(t, fake)
		})
	}
}
