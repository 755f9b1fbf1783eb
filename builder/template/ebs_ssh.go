package template

import (
	"cmp"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/provision"
)

// The ports of Packer's defaults.
const (
	defaultSSHPort   = 22
	defaultProxyPort = 1080
)

func readSSH(o *object) builder.SSH {
	kind := readCommunicator(o)
	o.exclusive("ssh_timeout", "ssh_wait_timeout")
	s := builder.SSH{
		User: o.text("ssh_username"), Host: o.text("ssh_host"), Port: o.number("ssh_port", 0), Password: o.text("ssh_password"),
		Interface: readInterface(o), KeyPair: o.text("ssh_keypair_name"),
		PrivateKey: o.file("ssh_private_key_file"), Certificate: o.file("ssh_certificate_file"),
		KeyType: o.oneOf("temporary_key_pair_type", "ed25519", "rsa"), KeyBits: o.number("temporary_key_pair_bits", 0),
		KeyPairName: o.text("temporary_key_pair_name"),
		Timeout:     cmp.Or(o.duration("ssh_timeout"), o.duration("ssh_wait_timeout")), HandshakeAttempts: o.number("ssh_handshake_attempts", 0),
		PauseBeforeConnecting: o.duration("pause_before_connecting"),
		PTY:                   o.boolean("ssh_pty"), KeepAlive: o.duration("ssh_keep_alive_interval"),
		LocalTunnels: readTunnels(o, "ssh_local_tunnels"), RemoteTunnels: readTunnels(o, "ssh_remote_tunnels"),
		Ciphers: o.list("ssh_ciphers"), KeyExchanges: o.list("ssh_key_exchange_algorithms"),
		ClearAuthorizedKeys: o.boolean("ssh_clear_authorized_keys"),
		Bastion:             readBastion(o), Proxy: readProxy(o),
	}
	o.p.secret(s.Password)
	o.p.keyFile = o.text("ssh_private_key_file")
	s.AgentSocket = readAgent(o, "ssh_agent_auth")
	// Lent only where it is used: without ssh_agent_auth nobody said that the
	// machine may have it.
	s.ForwardAgent = s.AgentSocket != "" && !o.boolean("ssh_disable_agent_forwarding")
	o.boolean("ssh_disable_agent_forwarding")
	if kind == "ssh" {
		o.need("ssh_username", s.User != "")
	} else if s.User == "" { // nobody logs in
		s.User = "nobody"
	}
	return s
}

// readCommunicator refuses the ways to a machine that are not there.
func readCommunicator(o *object) string {
	kind := o.oneOf("communicator", "ssh", "winrm", "none")
	v, _ := o.get("communicator")
	switch {
	case o.told["communicator"]:
		return "unknown"
	case kind == "winrm":
		o.refuse(v, `communicator "winrm"`, windows)
		o.need("winrm_username", o.text("winrm_username") != "" || !o.p.o.Check)
	case kind == "none":
		o.refuse(v, `communicator "none"`, "an image is made ready over SSH; leave it out, or write \"ssh\"")
	default:
		return "ssh"
	}
	return kind
}

// readTunnels reads tunnels as OpenSSH writes them: [address:]port:host:port. Without an address they listen on this
// computer, or on the machine, alone.
func readTunnels(o *object, name string) []provision.Tunnel {
	var all []provision.Tunnel
	for _, i := range o.items(name, place{}) {
		t, ok := parseTunnel(i.text)
		switch {
		case i.kind == kindUnknown:
		case ok:
			all = append(all, t)
		default:
			o.wrong(i.value, name, "holds %q; it must hold tunnels such as 8080:localhost:80", i.text)
		}
	}
	return all
}

