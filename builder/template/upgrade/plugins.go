package upgrade

import (
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder/template/internal/jsontree"
)

// plugin is one of required_plugins. imago needs none; Packer, which may read the template too, does.
type plugin struct{ name, source, version string }

// plugins lists those that the template's components are in, by name.
func (u *upgrader) plugins() (all []plugin) {
	add := func(v any) {
		kind, _ := v.(string)
		if o, ok := v.(*jsontree.Object); ok {
			kind = o.Text("type")
		}
		p, ok := pluginOf(kind)
		if ok && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	for _, section := range []string{"builders", "provisioners", "post-processors"} {
		for _, v := range u.root.List(section) {
			if l, ok := v.(*jsontree.List); ok {
				for _, v := range l.Items {
					add(v)
				}
				continue
			}
			add(v)
		}
	}
	slices.SortFunc(all, func(a, b plugin) int { return strings.Compare(a.name, b.name) })
	return all
}

// pluginOf is the plugin that a component is in. What is in Packer itself is in none.
func pluginOf(kind string) (plugin, bool) {
	if kind == "amazon-ami-management" {
		return plugin{kind, "github.com/wata727/amazon-ami-management", ">= 1.0.0"}, true
	}
	family, _, _ := strings.Cut(kind, "-")
	switch family {
	case "amazon", "ansible", "azure", "chef", "docker", "googlecompute", "hyperv", "puppet", "qemu", "vagrant", "virtualbox", "vmware", "vsphere":
		return plugin{family, "github.com/hashicorp/" + family, "~> 1"}, true
	}
	return plugin{}, false
}
