package provision

import (
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// The marks that cloud-init, and EC2's own scripts before it, put around host keys.
const (
	beginFingerprints = "-----BEGIN SSH HOST KEY FINGERPRINTS-----"
	endFingerprints   = "-----END SSH HOST KEY FINGERPRINTS-----"
	beginHostKeys     = "-----BEGIN SSH HOST KEY KEYS-----"
	endHostKeys       = "-----END SSH HOST KEY KEYS-----"
)

// FingerprintsFromConsole returns the fingerprints ("SHA256:…") of the host keys
// that a machine printed on its console at its last boot. It is empty as long as
// a complete list is not there: a console is seen in pieces.
func FingerprintsFromConsole(console []byte) []string {
	text := string(console)
	var found []string
	add := func(fingerprint string) {
		if !slices.Contains(found, fingerprint) {
			found = append(found, fingerprint)
		}
	}
	for _, line := range lastBlock(text, beginFingerprints, endFingerprints) {
		for _, word := range strings.Fields(line) {
			if strings.HasPrefix(word, "SHA256:") {
				add(word)
			}
		}
	}
	// Old images print MD5 fingerprints, but the keys themselves are there.
	for _, line := range lastBlock(text, beginHostKeys, endHostKeys) {
		if key := keyInLine(line); key != nil {
			add(ssh.FingerprintSHA256(key))
		}
	}
	return found
}

// lastBlock is the lines between the last pair of marks.
func lastBlock(text, begin, end string) []string {
	stop := strings.LastIndex(text, end)
	if stop < 0 {
		return nil
	}
	start := strings.LastIndex(text[:stop], begin)
	if start < 0 {
		return nil
	}
	return strings.Split(text[start+len(begin):stop], "\n")
}

// keyInLine finds a public key behind whatever the system log put before it.
func keyInLine(line string) ssh.PublicKey {
	words := strings.Fields(line)
	for i := 0; i+1 < len(words); i++ {
		if !strings.HasPrefix(words[i], "ssh-") && !strings.HasPrefix(words[i], "ecdsa-") {
			continue
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(words[i] + " " + words[i+1]))
		if err == nil {
			return key
		}
	}
	return nil
}
