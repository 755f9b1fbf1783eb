package machine_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// baseOf is the base for the tests, built once and kept in the cache directory.
func baseOf(t *testing.T) string { return suiteOf(t, "debian-12") }

// suiteOf is the base of a suite.
func suiteOf(t *testing.T, suite string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("machines need root")
	}
	dir := os.Getenv("IMAGO_CACHE_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "imago")
	}
	base, err := machine.BuildBase(t.Context(), machine.BaseConfig{Suite: suite, Dir: dir, Progress: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// cloud is a host with a metadata service, and a key to log in with.
type cloud struct {
	*machine.Host
	t      *testing.T
	base   string
	dir    string
	signer ssh.Signer

	mu       sync.Mutex
	userData map[netip.Addr]string
	ids      map[netip.Addr]string
	next     byte
}

// newCloud opens a host in a directory of the test.
func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{t: t, base: baseOf(t), dir: t.TempDir(), userData: map[netip.Addr]string{}, ids: map[netip.Addr]string{}, next: 10}
	c.open()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if c.signer, err = ssh.NewSignerFromKey(key); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cloud) open() {
	c.t.Helper()
	port := freePort(c.t)
	host, err := machine.Open(c.t.Context(), machine.HostConfig{Dir: c.dir, Metadata: port})
	if err != nil {
		c.t.Fatal(err)
	}
	c.Host = host
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host.Gateway(), port))
	if err != nil {
		c.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(c.metadata)}
	go server.Serve(listener)
	c.t.Cleanup(func() { server.Close() })
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// metadata answers as IMDSv2 does, as far as cloud-init asks.
func (c *cloud) metadata(w http.ResponseWriter, r *http.Request) {
	peer := netip.MustParseAddrPort(r.RemoteAddr).Addr()
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" {
		fmt.Fprint(w, "token")
		return
	}
	if r.Header.Get("X-aws-ec2-metadata-token") != "token" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	mac := machine.HardwareAddr(peer).String()
	answers := map[string]string{
		"meta-data/":              "ami-id\nhostname\ninstance-id\nlocal-ipv4\nnetwork/\nplacement/\npublic-keys/",
		"meta-data/ami-id":        "ami-0123456789abcdef0",
		"meta-data/hostname":      c.ids[peer],
		"meta-data/instance-id":   c.ids[peer],
		"meta-data/local-ipv4":    peer.String(),
		"meta-data/placement/":    "availability-zone",
		"meta-data/public-keys/":  "0=test",
		"meta-data/public-keys/0": "openssh-key",
		"user-data":               c.userData[peer],

		"dynamic/instance-identity":          "document",
		"dynamic/instance-identity/":         "document",
		"dynamic/instance-identity/document": `{"region":"us-east-1"}`,

		"meta-data/network/":                    "interfaces/",
		"meta-data/network/interfaces/":         "macs/",
		"meta-data/network/interfaces/macs/":    mac + "/",
		"meta-data/placement/availability-zone": "us-east-1a",
		"meta-data/public-keys/0/":              "openssh-key",
		"meta-data/public-keys/0/openssh-key":   string(ssh.MarshalAuthorizedKey(c.signer.PublicKey())),
	}
	answers["meta-data/network/interfaces/macs/"+mac+"/"] = "device-number\nlocal-ipv4s"
	answers["meta-data/network/interfaces/macs/"+mac+"/device-number"] = "0"
	answers["meta-data/network/interfaces/macs/"+mac+"/local-ipv4s"] = peer.String()
	answer, ok := answers[path]
	if !ok || answer == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	fmt.Fprint(w, answer)
}

// config is a new machine with the next address.
func (c *cloud) config(id string, layers ...string) machine.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	addr := c.Prefix().Addr().As4()
	addr[3] = c.next
	c.next++
	a := netip.AddrFrom4(addr)
	c.ids[a] = id
	if len(layers) == 0 {
		layers = []string{c.base}
	}
	return machine.Config{ID: id, Layers: layers, Addr: a, Hostname: id}
}

// start starts a machine and answers it with a session.
func (c *cloud) start(conf machine.Config) (*machine.Machine, *shell) {
	c.t.Helper()
	began := time.Now()
	m, err := c.Start(c.t.Context(), conf)
	if err != nil {
		c.t.Fatal(err)
	}
	sh := c.login(conf)
	c.t.Logf("%s: start to login %v", conf.ID, time.Since(began).Round(time.Millisecond))
	return m, sh
}

// shell is an SSH connection to a machine.
type shell struct {
	t      *testing.T
	client *ssh.Client
}

// login waits for sshd, 20 s at most.
func (c *cloud) login(conf machine.Config) *shell {
	c.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	addr := net.JoinHostPort(conf.Addr.String(), "22")
	for {
		client, err := dial(addr, &ssh.ClientConfig{
			User: "admin", Auth: []ssh.AuthMethod{ssh.PublicKeys(c.signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: time.Second,
		})
		if err == nil {
			c.t.Cleanup(func() { client.Close() })
			return &shell{t: c.t, client: client}
		}
		if time.Now().After(deadline) {
			console, _ := c.Console(conf.ID)
			c.t.Fatalf("no login at %s: %v; its console:\n%s", addr, err, console)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func dial(addr string, config *ssh.ClientConfig) (*ssh.Client, error) {
	conn, err := net.DialTimeout("tcp", addr, 200*time.Millisecond)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, config)
	if err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return ssh.NewClient(c, chans, reqs), nil
}

// try runs a command and answers what it printed.
func (s *shell) try(command string) (string, error) {
	session, err := s.client.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	out, err := session.CombinedOutput(command)
	return strings.TrimSpace(string(out)), err
}

// run is try for a command that must succeed.
func (s *shell) run(command string) string {
	s.t.Helper()
	out, err := s.try(command)
	if err != nil {
		s.t.Fatalf("%s: %v:\n%s", command, err, out)
	}
	return out
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
