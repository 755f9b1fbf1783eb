package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// errTold marks a value that cannot be rendered because of a problem that is
// told elsewhere, such as a variable without a value.
var errTold = errors.New("told elsewhere")

// place says what a string may refer to where it stands.
type place struct {
	// env allows {{env `X`}}: inside variables alone.
	env bool

	// fields are known only later, such as .Path of a script. With them the
	// rendered text is itself a template, in which everything else is filled in.
	fields []string

	// facts allows {{build `X`}}: where a text is used once the machine is there.
	facts bool

	// user looks a variable up; the parser's own values unless set.
	user func(string) (string, error)
}

// later says whether what is rendered here will be rendered once more.
func (l place) later() bool { return len(l.fields) > 0 }

// render fills text in. In a place with things known later it returns a
// template that is rendered again with those, and nothing that a variable holds
// is mistaken for a part of it.
func (p *parser) render(text string, in place) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	tree, err := parseTree(text)
	if err != nil {
		return "", err
	}
	if err := p.check(tree.Root, in); err != nil {
		return "", err
	}
	if !deferred(tree.Root, in) {
		out, err := p.execute(tree, in)
		if in.later() {
			out = literal(out)
		}
		return out, err
	}
	if err := p.fill(tree.Root, in); err != nil {
		return "", err
	}
	return tree.Root.String(), nil
}

// parseTree parses without asking which functions there are: check does, and better.
func parseTree(text string) (*parse.Tree, error) {
	tree := parse.New("value")
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "{{", "}}", map[string]*parse.Tree{}); err != nil {
		_, message, _ := strings.Cut(err.Error(), "template: value:")
		if _, rest, ok := strings.Cut(message, ": "); ok {
			message = rest
		}
		return nil, fmt.Errorf("%q is not a template that can be read: %s", text, message)
	}
	return tree, nil
}

// execute renders a tree in which nothing is left for later.
func (p *parser) execute(tree *parse.Tree, in place) (string, error) {
	t, err := template.New("value").Funcs(p.functions(in)).AddParseTree("value", tree)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, nil); err != nil {
		var failed template.ExecError
		if errors.As(err, &failed) {
			err = innermost(failed.Err)
		}
		return "", err
	}
	return out.String(), nil
}

// innermost takes the places that text/template wraps around an error away: the
// template's own place is told instead.
func innermost(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

func (p *parser) functions(in place) template.FuncMap {
	f := p.immediate()
	f["user"] = p.user
	if in.user != nil {
		f["user"] = in.user
	}
	f["env"] = func(name string) string {
		if p.o.Env == nil {
			return ""
		}
		v, _ := p.o.Env(name)
		return v
	}
	f["build"] = func(name string) string { return p.facts[name] }
	return f
}

// check refuses functions and fields that have no meaning here.
func (p *parser) check(root parse.Node, in place) error {
	var errs []error
	walk(root, func(n parse.Node) {
		switch n := n.(type) {
		case *parse.CommandNode:
			if id, ok := n.Args[0].(*parse.IdentifierNode); ok && id.Ident == "build" {
				errs = append(errs, checkFact(n, in))
			}
		case *parse.IdentifierNode:
			errs = append(errs, p.checkFunc(n.Ident, in))
		case *parse.FieldNode:
			errs = append(errs, checkField(n.Ident[0], in))
		case *parse.TemplateNode:
			errs = append(errs, errors.New("{{template}} is not supported yet"))
		}
	})
	for _, err := range errs { // the first is enough for one value
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) checkFunc(name string, in place) error {
	if name == "clean_ami_name" {
		p.warn("clean_ami_name is an older name of clean_resource_name, and not in Packer any more")
	}
	if why, ok := refused()[name]; ok {
		return errors.New(why)
	}
	if instead, ok := jsonOnly()[name]; ok && p.hcl {
		return fmt.Errorf("{{%s}} is for JSON templates; write %s", name, instead)
	}
	if name == "env" && !in.env {
		return errors.New("env may stand only in variables; declare a variable with {{env `X`}} as its default and use {{user `x`}} here")
	}
	if in.env && (name == "build_name" || name == "build_type") {
		return fmt.Errorf("%s is not known in variables, which all builds share", name)
	}
	if known := p.known(); !slices.Contains(known, name) {
		return fmt.Errorf("there is no function %q%s", name, didYouMean(name, known))
	}
	return nil
}

// jsonOnly are functions that HCL2 templates have other words for.
func jsonOnly() map[string]string {
	return map[string]string{
		"user": "${var.NAME}", "template_dir": "${path.root}",
		"env": "${var.NAME}, of a variable whose default is env(\"X\")",
	}
}

func checkField(name string, in place) error {
	if slices.Contains(in.fields, name) {
		return nil
	}
	if len(in.fields) == 0 {
		return fmt.Errorf("{{.%s}} has no value here", name)
	}
	return fmt.Errorf("{{.%s}} has no value here; there are .%s%s", name, strings.Join(in.fields, ", ."), didYouMean(name, in.fields))
}

func checkFact(n *parse.CommandNode, in place) error {
	if !in.facts {
		return errors.New("{{build}} is known only once the machine is there, to provisioners and post-processors")
	}
	if len(n.Args) == 2 {
		if s, ok := n.Args[1].(*parse.StringNode); ok {
			known := names(exampleFacts())
			if slices.Contains(known, s.Text) {
				return nil
			}
			return fmt.Errorf("{{build `%s`}} is not supported yet; there are %s%s", s.Text, strings.Join(known, ", "), didYouMean(s.Text, known))
		}
	}
	return errors.New("{{build}} takes one name, as in {{build `ID`}}")
}
