package redact_test

import (
	"encoding/base64"
	"os/exec"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/redact"
)

const odd = "it's \"quo\\ted\" & {$HOME} `a`/b+c=d?~#!;é\tend" // of every sort

// TestForms: what programs make of a secret is found. The programs are not ours.
func TestForms(t *testing.T) {
	r := &redact.Redactor{}
	r.Hide(odd)
	for name, text := range map[string]string{
		"python's json":      `"it's \"quo\\ted\" & {$HOME} ` + "`a`" + `/b+c=d?~#!;\u00e9\tend"`,
		"json":               `"it's \"quo\\ted\" & {$HOME} ` + "`a`" + `/b+c=d?~#!;é\tend"`,
		"json for HTML":      `"it's \"quo\\ted\" \u0026 {$HOME} ` + "`a`" + `/b+c=d?~#!;é\tend"`,
		"php's json":         `"it's \"quo\\ted\" & {$HOME} ` + "`a`" + `\/b+c=d?~#!;é\tend"`,
		"json in json":       `"it's \\\"quo\\\\ted\\\" & {$HOME} ` + "`a`" + `/b+c=d?~#!;é\\tend"`,
		"python's repr":      `'it\'s "quo\\ted" & {$HOME} ` + "`a`" + `/b+c=d?~#!;é\tend'`,
		"a shell's trace":    `'it'\''s "quo\ted" & {$HOME} ` + "`a`" + "/b+c=d?~#!;é\tend'",
		"dash's export":      `'it'"'"'s "quo\ted" & {$HOME} ` + "`a`" + "/b+c=d?~#!;é\tend'",
		"in double quotes":   `"it's \"quo\\ted\" & {\$HOME} ` + "\\`a\\`" + "/b+c=d?~#!;é\tend\"",
		"python's quote":     `=it%27s%20%22quo%5Cted%22%20%26%20%7B%24HOME%7D%20%60a%60/b%2Bc%3Dd%3F~%23%21%3B%C3%A9%09end`,
		"quote_plus":         `=it%27s+%22quo%5Cted%22+%26+%7B%24HOME%7D+%60a%60%2Fb%2Bc%3Dd%3F~%23%21%3B%C3%A9%09end`,
		"encodeURIComponent": `=it's%20%22quo%5Cted%22%20%26%20%7B%24HOME%7D%20%60a%60%2Fb%2Bc%3Dd%3F~%23!%3B%C3%A9%09end`,
		"in lower case":      `=it%27s%20%22quo%5cted%22%20%26%20%7b%24HOME%7d%20%60a%60%2fb%2bc%3dd%3f~%23%21%3b%c3%a9%09end`,
		"a shell's $''":      `'it\'s "quo\\ted" & {$HOME} ` + "`a`" + `/b+c=d?~#!;\303\251\tend'`,
		"python's bytes":     `'it\'s "quo\\ted" & {$HOME} ` + "`a`" + `/b+c=d?~#!;\xc3\xa9\tend'`,
		"HTML":               `>it&#39;s &#34;quo\ted&#34; &amp; {$HOME} ` + "`a`" + "/b+c=d?~#!;é\tend<",
		"XML":                `>it&apos;s &quot;quo\ted&quot; &amp; {$HOME} ` + "`a`" + "/b+c=d?~#!;é\tend<",
	} {
		got := r.Clean(text)
		want := text[:1] + redact.Hidden + text[len(text)-1:]
		if text[0] == '=' {
			want = "=" + redact.Hidden
		}
		if got != want {
			t.Errorf("%s: %s comes out as %s", name, text, got)
		}
	}
}

// TestFormsOfBash: bash itself writes what is to be found.
func TestFormsOfBash(t *testing.T) {
	secret := "it's \"quo\\ted\" & {$HOME} `a`/b+c=d?~#!;(x)[y]*|<>end"
	r := &redact.Redactor{}
	r.Hide(secret)
	for _, script := range []string{
		`printf %q "$0"`, `printf '%s' "${0@Q}"`, `set -x; : "$0"`, `S=$0; declare -p S`, `export S=$0; export -p | grep ' S='`,
		`printf %s "$0" | base64 -w0`, `printf %s "$0" | od -An -v -tx1 | tr -d ' \n'`, `printf %s "user:$0" | base64 -w0`, `echo "x$0y" | base64 -w0`,
	} {
		out, err := exec.Command("bash", "-c", script, secret).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v", script, err)
		}
		if got := r.Clean(string(out)); !strings.Contains(got, redact.Hidden) || len(got) > len("+ : ''\ndeclare -- S=\"\"\n")+len(redact.Hidden)+12 {
			t.Errorf("%s: %s comes out as %s", script, out, got)
		}
	}
}

// TestBase64: wherever a secret begins in a longer text, no more than a
// character at either end of it, which is its neighbours' too, is left.
func TestBase64(t *testing.T) {
	const secret = "correct-horse-9?>~"
	r := &redact.Redactor{}
	r.Hide(secret)
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding} {
		for before := range 7 {
			for after := range 7 {
				text := enc.EncodeToString([]byte("abcdefg"[:before] + secret + "hijklmn"[:after]))
				got := r.Clean(text)
				left := strings.ReplaceAll(got, redact.Hidden, "")
				if most := (before+after+2)*8/6 + 4; got == text || len(left) > most {
					t.Errorf("%s, with %d before and %d after, comes out as %s", text, before, after, got)
				}
			}
		}
	}
}

// TestShort: what is too short to be looked for stays, as itself and encoded.
func TestShort(t *testing.T) {
	r := &redact.Redactor{}
	r.Hide("ab", "", "\n", "abc")
	for text, want := range map[string]string{"cab": "cab", "ZWFiYw": "ZWFiYw", "xabcx": "x<sensitive>x", "YWJj": "<sensitive>"} {
		if got := r.Clean(text); got != want {
			t.Errorf("%s comes out as %s, want %s", text, got, want)
		}
	}
}
