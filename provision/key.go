package provision

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Key is a key pair. It serves as a login key and as a host key.
type Key struct {
	Private     []byte // OpenSSH PEM, without a passphrase
	Public      string // one authorized_keys line, without a line end
	Fingerprint string // such as "SHA256:…"
}

// NewKey makes an ed25519 key.
func NewKey(comment string) (Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("make an ed25519 key: %w", err)
	}
	return marshalKey(private, comment)
}

// NewRSAKey makes an RSA key, for images and accounts that do not take ed25519.
func NewRSAKey(comment string, bits int) (Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return Key{}, fmt.Errorf("make an RSA key of %d bits: %w", bits, err)
	}
	return marshalKey(private, comment)
}

// NewECDSAKey makes an ECDSA key on the curve P-256.
func NewECDSAKey(comment string) (Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("make an ECDSA key: %w", err)
	}
	return marshalKey(private, comment)
}

// ParseKey reads a private key in PEM or OpenSSH format. Private of the result
// is the input. A key with a passphrase is refused: an agent can hold it.
func ParseKey(private []byte) (Key, error) {
	signer, err := parseSigner(private)
	if err != nil {
		return Key{}, err
	}
	return newKey(private, signer.PublicKey(), ""), nil
}

func parseSigner(private []byte) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(private)
	if missing := (*ssh.PassphraseMissingError)(nil); errors.As(err, &missing) {
		return nil, errors.New("the private key has a passphrase: add it to an SSH agent, or give a key without one")
	}
	if err != nil {
		return nil, fmt.Errorf("read private key: %w", err)
	}
	return signer, nil
}

func marshalKey(private crypto.Signer, comment string) (Key, error) {
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return Key{}, fmt.Errorf("encode private key: %w", err)
	}
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		return Key{}, fmt.Errorf("encode public key: %w", err)
	}
	return newKey(pem.EncodeToMemory(block), public, comment), nil
}

func newKey(private []byte, public ssh.PublicKey, comment string) Key {
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	if comment != "" {
		line += " " + comment
	}
	return Key{Private: private, Public: line, Fingerprint: ssh.FingerprintSHA256(public)}
}
