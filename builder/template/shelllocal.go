package template

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/template"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/internal/process"
	"github.com/imagobuild/imago/provision"
)

// localShell is what a shell-local provisioner or post-processor does.
type localShell struct {
	name      string // for messages
	inline    string // the text of a script of its own, or empty
	scripts   []string
	env       []string
	command   []string // execute_command
	format    string   // env_var_format
	extension string   // of the inline script's file
	codes     []int    // valid_exit_codes
	dir       string   // where scripts start; empty: the working directory

	secret func(string) bool // says whether a text holds something sensitive
}

// localRun runs a localShell, with more in the environment.
type localRun func(ctx context.Context, f builder.Facts, more []string, stdout, stderr io.Writer) error

// readShellLocal reads a shell-local provisioner. It is nil on a system that only_on does not name.
func readShellLocal(o *object) builder.Step {
	common := readCommon(o)
	name, text, run := readLocalShell(o)
	if run == nil {
		return nil
	}
	do := func(ctx context.Context, f builder.Facts, stdout, stderr io.Writer) error {
		return run(ctx, f, []string{"PACKER_RUN_UUID=" + f.RunID}, stdout, stderr)
	}
	return builder.Local{StepOptions: common, Name: name, Text: text, Do: do}
}

// readLocalShell reads the options of shell-local, and once more when it runs:
// then the facts of the build are known. run is nil when there is nothing to run on this system.
func readLocalShell(o *object) (name, text string, run localRun) {
	l, here := readLocalOptions(o)
	if !here {
		return "", "", nil
	}
	p := *o.p // with the current build
	run = func(ctx context.Context, f builder.Facts, more []string, stdout, stderr io.Writer) error {
		q := p.informed(f)
		l, _ := readLocalOptions(q.again(o))
		if err := q.problems.err(q.result.Sensitive); err != nil {
			return err
		}
		return l.run(ctx, more, stdout, stderr)
	}
	return l.name, fmt.Sprintf("%q %q %q %q", l.inline, l.scripts, l.env, l.command), run
}

func readLocalOptions(o *object) (l localShell, here bool) {
	in := place{facts: true}
	o.boolean("use_linux_pathing") // there is no other
	l = localShell{
		name: "shell-local", inline: o.inline(in), env: o.environment(in), format: o.envFormat(),
		extension: o.text("tempfile_extension"), codes: o.numbers("valid_exit_codes"), dir: o.p.o.Getwd,
		secret: o.p.holdsSecret,
	}
	o.exclusive("inline", "command")
	if c := o.textIn("command", in); c != "" {
		l.inline = "#!" + defaultShebang + "\n" + c + "\n"
	}
	in.fields = []string{"Vars", "Script", "Command"}
	for _, i := range o.items("execute_command", in) {
		l.command = append(l.command, i.text)
	}
	if !l.byReference() && !(len(l.command) == 1 && leads(l.command[0])) {
		o.warnVars(l.env, "leave it out: the environment has them anyway")
	}
	for _, s := range o.scripts(l.inline != "", "inline", "command") {
		if _, err := o.p.read(s.text); err != nil && s.kind != kindUnknown {
			o.p.problem(s.pos, "the script %s %s", s.text, err)
		}
		l.scripts = append(l.scripts, s.text)
	}
	if l.inline == "" && len(l.scripts) == 1 {
		l.name = l.scripts[0]
	}
	return l, o.onlyOn()
}

// onlyOn reads only_on, a list of systems.
func (o *object) onlyOn() bool {
	known := []string{"darwin", "freebsd", "linux", "openbsd", "solaris", "windows"}
	systems := o.items("only_on", place{})
	here := len(systems) == 0
	for _, i := range systems {
		here = here || i.text == runtime.GOOS
		if !slices.Contains(known, i.text) && i.kind != kindUnknown {
			o.wrong(i.value, "only_on", "names %q, which is no system%s", i.text, didYouMean(i.text, known))
		}
	}
	return here
}

