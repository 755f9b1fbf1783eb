package builder

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"strings"
	"time"
	"unicode"

	"github.com/imagobuild/imago/provision"
)

// maxUserData is what EC2 takes, before base64.
const maxUserData = 16 << 10

// userData is what the machine reads at its first boot: the host key that we
// will expect, how long it lives without us if not for ever, and after these what
// the user wants there. cloud-init merges the parts of a MIME multi-part
// (cloudinit.readthedocs.io, "User data formats").
func userData(host provision.Key, lease time.Duration, user []byte) ([]byte, error) {
	var out bytes.Buffer
	parts := multipart.NewWriter(&out)
	fmt.Fprintf(&out, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=%q\n\n", parts.Boundary())
	if err := addPart(parts, "text/cloud-config", hostKeyConfig(host)); err != nil {
		return nil, err
	}
	if lease > 0 {
		if err := addPart(parts, "text/cloud-boothook", bootLease(lease)); err != nil {
			return nil, err
		}
	}
	if len(bytes.TrimSpace(user)) > 0 {
		kind, body := partOf(user)
		if err := addPart(parts, kind, body); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	if out.Len() <= maxUserData {
		return out.Bytes(), nil
	}
	return squeeze(out.Bytes())
}

// hostKeyConfig tells cloud-init which host key the machine has. Keys that came
// with the image go: whoever has the image has those.
func hostKeyConfig(k provision.Key) []byte {
	private := strings.ReplaceAll(strings.TrimSpace(string(k.Private)), "\n", "\n    ")
	return fmt.Appendf(nil, "#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n    %s\n  ed25519_public: %s\n",
		private, strings.TrimSpace(k.Public))
}

// addPart adds one part, in an encoding that survives whatever is in it.
func addPart(parts *multipart.Writer, kind string, body []byte) error {
	w, err := parts.CreatePart(textproto.MIMEHeader{
		"Content-Type":              {kind},
		"Content-Transfer-Encoding": {"base64"},
	})
	if err != nil {
		return err
	}
	text := base64.StdEncoding.EncodeToString(body)
	for len(text) > 76 {
		fmt.Fprintln(w, text[:76])
		text = text[76:]
	}
	_, err = fmt.Fprintln(w, text)
	return err
}

// partOf says what kind of user-data this is, by its beginning as cloud-init
// does. A user's own multi-part has its headers inside.
func partOf(user []byte) (kind string, body []byte) {
	for _, k := range [][2]string{
		{"#!", "text/x-shellscript"},
		{"#cloud-config", "text/cloud-config"},
		{"#cloud-boothook", "text/cloud-boothook"},
		{"#include", "text/x-include-url"},
		{"#part-handler", "text/part-handler"},
		{"## template: jinja", "text/jinja2"},
	} {
		if bytes.HasPrefix(user, []byte(k[0])) {
			return k[1], user
		}
	}
	if header, rest, ok := multipartHeader(user); ok {
		return header, rest
	}
	return "text/plain", user // cloud-init looks inside itself
}

// multipartHeader takes a user's MIME message apart into its content type and its body.
func multipartHeader(user []byte) (kind string, body []byte, ok bool) {
	text := strings.ReplaceAll(string(user), "\r\n", "\n")
	head, rest, found := strings.Cut(text, "\n\n")
	if !found {
		return "", nil, false
	}
	head = strings.NewReplacer("\n ", " ", "\n\t", " ").Replace(head)
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if strings.EqualFold(strings.TrimSpace(name), "Content-Type") && strings.HasPrefix(value, "multipart/") && !strings.ContainsFunc(value, unicode.IsControl) {
			return value, []byte(rest), true
		}
	}
	return "", nil, false
}

// squeeze compresses user-data that is too long; cloud-init unpacks it.
func squeeze(data []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if out.Len() > maxUserData {
		return nil, fmt.Errorf("user_data: %d bytes together with what imago needs there, compressed, and AWS takes no more than %d; move some of it into a script", out.Len(), maxUserData)
	}
	return out.Bytes(), nil
}
