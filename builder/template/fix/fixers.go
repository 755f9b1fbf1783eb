package fix

import (
	"strings"

	"github.com/imagobuild/imago/builder/template/internal/jsontree"
)

// Fixers lists the fixers in the order in which they run: those of Packer's that
// are about what imago builds. Templates for other builders are left as they are.
func Fixers() []Fixer {
	return []Fixer{
		{"createtime", "writes {{timestamp}} for {{.CreateTime}}", each("builders", func(b *jsontree.Object) bool {
			return inTexts(b, func(s string) string { return strings.ReplaceAll(s, "{{.CreateTime}}", "{{timestamp}}") })
		})},
		{"sshkeypath", "renames ssh_key_path to ssh_private_key_file", rename("ssh_key_path", "ssh_private_key_file")},
		{"sshdisableagent", "renames ssh_disable_agent to ssh_disable_agent_forwarding", rename("ssh_disable_agent", "ssh_disable_agent_forwarding")},
		{"manifest-filename", "renames filename of the post-processor manifest to output", each("post-processors", ofType("manifest", func(p *jsontree.Object) bool {
			return p.Rename("filename", "output")
		}))},
		{"amazon-shutdown_behavior", "renames shutdown_behaviour to shutdown_behavior", each("builders", amazon(func(b *jsontree.Object) bool {
			return b.Rename("shutdown_behaviour", "shutdown_behavior")
		}))},
		{"amazon-enhanced-networking", "renames enhanced_networking to ena_support", each("builders", amazon(func(b *jsontree.Object) bool {
			return b.Rename("enhanced_networking", "ena_support")
		}))},
		{"amazon-private-ip", "writes ssh_interface: private_ip for ssh_private_ip: true", each("builders", amazon(privateIP))},
		{"amazon-temp-sec-cidrs", "makes a list, temporary_security_group_source_cidrs, of temporary_security_group_source_cidr", each("builders", amazon(sourceCIDRs))},
		{"clean-image-name", "writes clean_resource_name for clean_ami_name and clean_image_name", each("builders", func(b *jsontree.Object) bool {
			return inTexts(b, cleanName)
		})},
		{"spot-price-auto-product", "takes spot_price_auto_product away", each("builders", amazon(func(b *jsontree.Object) bool {
			_, there := b.Get("spot_price_auto_product")
			b.Delete("spot_price_auto_product")
			return there
		}))},
		{"galaxy-command", "renames galaxycommand of the provisioner ansible-local to galaxy_command", each("provisioners", ofType("ansible-local", func(p *jsontree.Object) bool {
			return p.Rename("galaxycommand", "galaxy_command")
		}))},
		{"ssh-wait-timeout", "renames ssh_wait_timeout to ssh_timeout", rename("ssh_wait_timeout", "ssh_timeout")},
	}
}

// rename is a fix that calls an option of every builder by its new name.
func rename(from, to string) func(*jsontree.Object) bool {
	return each("builders", func(b *jsontree.Object) bool { return b.Rename(from, to) })
}

// amazon limits a fix to the builders for AWS.
func amazon(mend func(*jsontree.Object) bool) func(*jsontree.Object) bool {
	return func(b *jsontree.Object) bool { return strings.HasPrefix(b.Text("type"), "amazon-") && mend(b) }
}

// ofType limits a fix to a type.
func ofType(kind string, mend func(*jsontree.Object) bool) func(*jsontree.Object) bool {
	return func(o *jsontree.Object) bool { return o.Text("type") == kind && mend(o) }
}

// privateIP mends ssh_private_ip. What is neither true nor false, such as a
// variable, is not known here and stays for a person to look at.
func privateIP(b *jsontree.Object) bool {
	v, there := b.Get("ssh_private_ip")
	text, _ := v.(string)
	_, given := b.Get("ssh_interface")
	switch {
	case !there:
		return false
	case v == true || text == "true":
		if given {
			b.Delete("ssh_private_ip")
			return true
		}
		b.Rename("ssh_private_ip", "ssh_interface")
		b.Set("ssh_interface", "private_ip")
	case v == false || text == "false" || text == "" && v != nil:
		b.Delete("ssh_private_ip")
	default:
		return false
	}
	return true
}

// sourceCIDRs mends temporary_security_group_source_cidr.
func sourceCIDRs(b *jsontree.Object) bool {
	const single, many = "temporary_security_group_source_cidr", "temporary_security_group_source_cidrs"
	cidr, there := b.Get(single)
	if !b.Rename(single, many) {
		return false
	}
	if v, _ := b.Get(many); there && v == cidr {
		b.Set(many, &jsontree.List{Items: []any{cidr}})
	}
	return true
}

// cleanName writes the function's one name for its old ones, inside {{…}}.
func cleanName(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		action, after, closed := strings.Cut(rest, "}}")
		for _, old := range []string{"clean_ami_name", "clean_image_name"} {
			action = strings.ReplaceAll(action, old, "clean_resource_name")
		}
		b.WriteString("{{" + action)
		if closed {
			b.WriteString("}}")
		}
		s = after
	}
}

// inTexts changes every text in a value, at any depth.
func inTexts(v any, change func(string) string) bool {
	done := false
	changed := func(v any) any {
		if s, ok := v.(string); ok {
			done = done || change(s) != s
			return change(s)
		}
		done = inTexts(v, change) || done
		return v
	}
	switch v := v.(type) {
	case *jsontree.Object:
		for i := range v.Members {
			v.Members[i].Value = changed(v.Members[i].Value)
		}
	case *jsontree.List:
		for i := range v.Items {
			v.Items[i] = changed(v.Items[i])
		}
	}
	return done
}
