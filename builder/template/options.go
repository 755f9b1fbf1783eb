package template

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// object reads the options of a JSON object by name, with Packer's weak typing,
// and remembers which were asked for: the others are unknown.
type object struct {
	p     *parser
	v     value
	what  string // such as "builder amazon-ebs", for messages
	asked map[string]bool
	told  map[string]bool // options whose problem is told
	facts bool            // all of its options may use {{build `X`}}

	informed bool // the facts are known
}

func (p *parser) object(v value, what string) *object {
	return &object{p: p, v: v, what: what, asked: map[string]bool{}, told: map[string]bool{}}
}

// get returns an option, if it is there and not null.
func (o *object) get(name string) (value, bool) {
	o.asked[name] = true
	v, ok := o.v.member(name)
	return v, ok && v.kind != kindNull
}

// open says whether an option is set to something that is not known yet.
func (o *object) open(name string) bool {
	v, _ := o.v.member(name)
	return v.kind == kindUnknown
}

// wrong notes what is wrong with an option.
func (o *object) wrong(at value, name, format string, args ...any) {
	o.told[name] = true
	o.p.problem(at.pos, name+" "+format, args...)
}

// unknownText stands for a text that is not known yet.
const unknownText = "unknown"

// render fills in a scalar.
func (o *object) render(name string, v value, in place) (string, bool) {
	if v.kind == kindUnknown {
		return unknownText, true
	}
	text, ok := v.scalar()
	if !ok {
		o.wrong(v, name, "must be a string, not %s", v.kind)
		return "", false
	}
	in.facts = in.facts || o.facts
	out, err := o.p.render(text, in)
	if err != nil {
		o.told[name] = true
		o.p.told(v.pos, err, name)
		return "", false
	}
	return out, true
}

// text returns a string option, filled in.
func (o *object) text(name string) string { return o.textIn(name, place{}) }

func (o *object) textIn(name string, in place) string {
	v, ok := o.get(name)
	if !ok {
		return ""
	}
	text, _ := o.render(name, v, in)
	return text
}

// plain returns a string option as written.
func (o *object) plain(name string) string {
	v, ok := o.get(name)
	if !ok {
		return ""
	}
	text, ok := v.scalar()
	if !ok {
		o.wrong(v, name, "must be a string, not %s", v.kind)
	}
	return text
}

// required is text that may not be empty.
func (o *object) required(name string) string {
	text := o.text(name)
	o.need(name, text != "")
	return text
}

// need notes that an option is missing, unless its own problem is told already.
func (o *object) need(name string, there bool) {
	if there || o.told[name] {
		return
	}
	if v, ok := o.get(name); ok {
		o.wrong(v, name, "is empty; %s needs it", o.what)
		return
	}
	o.p.problem(o.v.pos, "%s needs %s", o.what, name)
	o.told[name] = true
}

// tristate returns a boolean option, or nil when it is not there.
func (o *object) tristate(name string) *bool {
	v, ok := o.get(name)
	if !ok {
		return nil
	}
	text, ok := o.render(name, v, place{})
	if !ok || text == "" || v.kind == kindUnknown {
		return nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		o.wrong(v, name, "is %q; it must be true or false", text)
		return nil
	}
	return &b
}

func (o *object) boolean(name string) bool {
	b := o.tristate(name)
	return b != nil && *b
}

// number returns a whole number from lowest on, or 0 when it is not there.
func (o *object) number(name string, lowest int) int {
	v, ok := o.get(name)
	if !ok {
		return 0
	}
	text, ok := o.render(name, v, place{})
	if !ok || text == "" || v.kind == kindUnknown {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < lowest {
		o.wrong(v, name, "is %q; it must be a whole number from %d on", text, lowest)
		return 0
	}
	return n
}

// duration returns a length of time such as 90s or 1h30m. A bare number counts
// nanoseconds in Packer, which nobody means: it is refused.
func (o *object) duration(name string) time.Duration {
	v, ok := o.get(name)
	if !ok {
		return 0
	}
	text, ok := o.render(name, v, place{})
	if !ok || text == "" || v.kind == kindUnknown {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		o.wrong(v, name, "is %q; it must be a duration such as 90s or 5m", text)
		return 0
	}
	return d
}

// oneOf is text that must be one of some words, or empty.
func (o *object) oneOf(name string, words ...string) string {
	text := o.text(name)
	if text == "" || o.open(name) {
		return ""
	}
	for _, w := range words {
		if text == w {
			return text
		}
	}
	v, _ := o.get(name)
	o.wrong(v, name, "is %q; it must be %s", text, strings.Join(words, " or "))
	return ""
}

// file reads the file that an option names, or returns nil when it is not there.
func (o *object) file(name string) []byte {
	path := o.text(name)
	if path == "" || o.open(name) {
		return nil
	}
	v, _ := o.get(name)
	data, err := o.p.read(path)
	if err != nil {
		o.wrong(v, name, "names %s, which %s", path, err)
	}
	return data
}

// given says whether an option is there and, if it is a string, not empty.
func (o *object) given(name string) bool {
	v, ok := o.get(name)
	return ok && (v.kind != kindString || o.text(name) != "")
}

// exclusive notes that only one of two options may be there.
func (o *object) exclusive(a, b string) {
	v, _ := o.get(b)
	if o.given(a) && o.given(b) {
		o.p.problem(v.pos, "%s and %s exclude each other; keep one", a, b)
	}
}

// unsupported refuses the options that are known but not there yet, with what to do instead.
func (o *object) unsupported(options map[string]string) {
	for _, name := range names(options) {
		at, there := o.v.member(name)
		o.asked[name] = true
		if there && at.kind != kindNull && (at.text != "" || at.kind != kindString) {
			o.refuse(at, name, options[name])
		}
	}
}

// refuse says that something Packer has is not supported, and what to do instead.
// Where the template is only looked at, that is a warning: Packer takes it.
func (o *object) refuse(at value, what, instead string) {
	text := what + " is not supported"
	if instead != "" {
		text += "; " + instead
	}
	if o.p.o.Check {
		place := at.pos
		place.file = cmp.Or(place.file, o.p.path)
		o.p.warnAt(place, "a build refuses this: %s", text)
		return
	}
	o.p.problem(at.pos, "%s", text)
}

// finish refuses every option that nobody asked for. In JSON names that begin
// with an underscore are comments.
func (o *object) finish() {
	if o.p.o.watch != nil {
		o.p.o.watch(o.what, o.asked)
	}
	if o.p.o.finished != nil {
		o.p.o.finished(o)
	}
	for _, m := range o.v.members {
		comment := strings.HasPrefix(m.name, "_") && !o.p.hcl
		if !o.asked[m.name] && !comment {
			o.p.problem(m.pos, "%s has no option %q%s", o.what, m.name, didYouMean(m.name, names(o.asked)))
		}
	}
}
