package template_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// builderText is a good builder in JSON, with other options over its own.
func builderText(t *testing.T, options string) string {
	t.Helper()
	all := map[string]json.RawMessage{}
	for _, text := range []string{
		`"type": "amazon-ebs", "region": "us-east-1", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "name"`, options,
	} {
		if err := json.Unmarshal([]byte("{"+text+"}"), &all); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// read parses a builder and a provisioner, beside another build that is not selected. Its directory is DIR in the steps.
func read(t *testing.T, options, provisioner string, change func(*template.Options)) (b template.Build, warnings []string, err error) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "of {{a}} file\n")
	if provisioner != "" {
		provisioner = "{" + provisioner + "}"
	}
	text := fmt.Sprintf("{\"builders\": [%s,\n%s],\n\"provisioners\": [\n%s]}", builderText(t, options), `{"type": "docker", "name": "other"}`, provisioner)
	write(t, filepath.Join(dir, "t.json"), text)
	o := testOptions()
	o.Getwd, o.Only = dir, []string{"amazon-ebs"}
	if change != nil {
		change(&o)
	}
	got, err := template.Parse("t.json", o)
	if err != nil {
		return b, nil, err
	}
	b = got.Builds[0]
	for i, s := range b.Config.Steps {
		b.Config.Steps[i] = movable(t, s, dir)
	}
	return b, got.Warnings, nil
}

// movable is a step without what is another at each run.
func movable(t *testing.T, s builder.Step, dir string) builder.Step {
	switch s := s.(type) {
	case builder.Upload:
		for i := range s.Trees {
			s.Trees[i].Source = strings.Replace(s.Trees[i].Source, dir, "DIR", 1)
		}
	case builder.Download:
		for i := range s.Files {
			s.Files[i].Dest = strings.Replace(s.Files[i].Dest, dir, "DIR", 1)
		}
	case builder.Local:
		if s.Do == nil {
			t.Error("nothing is done")
		}
		s.Do = nil
		return s
	}
	return s
}

func testOptions() template.Options { return options(nil) }

// TestOptionsAreRead: each option that has an effect comes to this in the whole of what a build is made of.
func TestOptionsAreRead(t *testing.T) {
	base, _, err := read(t, "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	all := readings()
	maps.Copy(all, sshReadings())
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			got, _, err := read(t, r.text, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			want := base
			r.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", r.text, diff)
			}
		})
	}
	for name, r := range stepReadings() {
		t.Run(name, func(t *testing.T) {
			got, _, err := read(t, "", r.text, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r.want, got.Config.Steps); diff != "" {
				t.Errorf("%s (-want +got):\n%s", r.text, diff)
			}
		})
	}
}

// TestNoticedOptions: what has no effect is told, with the reason of the table.
func TestNoticedOptions(t *testing.T) {
	for _, o := range withStatus(template.Noticed) {
		_, warnings, err := read(t, fmt.Sprintf("%q: \"5m\"", o.Name), "", nil)
		want := []string{fmt.Sprintf("t.json: %s has no effect: %s", o.Name, o.Note)}
		if diff := cmp.Diff(want, warnings); err != nil || diff != "" {
			t.Errorf("%s: %v, warnings (-want +got):\n%s", o.Name, err, diff)
		}
	}
}

// TestRefusedOptions: a build refuses by name, with the reason of the table; where a template is only looked at, as by
// imago validate, the same is a warning.
func TestRefusedOptions(t *testing.T) {
	for _, o := range withStatus(template.Refused) {
		builderOptions, provisioner := "", ""
		refused := o // or what it is below
		switch kind, isStep := strings.CutPrefix(o.Component, "provisioner "); {
		case isStep:
			provisioner = fmt.Sprintf("%s, %q: true", stepReadings()[kind+" pause_before"].text, o.Name)
		case o.Component == "region_launch_templates":
			builderOptions = fmt.Sprintf(`"fast_launch": {%q: [{%q: "x"}]}`, o.Component, o.Name)
			refused.Name = "fast_launch"
		case o.Component != "builder amazon-ebs":
			builderOptions, refused.Name = fmt.Sprintf(`%q: {%q: "x"}`, o.Component, o.Name), o.Component
			if o.Name == "region_launch_templates" {
				builderOptions = `"fast_launch": {"region_launch_templates": [{}]}`
			}
		default:
			builderOptions = fmt.Sprintf("%q: \"x\"", o.Name)
		}
		text := fmt.Sprintf("%s is not supported; %s", refused.Name, o.Note)
		if _, _, err := read(t, builderOptions, provisioner, nil); err == nil || !strings.HasSuffix(err.Error(), text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s of %s: %v, want: %s", o.Name, o.Component, err, text)
		}
		_, warnings, err := read(t, builderOptions, provisioner, func(o *template.Options) { o.Check = true })
		if err != nil || len(warnings) != 1 || !strings.HasSuffix(warnings[0], ": a build refuses this: "+text) {
			t.Errorf("%s of %s, only looked at: %v, warnings %q", o.Name, o.Component, err, warnings)
		}
	}
}

// TestCheck: what imago validate takes as Packer does, though a build refuses it.
func TestCheck(t *testing.T) {
	check := func(o *template.Options) { o.Check = true }
	for options, want := range map[string]string{
		`"communicator": "winrm", "winrm_username": "Administrator", "ssh_username": null`: `communicator "winrm" is not supported; Windows images are not made yet`,
		`"communicator": "none", "ssh_username": null`:                                     `communicator "none" is not supported; an image is made ready over SSH; leave it out, or write "ssh"`,
		`"ssh_interface": "session_manager"`:                                               `ssh_interface session_manager is not supported; use private_ip from inside the network, or a bastion`,
	} {
		_, warnings, err := read(t, options, "", check)
		if err != nil || len(warnings) == 0 || !strings.HasSuffix(strings.Join(warnings, "\n")+"\n", ": a build refuses this: "+want+"\n") && !strings.Contains(strings.Join(warnings, "\n"), want) {
			t.Errorf("%s: %v, warnings %q, want %s", options, err, warnings, want)
		}
		if _, _, err := read(t, options, "", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s in a build: %v, want %s", options, err, want)
		}
	}
	for options, want := range map[string]string{
		`"communicator": "winrm", "ssh_username": null`: "builder amazon-ebs needs winrm_username",
		`"ssh_private_ip": true`:                        "ssh_private_ip is no option any more; it became ssh_interface: private_ip",
		`"fast_launch": {"enable": true}`:               `fast_launch has no option "enable"`,
		`"communicator": "telnet"`:                      `communicator is "telnet"; it must be ssh or winrm or none`,
	} {
		if _, _, err := read(t, options, "", check); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s, as Packer objects to it, too", options, err, want)
		}
	}
}

func withStatus(s template.Status) []template.Option {
	return slices.DeleteFunc(template.OptionTable(), func(o template.Option) bool { return o.Status != s })
}
