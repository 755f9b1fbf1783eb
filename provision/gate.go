package provision

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"
)

//go:embed end.sh
var endScript string

// gatePorts is how many ports from GateOptions.Port on are tried.
const gatePorts = 10

// Gate is an SSH server on a port of this computer, for programs that have an SSH
// client of their own. What they do there they do on the machine, and what leaves
// this computer is a connection as Dial makes it: whatever the other client
// believes, the machine's host key is checked, and the way leads through Identity's
// bastion and proxy. Only who has the gate's key comes in, under any user name. Who
// leaves before a command is over has it ended.
type Gate struct {
	// Port is where it listens, on 127.0.0.1.
	Port int

	// Key is the key that opens it. Private is empty when GateOptions.Authorized is not.
	Key Key

	// HostKey is the key that it shows, in authorized_keys format.
	HostKey string

	host     *Host
	options  GateOptions
	config   *ssh.ServerConfig
	listener net.Listener
	ctx      context.Context // of all its connections
	cancel   context.CancelFunc
	open     sync.WaitGroup

	mu   sync.Mutex
	last error
}

// GateOptions are what may be chosen of a Gate. All are optional.
type GateOptions struct {
	Port       int    // the first of ten to be tried; any by default
	HostKey    []byte // a private key; a new one by default
	Authorized []byte // the public key that opens it, in authorized_keys format; a new one by default
	KeyType    string // of new keys: ed25519, ecdsa or rsa; ed25519 by default
	SFTP       string // a command on the machine to be used instead of its SFTP subsystem
}

// OpenGate opens a gate to the machine. Close ends it.
func (h *Host) OpenGate(o GateOptions) (*Gate, error) {
	g := &Gate{host: h, options: o}
	if err := g.configure(); err != nil {
		return nil, fmt.Errorf("a port for other SSH clients: %w", err)
	}
	if err := g.listen(); err != nil {
		return nil, fmt.Errorf("a port for other SSH clients: %w", err)
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.open.Go(g.serve)
	return g, nil
}

// Close ends the gate and all connections through it. Its error is why the last
// of those that came in did not get to the machine.
func (g *Gate) Close() error {
	g.cancel()
	g.listener.Close()
	g.open.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last
}

func (g *Gate) configure() error {
	host, err := g.newKey(g.options.HostKey)
	if err != nil {
		return fmt.Errorf("its host key: %w", err)
	}
	signer, err := parseSigner(host.Private)
	if err != nil {
		return err
	}
	g.HostKey = host.Public
	if len(g.options.Authorized) == 0 {
		if g.Key, err = g.newKey(nil); err != nil {
			return err
		}
	} else {
		g.Key.Public = string(g.options.Authorized)
	}
	allowed, _, _, _, err := ssh.ParseAuthorizedKey([]byte(g.Key.Public))
	if err != nil {
		return fmt.Errorf("the key that opens it: %w", err)
	}
	g.config = &ssh.ServerConfig{
		MaxAuthTries: -1, // an agent may offer any number of keys first
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if bytes.Equal(key.Marshal(), allowed.Marshal()) {
				return nil, nil
			}
			return nil, errors.New("another key opens this port")
		},
	}
	g.config.AddHostKey(signer)
	return nil
}

// newKey is a given key, or a new one.
func (g *Gate) newKey(given []byte) (Key, error) {
	switch {
	case len(given) > 0:
		return ParseKey(given)
	case g.options.KeyType == "rsa":
		return NewRSAKey("imago", 3072)
	case g.options.KeyType == "ecdsa":
		return NewECDSAKey("imago")
	}
	return NewKey("imago")
}

func (g *Gate) listen() (err error) {
	ports := gatePorts
	if g.options.Port == 0 {
		ports = 1
	}
	for i := range ports {
		g.listener, err = net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(g.options.Port+i)))
		if err == nil {
			g.Port = g.listener.Addr().(*net.TCPAddr).Port
			return nil
		}
	}
	return err
}

func (g *Gate) serve() {
	for {
		conn, err := g.listener.Accept()
		if err != nil {
			return
		}
		g.open.Go(func() { g.let(conn) })
	}
}

// let lets one client in, if it has the key, and connects it to the machine. It
// returns when that is over.
func (g *Gate) let(conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(g.ctx, func() { conn.Close() })()
	client, channels, requests, err := ssh.NewServerConn(conn, g.config)
	if err != nil {
		return // it is for the client to say what it lacks
	}
	go ssh.DiscardRequests(requests)
	machine, err := g.host.again(g.ctx)
	if err != nil {
		g.note(err)
		return
	}
	g.note(nil)
	defer machine.Close()
	relayed := relay{client: client, machine: machine.client, sftp: g.options.SFTP}
	defer relayed.close()
	go func() { // the machine's end is the client's
		machine.client.Wait()
		conn.Close()
	}()
	relayed.run(channels)
	if relayed.abandoned.Load() {
		machine.endAll()
	}
}

// endAll ends what goes on over the connection. What it cannot end goes on.
func (h *Host) endAll() {
	ctx, cancel := context.WithTimeout(context.Background(), killTime)
	defer cancel()
	_, _ = h.exec(ctx, command("sh", "-c", bare(endScript), "imago-end"), streams{})
}

// note remembers why a client got no further than here, or that it did.
func (g *Gate) note(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx.Err() == nil {
		g.last = err
	}
}
