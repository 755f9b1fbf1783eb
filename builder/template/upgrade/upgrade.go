// Package upgrade writes JSON templates anew in HCL2, so that the same is built.
package upgrade

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder/template/format"
	"github.com/imagobuild/imago/builder/template/internal/jsontree"
)

// Result is a template in HCL2.
type Result struct {
	Text []byte

	// Warnings say what is not the same, or has no words in HCL2.
	Warnings []string
}

// Template writes the JSON template in data anew. name is for messages.
// Annotated puts comments between the blocks.
func Template(name string, data []byte, annotated bool) (Result, error) {
	v, err := jsontree.Read(name, data)
	if err != nil {
		return Result{}, err
	}
	root, ok := v.(*jsontree.Object)
	if !ok {
		return Result{}, fmt.Errorf("%s: a template must be a JSON object", name)
	}
	u := &upgrader{name: name, root: root, annotated: annotated}
	u.nameSources()
	u.nameVariables()
	u.packer()
	u.variables()
	u.sources()
	u.build()
	u.notice()
	if len(u.problems) > 0 {
		return Result{}, errors.Join(u.problems...)
	}
	text, err := format.Source(name+".pkr.hcl", []byte(strings.TrimLeft(u.out.String(), "\n")))
	if err != nil {
		return Result{}, fmt.Errorf("%s: what became of it cannot be read, which is a mistake of imago's: %w", name, err)
	}
	return Result{text, u.warnings}, nil
}

// upgrader writes one template.
type upgrader struct {
	name      string // of the template, for messages
	root      *jsontree.Object
	annotated bool
	out       strings.Builder
	names     map[string]source // of the builders, by their JSON names
	vars      map[string]variable
	env       []string // that locals need
	warnings  []string
	problems  []error
}

func (u *upgrader) warn(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(u.warnings, text) {
		u.warnings = append(u.warnings, text)
	}
}

func (u *upgrader) problem(format string, args ...any) {
	err := fmt.Errorf(u.name+": "+format, args...)
	told := func(e error) bool { return e.Error() == err.Error() }
	if !slices.ContainsFunc(u.problems, told) {
		u.problems = append(u.problems, err)
	}
}

// comment writes a line for people, if that is wanted.
func (u *upgrader) comment(text string) {
	if u.annotated {
		fmt.Fprintf(&u.out, "# %s\n", text)
	}
}

// begin starts a block.
func (u *upgrader) begin(kind string, labels ...string) {
	u.out.WriteString(kind)
	for _, l := range labels {
		u.out.WriteString(" " + literal(l))
	}
	u.out.WriteString(" {\n")
}

// end closes the block. One with nothing in it is a line.
func (u *upgrader) end() {
	if text := u.out.String(); strings.HasSuffix(text, "{\n") {
		u.out.Reset()
		u.out.WriteString(strings.TrimSuffix(text, "\n"))
	}
	u.out.WriteString("}\n")
}

// gap leaves a line free, but for right behind a block's beginning.
func (u *upgrader) gap() {
	if !strings.HasSuffix(u.out.String(), "{\n") {
		u.out.WriteString("\n")
	}
}

func (u *upgrader) attribute(name, expr string) { fmt.Fprintf(&u.out, "%s = %s\n", name, expr) }

// packer writes what the template needs of Packer.
func (u *upgrader) packer() {
	minimum, plugins := u.root.Text("min_packer_version"), u.plugins()
	if minimum == "" && len(plugins) == 0 {
		return
	}
	u.begin("packer")
	if minimum != "" {
		u.attribute("required_version", literal(">= "+strings.TrimPrefix(minimum, "v")))
	}
	if len(plugins) > 0 {
		u.begin("required_plugins")
		for _, p := range plugins {
			fmt.Fprintf(&u.out, "%s = {\nsource = %s\nversion = %s\n}\n", p.name, literal(p.source), literal(p.version))
		}
		u.end()
	}
	u.end()
}

// notice tells what has no place in HCL2.
func (u *upgrader) notice() {
	for _, m := range u.root.Members {
		switch {
		case m.Name == "push":
			u.warn("push is left out: the service it was for is gone")
		case strings.HasPrefix(m.Name, "_"):
			u.warn("the comment %s is left out", m.Name)
		}
	}
}

// identifier makes a name that HCL2 allows of any, and says whether it is another.
func identifier(name string) (string, bool) {
	var b strings.Builder
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if letter || i > 0 && (r == '-' || '0' <= r && r <= '9') {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String(), b.String() != name
}
