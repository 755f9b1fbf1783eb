package localcloud

import (
	"crypto/ed25519"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

const generatedBits = 2048 // of an RSA key, as on AWS

// setPublic reads an imported key: base64 around an authorized_keys line, an
// SSH public key file (RFC 4716) or DER.
func (p *keyPair) setPublic(material string) error {
	if material == "" {
		return nil // need has found fault with it
	}
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(material), ""))
	if err != nil {
		return faultf("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
	}
	key, err := parsePublic(text)
	if err != nil {
		return faultf("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
	}
	if p.Type, p.Fingerprint, err = importedFingerprint(key); err != nil {
		return err
	}
	p.PublicKey = publicLine(key, p.Name)
	return nil
}

func parsePublic(text []byte) (ssh.PublicKey, error) {
	if body, found := strings.CutPrefix(strings.TrimSpace(string(text)), "---- BEGIN SSH2 PUBLIC KEY ----"); found {
		return parseRFC4716(body)
	}
	if key, err := x509.ParsePKIXPublicKey(text); err == nil {
		return ssh.NewPublicKey(key)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return key, err
}

// parseRFC4716 reads the base64 between the headers and the end line. A header
// that ends in a backslash goes on in the next line.
func parseRFC4716(body string) (ssh.PublicKey, error) {
	body, _, _ = strings.Cut(body, "---- END SSH2 PUBLIC KEY ----")
	var data strings.Builder
	header := false
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if header || strings.Contains(line, ":") {
			header = strings.HasSuffix(line, `\`)
			continue
		}
		data.WriteString(line)
	}
	blob, err := base64.StdEncoding.DecodeString(data.String())
	if err != nil {
		return nil, fmt.Errorf("read an SSH2 public key: %w", err)
	}
	return ssh.ParsePublicKey(blob)
}

// importedFingerprint is what AWS shows for a key that was imported: MD5 of the
// DER of an RSA key, SHA-256 of an ED25519 key.
func importedFingerprint(key ssh.PublicKey) (kind, fingerprint string, err error) {
	holder, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return "", "", faultf("InvalidKey.Format", "Key is of the type %s; only RSA and ED25519 keys can be imported", key.Type())
	}
	switch public := holder.CryptoPublicKey().(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits != 1024 && bits != 2048 && bits != 4096 {
			return "", "", faultf("InvalidKey.Format", "Key has %d bits; an RSA key has 1024, 2048 or 4096", bits)
		}
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return "", "", fmt.Errorf("fingerprint of a key: %w", err)
		}
		sum := md5.Sum(der)
		return "rsa", colons(sum[:]), nil
	case ed25519.PublicKey:
		return "ed25519", sha256Fingerprint(key), nil
	}
	return "", "", faultf("InvalidKey.Format", "Key is of the type %s; only RSA and ED25519 keys can be imported", key.Type())
}

func sha256Fingerprint(key ssh.PublicKey) string {
	sum := sha256.Sum256(key.Marshal())
	return base64.StdEncoding.EncodeToString(sum[:])
}

func colons(sum []byte) string {
	return strings.ReplaceAll(fmt.Sprintf("% x", sum), " ", ":")
}

func publicLine(key ssh.PublicKey, comment string) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " " + comment
}

// generate makes a key of the pair's type and returns its private half in PEM.
func (p *keyPair) generate() (private []byte, err error) {
	if p.Type == "ed25519" {
		return p.generateED25519()
	}
	key, err := rsa.GenerateKey(rand.Reader, generatedBits)
	if err != nil {
		return nil, fmt.Errorf("generate an RSA key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("fingerprint of a key: %w", err)
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("public half of an RSA key: %w", err)
	}
	// For a key that AWS made, the fingerprint is SHA-1 of the private key.
	sum := sha1.Sum(der)
	p.Fingerprint, p.PublicKey = colons(sum[:]), publicLine(public, p.Name)
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
}

func (p *keyPair) generateED25519() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate an ED25519 key: %w", err)
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("public half of an ED25519 key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, fmt.Errorf("private half of an ED25519 key: %w", err)
	}
	p.Fingerprint, p.PublicKey = sha256Fingerprint(public), publicLine(public, p.Name)
	return pem.EncodeToMemory(block), nil
}
