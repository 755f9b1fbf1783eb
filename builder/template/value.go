package template

import (
	"slices"
	"strconv"
)

// pos is a place in a file: line and column, from 1, in characters.
type pos struct{ line, column int }

// kind is the kind of a JSON value.
type kind string

const (
	kindNull   kind = "null"
	kindBool   kind = "a boolean"
	kindNumber kind = "a number"
	kindString kind = "a string"
	kindList   kind = "a list"
	kindObject kind = "an object"
)

// value is a JSON value that knows where it stands.
type value struct {
	kind    kind
	pos     pos
	text    string // a string's contents; a boolean or number as it was written
	list    []value
	members []member
}

// member is one name and value of an object.
type member struct {
	name  string
	pos   pos // of the name
	value value
}

// member returns the value of a name, and whether it is there.
func (v value) member(name string) (value, bool) {
	for _, m := range v.members {
		if m.name == name {
			return m.value, true
		}
	}
	return value{}, false
}

// without returns v without one member.
func (v value) without(name string) value {
	rest := v
	rest.members = slices.DeleteFunc(slices.Clone(v.members), func(m member) bool { return m.name == name })
	return rest
}

// with returns v with other's members put over its own.
func (v value) with(other value) value {
	merged := v
	merged.members = nil
	for _, m := range v.members {
		if _, ok := other.member(m.name); !ok {
			merged.members = append(merged.members, m)
		}
	}
	merged.members = append(merged.members, other.members...)
	return merged
}

// scalar returns a string, number or boolean as Packer's weak typing makes a
// string of it: true is "1" and false "0".
func (v value) scalar() (string, bool) {
	switch v.kind {
	case kindString:
		return v.text, true
	case kindBool:
		if v.text == "true" {
			return "1", true
		}
		return "0", true
	case kindNumber:
		f, err := strconv.ParseFloat(v.text, 64)
		if err != nil {
			return v.text, true
		}
		return strconv.FormatFloat(f, 'f', -1, 64), true
	}
	return "", false
}

// strings calls f with every string in v, at any depth.
func (v value) strings(f func(value)) {
	if v.kind == kindString {
		f(v)
	}
	for _, e := range v.list {
		e.strings(f)
	}
	for _, m := range v.members {
		m.value.strings(f)
	}
}
