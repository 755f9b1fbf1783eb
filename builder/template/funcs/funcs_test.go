package funcs_test

import (
	"compress/gzip"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"golang.org/x/crypto/bcrypt"

	"github.com/imagobuild/imago/builder/template/funcs"
)

func surroundings(t *testing.T) funcs.Surroundings {
	t.Helper()
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return funcs.Surroundings{
		Now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Dir: dir, Home: "/home/baker",
		Strftime: func(now time.Time, format string) (string, error) { return now.Format("2006") + " by " + format, nil },
		Secret: func(name, key string, keyed bool) (string, error) {
			if name == "later" {
				return "", funcs.ErrUnknown
			}
			if !keyed {
				return "all of " + name, nil
			}
			return name + "/" + key, nil
		},
	}
}

// evaluate evaluates an expression.
func evaluate(t *testing.T, text string) (cty.Value, error) {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(text), "test", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", text, diags)
	}
	v, diags := expr.Value(&hcl.EvalContext{Functions: funcs.Table(surroundings(t))})
	if diags.HasErrors() {
		return v, diags
	}
	return v, nil
}

// asJSON evaluates an expression and writes the value as JSON.
func asJSON(t *testing.T, text string) string {
	t.Helper()
	v, err := evaluate(t, text)
	if err != nil {
		return "error: " + err.Error()
	}
	out, err := stdlib.JSONEncode(v)
	if err != nil {
		return "error: " + err.Error()
	}
	return out.AsString()
}

func TestFunctions(t *testing.T) {
	tested := map[string]bool{}
	for text, want := range examples() {
		if got := asJSON(t, text); got != want {
			t.Errorf("%s\n\tis   %s\n\twant %s", text, got, want)
		}
		for _, call := range regexp.MustCompile(`[a-z_0-9]+\(`).FindAllString(text, -1) {
			tested[strings.TrimSuffix(call, "(")] = true
		}
	}
	// These have tests of their own.
	for _, name := range []string{"bcrypt", "base64gzip", "uuidv4", "rsadecrypt", "consul_key", "vault", "env"} {
		tested[name] = true
	}
	for _, name := range funcs.Names() {
		if !tested[name] {
			t.Errorf("no example calls %s", name)
		}
	}
}

// TestMistakes: what a wrong call is told.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		`index(["a"], "b")`:                    `the list does not have this value`,
		`index({}, "b")`:                       `it must be a list`,
		`coalesce("", null)`:                   `all arguments are null or empty`,
		`length(12)`:                           `it has no length: it must be a list, a set, a map, an object or a string`,
		`sum([])`:                              `it is empty, and nothing has no sum`,
		`sum(["a"])`:                           `it must be a list of numbers`,
		`file("nowhere")`:                      `there is no file nowhere in `,
		`file("binary")`:                       `binary is no UTF-8 text; filebase64 reads anything`,
		`file("tree")`:                         `tree is no regular file`,
		`fileexists("tree")`:                   `tree is no regular file`,
		`fileset("tree", "[")`:                 `"[" is no pattern`,
		`templatefile("hello.pkrtpl", {})`:     `hello.pkrtpl, line 1: there is no "name" among the variables that it gets`,
		`templatefile("hello.pkrtpl", [])`:     `it must be an object of names and values`,
		`base64decode("*")`:                    `it is not base64`,
		`base64decode("//4=")`:                 `what is encoded is no text; textdecodebase64 reads other encodings`,
		`textencodebase64("ä", "US-ASCII")`:    `the encoding "US-ASCII" is not supported yet; there are UTF-8`,
		`textencodebase64("語", "latin1")`:      `latin1 cannot write this text`,
		`cidrhost("10.0.0.0/8", 16777216)`:     `10.0.0.0/8 has only 16777216 addresses`,
		`cidrhost("10.0.0", 1)`:                `"10.0.0" is no address range such as 10.0.0.0/16`,
		`cidrnetmask("fd00::/8")`:              `only IPv4 ranges have a netmask`,
		`cidrsubnet("10.0.0.0/8", 40, 1)`:      `10.0.0.0/8 cannot be divided by 40 more bits`,
		`cidrsubnet("10.0.0.0/8", 2, 4)`:       `2 more bits do not number 4 ranges`,
		`cidrsubnets("10.0.0.0/30", 1, 1, 1)`:  `10.0.0.0/30 has no room for so many ranges`,
		`uuidv5("x", "y")`:                     `the namespace "x" is none of dns, url, oid and x500, and no UUID`,
		`bcrypt("x", 40)`:                      `the cost must be from 4 to 16`,
		`rsadecrypt("AAAA", "no key")`:         `the key is no RSA key in PEM format`,
		`rfc3339_parse("yesterday")`:           `"yesterday" is no time such as 2030-01-31T00:00:00Z`,
		`unix_timestamp_parse(1.5)`:            `it must be a whole number of seconds`,
		`legacy_isotime("a", "b")`:             `it takes one format, not 2`,
		`env("HOME")`:                          `env may be called only in the default of a variable; declare one, and write var.NAME here`,
		`vault("a", "b")`:                      `vault needs a Vault server, which is not supported yet; give the value with -var or an environment variable`,
		`consul_key("a")`:                      `consul_key needs a Consul server, which is not supported yet; give the value with -var or an environment variable`,
		`aws_secretsmanager_raw("a", "b")`:     `it takes the name of a secret and, unless it is the raw one, a key`,
		`format("%99999999s", "a")`:            `the result would be too big`,
		`pow(10, 100000)`:                      `the result would be too big`,
		`indent(1000000, "a")`:                 `the result would be too big`,
		`setproduct(range(1000), range(1000))`: `the result would be too big`,
		`replace(format("%9999s", ""), " ", format("%9999s", ""))`: `the result would be too big`,
	} {
		if _, err := evaluate(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s says %v, want %s", text, err, want)
		}
	}
}

