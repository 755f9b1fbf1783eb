package upgrade

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/imagobuild/imago/builder/template/internal/jsontree"
)

// literal writes a text that HCL2 takes as it is.
func literal(text string) string { return `"` + escape(text) + `"` }

// escape writes a text for between the quotes.
func escape(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		case (r == '$' || r == '%') && strings.HasPrefix(text[i+1:], "{"):
			b.WriteString(string(r) + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// text writes a text of the template as an expression.
func (u *upgrader) text(text string, in where) string {
	all := u.pieces(text, in)
	if len(all) == 1 && all[0].expr {
		return all[0].text
	}
	var b strings.Builder
	b.WriteByte('"')
	for i, p := range all {
		if p.expr {
			b.WriteString("${" + p.text + "}")
			continue
		}
		plain := p.text
		if i+1 < len(all) { // $ and ${x} together are an escape
			plain = strings.TrimRight(plain, "$")
		}
		b.WriteString(escape(plain))
		if dollars := p.text[len(plain):]; dollars != "" {
			b.WriteString("${" + literal(dollars) + "}")
		}
	}
	b.WriteByte('"')
	return b.String()
}

// value writes a value as an expression.
func (u *upgrader) value(v any, in where) string {
	switch v := v.(type) {
	case string:
		return u.text(v, in)
	case json.Number:
		return number(v)
	case bool:
		return fmt.Sprint(v)
	case *jsontree.List:
		return u.list(v.Items, in)
	case *jsontree.Object:
		return u.object(v, in, func(v any) string { return u.value(v, in) })
	}
	return "null"
}

// number writes a number without the ways of writing it that HCL2 does not know.
func number(n json.Number) string { return strings.Replace(n.String(), "E", "e", 1) }

func (u *upgrader) list(items []any, in where) string {
	var all []string
	for _, i := range items {
		all = append(all, u.value(i, in))
	}
	if len(all) > 1 || len(all) == 1 && len(all[0]) > 60 {
		return "[\n" + strings.Join(all, ",\n") + ",\n]"
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// object writes an object in braces.
func (u *upgrader) object(o *jsontree.Object, in where, value func(any) string) string {
	var b strings.Builder
	b.WriteString("{\n")
	for _, m := range o.Members {
		key := m.Name
		if id, other := identifier(key); other || id == "" || reserved(id) {
			key = literal(m.Name)
		}
		fmt.Fprintf(&b, "%s = %s\n", key, value(m.Value))
	}
	b.WriteString("}")
	return b.String()
}

// reserved says whether a word means something where an object's key may stand.
func reserved(word string) bool {
	return word == "for" || word == "true" || word == "false" || word == "null"
}

// texts writes an object of names and texts, such as tags. A boolean becomes
// the text that Packer's JSON makes of one.
func (u *upgrader) texts(o *jsontree.Object, in where) string {
	return u.object(o, in, func(v any) string {
		if b, ok := v.(bool); ok {
			return literal(weak(b))
		}
		return u.value(v, in)
	})
}

// weak is a boolean as a text.
func weak(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