// run runs the scripts here, one after another, with more in the environment.
func (l localShell) run(ctx context.Context, more []string, stdout, stderr io.Writer) error {
	env := append(l.env, more...)
	if l.inline != "" {
		path, err := writeScript(l.inline, l.extension)
		if err != nil {
			return err
		}
		defer os.Remove(path)
		return l.exec(ctx, l.name, path, env, stdout, stderr)
	}
	for _, s := range l.scripts {
		full, err := filepath.Abs(filepath.Join(l.dir, s))
		if filepath.IsAbs(s) {
			full = s
		} else if err != nil {
			return fmt.Errorf("find the script %s: %w", s, err)
		}
		if err := l.exec(ctx, s, full, env, stdout, stderr); err != nil {
			return err
		}
	}
	return nil
}

// argv is the command that runs a script: by default a shell that starts the
// file, which must be executable but needs no shebang. A command line of the
// template's is in a file, which done removes: whoever lists the processes of
// this computer sees their arguments.
func (l localShell) argv(path string, env []string) (argv []string, done func(), err error) {
	done = func() {}
	if len(l.command) == 0 {
		return []string{"/bin/sh", "-c", shellQuote(path)}, done, nil
	}
	fields := map[string]string{"Script": path, "Command": path, "Vars": l.vars(env)}
	for _, c := range l.command {
		text, err := complete(c, fields)
		if err != nil {
			return nil, done, fmt.Errorf("execute_command: %w", err)
		}
		argv = append(argv, text)
	}
	if len(argv) > 1 {
		return argv, done, nil
	}
	file, err := writeScript(argv[0]+"\n", "")
	return []string{"/bin/sh", file}, func() { os.Remove(file) }, err
}

// complete fills in the fields that render left for later.
func complete(text string, fields map[string]string) (string, error) {
	t, err := template.New("value").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = t.Execute(&out, fields)
	return out.String(), err
}

// byReference says whether {{.Vars}} is for a shell of ours, which has the values
// in its environment: in its arguments the sensitive ones are then names alone.
func (l localShell) byReference() bool {
	if len(l.command) < 2 || l.format != "" && !strings.Contains(l.format, "'%s'") {
		return false
	}
	return slices.Contains([]string{"sh", "bash", "dash", "ksh", "zsh"}, filepath.Base(l.command[0]))
}

// vars writes the environment for a command line.
func (l localShell) vars(env []string) string {
	format := l.format
	if format == "" {
		format = "%s='%s' "
	}
	var b strings.Builder
	for _, v := range env {
		key, value, _ := strings.Cut(v, "=")
		written := strings.ReplaceAll(value, "'", `'"'"'`)
		if l.byReference() && l.secret(value) {
			written = `'"$` + key + `"'`
		}
		fmt.Fprintf(&b, format, key, written)
	}
	return b.String()
}

// exec runs one script in a process group of its own, so that everything it
// started ends with it when ctx does.
func (l localShell) exec(ctx context.Context, name, path string, env []string, stdout, stderr io.Writer) error {
	argv, done, err := l.argv(path, env)
	if err != nil {
		return err
	}
	defer done()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = l.dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = process.Run(ctx, cmd)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", name, context.Cause(ctx))
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", name, err)
	}
	code := cmd.ProcessState.ExitCode()
	if code == 0 && len(l.codes) == 0 || slices.Contains(l.codes, code) {
		return nil
	}
	return &provision.ExitError{Script: name, Code: code, Signal: process.EndedBy(cmd.ProcessState)}
}

// writeScript puts a script into a file that only its owner may read.
func writeScript(text, extension string) (string, error) {
	if extension != "" && !strings.HasPrefix(extension, ".") {
		extension = "." + extension
	}
	f, err := os.CreateTemp("", "imago-shell-local-*"+extension)
	if err != nil {
		return "", fmt.Errorf("write the inline script: %w", err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o700), f.Close())
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("write the inline script: %w", err)
	}
	return f.Name(), nil
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'" }
