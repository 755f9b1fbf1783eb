//go:build unix

package template_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/provision"
)

func facts() builder.Facts {
	return builder.Facts{
		ID: "i-0abc", Host: "192.0.2.9", User: "admin", Port: 22, Region: "us-east-1", RunID: "run",
		Source: builder.SourceImage{ID: "ami-0abc", Name: "{{base}}"},
	}
}

// local parses one provisioner and returns it with the directory it starts in.
func local(t *testing.T, provisioner string) (builder.Local, string) {
	t.Helper()
	var at string
	got := parse(t, bake("", `, "provisioners": [`+provisioner+`], "variables": {"tricky": "it's {{`+"`{{`"+`}}.Path}} $HOME"}`), func(dir string, o *template.Options) {
		at = dir
		for name, text := range map[string]string{"say.sh": "echo \"said $1 $A in $PWD\"\n", "say, twice.sh": "echo twice\n"} {
			path := filepath.Join(dir, name)
			write(t, path, text)
			if err := os.Chmod(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	})
	step, ok := got.Builds[0].Config.Steps[0].(builder.Local)
	if !ok {
		t.Fatalf("the step is a %T", got.Builds[0].Config.Steps[0])
	}
	return step, at
}

func TestShellLocal(t *testing.T) {
	tests := []struct {
		name, provisioner string
		want              string
		code              int
	}{
		{name: "inline", provisioner: `{"type": "shell-local", "inline": ["echo one", "echo $A $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE"], "environment_vars": ["A=b=c"]}`, want: "one\nb=c amazon-ebs amazon-ebs\n"},
		{name: "command", provisioner: `{"type": "shell-local", "command": "echo two; pwd"}`, want: "two\nDIR\n"},
		{name: "script", provisioner: `{"type": "shell-local", "script": "say.sh", "env": {"A": "x"}}`, want: "said  x in DIR\n"},
		{name: "a name with a comma", provisioner: `{"type": "shell-local", "scripts": ["say, twice.sh", "say.sh"]}`, want: "twice\nsaid   in DIR\n"},
		{name: "facts", provisioner: "{\"type\": \"shell-local\", \"inline\": [\"echo '{{build `ID`}} {{build `Host`}}:{{build `Port`}} {{build `SourceAMIName`}}'\"]}", want: "i-0abc 192.0.2.9:22 {{base}}\n"},
		{name: "facts in the environment", provisioner: "{\"type\": \"shell-local\", \"inline\": [\"echo $A\"], \"environment_vars\": [\"A={{build `SourceAMI` | upper}} {{user `tricky`}}\"]}", want: "AMI-0ABC it's {{.Path}} $HOME\n"},
		{name: "execute_command", provisioner: "{\"type\": \"shell-local\", \"script\": \"say.sh\", \"environment_vars\": [\"A={{user `tricky`}}\"], \"execute_command\": [\"/bin/sh\", \"-c\", \"{{.Vars}} /bin/sh {{.Script}} {{build_name}}\"]}", want: "said amazon-ebs it's {{.Path}} $HOME in DIR\n"},
		{name: "one execute_command", provisioner: `{"type": "shell-local", "inline": ["echo x"], "execute_command": "echo before && {{.Script}}"}`, want: "before\nx\n"},
		{name: "stops at the first bad command", provisioner: `{"type": "shell-local", "inline": ["echo a", "false", "echo b"]}`, want: "a\n", code: 1},
		{name: "exit code", provisioner: `{"type": "shell-local", "inline": ["exit 7"]}`, code: 7},
		{name: "a valid exit code", provisioner: `{"type": "shell-local", "inline": ["exit 7"], "valid_exit_codes": [0, 7]}`},
		{name: "0 is not valid", provisioner: `{"type": "shell-local", "inline": ["true"], "valid_exit_codes": [7]}`, code: -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step, dir := local(t, tt.provisioner)
			var out strings.Builder
			err := step.Do(t.Context(), facts(), &out, &out)
			if got := strings.ReplaceAll(out.String(), dir, "DIR"); got != tt.want {
				t.Errorf("it wrote %q, want %q", got, tt.want)
			}
			var exit *provision.ExitError
			switch errors.As(err, &exit) {
			case false:
				if err != nil || tt.code != 0 {
					t.Errorf("error %v, want status %d", err, tt.code)
				}
			case true:
				if exit.Code != max(tt.code, 0) || tt.code == 0 {
					t.Errorf("%v, want status %d", err, tt.code)
				}
			}
		})
	}
}

// TestShellLocalArguments: a sensitive value is in no argument of what shell-local
// starts, whichever way execute_command passes it on; the script has it.
func TestShellLocalArguments(t *testing.T) {
	const secret = "hunter2's$HOME"
	for _, command := range []string{
		"", `, "execute_command": ["/bin/sh", "-c", "{{.Vars}} {{.Script}}; :"]`, `, "execute_command": ["bash", "-c", "{{.Vars}} sh {{.Script}}; :"]`,
		`, "execute_command": "{{.Vars}} {{.Script}}; :"`, ", \"execute_command\": \"B='{{user `S` | replace_all `'` ``}}' {{.Vars}} {{.Script}}; :\"",
		`, "env_var_format": "export %s='%s';", "execute_command": ["/bin/sh", "-c", "{{.Vars}} {{.Script}}; :"]`,
	} {
		text := bake("", ", \"variables\": {\"S\": \"hunter2's$HOME\"}, \"sensitive-variables\": [\"S\"], \"provisioners\": [{\"type\": \"shell-local\","+
			"\"environment_vars\": [\"A={{user `S`}}\", \"C=open\"], \"inline\": [\"echo \\\"$A $C\\\"; tr '\\\\0' ' ' < /proc/$PPID/cmdline >&2\"]"+command+"}]")
		got := parse(t, text, nil)
		var out, arguments strings.Builder
		if err := got.Builds[0].Config.Steps[0].(builder.Local).Do(t.Context(), facts(), &out, &arguments); err != nil {
			t.Errorf("%s: %v", command, err)
		}
		if want := secret + " open\n"; out.String() != want {
			t.Errorf("%s: the script has %q, want %q", command, &out, want)
		}
		if strings.Contains(arguments.String(), "hunter2") || arguments.Len() == 0 || len(got.Warnings) > 0 {
			t.Errorf("%s: arguments %q, warnings %q", command, &arguments, got.Warnings)
		}
	}
}

// TestShellLocalCancel: when the context ends, so does everything the script
// started, and the error says why.
func TestShellLocalCancel(t *testing.T) {
	step, dir := local(t, `{"type": "shell-local", "inline": ["sleep 60 & echo $! > child; wait"]}`)
	why := errors.New("somebody pressed Ctrl-C")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for {
			if b, _ := os.ReadFile(filepath.Join(dir, "child")); len(b) > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		cancel(why)
	}()
	start := time.Now()
	if err := step.Do(ctx, facts(), nil, nil); !errors.Is(err, why) || time.Since(start) > 4*time.Second {
		t.Errorf("it ended after %v with %v, want %v at once", time.Since(start), err, why)
	}
	b, err := os.ReadFile(filepath.Join(dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if err := syscall.Kill(number(t, string(b)), 0); err == syscall.ESRCH {
			return
		}
		time.Sleep(time.Millisecond)
	}
	if stat, _ := os.ReadFile("/proc/" + strings.TrimSpace(string(b)) + "/stat"); !strings.Contains(string(stat), ") Z ") {
		t.Errorf("the child is still there: %s", stat)
	}
}

func number(t *testing.T, s string) (n int) {
	t.Helper()
	for _, c := range strings.TrimSpace(s) {
		n = n*10 + int(c-'0')
	}
	return n
}

// TestOnlyOn: on a system that is not named there is no step.
func TestOnlyOn(t *testing.T) {
	got := parse(t, bake("", `, "provisioners": [{"type": "shell-local", "inline": ["false"], "only_on": ["darwin"]}], "post-processors": [{"type": "shell-local", "inline": ["false"], "only_on": ["darwin"]}]`), nil)
	if b := got.Builds[0]; len(b.Config.Steps) != 0 || len(b.PostProcessors) != 0 {
		t.Errorf("there are %d steps and %d post-processors", len(b.Config.Steps), len(b.PostProcessors))
	}
}

func TestPostProcessors(t *testing.T) {
	got := parse(t, bake("", ", \"post-processors\": [[{\"type\": \"manifest\", \"custom_data\": {\"id\": \"{{build `ID`}}\", \"run\": \"{{build `PackerRunUUID`}} {{build_name}}\"}}], {\"type\": \"shell-local\", \"inline\": [\"echo $AMI of {{build `ID`}}\"]}]"), nil)
	posts := got.Builds[0].PostProcessors
	data, err := posts[0].Manifest.Data(facts())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"id": "i-0abc", "run": "run amazon-ebs"}, data); diff != "" {
		t.Errorf("custom_data (-want +got):\n%s", diff)
	}
	var out strings.Builder
	if err := posts[1].Shell(t.Context(), facts(), []string{"AMI=ami-1"}, &out, &out); err != nil || out.String() != "ami-1 of i-0abc\n" {
		t.Errorf("shell-local wrote %q, %v", out.String(), err)
	}
}

// TestLateScripts: a remote script that uses {{build `X`}} is made once the machine is there.
func TestLateScripts(t *testing.T) {
	got := parse(t, bake("", ", \"provisioners\": [{\"type\": \"shell\", \"inline\": [\"echo {{build `ID`}}\"], \"environment_vars\": [\"H={{build `Host`}}\"], \"execute_command\": \"{{.Vars}} {{.Path}} {{build `User`}}\"}]"), nil)
	run := got.Builds[0].Config.Steps[0].(builder.Run)
	scripts, err := run.Late(facts())
	if err != nil {
		t.Fatal(err)
	}
	want := []provision.Script{{
		Name: "inline", Body: []byte("#!/bin/sh -e\necho i-0abc\n"), Command: "{{.Vars}} {{.Path}} admin",
		Env: []string{"H=192.0.2.9", "PACKER_BUILDER_TYPE=amazon-ebs", "PACKER_BUILD_NAME=amazon-ebs"},
	}}
	if diff := cmp.Diff(want, scripts); diff != "" {
		t.Errorf("scripts (-want +got):\n%s", diff)
	}
}
