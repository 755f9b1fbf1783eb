package builder

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
)

type part struct{ Kind, Body string }

// message is user-data as the mail message that it is.
func message(t *testing.T, data []byte) *mail.Message {
	t.Helper()
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return m
}

// parts reads user-data as cloud-init does: a mail message with parts.
func parts(t *testing.T, data []byte) []part {
	t.Helper()
	m := message(t, data)
	return multi(t, m.Header.Get("Content-Type"), m.Body)
}

func multi(t *testing.T, kind string, body io.Reader) (all []part) {
	t.Helper()
	_, params, err := mime.ParseMediaType(kind)
	if err != nil {
		t.Fatal(err)
	}
	for r := multipart.NewReader(body, params["boundary"]); ; {
		p, err := r.NextPart()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		var in io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "base64" {
			in = base64.NewDecoder(base64.StdEncoding, p)
		}
		if k := p.Header.Get("Content-Type"); strings.HasPrefix(k, "multipart/") {
			all = append(all, multi(t, k, in)...)
			continue
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part{p.Header.Get("Content-Type"), string(b)})
	}
}

func TestUserData(t *testing.T) {
	key := provision.Key{Private: []byte("-----BEGIN\nabc\n-----END\n"), Public: "ssh-ed25519 AAAA imago"}
	ours := part{"text/cloud-config", "#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n" +
		"    -----BEGIN\n    abc\n    -----END\n  ed25519_public: ssh-ed25519 AAAA imago\n"}
	own := "MIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary=\"x\"\n\n--x\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n--x--\n"
	tests := []struct {
		name, user string
		want       []part
	}{
		{"none", "", []part{ours}},
		{"script", "#!/bin/bash\necho ü\n", []part{ours, {"text/x-shellscript", "#!/bin/bash\necho ü\n"}}},
		{"cloud-config", "#cloud-config\na: b\n", []part{ours, {"text/cloud-config", "#cloud-config\na: b\n"}}},
		{"own multi-part", own, []part{ours, {"text/x-shellscript", "#!/bin/sh"}}},
		{"unknown", "hello", []part{ours, {"text/plain", "hello"}}},
		{"too long as it is", "#!/bin/sh\n" + strings.Repeat("# long\n", 2300), []part{ours, {"text/x-shellscript", "#!/bin/sh\n" + strings.Repeat("# long\n", 2300)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := userData(key, 0, []byte(tt.user))
			if err != nil {
				t.Fatal(err)
			}
			if len(data) > maxUserData {
				t.Errorf("%d bytes", len(data))
			}
			if diff := cmp.Diff(tt.want, parts(t, data)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUserDataLease: the count begins in a part of its own, before the user's.
func TestUserDataLease(t *testing.T) {
	data, err := userData(provision.Key{Private: []byte("k"), Public: "ssh-ed25519 AAAA"}, 90*time.Second, []byte("#!/bin/sh\ntrue\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []part{
		{"text/cloud-boothook", "#cloud-boothook\n#!/bin/sh\n" + knownScript + "set -- 90\n" + leaseScript},
		{"text/x-shellscript", "#!/bin/sh\ntrue\n"},
	}
	if diff := cmp.Diff(want, parts(t, data)[1:]); diff != "" {
		t.Error(diff)
	}
}

func TestUserDataTooLong(t *testing.T) {
	noise := make([]byte, 16000)
	for i := range noise {
		noise[i] = byte(rand.N(256))
	}
	_, err := userData(provision.Key{Private: []byte("k"), Public: "ssh-ed25519 AAAA"}, time.Hour, noise)
	if err == nil || !strings.HasPrefix(err.Error(), "user_data: ") {
		t.Errorf("got %v", err)
	}
}

// userDataSeeds are what people write into user_data, and what could pass for it.
func userDataSeeds() []string {
	return []string{
		"", " \n", "hello", "#!/bin/sh\ntrue\n", "#cloud-config\na: b\n", "#include\nhttp://x/\n", "## template: jinja\n#cloud-config\n", "\x1f\x8b\x08\x00",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary=\"x\"\n\n--x\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n--x--\n",
		"content-type:multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n--x--\r\n", "Content-Type: multipart/", "Content-Type: multipart/\n\n", "Content-Type: multipart/mixed\rX: y\n\n",
		"\n\n", ":\n\n:", "Content-Type: text/plain\n\nhello", strings.Repeat("#", maxUserData),
	}
}

// FuzzUserData: whatever the user's part is, ours is read first and as it was
// meant, the user's arrives as it is, and AWS takes all of it.
func FuzzUserData(f *testing.F) {
	for _, user := range userDataSeeds() {
		f.Add([]byte(user))
	}
	key := provision.Key{Private: []byte("-----BEGIN\nabc\n-----END\n"), Public: "ssh-ed25519 AAAA imago"}
	f.Fuzz(func(t *testing.T, user []byte) {
		data, err := userData(key, time.Minute, user)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "user_data: ") {
				t.Error(err)
			}
			return
		}
		if len(data) > maxUserData {
			t.Errorf("%d bytes", len(data))
		}
		got := flat(t, data)
		if len(got) < 2 || got[0].Body != string(hostKeyConfig(key)) || got[1].Body != string(bootLease(time.Minute)) {
			t.Fatalf("not ours first: %q", got)
		}
		var want []part
		if len(bytes.TrimSpace(user)) > 0 {
			kind, body := partOf(user)
			want = append(want, part{kind, string(body)})
		}
		if diff := cmp.Diff(want, got[2:]); len(want)+len(got[2:]) > 0 && diff != "" {
			t.Error(diff)
		}
	})
}

// flat are the parts of user-data, without looking into those that have parts.
func flat(t *testing.T, data []byte) (all []part) {
	t.Helper()
	m := message(t, data)
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part{p.Header.Get("Content-Type"), string(body)})
	}
}

// FuzzMIME: a user's own multi-part is taken apart into one header line and what
// is behind its headers; anything else stays whole.
func FuzzMIME(f *testing.F) {
	for _, user := range userDataSeeds() {
		f.Add([]byte(user))
	}
	f.Fuzz(func(t *testing.T, user []byte) {
		kind, body, ok := multipartHeader(user)
		switch {
		case !ok && (kind != "" || body != nil):
			t.Errorf("%q and %q of what has no parts", kind, body)
		case ok && (!strings.HasPrefix(kind, "multipart/") || strings.TrimSpace(kind) != kind || strings.ContainsAny(kind, "\r\n\x00")):
			t.Errorf("the header is %q", kind)
		case ok && !strings.HasSuffix(strings.ReplaceAll(string(user), "\r\n", "\n"), "\n\n"+string(body)):
			t.Errorf("the body is %q", body)
		}
	})
}
