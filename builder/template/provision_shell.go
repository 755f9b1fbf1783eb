package template

import (
	"strings"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/provision"
)

// defaultShebang is the first line of an inline script.
const defaultShebang = "/bin/sh -e"

// readShell reads a shell provisioner. One that uses {{build `X`}} is read once
// more when the machine is there.
func readShell(o *object) builder.Step {
	step := builder.Run{StepOptions: readCommon(o), PauseAfter: o.duration("pause_after")}
	step.Scripts = readScripts(o)
	if o.late() {
		p := *o.p // with the current build
		step.Late = func(f builder.Facts) ([]provision.Script, error) {
			q := p.informed(f)
			scripts := readScripts(q.again(o))
			return scripts, q.problems.err(q.result.Sensitive)
		}
	}
	return step
}

// readScripts reads the scripts and how to run them.
func readScripts(o *object) []provision.Script {
	in := place{facts: true}
	base := provision.Script{
		Binary: o.boolean("binary"), Env: o.environment(in),
		Command:   o.textIn("execute_command", place{facts: true, fields: []string{"Path", "Vars", "EnvVarFile"}}),
		EnvFormat: o.envFormat(), UseEnvFile: o.boolean("use_env_var_file"),
		RemotePath: o.text("remote_path"), RemoteFolder: o.text("remote_folder"), RemoteFile: o.text("remote_file"),
		SkipClean: o.boolean("skip_clean"), ValidExitCodes: o.numbers("valid_exit_codes"),
		ExpectDisconnect: o.boolean("expect_disconnect"), StartTimeout: o.duration("start_retry_timeout"),
	}
	if !leads(base.Command) {
		o.warnVars(base.Env, "put {{.Vars}} first, or write use_env_var_file and {{.EnvVarFile}}")
	}
	var all []provision.Script
	inline := o.inline(in)
	for _, s := range o.scripts(inline != "", "inline") {
		script := base
		script.Name = s.text
		body, err := o.p.read(s.text)
		if err != nil && s.kind != kindUnknown {
			o.p.problem(s.pos, "the script %s %s", s.text, err)
		}
		script.Body = body
		all = append(all, script)
	}
	if inline != "" {
		base.Name, base.Body = "inline", []byte(inline)
		all = append(all, base)
	}
	return all
}

// inline joins the lines of an inline script, or returns "" when there is none. The shebang is put in front unless the
// lines bring their own and the template names none.
func (o *object) inline(in place) string {
	shebang := o.textIn("inline_shebang", in)
	lines := o.items("inline", in)
	if len(lines) == 0 {
		return ""
	}
	var b strings.Builder
	if shebang != "" || !strings.HasPrefix(lines[0].text, "#!") {
		if shebang == "" {
			shebang = defaultShebang
		}
		b.WriteString("#!" + shebang + "\n")
	}
	for _, l := range lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}

// scripts reads script and scripts. Exactly one of them, or one of others, must be there.
func (o *object) scripts(other bool, others ...string) []item {
	all := append(o.items1("script"), o.items("scripts", place{})...)
	o.exclusive("script", "scripts")
	told := o.told["script"] || o.told["scripts"]
	for _, name := range others {
		o.exclusive("script", name)
		o.exclusive("scripts", name)
		told = told || o.told[name]
	}
	if len(all) == 0 && !other && !told {
		o.p.problem(o.v.pos, "%s needs %s, script or scripts", o.what, strings.Join(others, ", "))
	}
	return all
}

// environment reads environment_vars and env, with Packer's own variables, as
// KEY=value sorted by key; a later value of the same key wins.
func (o *object) environment(in place) []string {
	values := map[string]string{"PACKER_BUILD_NAME": o.p.build.ScriptName, "PACKER_BUILDER_TYPE": o.p.build.Type}
	for name, text := range o.pairs("env", "", in) {
		values[name] = text
	}
	for _, i := range o.items("environment_vars", in) {
		key, text, ok := strings.Cut(i.text, "=")
		if i.kind == kindUnknown {
			continue
		} else if !ok || key == "" {
			o.wrong(i.value, "environment_vars", "holds %q; it must be KEY=value", i.text)
			continue
		}
		values[key] = text
	}
	var all []string
	for _, key := range names(values) {
		all = append(all, key+"="+values[key])
	}
	return all
}

// envFormat reads env_var_format.
func (o *object) envFormat() string {
	format := o.text("env_var_format")
	if format != "" && !o.open("env_var_format") && (strings.Count(format, "%s") != 2 || strings.Count(format, "%") != 2) {
		v, _ := o.get("env_var_format")
		o.wrong(v, "env_var_format", "is %q; it must hold %%s twice, for the name and the value", format)
	}
	return format
}