// TestUnknown: what a server would say is not known while nobody is asked.
func TestUnknown(t *testing.T) {
	v, err := evaluate(t, `aws_secretsmanager("later", null)`)
	if err != nil || v.IsKnown() {
		t.Errorf("%#v, %v; want an unknown value", v, err)
	}
}

func TestBcrypt(t *testing.T) {
	v, err := evaluate(t, `bcrypt("pass word", 4)`)
	if err != nil {
		t.Fatal(err)
	}
	if err := bcrypt.CompareHashAndPassword([]byte(v.AsString()), []byte("pass word")); err != nil {
		t.Error(err)
	}
}

func TestGzip(t *testing.T) {
	v, err := evaluate(t, `base64gzip("hello")`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(v.AsString())))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); string(text) != "hello" || err != nil {
		t.Errorf("it holds %q, %v", text, err)
	}
}

func TestRandomUUID(t *testing.T) {
	a, b := asJSON(t, `uuidv4()`), asJSON(t, `uuidv4()`)
	form := regexp.MustCompile(`^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$`)
	if !form.MatchString(a) || !form.MatchString(b) || a == b {
		t.Errorf("two UUIDs are %s and %s", a, b)
	}
}

func TestRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := rsa.EncryptPKCS1v15(rand.Reader, &key.PublicKey, []byte("secret words"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(filepath.Join(dir, "key"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	call := fmt.Sprintf("rsadecrypt(%q, file(%q))", base64.StdEncoding.EncodeToString(secret), filepath.Join(dir, "key"))
	if got := asJSON(t, call); got != `"secret words"` {
		t.Error(got)
	}
}

func TestEnv(t *testing.T) {
	f := funcs.Env(func(name string) string { return "the " + name })
	if v, err := f.Call([]cty.Value{cty.StringVal("HOME")}); err != nil || v.AsString() != "the HOME" {
		t.Errorf("%#v, %v", v, err)
	}
}

// TestOpenArguments: what a data source has not said yet makes an open result, and no panic, whatever the function.
func TestOpenArguments(t *testing.T) {
	for name, f := range funcs.Table(surroundings(t)) {
		for _, open := range []cty.Value{cty.DynamicVal, cty.UnknownVal(cty.String), cty.UnknownVal(cty.List(cty.String)), cty.NullVal(cty.DynamicPseudoType)} {
			for n := range 4 {
				args := make([]cty.Value, n)
				for i := range args {
					args[i] = open
				}
				if len(f.Params()) > n || len(f.Params()) < n && f.VarParam() == nil || name == "can" || name == "try" {
					continue
				}
				if v, err := f.Call(args); err == nil && v == cty.NilVal {
					t.Errorf("%s(%#v) is nothing", name, args)
				}
			}
		}
	}
}
