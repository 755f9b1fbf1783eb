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

// parts reads user-data as cloud-init does: a mail message with parts.
func parts(t *testing.T, data []byte) []part {
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
