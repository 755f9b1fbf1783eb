package template

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// deferred says whether a node needs what is known only later.
func deferred(root parse.Node, in place) bool {
	found := false
	walk(root, func(n parse.Node) {
		if _, field := n.(*parse.FieldNode); field {
			found = in.later()
		}
	})
	return found
}

// fill replaces what is known by its value, in a tree that holds things known
// later, and refuses what would need a function of Packer's then.
func (p *parser) fill(root parse.Node, in place) error {
	var errs []error
	walk(root, func(n parse.Node) {
		switch n := n.(type) {
		case *parse.ListNode:
			for i, child := range n.Nodes {
				if a, ok := child.(*parse.ActionNode); ok && len(a.Pipe.Decl) == 0 {
					if text := p.constant(a.Pipe, in, &errs); text != nil {
						n.Nodes[i] = textNode(a.Pos, *text)
					}
				}
			}
		case *parse.PipeNode:
			if ours(n.Cmds[len(n.Cmds)-1].Args[0]) {
				if text := p.constant(n, in, &errs); text != nil {
					n.Cmds = command(stringNode(*text))
				}
			}
		case *parse.CommandNode:
			for i, arg := range n.Args[1:] {
				if ours(arg) {
					if text := p.constant(&parse.PipeNode{Cmds: command(arg)}, in, &errs); text != nil {
						n.Args[i+1] = stringNode(*text)
					}
				}
			}
		case *parse.IdentifierNode:
			if ours(n) {
				errs = append(errs, fmt.Errorf("%s cannot be used on what is known only later", n.Ident))
			}
		}
	})
	for _, err := range errs { // one message a value
		return err
	}
	return nil
}

// ours says whether a node is one of Packer's functions, all of which make strings.
func ours(n parse.Node) bool {
	id, ok := n.(*parse.IdentifierNode)
	return ok && !slices.Contains(goFuncs(), id.Ident)
}

func stringNode(s string) *parse.StringNode {
	return &parse.StringNode{NodeType: parse.NodeString, Quoted: quote(s), Text: s}
}

func command(n parse.Node) []*parse.CommandNode {
	return []*parse.CommandNode{{NodeType: parse.NodeCommand, Args: []parse.Node{n}}}
}

// constant evaluates a pipeline that depends on nothing known later, and
// returns nil for any other.
func (p *parser) constant(pipe *parse.PipeNode, in place, errs *[]error) *string {
	free := !deferred(pipe, in)
	walk(pipe, func(n parse.Node) {
		switch n.(type) {
		case *parse.VariableNode, *parse.DotNode:
			free = false
		}
	})
	if !free {
		return nil
	}
	action := &parse.ActionNode{NodeType: parse.NodeAction, Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Cmds: pipe.Cmds}}
	list := &parse.ListNode{NodeType: parse.NodeList, Nodes: []parse.Node{action}}
	text, err := p.execute(&parse.Tree{Name: "value", Root: list}, in)
	if err != nil {
		*errs = append(*errs, err)
	}
	return &text
}

// textNode stands for a value in a template: as plain text where that is safe,
// else as a quoted string.
func textNode(at parse.Pos, s string) parse.Node {
	if strings.Contains(s, "{") {
		s = "{{" + quote(s) + "}}"
	}
	return &parse.TextNode{NodeType: parse.NodeText, Pos: at, Text: []byte(s)}
}

// literal writes a text so that rendering it gives the text.
func literal(s string) string { return strings.ReplaceAll(s, "{{", "{{\"{{\"}}") }

func quote(s string) string { return fmt.Sprintf("%q", s) }

// walk calls f with a node and all below it.
func walk(n parse.Node, f func(parse.Node)) {
	f(n)
	for _, c := range children(n) {
		walk(c, f)
	}
}

func children(n parse.Node) []parse.Node {
	var all []parse.Node
	list := func(l *parse.ListNode) {
		if l != nil {
			all = append(all, l)
		}
	}
	branch := func(b *parse.BranchNode) {
		all = append(all, b.Pipe)
		list(b.List)
		list(b.ElseList)
	}
	switch n := n.(type) {
	case *parse.ListNode:
		all = append(all, n.Nodes...)
	case *parse.ActionNode:
		all = append(all, n.Pipe)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			all = append(all, c)
		}
	case *parse.CommandNode:
		all = append(all, n.Args...)
	case *parse.ChainNode:
		all = append(all, n.Node)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	}
	return all
}

// calls lists the first arguments with which a text calls one of the functions
// that take a name: user or build.
func calls(text, function string) []string {
	if !strings.Contains(text, "{{") {
		return nil
	}
	tree, err := parseTree(text)
	if err != nil {
		return nil
	}
	var all []string
	walk(tree.Root, func(n parse.Node) {
		if c, ok := n.(*parse.CommandNode); ok && len(c.Args) == 2 {
			id, isID := c.Args[0].(*parse.IdentifierNode)
			s, isString := c.Args[1].(*parse.StringNode)
			if isID && isString && id.Ident == function {
				all = append(all, s.Text)
			}
		}
	})
	return all
}
