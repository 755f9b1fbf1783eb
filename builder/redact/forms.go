package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
)

// Forms lists how a secret may be written: as it is, quoted for a shell, JSON or
// HTML, encoded for an address, in base64, also in the middle of a longer text,
// and in hexadecimal digits. Of several lines, each long one is a secret itself,
// and so is the whole without the lines' ends.
func Forms(v string) []string {
	v = strings.TrimRight(v, "\r\n")
	if len(v) < MinSecret {
		return nil
	}
	all := slices.Concat([]string{v}, quoted(v), percent(v), base64s(v), hexes(v))
	if strings.Contains(v, "\n") {
		bare := strings.NewReplacer("\r", "", "\n", "").Replace(v)
		all = append(all, bare)
		for line := range strings.SplitSeq(v, "\n") {
			if line = strings.TrimSpace(line); len(line) >= MinLine {
				all = append(all, line)
			}
		}
	}
	return slices.DeleteFunc(all, func(f string) bool { return len(f) < MinSecret })
}

// quoted is v as shells and other languages write it between quotes, without these.
func quoted(v string) []string {
	once, ansi := inJSON(v, false), escaped(v, "\\'", "") // $'…' of a shell, and Python's '…'
	return []string{
		once, inJSON(v, true), inJSON(once, false), ascii(once),
		strings.ReplaceAll(once, "/", `\/`),
		inner(strconv.Quote(v)), inner(strconv.QuoteToASCII(v)),
		strings.ReplaceAll(v, `'`, `'"'"'`), strings.ReplaceAll(v, `'`, `'\''`),
		ansi, bytewise(ansi, `\%03o`), bytewise(ansi, `\x%02x`),
		escaped(v, "\\\"$`", ""),
		escaped(v, "\t !\"$&'()*,;<>?[\\]^`{|}", "#~"), // printf %q
		html.EscapeString(v), strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(v),
	}
}

// inJSON is v as a JSON string, with or without what HTML minds.
func inJSON(v string, forHTML bool) string {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(forHTML)
	if enc.Encode(v) != nil {
		return ""
	}
	return inner(strings.TrimSuffix(out.String(), "\n"))
}

// inner is a text without the quotes around it.
func inner(s string) string { return s[1 : len(s)-1] }

// ascii writes what is not ASCII as JSON's \u escapes, as Python does.
func ascii(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case r < 0x80:
			out.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		}
	}
	return out.String()
}

// bytewise writes each byte that is not ASCII in some format.
func bytewise(s, format string) string {
	var out strings.Builder
	for i := range len(s) {
		if s[i] < 0x80 {
			out.WriteByte(s[i])
		} else {
			fmt.Fprintf(&out, format, s[i])
		}
	}
	return out.String()
}

// escaped puts a backslash before each of some bytes, and before others at the
// beginning. Line ends become \n, unless the quotes keep them.
func escaped(v, special, atStart string) string {
	var out strings.Builder
	for i := range len(v) {
		switch {
		case v[i] == '\n' && special == "\\'":
			out.WriteString(`\n`)
			continue
		case v[i] == '\t' && special == "\\'":
			out.WriteString(`\t`)
			continue
		case strings.IndexByte(special, v[i]) >= 0, i == 0 && strings.IndexByte(atStart, v[i]) >= 0:
			out.WriteByte('\\')
		}
		out.WriteByte(v[i])
	}
	return out.String()
}

// percent is v in an address: programs differ in what they leave as it is, how
// they write a space, and in the case of the digits.
func percent(v string) (all []string) {
	for _, keep := range []string{"", "!'()*", "/", "$-_.+!*'(),&=:@", "!'()*;,/?:@&=+$#"} {
		for _, space := range []string{"%20", "+"} {
			for _, digits := range []string{"%%%02X", "%%%02x"} {
				all = append(all, percentOnce(v, keep, space, digits))
			}
		}
	}
	return all
}

func percentOnce(v, keep, space, digits string) string {
	const always = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
	var out strings.Builder
	for i := range len(v) {
		switch c := v[i]; {
		case c == ' ':
			out.WriteString(space)
		case strings.IndexByte(always, c) >= 0 || strings.IndexByte(keep, c) >= 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, digits, c)
		}
	}
	return out.String()
}

// minEncoded is how long the middle of a longer base64 text has to be.
const minEncoded = 6

// base64s is v in base64: alone, and as it looks within a longer text. There it
// begins at one of three places in a group, and its first and last character may
// say something of its neighbours too.
func base64s(v string) (all []string) {
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		padded := enc.EncodeToString([]byte(v))
		all = append(all, padded, strings.TrimRight(padded, "="))
		for shift := range 3 {
			text := enc.WithPadding(base64.NoPadding).EncodeToString([]byte(strings.Repeat("\x00", shift) + v))
			first, end := (8*shift+5)/6, 8*(shift+len(v))/6
			if end-first >= minEncoded {
				all = append(all, text[first:end])
			}
		}
	}
	return all
}

// hexes is v in hexadecimal digits.
func hexes(v string) []string {
	digits := hex.EncodeToString([]byte(v))
	return []string{digits, strings.ToUpper(digits)}
}
