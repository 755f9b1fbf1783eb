package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxDepth is how deep lists and objects may nest, as in encoding/json.
const maxDepth = 10000

// reader reads JSON strictly (RFC 8259) and notes where everything stands,
// which encoding/json does not tell.
type reader struct {
	file     string
	data     []byte
	at       int
	line     int // from 0
	counted  int // an offset in the line, up to which
	columns  int // so many characters were counted
	depth    int
	problems *problems
}

// syntaxError ends the reading: after it nothing can be understood.
type syntaxError struct {
	pos  pos
	text string
}

// readJSON reads one value that is the whole of data. What is wrong goes to p;
// ok says whether the value can be used.
func readJSON(file string, data []byte, p *problems) (v value, ok bool) {
	r := &reader{file: file, data: data, problems: p}
	v, err := r.document()
	if err != nil {
		p.add(file, err.pos, "%s", err.text)
		return value{}, false
	}
	return v, true
}

func (r *reader) document() (value, *syntaxError) {
	r.space()
	v, err := r.value()
	if err != nil {
		return v, err
	}
	r.space()
	if r.at < len(r.data) {
		return v, r.unexpected("the end of the file")
	}
	return v, nil
}

// value reads the value that starts here.
func (r *reader) value() (value, *syntaxError) {
	v := value{pos: r.pos()}
	switch c := r.peek(); {
	case c == '{':
		return r.nested(v, r.object)
	case c == '[':
		return r.nested(v, r.listValue)
	case c == '"':
		text, err := r.text()
		v.kind, v.text = kindString, text
		return v, err
	case c == '-' || '0' <= c && c <= '9':
		text, err := r.number()
		v.kind, v.text = kindNumber, text
		return v, err
	}
	for _, word := range words() {
		if bytes.HasPrefix(r.data[r.at:], []byte(word.json)) {
			r.at += len(word.json)
			v.kind, v.text = word.kind, word.text
			return v, nil
		}
	}
	return v, r.unexpected("a value")
}

// word is one of JSON's words, and what Packer's weak typing makes of it in a string.
type word struct {
	json string
	kind kind
	text string
}

func words() []word {
	return []word{{"null", kindNull, "null"}, {"true", kindBool, "1"}, {"false", kindBool, "0"}}
}

func (r *reader) nested(v value, read func(value) (value, *syntaxError)) (value, *syntaxError) {
	if r.depth++; r.depth > maxDepth {
		return v, r.wrong("nested deeper than %d levels", maxDepth)
	}
	defer func() { r.depth-- }()
	r.at++
	r.space()
	return read(v)
}

// object reads the rest of an object, after its brace.
func (r *reader) object(v value) (value, *syntaxError) {
	v.kind = kindObject
	first := map[string]pos{}
	if r.take('}') {
		return v, nil
	}
	for {
		if r.peek() != '"' {
			return v, r.unexpected("a name in double quotes")
		}
		m := member{pos: r.pos()}
		var err *syntaxError
		if m.name, err = r.text(); err != nil {
			return v, err
		}
		r.space()
		if !r.take(':') {
			return v, r.unexpected("a colon after %q", m.name)
		}
		r.space()
		if m.value, err = r.value(); err != nil {
			return v, err
		}
		if p, twice := first[m.name]; twice {
			r.problems.add(r.file, m.pos, "%q is here twice, first at line %d; keep one", m.name, p.line)
		} else {
			first[m.name] = m.pos
			v.members = append(v.members, m)
		}
		if done, err := r.more('}'); done || err != nil {
			return v, err
		}
	}
}

// listValue reads the rest of a list, after its bracket.
func (r *reader) listValue(v value) (value, *syntaxError) {
	v.kind = kindList
	if r.take(']') {
		return v, nil
	}
	for {
		e, err := r.value()
		if err != nil {
			return v, err
		}
		v.list = append(v.list, e)
		if done, err := r.more(']'); done || err != nil {
			return v, err
		}
	}
}

