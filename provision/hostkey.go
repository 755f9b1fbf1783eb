package provision

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// ErrHostKey is the error of a machine that presents another host key than the
// expected one: another machine answers, or somebody is in between.
var ErrHostKey = errors.New("host key mismatch")

// hostKeyCheck is the verdict on the keys that one machine presents.
type hostKeyCheck struct {
	accepted   []string // fingerprints; nil accepts any key
	pinned     bool     // the key's type is known too
	algorithms []string // offered to the machine; nil means the library's
	seen       []string // fingerprints presented, with their types
	seenTypes  []string
	key        string // the accepted one, in authorized_keys format
	mismatch   bool   // the last handshake presented a key that is not accepted

	known ssh.HostKeyCallback // instead of accepted
	files []string            // that known reads
}

func newHostKeyCheck(h HostKey) (*hostKeyCheck, error) {
	if fields := h.fields(); fields != 1 {
		return nil, fmt.Errorf("host key: exactly one of Key, Fingerprints, KnownHosts and Insecure is needed, not %d of them", fields)
	}
	if h.Insecure {
		return &hostKeyCheck{}, nil
	}
	if len(h.KnownHosts) > 0 {
		return checkKnownHosts(h.KnownHosts)
	}
	if h.Key == "" {
		return checkFingerprints(h.Fingerprints)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(h.Key))
	if err != nil {
		return nil, fmt.Errorf("host key: %q is not a public key in authorized_keys format: %w", h.Key, err)
	}
	return &hostKeyCheck{
		accepted:   []string{ssh.FingerprintSHA256(key)},
		pinned:     true,
		algorithms: algorithmsOf(key.Type()),
	}, nil
}

func (h HostKey) fields() int {
	n := 0
	for _, set := range []bool{h.Key != "", len(h.Fingerprints) > 0, len(h.KnownHosts) > 0, h.Insecure} {
		if set {
			n++
		}
	}
	return n
}

func checkFingerprints(fingerprints []string) (*hostKeyCheck, error) {
	for _, f := range fingerprints {
		if !strings.HasPrefix(f, "SHA256:") {
			return nil, fmt.Errorf("host key: %q is not a fingerprint such as SHA256:…; `ssh-keygen -lf KEY.pub` prints it", f)
		}
	}
	return &hostKeyCheck{accepted: fingerprints}, nil
}

func checkKnownHosts(files []string) (*hostKeyCheck, error) {
	there := slices.DeleteFunc(slices.Clone(files), func(f string) bool { _, err := os.Stat(f); return err != nil })
	known, err := knownhosts.New(there...)
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	return &hostKeyCheck{known: known, files: files}, nil
}

// algorithmsOf is what to offer so that the machine presents a key of keyType
// and of no other type: a machine has several, and one of them is pinned.
func algorithmsOf(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

// callback implements ssh.HostKeyCallback.
func (c *hostKeyCheck) callback(addr string, remote net.Addr, key ssh.PublicKey) error {
	if cert, ok := key.(*ssh.Certificate); ok {
		key = cert.Key
	}
	fingerprint := ssh.FingerprintSHA256(key)
	if c.known != nil {
		c.mismatch = c.known(addr, remote, key) != nil
	} else {
		c.mismatch = c.accepted != nil && !slices.Contains(c.accepted, fingerprint)
	}
	if !c.mismatch {
		c.key = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
		return nil
	}
	c.seen = append(c.seen, key.Type()+" "+fingerprint)
	c.seenTypes = append(c.seenTypes, key.Type())
	return ErrHostKey
}

// retry narrows the offer to key types that the machine has not presented yet.
// It reports whether there is any: a fingerprint does not tell its key's type,
// so a mismatch is final only once every type has been asked for.
func (c *hostKeyCheck) retry() bool {
	if !c.mismatch || c.pinned {
		return false
	}
	c.algorithms = nil
	for _, t := range []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA} {
		if !slices.Contains(c.seenTypes, t) {
			c.algorithms = append(c.algorithms, algorithmsOf(t)...)
		}
	}
	return len(c.algorithms) > 0
}

// err names every key presented and every one expected.
func (c *hostKeyCheck) err(addr string) error {
	if c.known != nil {
		return fmt.Errorf("%w: %s presents %s, which is not in %s; connect to it once with ssh, or add what ssh-keyscan says of it after checking that",
			ErrHostKey, addr, strings.Join(c.seen, " and "), strings.Join(c.files, " or "))
	}
	return fmt.Errorf("%w: %s presents %s, expected %s; if the machine was replaced on purpose, give its new key or fingerprint",
		ErrHostKey, addr, strings.Join(c.seen, " and "), strings.Join(c.accepted, " or "))
}
