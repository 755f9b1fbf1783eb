package template

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Examination is what there is to know of a template before it is built.
type Examination struct {
	// Shape has the builds and the types of the provisioners. Nil where not even that can be read.
	Shape *Template

	// Checked is the template as a build has it. Nil where there are Problems.
	Checked *Template

	Problems    []Finding // what would stop a build
	Differences []Finding // where imago does something else than Packer, by default or always
	Notices     []Finding // what is taken and has no effect, or looks like a mistake
}

// Finding is one thing about a template, and where.
type Finding struct {
	File   string // empty for the command line
	Line   int    // 0 where there is no line to name
	Option string // of Packer's that it is about; may be empty
	Text   string // what is the matter, and what to do
}

// Examine reads a template as a build would, and says besides what is wrong with it
// where imago differs from Packer. Nothing outside is asked.
func Examine(path string, o Options) Examination {
	var e Examination
	x := examiner{path: path, rows: map[string][]Option{}}
	for _, row := range OptionTable() {
		x.rows[row.Component] = append(x.rows[row.Component], row)
	}
	shape := o
	shape.Inspect, shape.Lookup = true, nil
	if t, err := Parse(path, shape); err == nil {
		e.Shape = t
	}
	o.Lookup, o.finished = nil, x.look
	t, err := Parse(path, o)
	if err == nil {
		e.Checked = t
		e.Notices = x.warnings(t.Warnings)
	} else {
		e.Problems = problemsOf(err)
	}
	e.Differences, e.Notices = x.differences, append(x.notices, e.Notices...)
	for _, list := range []*[]Finding{&e.Differences, &e.Notices} {
		slices.SortStableFunc(*list, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
		*list = slices.CompactFunc(*list, func(a, b Finding) bool { return a == b })
	}
	return e
}

// problemsOf takes an error of Parse apart.
func problemsOf(err error) []Finding {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Finding
		for _, one := range joined.Unwrap() {
			all = append(all, problemsOf(one)...)
		}
		return all
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return []Finding{{File: e.File, Line: e.Line, Text: e.Text}}
	}
	return []Finding{{Text: err.Error()}}
}

// examiner holds the objects of a template against the table of options.
type examiner struct {
	path                 string
	rows                 map[string][]Option // by component
	differences, notices []Finding
}

// look is told of every object whose options have been read.
func (x *examiner) look(o *object) {
	for _, row := range x.rows[o.what] {
		switch {
		case row.Status == Noticed && o.says(row.Name):
			x.notices = append(x.notices, x.finding(o.place(row.Name), row.Name, row.Name+" has no effect: "+row.Note))
		case row.Differs == "":
		case differsWhenSet(row.Name):
			if o.says(row.Name) && !o.saysNo(row.Name) {
				x.differences = append(x.differences, x.finding(o.place(row.Name), row.Name, row.Differs))
			}
		case !o.says(row.Name) && !o.saysAny(instead(row.Name)...):
			x.differences = append(x.differences, x.finding(o.v.pos, row.Name, row.Differs))
		}
	}
}

// differsWhenSet says whether it is an option's meaning that differs, not what it is by default.
func differsWhenSet(name string) bool {
	return slices.Contains([]string{"ssh_bastion_host", "force_deregister", "encrypt_boot"}, name)
}

// instead are options beside which the default of another has nothing to say.
func instead(name string) []string {
	switch name {
	case "temporary_security_group_source_cidrs":
		return []string{"security_group_id", "security_group_ids", "security_group_filter", "temporary_security_group_source_public_ip"}
	case "temporary_key_pair_type":
		return []string{"ssh_keypair_name", "ssh_private_key_file", "ssh_password", "ssh_agent_auth"}
	case "ssh_disable_agent_forwarding":
		return []string{"ssh_agent_auth"}
	default:
		return nil
	}
}

func (x *examiner) finding(at pos, option, text string) Finding {
	return Finding{File: cmp.Or(at.file, x.path), Line: at.line, Option: option, Text: text}
}

// warnings are those of the reader that no finding says already.
func (x *examiner) warnings(all []string) []Finding {
	var left []Finding
	for _, text := range all {
		if !slices.ContainsFunc(x.notices, func(f Finding) bool { return strings.HasSuffix(text, f.Text) }) {
			left = append(left, Finding{Text: text})
		}
	}
	return left
}

// says is whether an option is set to something that is not empty.
func (o *object) says(name string) bool {
	v, ok := o.v.member(name)
	return ok && v.kind != kindNull && (v.kind != kindString || o.filledIn(v) != "")
}

// saysNo is whether what an option is set to is no.
func (o *object) saysNo(name string) bool {
	v, _ := o.v.member(name)
	yes, err := strconv.ParseBool(o.filledIn(v))
	return err == nil && !yes
}

// filledIn is a scalar with its variables, as far as they are known.
func (o *object) filledIn(v value) string {
	if text, err := o.p.render(v.text, place{}); err == nil {
		return text
	}
	return v.text
}

func (o *object) saysAny(names ...string) bool { return slices.ContainsFunc(names, o.says) }

// place is where an option stands.
func (o *object) place(name string) pos {
	v, _ := o.v.member(name)
	return v.pos
}
