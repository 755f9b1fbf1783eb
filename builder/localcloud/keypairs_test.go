package localcloud

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestCreateKeyPair(t *testing.T) {
	c := openTest(t)
	for _, kind := range []string{"rsa", "ed25519"} {
		made := c.ok("CreateKeyPair", "KeyName", kind, "KeyType", kind,
			"TagSpecification.1.ResourceType", "key-pair", "TagSpecification.1.Tag.1.Key", "k", "TagSpecification.1.Tag.1.Value", "v")
		key, err := ssh.ParseRawPrivateKey([]byte(made.text("keyMaterial")))
		if err != nil {
			t.Fatal(err)
		}
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		fingerprint := strings.TrimPrefix(ssh.FingerprintSHA256(signer.PublicKey()), "SHA256:") + "="
		if private, ok := key.(*rsa.PrivateKey); ok {
			der, err := x509.MarshalPKCS8PrivateKey(private)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha1.Sum(der)
			fingerprint = colons(sum[:])
		}
		shown := c.ok("DescribeKeyPairs", "KeyName.1", kind, "IncludePublicKey", "true").all("keySet/item")[0]
		got := []string{made.text("keyFingerprint"), shown.text("keyFingerprint"), shown.text("keyType"), shown.text("publicKey"), shown.text("keyPairId"), shown.text("tagSet/item/value")}
		want := []string{fingerprint, fingerprint, kind,
			strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " " + kind, made.text("keyPairId"), "v"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	if got := c.ok("DescribeKeyPairs", "KeyName.1", "rsa").text("keySet/item/publicKey"); got != "" {
		t.Errorf("the public key is shown unasked: %s", got)
	}
}

// ssh-keygen is the witness for the forms a key comes in.
func TestImportKeyPair(t *testing.T) {
	c := openTest(t)
	dir := t.TempDir()
	keygen := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("ssh-keygen", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("ssh-keygen %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	file := filepath.Join(dir, "key")
	keygen("-q", "-t", "ed25519", "-N", "", "-C", "me@here", "-f", file)
	line, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(strings.Fields(keygen("-l", "-f", file))[1], ":")
	for name, text := range map[string]string{"a line": string(line), "RFC 4716": keygen("-e", "-m", "RFC4716", "-f", file)} {
		got := c.ok("ImportKeyPair", "KeyName", name, "PublicKeyMaterial", base64Of(text)).text("keyFingerprint")
		if want := shown + "="; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum(der)
	if got, want := c.ok("ImportKeyPair", "KeyName", "der", "PublicKeyMaterial", base64Of(string(der))).text("keyFingerprint"), colons(sum[:]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	ecdsa := filepath.Join(dir, "ecdsa")
	keygen("-q", "-t", "ecdsa", "-N", "", "-f", ecdsa)
	other, err := os.ReadFile(ecdsa + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	for want, pairs := range map[string][]string{
		"400 InvalidKeyPair.Duplicate: The keypair 'der' already exists.":                                          {"KeyName", "der", "PublicKeyMaterial", base64Of(string(line))},
		"400 InvalidKey.Format: Key is not in valid OpenSSH public key format":                                     {"KeyName", "x", "PublicKeyMaterial", base64Of("nonsense")},
		"400 InvalidKey.Format: Key is of the type ecdsa-sha2-nistp256; only RSA and ED25519 keys can be imported": {"KeyName", "x", "PublicKeyMaterial", base64Of(string(other))},
		"400 MissingParameter: The request must contain the parameter PublicKeyMaterial":                           {"KeyName", "x"},
		"400 MissingParameter: The request must contain the parameter KeyName":                                     {"PublicKeyMaterial", base64Of(string(line))},
		"412 DryRunOperation: Request would have succeeded, but DryRun flag is set.":                               {"KeyName", "x", "PublicKeyMaterial", base64Of(string(line)), "DryRun", "true"},
		"400 UnknownParameter: The parameter TagSpecification.1.ResourceType is not recognized":                    {"KeyName", "x", "PublicKeyMaterial", base64Of(string(line)), "TagSpecification.1.ResourceType", "image"},
	} {
		if got := c.fault("ImportKeyPair", pairs...); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDeleteKeyPair(t *testing.T) {
	c := openTest(t)
	c.ok("CreateKeyPair", "KeyName", "first", "KeyType", "ed25519")
	id := c.ok("CreateKeyPair", "KeyName", "second", "KeyType", "ed25519").text("keyPairId")
	west := c.in("us-west-2")
	west.ok("CreateKeyPair", "KeyName", "first", "KeyType", "ed25519")
	c.ok("DeleteKeyPair", "KeyName", "first")
	if got := c.ok("DeleteKeyPair", "KeyPairId", id).text("keyPairId"); got != id {
		t.Errorf("deleted %q", got)
	}
	c.ok("DeleteKeyPair", "KeyName", "never was")
	if got := c.ok("DescribeKeyPairs").texts("keySet/item/keyName"); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	if got := west.ok("DescribeKeyPairs", "Filter.1.Name", "key-name", "Filter.1.Value.1", "f*").texts("keySet/item/keyName"); len(got) != 1 {
		t.Errorf("the other region has %v", got)
	}
	for want, pairs := range map[string][]string{
		"400 InvalidKeyPair.NotFound: The key pair 'first' does not exist":                {"KeyName.1", "first"},
		"400 InvalidKeyPair.NotFound: The key pair with ID 'key-00000000' does not exist": {"KeyPairId.1", "key-00000000"},
	} {
		if got := c.fault("DescribeKeyPairs", pairs...); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
