package funcs

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/crypto/bcrypt"
)

func (s Surroundings) hashes() map[string]function.Function {
	return map[string]function.Function{
		"bcrypt": bcryptFunc(), "rsadecrypt": rsaDecrypt(), "uuidv4": uuid4(s.random), "uuidv5": uuid5(),
		"md5":    digest(func(b []byte) []byte { h := md5.Sum(b); return h[:] }),
		"sha1":   digest(func(b []byte) []byte { h := sha1.Sum(b); return h[:] }),
		"sha256": digest(func(b []byte) []byte { h := sha256.Sum256(b); return h[:] }),
		"sha512": digest(func(b []byte) []byte { h := sha512.Sum512(b); return h[:] }),
	}
}

func digest(sum func([]byte) []byte) function.Function {
	return ofText(func(a []string) (string, error) { return hex.EncodeToString(sum([]byte(a[0]))), nil }, "str")
}

// bcryptFunc hashes a password; a second argument is the cost.
func bcryptFunc() function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{param("str", cty.String)},
		VarParam: &function.Parameter{Name: "cost", Type: cty.Number},
		Type:     function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			cost := bcrypt.DefaultCost
			if len(args) > 2 {
				return cty.NilVal, errors.New("it takes a text and at most one cost")
			}
			if len(args) == 2 {
				n, _ := args[1].AsBigFloat().Int64()
				if cost = int(n); cost < bcrypt.MinCost || cost > 16 {
					return cty.NilVal, fmt.Errorf("the cost must be from %d to 16", bcrypt.MinCost)
				}
			}
			out, err := bcrypt.GenerateFromPassword([]byte(args[0].AsString()), cost)
			return cty.StringVal(string(out)), err
		},
	})
}

// rsaDecrypt decrypts base64 text with a private key in PEM, padded as in PKCS #1 version 1.5.
func rsaDecrypt() function.Function {
	return ofText(func(a []string) (string, error) {
		data, err := fromBase64(a[0])
		if err != nil {
			return "", err
		}
		key := rsaKey(a[1])
		if key == nil {
			return "", errors.New("the key is no RSA key in PEM format")
		}
		out, err := rsa.DecryptPKCS1v15(nil, key, data)
		if err != nil {
			return "", errors.New("it was not encrypted for this key")
		}
		return string(out), nil
	}, "ciphertext", "privatekey")
}

// rsaKey reads a private key in either of the usual formats, or returns nil.
func rsaKey(text string) *rsa.PrivateKey {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	parsed, _ := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, _ := parsed.(*rsa.PrivateKey)
	return key
}

func (s Surroundings) random(b []byte) {
	if s.Random != nil {
		s.Random(b)
		return
	}
	rand.Read(b) // never fails
}

func uuid4(random func([]byte)) function.Function {
	return ofText(func([]string) (string, error) {
		var b [16]byte
		random(b[:])
		return uuid(b, 4), nil
	})
}

// uuid5 makes the UUID of a name in a namespace: dns, url, oid, x500, or a UUID.
func uuid5() function.Function {
	return ofText(func(a []string) (string, error) {
		space := map[string]string{
			"dns": "6ba7b8109dad11d180b400c04fd430c8", "url": "6ba7b8119dad11d180b400c04fd430c8",
			"oid": "6ba7b8129dad11d180b400c04fd430c8", "x500": "6ba7b8149dad11d180b400c04fd430c8",
		}[a[0]]
		if space == "" {
			space = withoutDashes(a[0])
		}
		id, err := hex.DecodeString(space)
		if err != nil || len(id) != 16 {
			return "", fmt.Errorf("the namespace %q is none of dns, url, oid and x500, and no UUID", a[0])
		}
		h := sha1.Sum(append(id, a[1]...))
		return uuid([16]byte(h[:16]), 5), nil
	}, "namespace", "name")
}

func uuid(b [16]byte, version byte) string {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func withoutDashes(s string) string {
	var out []byte
	for i := range len(s) {
		if s[i] != '-' {
			out = append(out, s[i])
		}
	}
	return string(out)
}
