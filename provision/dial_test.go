//go:build linux

package provision_test

import (
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

func newKey(t *testing.T) provision.Key {
	t.Helper()
	key, err := provision.NewKey("test")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// writeFile writes a file that every account may read. t.TempDir is closed to others.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(openDir(t), name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// openDir is a temporary directory that every account may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "provision-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// privateFile writes a host key: sshd takes only one that others cannot read.
func privateFile(t *testing.T, key provision.Key) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, key.Private, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// certify signs key for User, and returns the certificate and its authority's public key.
func certify(t *testing.T, key provision.Key) (certificate []byte, authority string) {
	t.Helper()
	ca := newKey(t)
	signer, err := ssh.ParsePrivateKey(ca.Private)
	if err != nil {
		t.Fatal(err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key.Public))
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{
		Key: public, CertType: ssh.UserCert, ValidPrincipals: []string{provisiontest.User},
		ValidBefore: ssh.CertTimeInfinity,
	}
	if err := cert.SignCert(rand.Reader, signer); err != nil {
		t.Fatal(err)
	}
	return ssh.MarshalAuthorizedKey(cert), ca.Public
}

// startAgent serves an agent that holds keys.
func startAgent(t *testing.T, keys ...provision.Key) (socket string) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		private, err := ssh.ParseRawPrivateKey(k.Private)
		if err != nil {
			t.Fatal(err)
		}
		if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
			t.Fatal(err)
		}
	}
	socket = filepath.Join(t.TempDir(), "agent")
	return provisiontest.Serve(t, "unix", socket, func(conn net.Conn) {
		_ = agent.ServeAgent(ring, conn) // ends with the connection
	})
}

func TestDialLogsIn(t *testing.T) {
	t.Parallel()
	certified := newKey(t)
	certificate, authority := certify(t, certified)
	password := provisiontest.Start(t, provisiontest.Options{Config: []string{
		"PasswordAuthentication yes", "TrustedUserCAKeys " + writeFile(t, "ca", authority)}})
	interactive := provisiontest.Start(t, provisiontest.Options{Config: []string{"KbdInteractiveAuthentication yes"}})
	rsa, err := provision.NewRSAKey("rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaServer := provisiontest.Start(t, provisiontest.Options{Config: []string{
		"AuthorizedKeysFile " + writeFile(t, "authorized", rsa.Public+"\n")}})

	for name, test := range map[string]struct {
		server *provisiontest.Server
		change func(*provision.Identity)
	}{
		"key":        {password, func(*provision.Identity) {}},
		"root":       {password, func(id *provision.Identity) { id.User = "root" }},
		"RSA key":    {rsaServer, func(id *provision.Identity) { id.Keys = [][]byte{rsa.Private} }},
		"second key": {password, func(id *provision.Identity) { id.Keys = [][]byte{newKey(t).Private, id.Keys[0]} }},
		"password":   {password, func(id *provision.Identity) { id.Keys, id.Password = nil, provisiontest.Password }},
		"key then password": {password, func(id *provision.Identity) {
			id.Keys, id.Password = [][]byte{newKey(t).Private}, provisiontest.Password
		}},
		"keyboard-interactive": {interactive, func(id *provision.Identity) { id.Keys, id.Password = nil, provisiontest.Password }},
		"certificate": {password, func(id *provision.Identity) {
			id.Keys, id.Certificate = [][]byte{certified.Private}, certificate
		}},
		"agent": {password, func(id *provision.Identity) { id.Keys, id.AgentSocket = nil, startAgent(t, newKey(t), password.Key) }},
		"fingerprint": {password, func(id *provision.Identity) {
			id.HostKey = provision.HostKey{Fingerprints: []string{newKey(t).Fingerprint, password.HostKey.Fingerprint}}
		}},
		"any host key": {password, func(id *provision.Identity) { id.HostKey = provision.HostKey{Insecure: true} }},
		"cipher":       {password, func(id *provision.Identity) { id.Ciphers = []string{"aes256-ctr"} }},
		"key exchange": {password, func(id *provision.Identity) { id.KeyExchanges = []string{"ecdh-sha2-nistp256"} }},
	} {
		t.Run(name, func(t *testing.T) {
			id := test.server.Identity()
			test.change(&id)
			h := connect(t, test.server.Addr, id)
			if got := strings.TrimSpace(output(t, h, "id -un")); got != id.User {
				t.Errorf("logged in as %q, want %q", got, id.User)
			}
		})
	}
}

