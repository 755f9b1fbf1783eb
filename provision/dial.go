package provision

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/net/proxy"
)

const defaultConnectTimeout = 15 * time.Second

// Errors of a machine that we do not come to talk SSH with.
var (
	// ErrUnreachable is the error of an address at which nobody answers.
	ErrUnreachable = errors.New("no answer")

	// ErrRefused is the error of a machine that is there, and has no server at the port.
	ErrRefused = errors.New("refused")

	// ErrBastion is the error of a bastion that cannot be connected to itself.
	ErrBastion = errors.New("bastion")
)

// errConnectTimeout is the cause of a dial that took longer than ConnectTimeout.
var errConnectTimeout = errors.New("no SSH connection in time")

// Dial connects to addr (host:port) and logs in, in one try: whoever waits for a
// machine to boot calls it again. An error is an ErrHostKey or an ErrAuth when
// the machine answered, an ErrUnreachable or ErrRefused when no server did, and
// anything else when it was not SSH what was spoken. ctx bounds the
// connecting only; Close ends the connection.
func Dial(ctx context.Context, addr string, id Identity) (*Host, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("connect to %q: %w", addr, err)
	}
	timeout := id.ConnectTimeout
	if timeout <= 0 {
		timeout = defaultConnectTimeout
	}
	dialCtx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w (%v)", errConnectTimeout, timeout))
	defer cancel()

	h, err := dial(dialCtx, addr, id)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return h, nil
}

func dial(ctx context.Context, addr string, id Identity) (*Host, error) {
	check, err := newHostKeyCheck(id.HostKey)
	if err != nil {
		return nil, err
	}
	if err := checkAlgorithms(id); err != nil {
		return nil, err
	}
	login, err := newCredentials(id)
	if err != nil {
		return nil, err
	}
	defer login.close()

	for {
		h, err := dialOnce(ctx, addr, id, login, check)
		switch {
		case err == nil:
			return h, nil
		case check.mismatch && check.retry():
			check.mismatch = false
		case len(check.seen) > 0 && (check.mismatch || noCommonHostKey(err)):
			return nil, check.err(addr)
		case isAuthError(err):
			return nil, fmt.Errorf("%w for user %q, tried %s: %w", ErrAuth, id.User, login.tried(), err)
		default:
			return nil, err
		}
	}
}

// checkAlgorithms refuses names that the library would leave out in silence.
func checkAlgorithms(id Identity) error {
	good, weak := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	return errors.Join(
		checkNames("cipher", id.Ciphers, slices.Concat(good.Ciphers, weak.Ciphers)),
		checkNames("key exchange", id.KeyExchanges, slices.Concat(good.KeyExchanges, weak.KeyExchanges)))
}

func checkNames(what string, names, known []string) error {
	for _, n := range names {
		if !slices.Contains(known, n) {
			return fmt.Errorf("unknown %s %q; known are %s", what, n, strings.Join(known, ", "))
		}
	}
	return nil
}

// noCommonHostKey reports whether the machine has none of the key types asked for.
func noCommonHostKey(err error) bool {
	negotiation := (*ssh.AlgorithmNegotiationError)(nil)
	return errors.As(err, &negotiation)
}

func dialOnce(ctx context.Context, addr string, id Identity, login *credentials, check *hostKeyCheck) (*Host, error) {
	raw, through, err := dialTransport(ctx, addr, id)
	if err != nil {
		return nil, err
	}
	conn := watch(raw)
	client, err := handshake(ctx, conn, addr, clientConfig(id, login, check))
	if err != nil {
		raw.Close()
		if through != nil {
			through.Close()
		}
		return nil, err
	}
	h := newHost(client, conn, through, addr, id)
	if err := h.forwardAgent(); err != nil {
		h.Close()
		return nil, err
	}
	if err := h.openTunnels(ctx); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func clientConfig(id Identity, login *credentials, check *hostKeyCheck) *ssh.ClientConfig {
	return &ssh.ClientConfig{
		Config:            ssh.Config{Ciphers: id.Ciphers, KeyExchanges: id.KeyExchanges},
		User:              login.user,
		Auth:              login.methods(),
		HostKeyCallback:   check.callback,
		HostKeyAlgorithms: check.algorithms,
	}
}

// handshake obeys ctx by closing the connection, because a connection through a
// bastion knows no deadlines.
func handshake(ctx context.Context, conn net.Conn, addr string, config *ssh.ClientConfig) (*ssh.Client, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	sshConn, channels, requests, err := ssh.NewClientConn(conn, addr, config)
	if !stop() {
		if err == nil {
			sshConn.Close()
		}
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, trimHandshake(err)
	}
	return ssh.NewClient(sshConn, channels, requests), nil
}

// trimHandshake keeps the chain of a library error and drops its double prefix.
func trimHandshake(err error) error {
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "ssh: handshake failed: ") {
		return fmt.Errorf("SSH handshake: %w", inner)
	}
	return err
}

// dialTransport opens the byte stream to addr. The bastion, when there is one,
// has to stay connected as long as the stream, and is the second result.
func dialTransport(ctx context.Context, addr string, id Identity) (net.Conn, *Host, error) {
	if id.Bastion == nil {
		conn, err := dialTCP(ctx, addr, id.Proxy)
		return conn, nil, err
	}
	jump := id.Bastion.Identity
	if jump.Proxy == nil {
		jump.Proxy = id.Proxy
	}
	bastion, err := Dial(ctx, id.Bastion.Addr, jump)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrBastion, err)
	}
	conn, err := bastion.client.DialContext(ctx, "tcp", addr)
	if err != nil {
		bastion.Close()
		return nil, nil, fmt.Errorf("from bastion %s: %w", id.Bastion.Addr, noConnection(causeOr(ctx, err)))
	}
	return conn, bastion, nil
}

func dialTCP(ctx context.Context, addr string, p *Proxy) (net.Conn, error) {
	direct := &net.Dialer{}
	if p == nil {
		conn, err := persist(ctx, direct, addr)
		return conn, noConnection(causeOr(ctx, err))
	}
	var auth *proxy.Auth
	if p.User != "" {
		auth = &proxy.Auth{User: p.User, Password: p.Password}
	}
	socks, err := proxy.SOCKS5("tcp", p.Addr, auth, direct)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", p.Addr, err)
	}
	through, ok := socks.(proxy.ContextDialer)
	if !ok {
		return nil, fmt.Errorf("proxy %s: this SOCKS5 client cannot be canceled", p.Addr)
	}
	conn, err := through.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", p.Addr, causeOr(ctx, err))
	}
	return conn, nil
}

// noConnection says whether a refusal or nothing was the answer. A bastion tells in words only.
func noConnection(err error) error {
	refused := (*ssh.OpenChannelError)(nil)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &refused) && strings.Contains(refused.Message, "refused"):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	default:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
}

// causeOr is why ctx ended, when that is what made err, and err otherwise.
func causeOr(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
