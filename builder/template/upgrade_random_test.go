package template_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/template"
)

var randomTemplates = flag.Int("templates", 50, "how many random templates TestUpgradeRandom upgrades")

// TestUpgradeRandom makes templates of options and values that are hard to write in another language, and upgrades them.
func TestUpgradeRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	valid := 0
	for i := range *randomTemplates {
		dir := t.TempDir()
		path := filepath.Join(dir, "t.json")
		text, err := json.MarshalIndent(randomTemplate(r), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		o := options(map[string]string{})
		o.Getwd, o.Seed = dir, "seed"
		if r.IntN(3) == 0 {
			o.Vars["b"] = "from outside"
		}
		if _, err := template.Parse(path, o); err != nil {
			continue // some are nonsense
		}
		valid++
		if !sameWhenUpgraded(t, path, o) {
			t.Fatalf("number %d:\n%s", i, text)
		}
	}
	if valid < *randomTemplates*2/3 {
		t.Errorf("only %d templates were valid", valid)
	}
}

// pick returns one of some values.
func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// randomText is a text with what means something in one language or the other.
func randomText(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(4) {
		b.WriteString(pick(r,
			"plain", " ", `"`, `\`, "${x}", "$${x}", "%{y}", "$", "%", "{", "}", "\n", "\t", "é", "'", "`", "#", "//", "<<EOT", "a,b",
			"{{user `a`}}", "{{user `b`}}", "{{ user \"c\" }}", "{{user `nowhere`}}", "{{timestamp}}", "{{isotime `2006-01-02`}}",
			"{{user `a` | upper}}", "{{upper (user `b`)}}", "{{if eq (user `a`) `one`}}yes{{else}}{{user `b`}}{{end}}",
			"{{build_name}}", "{{build_type}}", "{{template_dir}}", "{{pwd}}", "{{`{{`}}", "{{printf `%s-%s` (user `a`) `x`}}",
			"{{clean_resource_name (user `d`)}}", "{{ $v := user `a` }}{{ $v }}", "{{replace_all `n` `m` `on`}}",
		))
	}
	return b.String()
}

func randomTemplate(r *rand.Rand) map[string]any {
	builder := func(name string) map[string]any {
		b := map[string]any{
			"type": "amazon-ebs", "name": name, "region": "us-east-1", "instance_type": "t3.micro", "source_ami": "ami-1", "ssh_username": "admin",
			"ami_name": name + " {{clean_resource_name `" + strings.NewReplacer("`", "", "{", "", "}", "").Replace(randomText(r)) + "`}}",
		}
		options := map[string]any{
			"ami_description": randomText(r), "ami_regions": pick[any](r, "eu-west-1,eu-central-1", "{{user `regions`}}", []any{"eu-west-1"}, ""),
			"ami_users": pick[any](r, "1,2", []any{"1", 2}, 3), "ebs_optimized": pick[any](r, true, "true", "false", "{{user `yes`}}", 1),
			"tags": map[string]any{"plain": randomText(r), "for": true, "a b": 1.5, "${k}": "v"}, "run_tag": []any{map[string]any{"key": "k", "value": randomText(r)}},
			"user_data":                    randomText(r),
			"launch_block_device_mappings": pick[any](r, map[string]any{"device_name": "/dev/xvda", "volume_size": "{{user `size`}}"}, []any{map[string]any{"device_name": "/dev/xvda"}, map[string]any{"device_name": "/dev/xvdb", "volume_size": 1e1}}),
			"metadata_options":             map[string]any{"http_tokens": "required", "http_put_response_hop_limit": "2"}, "ssh_timeout": "10m", "profile": nil, "_why": "a\ncomment",
		}
		for _, name := range slices.Sorted(maps.Keys(options)) {
			if v := options[name]; r.IntN(2) == 0 && v != nil {
				b[name] = v
			}
		}
		return b
	}
	steps := make([]any, 0, 4)
	for range r.IntN(4) {
		steps = append(steps, pick[any](r,
			map[string]any{"type": "shell", "inline": pick[any](r, randomText(r), []any{"true", randomText(r)}), "environment_vars": []any{"A=" + randomText(r)}, "only": []any{"web"}},
			map[string]any{"type": "shell", "inline": []any{"true"}, "env": map[string]any{"B": randomText(r), "C": true}, "override": map[string]any{"db": map[string]any{"inline": []any{randomText(r)}}}},
			map[string]any{"type": "shell", "inline": []any{"echo {{build `ID`}} {{user `a`}}"}, "execute_command": "sudo sh -c '{{.Vars}} {{.Path}} {{user `a`}}'", "valid_exit_codes": pick[any](r, "0,3", []any{0, 3}), "except": "db"},
			map[string]any{"type": "shell-local", "inline": []any{randomText(r)}, "pause_before": "5s", "max_retries": "2"},
			map[string]any{"type": "sleep", "duration": "1s"},
		))
	}
	post := []any{"manifest", []any{map[string]any{"type": "manifest", "output": randomText(r) + "m.json", "custom_data": map[string]any{"a": randomText(r), "b": "{{build `SourceAMI`}}"}}, "manifest"}}
	return map[string]any{
		"variables": map[string]any{
			"a": pick(r, "one", "two ${x}", `q"q`), "b": pick(r, "two", "{{user `a`}} and more", "{{env `OWNER`}}", "{{env `OWNER`}}-{{user `a`}}", "in {{template_dir}}"),
			"c": pick[any](r, true, 12, 1.50, "x\ny"), "d": pick(r, "plain", "{{isotime `2006`}}", "on {{isotime}}", "{{user `b`}} {{isotime `15`}}"), "regions": "eu-west-1, eu-west-2", "yes": "1", "size": "8",
		},
		"sensitive-variables": []any{pick(r, "a", "b")},
		"builders":            []any{builder("web"), builder("db")}, "provisioners": steps, "post-processors": post,
		"description": randomText(r), "_comment": fmt.Sprint("none"),
	}
}
