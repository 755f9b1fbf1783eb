package template

import (
	"slices"
	"strconv"
)

// pos is a place in a file: line and column, from 1, in characters.
type pos struct {
	line, column int
	file         string // empty: the one that is being read
	width        int    // in characters; 0 when only the beginning is known
}

// kind is the kind of a value.
type kind string

const (
	kindNull   kind = "null"
	kindBool   kind = "a boolean"
	kindNumber kind = "a number"
	kindString kind = "a string"
	kindList   kind = "a list"
	kindObject kind = "an object"

	// kindUnknown stands for what a data source will say. It has no contents.
	kindUnknown kind = "a value that is not known yet"
)

// value is what an option is set to, and knows where it stands. Both languages make them: the JSON reader, and the
// evaluation of HCL, where a nested block is a list with an object for each time it is there.
type value struct {
	kind    kind
	pos     pos
	text    string // a string's contents; a number as it was written; a boolean as the language makes a string of it
	list    []value
	members []member

	// late evaluates an object anew once the facts of its build are known. Nil where nothing depends on them.
	late func(*parser) value
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

// scalar returns a string, number or boolean as the string that weak typing makes of it.
func (v value) scalar() (string, bool) {
	switch v.kind {
	case kindString, kindBool:
		return v.text, true
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

// unknown says whether something in v is not known.
func (v value) unknown() bool {
	isUnknown := func(e value) bool { return e.unknown() }
	return v.kind == kindUnknown || slices.ContainsFunc(v.list, isUnknown) ||
		slices.ContainsFunc(v.members, func(m member) bool { return m.value.unknown() })
}
