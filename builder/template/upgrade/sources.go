package upgrade

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/builder/template/internal/jsontree"
)

// source is what becomes of a builder.
type source struct{ kind, name string }

// ref is what only and except call it.
func (s source) ref() string { return s.kind + "." + s.name }

// nameSources gives every builder a name of HCL2's: its own, or its type's, which scripts see in PACKER_BUILD_NAME.
func (u *upgrader) nameSources() {
	u.names = map[string]source{}
	for _, v := range u.root.List("builders") {
		b, ok := v.(*jsontree.Object)
		if !ok {
			u.problem("builders must hold objects")
			continue
		}
		kind, name := b.Text("type"), jsonName(b)
		if kind == "" {
			u.problem("a builder needs a type")
			continue
		}
		id, other := identifier(name)
		for u.named(kind, id) {
			id, other = id+"_", true
		}
		if other {
			u.warn("builder %q is called %s now; so it is in PACKER_BUILD_NAME and the manifest", name, id)
		}
		if _, twice := u.names[name]; twice {
			u.problem("two builders are called %q", name)
		}
		u.names[name] = source{kind, id}
	}
}

func (u *upgrader) named(kind, id string) bool {
	for _, s := range u.names {
		if s.kind == kind && s.name == id {
			return true
		}
	}
	return false
}

func jsonName(b *jsontree.Object) string {
	if name := b.Text("name"); name != "" {
		return name
	}
	return b.Text("type")
}

// sources writes a source block for each builder.
func (u *upgrader) sources() {
	for _, v := range u.root.List("builders") {
		b, ok := v.(*jsontree.Object)
		if !ok {
			continue
		}
		s := u.names[jsonName(b)]
		u.gap()
		u.begin("source", s.kind, s.name)
		u.options(b, s.kind, inSource, "type", "name")
		u.end()
	}
}

// options writes what a component sets: its arguments in the template's order,
// each block for each time that it is there.
func (u *upgrader) options(o *jsontree.Object, component string, in where, skip ...string) {
	blocks := template.Blocks(component)
	for _, m := range o.Members {
		switch {
		case slices.Contains(skip, m.Name) || m.Value == nil:
		case strings.HasPrefix(m.Name, "_"):
			if text, ok := m.Value.(string); ok {
				u.comment(strings.ReplaceAll(text, "\n", "\n# "))
			}
		case slices.Contains(blocks, m.Name):
			u.blocks(m.Name, m.Value, in)
		default:
			u.option(m.Name, m.Value, in)
		}
	}
}

// blocks writes an option that is a block in HCL2.
func (u *upgrader) blocks(name string, v any, in where) {
	switch v := v.(type) {
	case *jsontree.Object:
		u.begin(name)
		u.options(v, name, in)
		u.end()
	case *jsontree.List:
		for _, i := range v.Items {
			u.blocks(name, i, in)
		}
	default:
		u.warn("%s is left out: it must be an object", name)
	}
}

// option writes an argument.
func (u *upgrader) option(name string, v any, in where) {
	switch v := v.(type) {
	case string:
		if isList(name) {
			u.split(name, v, in)
			return
		}
	case json.Number, bool:
		if isList(name) {
			u.attribute(name, "["+u.value(v, in)+"]")
			return
		}
	case *jsontree.Object:
		u.attribute(name, u.texts(v, in))
		return
	}
	u.attribute(name, u.value(v, in))
}

// split writes a text where a list is wanted: JSON cuts it at its commas.
func (u *upgrader) split(name, text string, in where) {
	all := u.pieces(text, in)
	if len(all) > 0 && !slices.ContainsFunc(all, func(p piece) bool { return p.expr }) {
		var items []any
		if text != "" {
			for s := range strings.SplitSeq(text, ",") {
				items = append(items, s)
			}
		}
		u.attribute(name, u.list(items, in))
		return
	}
	if !slices.ContainsFunc(all, func(p piece) bool { return divisible(p) }) {
		u.attribute(name, "["+u.text(text, in)+"]")
		return
	}
	u.attribute(name, `compact(split(",", `+u.text(text, in)+"))")
}

// divisible says whether a part of a text may hold a comma: a variable may, a fact of the build does not.
func divisible(p piece) bool {
	return p.expr && !strings.HasPrefix(p.text, "build.") || !p.expr && strings.Contains(p.text, ",")
}

// isList says whether an option of a component that imago knows is a list, where JSON takes a text too.
func isList(name string) bool {
	return slices.Contains([]string{
		"ami_groups", "ami_org_arns", "ami_ou_arns", "ami_product_codes", "ami_regions", "ami_users", "ansible_env_vars", "checksum_types",
		"empty_groups", "environment_vars", "except", "extra_arguments", "files", "groups", "inline",
		"inventory_groups", "only", "only_on", "owners", "playbook_files", "playbook_paths", "policy_arns", "role_paths", "scripts",
		"security_group_ids", "snapshot_groups", "snapshot_users", "sources", "spot_instance_types", "ssh_ciphers",
		"ssh_key_exchange_algorithms", "temporary_security_group_source_cidrs", "transitive_tag_keys", "valid_exit_codes",
	}, name)
}
