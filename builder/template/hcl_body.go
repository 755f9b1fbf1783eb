package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/zclconf/go-cty/cty"
)

// nested lists the blocks that a component, or a block of one, may hold. All else are attributes.
func nested(what string) []string {
	switch what {
	case builderType:
		return []string{
			"ami_block_device_mappings", "assume_role", "aws_polling", "deregistration_protection", "fast_launch", "fleet_tag",
			"launch_block_device_mappings", "license_specifications", "metadata_options", "placement", "run_tag", "run_volume_tag",
			"security_group_filter", "snapshot_tag", "source_ami_filter", "spot_tag", "subnet_filter", "tag",
			"temporary_iam_instance_profile_policy_document", "vault_aws_engine", "vpc_filter",
		}
	case "amazon-ami":
		return []string{"assume_role", "aws_polling", "filter", "vault_aws_engine"}
	case "amazon-parameterstore", "amazon-secretsmanager":
		return []string{"assume_role", "aws_polling", "vault_aws_engine"}
	case "source_ami_filter", "subnet_filter", "vpc_filter", "security_group_filter":
		return []string{"filter"}
	case "temporary_iam_instance_profile_policy_document":
		return []string{"Statement"}
	case "fast_launch":
		return []string{"region_launch_templates"}
	case "license_specifications":
		return []string{"license_configuration_request"}
	}
	return nil
}

func nestedSchema(what string) *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, name := range nested(what) {
		s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: name})
	}
	return s
}

// object evaluates the body of a component. Its dynamic blocks become the blocks that they stand for.
func (e *evaluator) object(body hcl.Body, what string, at pos) value {
	e.place = fmt.Sprintf("%s:%d", at.file, at.line)
	ctx, lacks := e.context(iterated(dynblock.WalkExpandVariables(body), what))
	if len(lacks) > 0 {
		e.p.tell(lacks)
		return value{kind: kindUnknown, pos: at}
	}
	return e.body(dynblock.Expand(body, ctx), what, at)
}

// iterated lists what the dynamic blocks of a body refer to before they can be expanded.
func iterated(n dynblock.WalkVariablesNode, what string) []hcl.Traversal {
	refs, children := n.Visit(nestedSchema(what))
	for _, c := range children {
		refs = append(refs, iterated(c.Node, c.BlockTypeName)...)
	}
	return refs
}

// body evaluates a body: its attributes, and below the name of each kind of block a list of those.
func (e *evaluator) body(body hcl.Body, what string, at pos) value {
	v := value{kind: kindObject, pos: at}
	schema := nestedSchema(what)
	schema.Attributes = e.attributesIn(body, what)
	content, diags := body.Content(schema)
	e.p.diagnoseShape(diags, what, nil, nested(what))
	for _, a := range sortedAttributes(content.Attributes) {
		v.members = append(v.members, member{name: a.Name, pos: posOf(a.NameRange), value: e.convert(a.Expr)})
	}
	for _, name := range nested(what) {
		blocks := content.Blocks.OfType(name)
		if len(blocks) == 0 {
			continue
		}
		first := posOf(blocks[0].DefRange)
		all := value{kind: kindList, pos: first}
		for _, b := range blocks {
			all.list = append(all.list, e.body(b.Body, name, posOf(b.DefRange)))
		}
		v.members = append(v.members, member{name: name, pos: first, value: all})
	}
	return v
}

// attributesIn lists the arguments that a body has. In JSON blocks look the same, and their names tell them apart.
func (e *evaluator) attributesIn(body hcl.Body, what string) []hcl.AttributeSchema {
	all, _ := body.JustAttributes() // it objects to blocks, which are read with the rest
	var schema []hcl.AttributeSchema
	for _, a := range sortedAttributes(all) {
		json := strings.HasSuffix(a.NameRange.Filename, ".json")
		switch {
		case json && a.Name == "dynamic": // blocks
		case !slices.Contains(nested(what), a.Name):
			schema = append(schema, hcl.AttributeSchema{Name: a.Name})
		case !json:
			e.p.problem(posOf(a.NameRange), "%s is a block: write %s { … }, without the equals sign", a.Name, a.Name)
		}
	}
	return schema
}

// convert evaluates one argument. What cannot be evaluated is told here, and not known to those who read it.
func (e *evaluator) convert(expr hcl.Expression) value {
	at := posOf(expr.Range())
	v, ok := e.value(expr)
	if !ok {
		return value{kind: kindUnknown, pos: at}
	}
	return fromCty(v, expr, at)
}

// fromCty makes a value of one of HCL's. The parts of lists and objects that are written out know their own places.
func fromCty(v cty.Value, expr hcl.Expression, at pos) value {
	out := value{pos: at}
	switch t := v.Type(); {
	case v.IsNull():
		out.kind = kindNull
	case !v.IsKnown():
		out.kind = kindUnknown
	case t == cty.String:
		out.kind, out.text = kindString, v.AsString()
	case t == cty.Bool:
		out.kind, out.text = kindBool, "false"
		if v.True() {
			out.text = "true"
		}
	case t == cty.Number:
		out.kind, out.text = kindNumber, v.AsBigFloat().Text('f', -1)
	case t.IsListType(), t.IsSetType(), t.IsTupleType():
		out.kind = kindList
		all, parts := v.AsValueSlice(), written(expr)
		for i, e := range all {
			out.list = append(out.list, part(e, parts, i, len(all), at))
		}
	case t.IsMapType(), t.IsObjectType():
		out.kind = kindObject
		out.members = membersOf(v, expr, at)
	default:
		out.kind = kindUnknown
	}
	return out
}

// written lists the expressions of a list that is written out.
func written(expr hcl.Expression) []hcl.Expression {
	if expr == nil {
		return nil
	}
	parts, diags := hcl.ExprList(expr)
	if diags.HasErrors() {
		return nil
	}
	return parts
}

func part(v cty.Value, parts []hcl.Expression, i, n int, at pos) value {
	if len(parts) != n {
		return fromCty(v, nil, at)
	}
	return fromCty(v, parts[i], posOf(parts[i].Range()))
}

// membersOf lists what an object holds, by name.
func membersOf(v cty.Value, expr hcl.Expression, at pos) []member {
	pairs := map[string]hcl.KeyValuePair{}
	if expr != nil {
		all, _ := hcl.ExprMap(expr)
		for _, p := range all {
			if k, diags := p.Key.Value(nil); !diags.HasErrors() && k.Type() == cty.String && k.IsKnown() && !k.IsNull() {
				pairs[k.AsString()] = p
			}
		}
	}
	var all []member
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		m := member{name: k.AsString(), pos: at}
		if p, ok := pairs[m.name]; ok {
			m.pos = posOf(p.Key.Range())
			m.value = fromCty(e, p.Value, posOf(p.Value.Range()))
		} else {
			m.value = fromCty(e, nil, at)
		}
		all = append(all, m)
	}
	return all
}
