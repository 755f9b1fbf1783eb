package fix_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/template/fix"
)

func TestTemplate(t *testing.T) {
	builder := func(options string) string { return `{"builders":[{"type":"amazon-ebs",` + options + `}]}` }
	for _, c := range []struct {
		before, after string
		done          []string
	}{
		{builder(`"a":1`), builder(`"a":1`), nil},
		{builder(`"ami_name":"{{.CreateTime}}","tags":{"x":["{{.CreateTime}}"]}`), builder(`"ami_name":"{{timestamp}}","tags":{"x":["{{timestamp}}"]}`), []string{"createtime"}},
		{builder(`"ssh_key_path":"k","ssh_private_key_file":"new"`), builder(`"ssh_private_key_file":"new"`), []string{"sshkeypath"}},
		{builder(`"ssh_disable_agent":true`), builder(`"ssh_disable_agent_forwarding":true`), []string{"sshdisableagent"}},
		{builder(`"shutdown_behaviour":"stop"`), builder(`"shutdown_behavior":"stop"`), []string{"amazon-shutdown_behavior"}},
		{builder(`"enhanced_networking":true`), builder(`"ena_support":true`), []string{"amazon-enhanced-networking"}},
		{builder(`"ssh_private_ip":true`), builder(`"ssh_interface":"private_ip"`), []string{"amazon-private-ip"}},
		{builder(`"ssh_private_ip":true,"ssh_interface":"public_ip"`), builder(`"ssh_interface":"public_ip"`), []string{"amazon-private-ip"}},
		{builder(`"ssh_private_ip":"false","a":1`), builder(`"a":1`), []string{"amazon-private-ip"}},
		{builder(`"ssh_private_ip":"{{user ` + "`x`" + `}}"`), builder(`"ssh_private_ip":"{{user ` + "`x`" + `}}"`), nil},
		{builder(`"temporary_security_group_source_cidr":"10.0.0.0/8"`), builder(`"temporary_security_group_source_cidrs":["10.0.0.0/8"]`), []string{"amazon-temp-sec-cidrs"}},
		{builder(`"ami_name":"{{clean_ami_name x}} clean_ami_name {{a | clean_image_name"`), builder(`"ami_name":"{{clean_resource_name x}} clean_ami_name {{a | clean_resource_name"`), []string{"clean-image-name"}},
		{builder(`"spot_price_auto_product":"Linux","a":1`), builder(`"a":1`), []string{"spot-price-auto-product"}},
		{builder(`"ssh_wait_timeout":"5m"`), builder(`"ssh_timeout":"5m"`), []string{"ssh-wait-timeout"}},
		{`{"builders":[{"type":"qemu","shutdown_behaviour":"x"}]}`, `{"builders":[{"type":"qemu","shutdown_behaviour":"x"}]}`, nil},
		{`{"provisioners":[{"type":"ansible-local","galaxycommand":"g"},{"type":"shell","galaxycommand":"g"}]}`, `{"provisioners":[{"type":"ansible-local","galaxy_command":"g"},{"type":"shell","galaxycommand":"g"}]}`, []string{"galaxy-command"}},
		{`{"post-processors":["manifest",[{"type":"manifest","filename":"m"}],{"type":"x","filename":"m"}]}`, `{"post-processors":["manifest",[{"type":"manifest","output":"m"}],{"type":"x","filename":"m"}]}`, []string{"manifest-filename"}},
	} {
		got, done, err := fix.Template("t.json", []byte(c.before))
		want, _, wantErr := fix.Template("t.json", []byte(c.after)) // only written anew
		if err != nil || wantErr != nil || string(got) != string(want) || !slices.Equal(done, c.done) {
			t.Errorf("%s:\ngot  %v %s (%v)\nwant %v %s", c.before, done, got, err, c.done, want)
		}
		if again, done, err := fix.Template("t.json", got); err != nil || string(again) != string(got) || done != nil {
			t.Errorf("%s again: %v %s (%v)", c.before, done, again, err)
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "t.json:1:1: the file ends too early",
		"{\"a\": 1,\n\"a\": 2}":   `t.json:2:4: "a" is here twice; keep one`,
		"{\n  a: 1}":              "t.json:2:3: invalid character 'a'",
		"{} {}":                   "t.json:1:5: there is something behind the end of the object",
		"{\"a\": [1, 2":           "t.json:1:12: the file ends too early",
		strings.Repeat("[", 1000): "t.json:1:403: nested deeper than 400 levels",
		"3":                       "t.json: a template must be a JSON object",
	} {
		if got, _, err := fix.Template("t.json", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: got %q %v, want %s", text, got, err, want)
		}
	}
}
