// Package jsontree reads and writes JSON without losing the order of objects or
// the way in which numbers are written.
package jsontree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Object is a JSON object. The other values are those of encoding/json, with
// numbers as json.Number and lists as *List.
type Object struct{ Members []Member }

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value any
}

// List is a JSON array.
type List struct{ Items []any }

// Get returns the value of a name, and whether it is there.
func (o *Object) Get(name string) (any, bool) {
	if i := o.index(name); i >= 0 {
		return o.Members[i].Value, true
	}
	return nil, false
}

// Text returns a string member, or nothing.
func (o *Object) Text(name string) string {
	v, _ := o.Get(name)
	text, _ := v.(string)
	return text
}

// List returns a list member, or nothing.
func (o *Object) List(name string) []any {
	v, _ := o.Get(name)
	if l, ok := v.(*List); ok {
		return l.Items
	}
	return nil
}

// Set gives a name a value, where it is, or else at the end.
func (o *Object) Set(name string, v any) {
	if i := o.index(name); i >= 0 {
		o.Members[i].Value = v
		return
	}
	o.Members = append(o.Members, Member{name, v})
}

// Delete takes a name away.
func (o *Object) Delete(name string) {
	o.Members = slices.DeleteFunc(o.Members, func(m Member) bool { return m.Name == name })
}

// Rename calls a member by another name, at its place, unless there is one of
// that name: then only the old one goes. It says whether there was something to do.
func (o *Object) Rename(from, to string) bool {
	i := o.index(from)
	if i < 0 {
		return false
	}
	if o.index(to) >= 0 {
		o.Delete(from)
	} else {
		o.Members[i].Name = to
	}
	return true
}

func (o *Object) index(name string) int {
	return slices.IndexFunc(o.Members, func(m Member) bool { return m.Name == name })
}

// MarshalJSON writes the members in their order.
func (o *Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o.Members {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := marshal(m.Name)
		if err != nil {
			return nil, err
		}
		v, err := marshal(m.Value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// MarshalJSON writes the items.
func (l *List) MarshalJSON() ([]byte, error) {
	if l.Items == nil {
		return []byte("[]"), nil
	}
	return marshal(l.Items)
}

// marshal leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Write writes a value with an indentation of two blanks and a line end.
func Write(v any) ([]byte, error) {
	text, err := marshal(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Read reads one value that is the whole of data. name is for messages.
func Read(name string, data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := read(d, 0)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is something behind the end of the object")
		}
	}
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends too early")
		}
		line, column := place(data, d.InputOffset())
		return nil, fmt.Errorf("%s:%d:%d: %w", name, line, column, err)
	}
	return v, nil
}

// maxDepth is how deep lists and objects may nest: less than HCL2 may.
const maxDepth = 400

// read reads one value, that many levels deep.
func read(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	switch t {
	case json.Delim('{'):
		return readObject(d, depth+1)
	case json.Delim('['):
		return readList(d, depth+1)
	}
	return t, nil
}

func readObject(d *json.Decoder, depth int) (*Object, error) {
	o := &Object{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, errors.New("a name in double quotes should be here")
		}
		if _, twice := o.Get(name); twice {
			return nil, fmt.Errorf("%q is here twice; keep one", name)
		}
		v, err := read(d, depth)
		if err != nil {
			return nil, err
		}
		o.Members = append(o.Members, Member{name, v})
	}
	_, err := d.Token()
	return o, err
}

func readList(d *json.Decoder, depth int) (*List, error) {
	l := &List{}
	for d.More() {
		v, err := read(d, depth)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, v)
	}
	_, err := d.Token()
	return l, err
}

// place is the line and column, from 1, of an offset.
func place(data []byte, offset int64) (line, column int) {
	before := data[:min(int(offset), len(data))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}
