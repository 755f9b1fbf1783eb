package provision

import "time"

// DefaultKeepAlive is how often a quiet connection is probed.
const DefaultKeepAlive = 5 * time.Second

// DefaultReconnectFor is for how long a lost connection is tried to get back. The
// machine keeps what has arrived of an upload, and what a script has written, for
// ten minutes.
const DefaultReconnectFor = 3 * time.Minute

// Identity is who we are to a machine, and how we know that it is the right machine.
type Identity struct {
	// User is the account to log in as. Required.
	User string

	// Keys are private keys, PEM or OpenSSH format, tried in order.
	// At least one of Keys, Password and AgentSocket is required.
	Keys [][]byte

	// Certificate is an OpenSSH certificate for the first of Keys, in
	// authorized_keys format. Optional.
	Certificate []byte

	// Password is tried after the keys, also as keyboard-interactive. Optional.
	Password string

	// AgentSocket is the path of an SSH agent's socket whose keys are tried too. Optional.
	AgentSocket string

	// ForwardAgent lends AgentSocket to the machine. Optional; defaults to not lending.
	ForwardAgent bool

	// HostKey decides which host keys are accepted. Required: the zero value accepts none.
	HostKey HostKey

	// Bastion is the machine to go through. Optional; defaults to a direct connection.
	Bastion *Bastion

	// Proxy is a SOCKS5 proxy to go through, before the bastion. Optional.
	Proxy *Proxy

	// KeepAlive is how often a quiet connection is probed; three unanswered
	// probes end it. Optional; defaults to DefaultKeepAlive. Negative: never.
	KeepAlive time.Duration

	// ReconnectFor bounds the tries to get a lost connection back, each time it is
	// lost under an upload or a script. Optional; defaults to DefaultReconnectFor.
	ReconnectFor time.Duration

	// Ciphers and KeyExchanges restrict the algorithms offered. Optional; default to the library's.
	Ciphers, KeyExchanges []string

	// PTY runs scripts in a terminal, which mixes their two outputs. Optional.
	PTY bool

	// LocalTunnels listen here and lead to where the machine can connect to; RemoteTunnels listen on the machine and
	// lead to where we can. Optional.
	LocalTunnels, RemoteTunnels []Tunnel

	// ConnectTimeout bounds dial and handshake together. Optional; defaults to 15 s.
	ConnectTimeout time.Duration
}

// HostKey says which host keys are accepted. Exactly one field is set.
type HostKey struct {
	// Key is the expected public key, in authorized_keys format.
	Key string

	// Fingerprints are the accepted SHA256 fingerprints, such as "SHA256:…".
	Fingerprints []string

	// KnownHosts are files in the format of OpenSSH's known_hosts; those that do
	// not exist are passed over. A machine that is in none of them is refused.
	KnownHosts []string

	// Insecure accepts any key. Only ever an explicit choice of the user.
	Insecure bool
}

// Bastion is a machine that the connection goes through.
type Bastion struct {
	Addr     string // host:port. Required.
	Identity Identity
}

// Proxy is a SOCKS5 proxy.
type Proxy struct {
	Addr, User, Password string
}
