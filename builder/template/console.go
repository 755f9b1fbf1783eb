package template

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// consoleFile is the file that an expression stands in, for messages.
const consoleFile = "console"

// Console evaluates what is typed, over the variables, locals and functions of a template.
type Console struct {
	p *parser
	m *module // nil for JSON
}

// OpenConsole reads the template at path, which may be empty: then there are the functions alone. A variable without a
// value is not known; what the template builds is not looked at.
func OpenConsole(path string, o Options) (*Console, error) {
	o.Inspect = true
	p, err := newParser(path, o)
	if err != nil {
		return nil, err
	}
	c := &Console{p: p}
	switch {
	case o.HCL || path != "" && isHCL(p.local(path)):
		c.m = newModule(p)
		c.readHCL()
	case path == "":
		p.root = value{kind: kindObject, members: []member{{name: "variables", value: declared(o.Vars)}}}
		p.readVariables()
	case p.readRoot():
		p.readVariables()
	}
	return c, p.problems.err(p.result.Sensitive)
}

// declared are variables for -var alone.
func declared(vars map[string]string) value {
	v := value{kind: kindObject}
	for _, name := range names(vars) {
		v.members = append(v.members, member{name: name, value: value{kind: kindNull}})
	}
	return v
}

func (c *Console) readHCL() {
	var bodies []hcl.Body
	if c.p.path != "" {
		bodies = c.m.readFiles()
	}
	if len(c.p.problems.all) > 0 {
		return
	}
	for _, body := range bodies {
		c.m.readBlocks(body)
	}
	c.m.readValues()
}

// Sensitive lists the values that must not be shown, as far as they have been met.
func (c *Console) Sensitive() []string { return c.p.result.Sensitive }

// HCL says whether expressions are HCL's, and not texts with {{…}} in them.
func (c *Console) HCL() bool { return c.m != nil }

// Eval evaluates an expression of HCL, or fills in a text of a JSON template.
func (c *Console) Eval(text string) (string, error) {
	c.p.problems.all = nil
	out := ""
	if c.m != nil {
		out = c.evalHCL(text)
	} else if filled, err := c.p.render(text, place{}); err != nil {
		c.p.told(pos{}, err, "in "+text)
	} else {
		out = filled
	}
	return out, c.p.problems.err(c.p.result.Sensitive)
}

func (c *Console) evalHCL(text string) string {
	if strings.Contains(text, "<<") {
		text += "\n" // a heredoc's last word needs its line end
	}
	c.p.problems.sources[consoleFile] = []byte(text)
	if why := tooMuch([]byte(text)); why != "" {
		c.p.problems.add(consoleFile, pos{}, "the expression %s", why)
		return ""
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), consoleFile, hcl.InitialPos)
	c.p.diagnose(diags)
	if diags.HasErrors() {
		return ""
	}
	v, ok := c.m.evaluator().value(expr)
	if !ok {
		return ""
	}
	return shown(v)
}

// Incomplete says whether an expression goes on in the next line: a bracket or a heredoc is open.
func (c *Console) Incomplete(text string) bool {
	if c.m == nil {
		return false
	}
	open := 0
	tokens, _ := hclsyntax.LexExpression([]byte(text), consoleFile, hcl.InitialPos)
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOHeredoc,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			open--
		}
	}
	return open > 0
}

// Variables lists the variables, and the locals of HCL, with their values.
func (c *Console) Variables() (variables, locals []Variable) {
	c.p.problems.all, c.p.result.Variables = nil, nil
	if c.m != nil {
		c.m.outline()
		return c.p.result.Variables, c.p.result.Outline.Locals
	}
	for _, name := range names(c.p.vars.raw) {
		text, err := c.p.user(name)
		if err != nil {
			text = fmt.Sprintf("<%s>", err)
		}
		variables = append(variables, Variable{Name: name, Value: text})
	}
	return variables, nil
}
