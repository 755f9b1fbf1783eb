package template

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"
)

// PackerVersion is the version of Packer whose template language this package
// reads. It is what {{packer_version}} says and min_packer_version is held against.
const PackerVersion = "1.16.0"

// immediate lists the functions that are evaluated while the template is read.
// user, env and build depend on the place and are added by scope.
func (p *parser) immediate() template.FuncMap {
	return template.FuncMap{
		"build_name": func() string { return p.build.ScriptName },
		"build_type": func() string { return p.build.Type },
		"timestamp":  func() string { return fmt.Sprint(p.now.Unix()) },
		"isotime":    p.isotime,
		"strftime":   func(format string) (string, error) { return strftime(p.now, format) },
		"uuid":       p.uuid,
		"pwd":        func() string { return p.cwd },
		"template_dir": func() string {
			return p.dir
		},
		"packer_version":      func() string { return PackerVersion },
		"upper":               strings.ToUpper,
		"lower":               strings.ToLower,
		"split":               split,
		"replace":             func(from, to string, n int, s string) string { return strings.Replace(s, from, to, n) },
		"replace_all":         func(from, to, s string) string { return strings.ReplaceAll(s, from, to) },
		"clean_resource_name": cleanImageName,
		"clean_ami_name":      cleanImageName,
	}
}

// refused are functions that Packer has and imago has not, and what to do instead.
func refused() map[string]string {
	const instead = "give the value with -var or an environment variable"
	return map[string]string{
		"consul_key":             "consul_key needs a Consul server, which is not supported yet; " + instead,
		"vault":                  "vault needs a Vault server, which is not supported yet; " + instead,
		"aws_secretsmanager":     "aws_secretsmanager is not supported yet; " + instead,
		"aws_secretsmanager_raw": "aws_secretsmanager_raw is not supported yet; " + instead,
		"sed":                    "sed was taken out of Packer; use replace or replace_all",
		"call":                   "call has nothing to call in a template",
	}
}

// goFuncs are text/template's own functions, which Packer's templates may use.
func goFuncs() []string {
	return []string{"and", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println", "slice", "urlquery"}
}

// isotime is the time of the run in UTC, by default in RFC 3339 format.
func (p *parser) isotime(format ...string) (string, error) {
	switch len(format) {
	case 0:
		return p.now.UTC().Format(time.RFC3339), nil
	case 1:
		return p.now.UTC().Format(format[0]), nil
	}
	return "", fmt.Errorf("isotime takes one format, not %d", len(format))
}

// uuid makes a UUID that begins with the time, as Packer's do, so that names sort by age.
func (p *parser) uuid() string {
	var b [16]byte
	if p.o.Seed == "" {
		rand.Read(b[4:]) // never fails
	} else {
		p.uuids++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", p.o.Seed, p.build.Name, p.uuids))
		copy(b[4:], sum[:])
	}
	s := uint32(p.now.Unix())
	b[0], b[1], b[2], b[3] = byte(s>>24), byte(s>>16), byte(s>>8), byte(s)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// split cuts s at each sep and returns piece n, from 0.
func split(s, sep string, n int) (string, error) {
	pieces := strings.Split(s, sep)
	if n < 0 || n >= len(pieces) {
		return "", fmt.Errorf("split: %q has %d pieces at %q, and piece %d (from 0) is asked for", s, len(pieces), sep, n)
	}
	return pieces[n], nil
}

// cleanImageName puts a dash for each byte that an image's name may not have.
func cleanImageName(s string) string {
	b := []byte(s)
	for i, c := range b {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && !strings.ContainsRune("()[] ./-'@_", rune(c)) {
			b[i] = '-'
		}
	}
	return string(b)
}

// strftime writes the time in UTC by the format letters of C's strftime.
func strftime(t time.Time, format string) (string, error) {
	t = t.UTC()
	layouts := map[byte]string{
		'A': "Monday", 'a': "Mon", 'B': "January", 'b': "Jan", 'h': "Jan", 'c': "Mon Jan _2 15:04:05 2006",
		'D': "01/02/06", 'd': "02", 'e': "_2", 'F': "2006-01-02", 'H': "15", 'I': "03", 'j': "002", 'M': "04",
		'm': "01", 'n': "\n", 'p': "PM", 'R': "15:04", 'r': "03:04:05 PM", 'S': "05", 'T': "15:04:05",
		't': "\t", 'v': "_2-Jan-2006", 'X': "15:04:05", 'x': "01/02/06", 'Y': "2006", 'y': "06", 'Z': "MST", 'z': "-0700",
	}
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) {
			return "", errors.New("strftime: the format ends in %; write %% for a percent sign")
		}
		switch c := format[i]; c {
		case '%':
			out.WriteByte('%')
		case 'C':
			fmt.Fprintf(&out, "%02d", t.Year()/100)
		case 's':
			fmt.Fprint(&out, t.Unix())
		case 'u':
			fmt.Fprint(&out, (int(t.Weekday())+6)%7+1)
		case 'w':
			fmt.Fprint(&out, int(t.Weekday()))
		case 'V':
			_, week := t.ISOWeek()
			fmt.Fprintf(&out, "%02d", week)
		default:
			layout, ok := layouts[c]
			if !ok {
				return "", fmt.Errorf("strftime: %%%c is not a format letter", c)
			}
			out.WriteString(t.Format(layout))
		}
	}
	return out.String(), nil
}

// known lists every function a template may use, for did-you-mean.
func (p *parser) known() []string {
	names := append(goFuncs(), "user", "env", "build")
	for name := range p.immediate() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
