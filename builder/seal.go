package builder

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// sealer puts a hash in the place of each secret before anything is digested: a
// fingerprint can be read by whoever sees the image, and a digest of a weak
// secret could be tried out. The hash is one that takes long, and the same on
// every machine.
type sealer struct {
	salt    string
	secrets []string
	sealed  map[string]string // a secret's hash
	err     error
}

// seal is a text without its secrets, and different for different secrets.
func (s *sealer) seal(text string) string {
	found := s.within(text)
	if len(found) == 0 {
		return text
	}
	if s.sealed == nil {
		s.sealed = map[string]string{}
	}
	for _, secret := range found { // one after another, for the sake of memory
		if s.sealed[secret] == "" {
			hash, err := slowHash(secret, s.salt)
			s.sealed[secret], s.err = hash, cmp.Or(s.err, err)
		}
	}
	return replaceEach(text, found, func(secret string) string { return "\x00secret " + s.sealed[secret] + "\x00" })
}

// hide is a text without its secrets, for people.
func (s *sealer) hide(text string) string {
	return replaceEach(text, s.within(text), func(string) string { return "<sensitive>" })
}

// within lists the secrets in a text, a longer one before those in it.
func (s *sealer) within(text string) []string {
	found := slices.DeleteFunc(slices.Clone(s.secrets), func(secret string) bool {
		return secret == "" || !strings.Contains(text, secret)
	})
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(found)
}

func replaceEach(text string, found []string, with func(string) string) string {
	var pairs []string
	for _, secret := range found {
		pairs = append(pairs, secret, with(secret))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// slowHash is scrypt with 16 MiB: some hundredths of a second a try.
func slowHash(secret, salt string) (string, error) {
	key, err := scrypt.Key([]byte(secret), []byte("imago fingerprint "+fingerprintVersion+" "+salt), 1<<14, 8, 1, 32)
	return hex.EncodeToString(key), err
}
