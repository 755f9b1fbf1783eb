package upgrade

import (
	"slices"
	"strings"
	"text/template/parse"

	"github.com/imagobuild/imago/builder/template/internal/jsontree"
)

// computed says whether a default needs more than a variable's default may hold.
func computed(text string) bool {
	if !strings.Contains(text, "{{") {
		return false
	}
	return len(calls(text, "user")) > 0 || strings.Contains(text, "template_dir")
}

// filled says whether a default has more in it than a text and the environment.
func filled(text string) bool {
	return strings.Contains(strings.Join(strings.Split(text, "{{env"), ""), "{{")
}

// innerUses lists the variables that a value uses inside of other calls, as in {{user `x` | upper}}. What these get
// must be the whole value: a default with {{isotime}} in it is filled in before, by a local.
func innerUses(v any) (all []string) {
	switch v := v.(type) {
	case string:
		all = calls(v, "user")
		for name := range strings.SplitSeq(v, "{{") {
			name, _, _ = strings.Cut(name, "}}")
			if words := strings.Fields(name); len(words) == 2 && words[0] == "user" {
				if i := slices.Index(all, strings.Trim(words[1], "\"`")); i >= 0 {
					all = slices.Delete(all, i, i+1)
				}
			}
		}
	case *jsontree.List:
		for _, i := range v.Items {
			all = append(all, innerUses(i)...)
		}
	case *jsontree.Object:
		for _, m := range v.Members {
			all = append(all, innerUses(m.Value)...)
		}
	}
	return all
}

// used lists the variables that a value refers to, at any depth.
func used(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return calls(v, "user")
	case *jsontree.List:
		for _, i := range v.Items {
			all = append(all, used(i)...)
		}
	case *jsontree.Object:
		for _, m := range v.Members {
			all = append(all, used(m.Value)...)
		}
	}
	return all
}

// calls lists the names with which a text calls a function.
func calls(text, function string) (all []string) {
	if !strings.Contains(text, "{{") {
		return nil
	}
	tree := parse.New("value")
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "{{", "}}", map[string]*parse.Tree{}); err != nil {
		return nil // told where the text is written
	}
	walk(tree.Root, func(c *parse.CommandNode) {
		id, named := c.Args[0].(*parse.IdentifierNode)
		if named && id.Ident == function && len(c.Args) == 2 {
			if s, ok := c.Args[1].(*parse.StringNode); ok {
				all = append(all, s.Text)
			}
		}
	})
	return all
}

// walk calls f with every command below a node.
func walk(n parse.Node, f func(*parse.CommandNode)) {
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe, f)
		walk(b.List, f)
		if b.ElseList != nil {
			walk(b.ElseList, f)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, c := range n.Nodes {
			walk(c, f)
		}
	case *parse.ActionNode:
		walk(n.Pipe, f)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			walk(c, f)
		}
	case *parse.CommandNode:
		f(n)
		for _, a := range n.Args {
			walk(a, f)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	}
}
