package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder/redact"
)

// holdsSecret says whether a text holds something sensitive.
func (p *parser) holdsSecret(text string) bool {
	return slices.ContainsFunc(p.result.Sensitive, func(s string) bool { return len(s) >= redact.MinSecret && strings.Contains(text, s) })
}

// warnExposed says where a build shows something sensitive to all who may look
// at the account. The template wants that, but perhaps nobody has thought of it.
func (p *parser) warnExposed(b Build) {
	c := b.Config
	tags := func(m map[string]string) string {
		return strings.Join(slices.Concat(slices.Collect(maps.Keys(m)), slices.Collect(maps.Values(m))), "\n")
	}
	spot := ""
	if c.Instance.Spot != nil {
		spot = tags(c.Instance.Spot.Tags)
	}
	var options []string
	for _, o := range []struct{ name, text string }{
		{"ami_name", c.Output.Name}, {"ami_description", c.Output.Description},
		{"tags", tags(c.Output.Tags)}, {"snapshot_tags", tags(c.Output.SnapshotTags)},
		{"run_tags", tags(c.Instance.Tags)}, {"run_volume_tags", tags(c.Instance.VolumeTags)}, {"spot_tags", spot},
		{"temporary_key_pair_name", c.SSH.KeyPairName}, {"user_data", string(c.Instance.UserData)},
	} {
		if p.holdsSecret(o.text) {
			options = append(options, o.name)
		}
	}
	if len(options) > 0 {
		p.warn("%s: a sensitive variable is in %s, which AWS shows to everybody who may look at the account", b.Name, strings.Join(options, ", "))
	}
}

// leads says whether {{.Vars}} stands where a command begins, if at all: the
// shell then keeps the values to itself. Behind a command they are its arguments.
func leads(command string) bool {
	at := varsAt(command)
	if at < 0 {
		return true
	}
	before := command[:at]
	before = before[strings.LastIndexAny(before, ";|&({\n")+1:]
	return !slices.ContainsFunc(strings.Fields(before), func(word string) bool { return !strings.Contains(word, "=") })
}

// varsAt is where {{.Vars}} is in a command, or negative.
func varsAt(command string) int {
	for from := 0; ; {
		i := strings.Index(command[from:], "{{")
		if i < 0 {
			return -1
		}
		inside, _, _ := strings.Cut(command[from+i+2:], "}}")
		if strings.TrimSpace(strings.Trim(inside, "-")) == ".Vars" {
			return from + i
		}
		from += i + 2
	}
}

// warnVars says that execute_command has sensitive values in a command line, if env has some.
func (o *object) warnVars(env []string, instead string) {
	command, ok := o.get("execute_command")
	if !ok || !slices.ContainsFunc(env, o.p.holdsSecret) {
		return
	}
	used := false
	command.strings(func(v value) { used = used || varsAt(v.text) >= 0 })
	text := fmt.Sprintf("%s:%d: execute_command shows a sensitive variable to all who list processes; %s", o.p.path, command.pos.line, instead)
	if used && !slices.Contains(o.p.result.Warnings, text) {
		o.p.result.Warnings = append(o.p.result.Warnings, text)
	}
}
