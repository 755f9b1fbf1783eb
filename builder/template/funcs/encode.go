package funcs

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

func base64Encode() function.Function {
	return ofText(func(a []string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(a[0])), nil }, "str")
}

func base64Decode() function.Function {
	return ofText(func(a []string) (string, error) {
		data, err := fromBase64(a[0])
		if err == nil && !utf8.Valid(data) {
			err = errors.New("what is encoded is no text; textdecodebase64 reads other encodings")
		}
		return string(data), err
	}, "str")
}

func fromBase64(s string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	return data, nil
}

func base64Gzip() function.Function {
	return ofText(func(a []string) (string, error) {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write([]byte(a[0]))
		err = errors.Join(err, w.Close())
		return base64.StdEncoding.EncodeToString(b.Bytes()), err
	}, "str")
}

func urlEncode() function.Function {
	return ofText(func(a []string) (string, error) { return url.QueryEscape(a[0]), nil }, "str")
}

func textEncode() function.Function {
	return ofText(func(a []string) (string, error) {
		e, err := encodingOf(a[1])
		if err != nil {
			return "", err
		}
		out, err := e.NewEncoder().String(a[0])
		if err != nil {
			return "", fmt.Errorf("%s cannot write this text", a[1])
		}
		return base64.StdEncoding.EncodeToString([]byte(out)), nil
	}, "string", "encoding")
}

func textDecode() function.Function {
	return ofText(func(a []string) (string, error) {
		e, err := encodingOf(a[1])
		if err != nil {
			return "", err
		}
		data, err := fromBase64(a[0])
		if err != nil {
			return "", err
		}
		out, err := e.NewDecoder().Bytes(data)
		if err != nil || !utf8.Valid(out) || bytes.ContainsRune(out, utf8.RuneError) {
			return "", fmt.Errorf("this is no text in %s", a[1])
		}
		return string(out), nil
	}, "source", "encoding")
}

// encodingOf finds an encoding by its usual names, whatever the case and the punctuation.
func encodingOf(name string) (encoding.Encoding, error) {
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", " ", "", "codepage", "ibm").Replace(strings.ToLower(s))
	}
	switch plain(name) {
	case "utf8":
		return encoding.Nop, nil
	case "utf16":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	case "utf16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case "utf16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	case "latin1":
		return charmap.ISO8859_1, nil
	}
	for _, e := range charmap.All {
		if s, ok := e.(fmt.Stringer); ok && plain(s.String()) == plain(name) {
			return e, nil
		}
	}
	return nil, fmt.Errorf("the encoding %q is not supported yet; there are UTF-8, UTF-16, UTF-16LE, UTF-16BE, and those of one byte a character, such as ISO-8859-1 and Windows-1252", name)
}