func TestDialRefused(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{Config: []string{"PasswordAuthentication yes"}})
	stranger := newKey(t)
	locked := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte("sealed"),
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}}
	for name, test := range map[string]struct {
		change func(*provision.Identity)
		is     error
		says   []string
	}{
		"wrong key": {func(id *provision.Identity) { id.Keys = [][]byte{stranger.Private} },
			provision.ErrAuth, []string{`user "baker"`, "publickey ssh-ed25519 " + stranger.Fingerprint, s.Addr}},
		"wrong password": {func(id *provision.Identity) { id.Keys, id.Password = nil, "guess" },
			provision.ErrAuth, []string{`user "baker"`, "password, keyboard-interactive"}},
		"wrong user": {func(id *provision.Identity) { id.User = "admin" },
			provision.ErrAuth, []string{`user "admin"`}},
		"empty agent": {func(id *provision.Identity) { id.Keys, id.AgentSocket = nil, startAgent(t) },
			provision.ErrAuth, []string{"an SSH agent without keys"}},
		"host key": {func(id *provision.Identity) { id.HostKey.Key = stranger.Public },
			provision.ErrHostKey, []string{s.HostKey.Fingerprint, stranger.Fingerprint, s.Addr}},
		"fingerprint": {func(id *provision.Identity) {
			id.HostKey = provision.HostKey{Fingerprints: []string{stranger.Fingerprint}}
		}, provision.ErrHostKey, []string{s.HostKey.Fingerprint, stranger.Fingerprint}},
		"no host key":       {func(id *provision.Identity) { id.HostKey = provision.HostKey{} }, nil, []string{"exactly one of"}},
		"two host keys":     {func(id *provision.Identity) { id.HostKey.Insecure = true }, nil, []string{"exactly one of"}},
		"bad host key":      {func(id *provision.Identity) { id.HostKey.Key = "rsa" }, nil, []string{`"rsa" is not a public key`}},
		"MD5 fingerprint":   {func(id *provision.Identity) { id.HostKey = provision.HostKey{Fingerprints: []string{"aa:bb"}} }, nil, []string{`"aa:bb"`, "SHA256:"}},
		"no user":           {func(id *provision.Identity) { id.User = "" }, nil, []string{"no user"}},
		"no way to log in":  {func(id *provision.Identity) { id.Keys = nil }, nil, []string{"private key, a password or an agent"}},
		"garbage key":       {func(id *provision.Identity) { id.Keys = [][]byte{[]byte("x")} }, nil, []string{"key 1 of 1"}},
		"passphrase":        {func(id *provision.Identity) { id.Keys = [][]byte{pem.EncodeToMemory(locked)} }, nil, []string{"passphrase", "agent"}},
		"plain certificate": {func(id *provision.Identity) { id.Certificate = []byte(stranger.Public) }, nil, []string{"plain ssh-ed25519 key"}},
		"missing agent":     {func(id *provision.Identity) { id.AgentSocket = "/nonexistent" }, nil, []string{"SSH agent", "/nonexistent"}},
		"unknown cipher":    {func(id *provision.Identity) { id.Ciphers = []string{"rot13"} }, nil, []string{`unknown cipher "rot13"`, "aes256-ctr"}},
		"unknown exchange":  {func(id *provision.Identity) { id.KeyExchanges = []string{"smile"} }, nil, []string{`unknown key exchange "smile"`}},
	} {
		t.Run(name, func(t *testing.T) {
			id := s.Identity()
			test.change(&id)
			h, err := provision.Dial(context.Background(), s.Addr, id)
			if err == nil {
				h.Close()
				t.Fatal("connected")
			}
			for _, sentinel := range []error{provision.ErrAuth, provision.ErrHostKey} {
				if errors.Is(err, sentinel) != (sentinel == test.is) {
					t.Errorf("errors.Is(%v, %v) is wrong", err, sentinel)
				}
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}

// TestDialPinsOneOfSeveral has a server with two host keys, of which the one it prefers is not the known one.
func TestDialPinsOneOfSeveral(t *testing.T) {
	t.Parallel()
	rsa, err := provision.NewRSAKey("host", 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := provisiontest.Start(t, provisiontest.Options{Config: []string{"HostKey " + privateFile(t, rsa)}})
	for name, key := range map[string]provision.HostKey{
		"key":                      {Key: rsa.Public},
		"fingerprint":              {Fingerprints: []string{rsa.Fingerprint}},
		"fingerprint of the other": {Fingerprints: []string{s.HostKey.Fingerprint}},
	} {
		t.Run(name, func(t *testing.T) {
			id := s.Identity()
			id.HostKey = key
			connect(t, s.Addr, id)
		})
	}
}

func TestDialTimesOut(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	id := provision.Identity{User: "u", Password: "p", HostKey: provision.HostKey{Insecure: true}, ConnectTimeout: 50 * time.Millisecond}
	_, err = provision.Dial(context.Background(), silent.Addr().String(), id)
	if err == nil || !strings.Contains(err.Error(), "50ms") || !strings.Contains(err.Error(), silent.Addr().String()) {
		t.Errorf("Dial = %v, want the timeout and the address", err)
	}

	cause := errors.New("the user changed their mind")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	id.ConnectTimeout = time.Minute
	if _, err := provision.Dial(ctx, silent.Addr().String(), id); !errors.Is(err, cause) {
		t.Errorf("Dial = %v, want %v", err, cause)
	}
}

func TestForwardAgent(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	id := s.Identity()
	id.AgentSocket, id.ForwardAgent = startAgent(t, s.Key), true
	h := connect(t, s.Addr, id)
	if got := output(t, h, "ssh-add -l"); !strings.Contains(got, s.Key.Fingerprint) {
		t.Errorf("the agent on the machine holds %q, want %s", got, s.Key.Fingerprint)
	}
}
