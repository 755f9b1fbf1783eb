package template

import (
	"strconv"
	"strings"
)

// item is one string of a list and its place.
type item struct {
	value
	text string
}

// items returns a list of strings. One string is cut at its commas, as in Packer.
func (o *object) items(name string, in place) []item {
	v, ok := o.get(name)
	if !ok {
		return nil
	}
	if v.kind == kindUnknown {
		o.told[name] = true
		return nil
	}
	if v.kind != kindList {
		if _, scalar := v.scalar(); scalar && o.p.hcl {
			o.wrong(v, name, "must be a list of strings, not %s; write [ … ] around it", v.kind)
			return nil
		}
		text, ok := o.render(name, v, in)
		if !ok || text == "" {
			return nil
		}
		var all []item
		for s := range strings.SplitSeq(text, ",") {
			all = append(all, item{v, s})
		}
		return all
	}
	var all []item
	for _, e := range v.list {
		if text, ok := o.render(name, e, in); ok {
			all = append(all, item{e, text})
		}
	}
	return all
}

// list returns a list of names or ids: without the blanks around them, and
// without empty ones.
func (o *object) list(name string) []string {
	var all []string
	for _, i := range o.items(name, place{}) {
		if s := strings.TrimSpace(i.text); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// numbers returns a list of whole numbers.
func (o *object) numbers(name string) []int {
	var all []int
	for _, i := range o.items(name, place{}) {
		n, err := strconv.Atoi(strings.TrimSpace(i.text))
		if i.kind == kindUnknown {
			continue
		} else if err != nil {
			o.wrong(i.value, name, "holds %q; it must hold whole numbers", i.text)
			continue
		}
		all = append(all, n)
	}
	return all
}

// pairs returns an object of strings. singular names Packer's other form of the
// same option, a list of objects with a key (or name) and a value.
func (o *object) pairs(name, singular string, in place) map[string]string {
	all := map[string]string{}
	if v, ok := o.get(name); ok {
		o.addPairs(all, name, v, in)
	}
	if singular != "" {
		for _, e := range o.objects(singular) {
			key := e.text("key")
			if _, named := e.v.member("name"); named {
				key = e.text("name")
			}
			all[key] = e.textIn("value", in)
			e.finish()
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// addPairs adds what an object of strings holds. In JSON a list of such objects counts as all of them together, as in Packer.
func (o *object) addPairs(all map[string]string, name string, v value, in place) {
	switch {
	case v.kind == kindObject:
		for _, m := range v.members {
			if text, ok := o.render(name+"."+m.name, m.value, in); ok {
				all[m.name] = text
			}
		}
	case v.kind == kindString && v.text == "", v.kind == kindList && len(v.list) == 0, v.kind == kindUnknown:
	case v.kind == kindList && !o.p.hcl:
		for _, e := range v.list {
			o.addPairs(all, name, e, in)
		}
	default:
		o.wrong(v, name, "must be an object of names and values, not %s", v.kind)
	}
}

// object returns a nested object, or nil when it is not there. A list of one is
// taken for its only element, as in Packer.
func (o *object) object(name string) *object {
	v, ok := o.get(name)
	if !ok {
		return nil
	}
	if v.kind == kindList && len(v.list) == 1 {
		v = v.list[0]
	}
	switch {
	case v.kind == kindUnknown:
		o.told[name] = true
		return nil
	case v.kind == kindList && o.p.hcl && len(v.list) > 1:
		o.wrong(v.list[1], name, "is here %d times; keep one", len(v.list))
		return nil
	case v.kind != kindObject:
		o.wrong(v, name, "must be an object, not %s", v.kind)
		return nil
	}
	return o.p.object(v, name)
}

// single is an option with one string where others have a list.
func (o *object) single(name string) []string {
	if text := strings.TrimSpace(o.text(name)); text != "" {
		return []string{text}
	}
	return nil
}

// objects returns a list of objects. One object counts as a list of one.
func (o *object) objects(name string) []*object {
	v, ok := o.get(name)
	if !ok {
		return nil
	}
	list := v.list
	if v.kind == kindObject {
		list = []value{v}
	} else if v.kind != kindList {
		o.wrong(v, name, "must be a list of objects, not %s", v.kind)
		return nil
	}
	var all []*object
	for _, e := range list {
		if e.kind != kindObject {
			o.wrong(e, name, "must hold objects, not %s", e.kind)
			continue
		}
		all = append(all, o.p.object(e, name))
	}
	return all
}
