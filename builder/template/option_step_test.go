package template_test

import (
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/provision"
)

// stepReading is a provisioner with an option, and the steps that come of it.
type stepReading struct {
	text string
	want []builder.Step
}

// stepReadings has one for each option of the provisioners that has an effect, by the provisioner and the option.
func stepReadings() map[string]stepReading {
	upload := func(options string, want builder.Upload) stepReading {
		want.Where = "t.json:4"
		return stepReading{`"type": "file", ` + options, []builder.Step{want}}
	}
	trees := func(trees ...provision.Tree) builder.Upload { return builder.Upload{Trees: trees} }
	env := []string{"PACKER_BUILDER_TYPE=amazon-ebs", "PACKER_BUILD_NAME=amazon-ebs"}
	shell := func(options string, change func(*provision.Script)) stepReading {
		s := provision.Script{Name: "inline", Body: []byte("#!/bin/sh -e\nx\n"), Env: env}
		change(&s)
		return stepReading{`"type": "shell", "inline": ["x"], ` + options, []builder.Step{builder.Run{
			StepOptions: builder.StepOptions{Where: "t.json:4"}, Scripts: []provision.Script{s},
		}}}
	}
	scripts := func(options string, names ...string) stepReading {
		run := builder.Run{StepOptions: builder.StepOptions{Where: "t.json:4"}}
		for _, name := range names {
			run.Scripts = append(run.Scripts, provision.Script{Name: name, Body: []byte("of {{a}} file\n"), Env: env})
		}
		return stepReading{`"type": "shell", ` + options, []builder.Step{run}}
	}
	local := func(options, text string) stepReading {
		return stepReading{`"type": "shell-local", ` + options, []builder.Step{builder.Local{
			StepOptions: builder.StepOptions{Where: "t.json:4"}, Name: "shell-local", Text: text,
		}}}
	}
	says := func(inline, env, command string) string {
		if env != "" {
			env += `" "`
		}
		return `"` + inline + `" [] ["` + env + `PACKER_BUILDER_TYPE=amazon-ebs" "PACKER_BUILD_NAME=amazon-ebs"] ` + command
	}
	const x = `#!/bin/sh -e\nx\n`
	pause := func(options string, p builder.Pause) stepReading {
		p.Where = "t.json:4"
		return stepReading{options, []builder.Step{p}}
	}
	all := map[string]stepReading{
		"file content":     upload(`"content": "{{build_name}}", "destination": "/d"`, trees(provision.Tree{Content: []byte("amazon-ebs"), Dest: "/d"})),
		"file source":      upload(`"source": "file", "destination": "/d"`, trees(provision.Tree{Source: "DIR/file", Dest: "/d"})),
		"file sources":     upload(`"sources": ["file", "file"], "destination": "/d"`, trees(provision.Tree{Source: "DIR/file", Dest: "/d"}, provision.Tree{Source: "DIR/file", Dest: "/d"})),
		"file destination": upload(`"source": "file", "destination": "/d/"`, trees(provision.Tree{Source: "DIR/file", Dest: "/d/"})),
		"file generated":   upload(`"source": "later", "generated": true, "destination": "/d"`, builder.Upload{Generated: true, Trees: []provision.Tree{{Source: "DIR/later", Dest: "/d"}}}),
		"file direction": {`"type": "file", "direction": "download", "source": "/s", "destination": "d"`, []builder.Step{builder.Download{
			StepOptions: builder.StepOptions{Where: "t.json:4"}, Files: []provision.Fetch{{Source: "/s", Dest: "DIR/d"}},
		}}},

		"shell inline":              shell(`"binary": false`, func(*provision.Script) {}),
		"shell script":              scripts(`"script": "file"`, "file"),
		"shell scripts":             scripts(`"scripts": ["file", "file"]`, "file", "file"),
		"shell inline_shebang":      shell(`"inline_shebang": "/bin/bash"`, func(s *provision.Script) { s.Body = []byte("#!/bin/bash\nx\n") }),
		"shell execute_command":     shell(`"execute_command": "{{.Vars}} sh {{.Path}}"`, func(s *provision.Script) { s.Command = "{{.Vars}} sh {{.Path}}" }),
		"shell environment_vars":    shell(`"environment_vars": ["A=b"]`, func(s *provision.Script) { s.Env = append([]string{"A=b"}, env...) }),
		"shell env":                 shell(`"env": {"A": "b"}`, func(s *provision.Script) { s.Env = append([]string{"A=b"}, env...) }),
		"shell env_var_format":      shell(`"env_var_format": "%s=%s "`, func(s *provision.Script) { s.EnvFormat = "%s=%s " }),
		"shell valid_exit_codes":    shell(`"valid_exit_codes": [0, 3]`, func(s *provision.Script) { s.ValidExitCodes = []int{0, 3} }),
		"shell binary":              shell(`"binary": true`, func(s *provision.Script) { s.Binary = true }),
		"shell remote_path":         shell(`"remote_path": "/tmp/x"`, func(s *provision.Script) { s.RemotePath = "/tmp/x" }),
		"shell remote_folder":       shell(`"remote_folder": "/var/tmp"`, func(s *provision.Script) { s.RemoteFolder = "/var/tmp" }),
		"shell remote_file":         shell(`"remote_file": "x"`, func(s *provision.Script) { s.RemoteFile = "x" }),
		"shell use_env_var_file":    shell(`"use_env_var_file": true`, func(s *provision.Script) { s.UseEnvFile = true }),
		"shell start_retry_timeout": shell(`"start_retry_timeout": "1m"`, func(s *provision.Script) { s.StartTimeout = time.Minute }),
		"shell skip_clean":          shell(`"skip_clean": true`, func(s *provision.Script) { s.SkipClean = true }),
		"shell expect_disconnect":   shell(`"expect_disconnect": true`, func(s *provision.Script) { s.ExpectDisconnect = true }),

		"shell-local inline":           local(`"inline": ["x"]`, says(x, "", `[]`)),
		"shell-local command":          local(`"command": "x"`, says(x, "", `[]`)),
		"shell-local inline_shebang":   local(`"inline": ["x"], "inline_shebang": "/bin/bash"`, says(`#!/bin/bash\nx\n`, "", `[]`)),
		"shell-local execute_command":  local(`"inline": ["x"], "execute_command": ["sh", "{{.Script}}"]`, says(x, "", `["sh" "{{.Script}}"]`)),
		"shell-local environment_vars": local(`"inline": ["x"], "environment_vars": ["A=b"]`, says(x, "A=b", `[]`)),
		"shell-local env":              local(`"inline": ["x"], "env": {"A": "b"}`, says(x, "A=b", `[]`)),
		"shell-local only_on":          {`"type": "shell-local", "inline": ["x"], "only_on": ["windows"]`, nil},
		"shell-local script": {`"type": "shell-local", "script": "file"`, []builder.Step{builder.Local{
			StepOptions: builder.StepOptions{Where: "t.json:4"}, Name: "file", Text: `"" ["file"] ["PACKER_BUILDER_TYPE=amazon-ebs" "PACKER_BUILD_NAME=amazon-ebs"] []`,
		}}},
		"shell-local scripts":            local(`"scripts": ["file", "file"]`, `"" ["file" "file"] ["PACKER_BUILDER_TYPE=amazon-ebs" "PACKER_BUILD_NAME=amazon-ebs"] []`),
		"shell-local env_var_format":     local(`"inline": ["x"], "env_var_format": "%s=%s "`, says(x, "", `[]`)),
		"shell-local valid_exit_codes":   local(`"inline": ["x"], "valid_exit_codes": [3]`, says(x, "", `[]`)),
		"shell-local tempfile_extension": local(`"inline": ["x"], "tempfile_extension": "sh"`, says(x, "", `[]`)),
		"shell-local use_linux_pathing":  local(`"inline": ["x"], "use_linux_pathing": true`, says(x, "", `[]`)),

		"breakpoint note":    pause(`"type": "breakpoint", "note": "look"`, builder.Pause{Note: "look"}),
		"breakpoint disable": {`"type": "breakpoint", "disable": true`, nil},
		"sleep duration":     pause(`"type": "sleep", "duration": "3s"`, builder.Pause{For: 3 * time.Second}),
	}
	after := all["shell binary"]
	run := after.want[0].(builder.Run)
	run.PauseAfter = 2 * time.Second
	all["shell pause_after"] = stepReading{after.text + `, "pause_after": "2s"`, []builder.Step{run}}
	for kind, text := range map[string]string{
		"file": `"content": "x", "destination": "/d"`, "shell": `"inline": ["x"]`, "shell-local": `"inline": ["x"]`, "breakpoint": `"note": "n"`, "sleep": `"duration": "1s"`,
	} {
		text = `"type": "` + kind + `", ` + text
		all[kind+" only"] = stepReading{text + `, "only": ["other"]`, nil}
		all[kind+" except"] = stepReading{text + `, "except": ["amazon-ebs"]`, nil}
		common := builder.StepOptions{Where: "t.json:4", PauseBefore: time.Second, Timeout: time.Minute, MaxRetries: 2}
		var step builder.Step
		switch kind {
		case "file":
			step = builder.Upload{StepOptions: common, Trees: []provision.Tree{{Content: []byte("x"), Dest: "/d"}}}
		case "shell":
			step = builder.Run{StepOptions: common, Scripts: []provision.Script{{Name: "inline", Body: []byte("#!/bin/sh -e\nx\n"), Env: env}}}
		case "shell-local":
			step = builder.Local{StepOptions: common, Name: "shell-local", Text: says(x, "", `[]`)}
		case "breakpoint":
			step = builder.Pause{StepOptions: common, Note: "n"}
		case "sleep":
			step = builder.Pause{StepOptions: common, For: time.Second}
		}
		for _, name := range []string{"pause_before", "timeout", "max_retries"} {
			all[kind+" "+name] = stepReading{text + `, "pause_before": "1s", "timeout": "1m", "max_retries": 2`, []builder.Step{step}}
		}
		all[kind+" override"] = stepReading{text + `, "override": {"amazon-ebs": {"pause_before": "1s", "timeout": "1m", "max_retries": 2}}`, []builder.Step{step}}
	}
	return all
}
