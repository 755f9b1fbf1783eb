package upgrade

import (
	"fmt"
	"strings"
	"text/template/parse"
)

// piece is a part of a text: literal, or an expression of HCL's.
type piece struct {
	text string
	expr bool
}

// where says what a text belongs to.
type where int

const (
	inVariable where = iota // {{env}} means something
	inLocal                 // so it does, but env() does not
	inSource
	inStep // {{build}} means something
)

// pieces takes a text of a JSON template apart. What HCL2 has words of its own for (variables, the environment, the
// template's directory, facts of the build) becomes expressions; all else, such as {{timestamp}} or {{.Vars}}, means the
// same in both and stays.
func (u *upgrader) pieces(text string, in where) []piece {
	if !strings.Contains(text, "{{") {
		return []piece{{text: text}}
	}
	tree := parse.New("value")
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "{{", "}}", map[string]*parse.Tree{}); err != nil {
		u.problem("%q is not a template that can be read: %v", text, err)
		return nil
	}
	t := &translation{u: u, in: in}
	t.list(tree.Root)
	if len(t.exprs) == 0 {
		return []piece{{text: text}}
	}
	return t.split(tree.Root.String())
}

// translation puts marks into a tree where expressions are to stand.
type translation struct {
	u     *upgrader
	in    where
	exprs []string
}

// mark is what stands for an expression in the tree's text. No JSON template
// holds these characters outside of escapes that nobody writes.
func (t *translation) mark(expr string) string {
	t.exprs = append(t.exprs, expr)
	return fmt.Sprintf("\x00%d\x00", len(t.exprs)-1)
}

// split cuts a text at its marks.
func (t *translation) split(text string) (all []piece) {
	for {
		before, rest, ok := strings.Cut(text, "\x00")
		if before != "" {
			all = append(all, piece{text: before})
		}
		if !ok {
			return all
		}
		number, after, _ := strings.Cut(rest, "\x00")
		n := 0
		fmt.Sscan(number, &n) // which mark wrote
		all = append(all, piece{t.exprs[n], true})
		text = after
	}
}

// list translates what stands in a list of nodes.
func (t *translation) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for i, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 && len(n.Pipe.Cmds) == 1 {
				if expr, ok := t.call(n.Pipe.Cmds[0]); ok {
					l.Nodes[i] = &parse.TextNode{NodeType: parse.NodeText, Text: []byte(t.mark(expr))}
					continue
				}
			}
			t.pipe(n.Pipe)
		case *parse.IfNode:
			t.branch(&n.BranchNode)
		case *parse.RangeNode:
			t.branch(&n.BranchNode)
		case *parse.WithNode:
			t.branch(&n.BranchNode)
		}
	}
}

func (t *translation) branch(b *parse.BranchNode) {
	t.pipe(b.Pipe)
	t.list(b.List)
	t.list(b.ElseList)
}

// pipe translates the calls in a pipeline. Their values stand there as strings of Go's, which JSON's are.
func (t *translation) pipe(p *parse.PipeNode) {
	for _, c := range p.Cmds {
		if expr, ok := t.call(c); ok {
			c.Args = []parse.Node{t.quoted(expr)}
			continue
		}
		for i, a := range c.Args {
			switch a := a.(type) {
			case *parse.PipeNode:
				t.pipe(a)
			case *parse.IdentifierNode:
				if expr, ok := t.call(&parse.CommandNode{Args: []parse.Node{a}}); ok && i > 0 {
					c.Args[i] = t.quoted(expr)
				} else if t.ours(a.Ident) {
					t.u.problem("{{%s}}: %s cannot take its name from elsewhere in HCL2", p, a.Ident)
				}
			}
		}
	}
}

func (t *translation) quoted(expr string) parse.Node {
	return &parse.StringNode{NodeType: parse.NodeString, Quoted: t.mark("jsonencode(" + expr + ")")}
}

// ours says whether a function has other words in HCL2.
func (t *translation) ours(function string) bool {
	return function == "user" || function == "env" && (t.in == inVariable || t.in == inLocal)
}

// call is the expression for a call that HCL2 has words of its own for.
func (t *translation) call(c *parse.CommandNode) (string, bool) {
	id, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok {
		return "", false
	}
	if len(c.Args) == 1 {
		return t.word(id.Ident)
	}
	name, ok := c.Args[1].(*parse.StringNode)
	if !ok || len(c.Args) != 2 {
		return "", false
	}
	switch {
	case id.Ident == "user":
		return t.u.reference(name.Text), true
	case id.Ident == "env" && t.in == inVariable:
		return "env(" + literal(name.Text) + ")", true
	case id.Ident == "env" && t.in == inLocal:
		return t.u.environment(name.Text), true
	case id.Ident == "isotime" && t.in == inLocal, id.Ident == "strftime" && t.in == inLocal:
		return "legacy_" + id.Ident + "(" + literal(name.Text) + ")", true
	case id.Ident == "build" && t.in == inStep:
		return "build." + name.Text, true
	}
	return "", false
}

// word is the expression for a call without arguments.
func (t *translation) word(function string) (string, bool) {
	switch {
	case function == "template_dir":
		return "abspath(path.root)", true
	case function == "isotime" && t.in == inLocal:
		return "timestamp()", true
	}
	return "", false
}
