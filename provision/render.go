package provision

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// Packer's defaults for env_var_format.
const (
	varsFormat    = "%s='%s' "
	varFileFormat = "export %s='%s'\n"
)

// rendered is a script with its paths on the machine, as run.sh takes it.
type rendered struct {
	dir, path string
	dirMode   string
	command   string // "" runs the script by its own first line
	env       string
	body      []byte
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// render decides where everything goes. id makes the names of this run unique.
func (s Script) render(id string) (*rendered, error) {
	if s.Name == "" {
		return nil, errors.New("a script has no name")
	}
	env, err := s.environment()
	if err != nil {
		return nil, err
	}
	folder := s.RemoteFolder
	if folder == "" {
		folder = "/tmp"
	}
	r := &rendered{dir: path.Join(folder, "imago-"+id), dirMode: "0700", body: s.Body}
	r.path = s.path(r.dir)
	if !s.Binary {
		r.body = []byte(strings.ReplaceAll(string(s.Body), "\r\n", "\n"))
	}
	if s.Command == "" {
		r.env, err = formatEnv(env, varFileFormat)
		return r, err
	}
	// The command may be another account's: it has to get at the script, as it
	// does with Packer. The directory still cannot be listed.
	r.dirMode = "0711"
	return r, s.renderCommand(r, env)
}

// path is Packer's: remote_path, or remote_folder and remote_file joined; what
// nobody named is in the private directory.
func (s Script) path(dir string) string {
	switch {
	case s.RemotePath != "":
		return s.RemotePath
	case s.RemoteFile == "":
		return path.Join(dir, "script.sh")
	case s.RemoteFolder == "":
		return path.Join(dir, s.RemoteFile)
	default:
		return path.Join(s.RemoteFolder, s.RemoteFile)
	}
}

// renderCommand fills in Command. An environment that Command does not mention
// is exported before it.
func (s Script) renderCommand(r *rendered, env []string) error {
	format := s.EnvFormat
	if format == "" {
		format = varsFormat
		if s.UseEnvFile {
			format = varFileFormat
		}
	}
	listed, err := formatEnv(env, format)
	if err != nil {
		return err
	}
	data := struct{ Path, Vars, EnvVarFile string }{Path: r.path, EnvVarFile: path.Join(r.dir, "env")}
	if s.UseEnvFile {
		r.env = listed
	} else {
		data.Vars = listed
		r.env, err = formatEnv(env, varFileFormat)
	}
	if err != nil {
		return err
	}
	text, mentionsEnv, err := expand(s.Command, data)
	if err != nil {
		return fmt.Errorf("%s: command: %w", s.Name, err)
	}
	if !mentionsEnv && len(env) > 0 {
		text = ". " + Quote(data.EnvVarFile) + "\n" + text
	}
	r.command = text + "\n"
	return nil
}

func expand(text string, data struct{ Path, Vars, EnvVarFile string }) (out string, mentionsEnv bool, err error) {
	t, err := template.New("command").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", false, err
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", false, err
	}
	return b.String(), strings.Contains(text, ".Vars") || strings.Contains(text, ".EnvVarFile"), nil
}

// environment is Env sorted by name, the last value of each.
func (s Script) environment() ([]string, error) {
	last := map[string]string{}
	var problems []error
	for _, pair := range s.Env {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok || !variableName.MatchString(name):
			problems = append(problems, fmt.Errorf("%s: environment: %q is not a name that a shell takes; write NAME=value", s.Name, name))
		case strings.ContainsRune(value, 0):
			problems = append(problems, fmt.Errorf("%s: environment: the value of %s holds a NUL byte", s.Name, name))
		}
		last[name] = value
	}
	env := make([]string, 0, len(last))
	for name, value := range last {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env, errors.Join(problems...)
}

// formatEnv writes each variable by format, its value escaped for the single
// quotes that Packer's formats put around it.
func formatEnv(env []string, format string) (string, error) {
	if strings.Count(strings.ReplaceAll(format, "%%", ""), "%") != 2 || strings.Count(format, "%s") != 2 {
		return "", fmt.Errorf("environment format %q: it needs two %%s, for the name and the value", format)
	}
	var b strings.Builder
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		fmt.Fprintf(&b, format, name, strings.ReplaceAll(value, "'", `'"'"'`))
	}
	return b.String(), nil
}
