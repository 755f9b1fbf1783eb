package provision

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// ErrAuth is the error of a machine that accepts none of an Identity's ways to log in.
var ErrAuth = errors.New("login refused")

// credentials are an Identity's ways to log in, read and ready to be tried.
type credentials struct {
	user     string
	signers  []ssh.Signer
	password string
	agent    net.Conn // nil without an agent
}

func newCredentials(id Identity) (*credentials, error) {
	if id.User == "" {
		return nil, errors.New("no user to log in as")
	}
	if len(id.Keys) == 0 && id.Password == "" && id.AgentSocket == "" {
		return nil, fmt.Errorf("no way to log in as %s: give a private key, a password or an agent", id.User)
	}
	c := &credentials{user: id.User, password: id.Password}
	for i, private := range id.Keys {
		signer, err := parseSigner(private)
		if err != nil {
			return nil, fmt.Errorf("key %d of %d: %w", i+1, len(id.Keys), err)
		}
		c.signers = append(c.signers, signer)
	}
	if err := c.addCertificate(id.Certificate); err != nil {
		return nil, err
	}
	return c, c.addAgent(id.AgentSocket)
}

func (c *credentials) addCertificate(line []byte) error {
	if len(line) == 0 {
		return nil
	}
	if len(c.signers) == 0 {
		return errors.New("certificate: it needs its private key in Keys")
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	cert, ok := public.(*ssh.Certificate)
	if !ok {
		return fmt.Errorf("certificate: this is a plain %s key", public.Type())
	}
	signer, err := ssh.NewCertSigner(cert, c.signers[0])
	if err != nil {
		return fmt.Errorf("certificate: it does not belong to the first key: %w", err)
	}
	c.signers = append([]ssh.Signer{signer}, c.signers...)
	return nil
}

func (c *credentials) addAgent(socket string) error {
	if socket == "" {
		return nil
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return fmt.Errorf("SSH agent: %w", err)
	}
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		conn.Close()
		return fmt.Errorf("SSH agent %s: %w", socket, err)
	}
	c.agent = conn
	c.signers = append(c.signers, signers...)
	return nil
}

// methods has at most one method of each kind: the library tries a kind once
// and skips a second method of the same kind.
func (c *credentials) methods() []ssh.AuthMethod {
	var methods []ssh.AuthMethod
	if len(c.signers) > 0 {
		methods = append(methods, ssh.PublicKeys(c.signers...))
	}
	if c.password != "" {
		methods = append(methods, ssh.Password(c.password), ssh.KeyboardInteractive(c.answer))
	}
	return methods
}

// answer gives the password to every question that hides what is typed.
func (c *credentials) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range questions {
		if !echos[i] {
			answers[i] = c.password
		}
	}
	return answers, nil
}

// tried says what was offered, for a person who has to find out what is missing.
func (c *credentials) tried() string {
	var all []string
	for _, s := range c.signers {
		all = append(all, "publickey "+s.PublicKey().Type()+" "+ssh.FingerprintSHA256(s.PublicKey()))
	}
	if c.agent != nil && len(c.signers) == 0 {
		all = append(all, "an SSH agent without keys")
	}
	if c.password != "" {
		all = append(all, "password", "keyboard-interactive")
	}
	return strings.Join(all, ", ")
}

func (c *credentials) close() {
	if c.agent != nil {
		c.agent.Close()
	}
}

// isAuthError reports whether a handshake ended because of the login. The
// library has no type for it.
func isAuthError(err error) bool {
	text := err.Error()
	return strings.Contains(text, "unable to authenticate") || strings.Contains(text, "Too many authentication failures")
}