// more reads what stands between two elements, or the end.
func (r *reader) more(end byte) (done bool, err *syntaxError) {
	r.space()
	if r.take(end) {
		return true, nil
	}
	comma := r.pos()
	if !r.take(',') {
		return false, r.unexpected("a comma or %q", end)
	}
	r.space()
	if r.peek() == end && r.at < len(r.data) {
		return false, &syntaxError{comma, fmt.Sprintf("a comma before %q; JSON allows none there", end)}
	}
	return false, nil
}

// text reads a string. The escapes are checked here and decoded by encoding/json.
func (r *reader) text() (string, *syntaxError) {
	start := r.at
	for r.at++; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; {
		case c == '"':
			r.at++
			var s string
			if err := json.Unmarshal(r.data[start:r.at], &s); err != nil {
				return "", r.wrong("not a JSON string: %v", err)
			}
			return s, nil
		case c == '\n':
			return "", r.wrong("a line break inside a string; write \\n, or end the string with a double quote")
		case c < 0x20:
			return "", r.wrong("the control character %#U inside a string; write \\u%04x", rune(c), c)
		case c == '\\':
			if err := r.escape(); err != nil {
				return "", err
			}
		}
	}
	return "", r.wrong("the file ends inside a string; a double quote is missing")
}

// escape checks what follows a backslash and stops at its last byte.
func (r *reader) escape() *syntaxError {
	at := r.pos()
	r.at++
	switch r.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			r.at++
			if c := r.peek(); !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
				return &syntaxError{at, `\u needs four hexadecimal digits`}
			}
		}
		return nil
	}
	return &syntaxError{at, `not an escape that JSON knows; a backslash itself is \\`}
}

// number reads a number and returns it as written.
func (r *reader) number() (string, *syntaxError) {
	start := r.at
	r.take('-')
	if !r.take('0') && !r.digits() {
		return "", r.unexpected("a digit")
	}
	if r.take('.') && !r.digits() {
		return "", r.unexpected("a digit after the point")
	}
	if r.take('e') || r.take('E') {
		if !r.take('+') {
			r.take('-')
		}
		if !r.digits() {
			return "", r.unexpected("a digit of the exponent")
		}
	}
	return string(r.data[start:r.at]), nil
}

func (r *reader) digits() bool {
	start := r.at
	for '0' <= r.peek() && r.peek() <= '9' {
		r.at++
	}
	return r.at > start
}

// space skips white space and counts lines.
func (r *reader) space() {
	for ; r.at < len(r.data); r.at++ {
		switch r.data[r.at] {
		case '\n':
			r.line++
			r.counted, r.columns = r.at+1, 0
		case ' ', '\t', '\r':
		default:
			return
		}
	}
}

// peek returns the byte here, or 0 at the end.
func (r *reader) peek() byte {
	if r.at < len(r.data) {
		return r.data[r.at]
	}
	return 0
}

func (r *reader) take(c byte) bool {
	if r.at < len(r.data) && r.data[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *reader) pos() pos {
	at := min(r.at, len(r.data))
	r.columns += utf8.RuneCount(r.data[r.counted:at]) // not from the line's start each time: a file may be one line
	r.counted = at
	return pos{line: r.line + 1, column: r.columns + 1}
}

func (r *reader) wrong(format string, args ...any) *syntaxError {
	return &syntaxError{r.pos(), fmt.Sprintf(format, args...)}
}

// unexpected says what is here instead of what should be, with a hint for what people often write.
func (r *reader) unexpected(format string, args ...any) *syntaxError {
	want := fmt.Sprintf(format, args...)
	if r.at >= len(r.data) {
		return r.wrong("the file ends where %s should be", want)
	}
	c, _ := utf8.DecodeRune(r.data[r.at:])
	switch c {
	case '/', '#':
		return r.wrong("JSON has no comments; write a name that starts with an underscore, such as \"_comment\"")
	case '\'':
		return r.wrong("JSON strings stand in double quotes")
	case '\ufeff':
		return r.wrong("the file starts with a byte order mark; save it as UTF-8 without one")
	}
	return r.wrong("%q where %s should be", c, want)
}