func parseTunnel(text string) (t provision.Tunnel, ok bool) {
	var parts []string
	for rest, more := text, true; more; {
		if address, after, bracket := strings.Cut(strings.TrimPrefix(rest, "["), "]"); bracket && strings.HasPrefix(rest, "[") { // IPv6
			parts = append(parts, address)
			more = strings.HasPrefix(after, ":")
			rest = strings.TrimPrefix(after, ":")
			continue
		}
		var part string
		part, rest, more = strings.Cut(rest, ":")
		parts = append(parts, part)
	}
	if len(parts) == 3 {
		parts = append([]string{"localhost"}, parts...)
	}
	if len(parts) != 4 || parts[0] == "" || parts[2] == "" || !isPort(parts[1]) || !isPort(parts[3]) {
		return t, false
	}
	return provision.Tunnel{Listen: net.JoinHostPort(parts[0], parts[1]), Target: net.JoinHostPort(parts[2], parts[3])}, true
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

func readInterface(o *object) string {
	if text := o.text("ssh_interface"); text == "session_manager" {
		v, _ := o.get("ssh_interface")
		o.refuse(v, "ssh_interface session_manager", "use private_ip from inside the network, or a bastion")
		return ""
	}
	return o.oneOf("ssh_interface", "public_ip", "private_ip", "public_dns", "private_dns", "ipv6")
}

// readAgent returns the agent's socket when an option asks for the agent.
func readAgent(o *object, name string) string {
	if !o.boolean(name) {
		return ""
	}
	socket := o.p.env("SSH_AUTH_SOCK")
	if socket == "" {
		v, _ := o.get(name)
		o.wrong(v, name, "needs an SSH agent, and SSH_AUTH_SOCK is not set; start ssh-agent, or name a key with ssh_private_key_file")
	}
	return socket
}

// readBastion reads ssh_bastion_…, which is asked for by its host. Without credentials of its own it takes the
// private key of the machine itself, as in Packer.
func readBastion(o *object) *provision.Bastion {
	host, port := o.text("ssh_bastion_host"), o.number("ssh_bastion_port", 0)
	id := provision.Identity{
		User: o.text("ssh_bastion_username"), Password: o.text("ssh_bastion_password"),
		Certificate: o.file("ssh_bastion_certificate_file"),
	}
	if key := o.file("ssh_bastion_private_key_file"); key != nil {
		id.Keys = [][]byte{key}
	} else if key := o.file("ssh_private_key_file"); key != nil {
		id.Keys = [][]byte{key}
	}
	o.p.secret(id.Password)
	id.AgentSocket = readAgent(o, "ssh_bastion_agent_auth")
	if host == "" {
		if id.User != "" {
			o.p.warn("ssh_bastion_username has no effect without ssh_bastion_host")
		}
		return nil
	}
	o.need("ssh_bastion_username", id.User != "")
	// Packer takes any key; a bastion lives on, so that OpenSSH knows it.
	id.HostKey.KnownHosts = []string{o.p.home("~/.ssh/known_hosts"), "/etc/ssh/ssh_known_hosts"}
	return &provision.Bastion{Addr: net.JoinHostPort(host, strconv.Itoa(cmp.Or(port, defaultSSHPort))), Identity: id}
}

func readProxy(o *object) *provision.Proxy {
	host, port := o.text("ssh_proxy_host"), o.number("ssh_proxy_port", 0)
	user, password := o.text("ssh_proxy_username"), o.text("ssh_proxy_password")
	o.p.secret(password)
	if host == "" {
		return nil
	}
	return &provision.Proxy{Addr: net.JoinHostPort(host, strconv.Itoa(cmp.Or(port, defaultProxyPort))), User: user, Password: password}
}

// env looks up an environment variable.
func (p *parser) env(name string) string {
	if p.o.Env == nil {
		return ""
	}
	v, _ := p.o.Env(name)
	return v
}

// home replaces a leading ~ by the home directory.
func (p *parser) home(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || rest[0] == '/') {
		if home := p.env("HOME"); home != "" {
			return filepath.Join(home, rest)
		}
	}
	return path
}
