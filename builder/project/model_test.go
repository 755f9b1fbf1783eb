package project_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/project"
)

// entry is a file of the project, or a link.
type entry struct {
	text, link string
	mode       fs.FileMode
}

// model is what a project means, and the ways in which it may be written down.
type model struct {
	rand *rand.Rand

	// What decides the images.
	script, base, size string            // primal's
	tuning             string            // a variable of primal's script
	app                map[string]*entry // what carnivore uploads
	mode, greeting     map[string]string // variables of carnivore's script, by environment
	shape, user        string

	// What does not.
	environment, application, fileName        string
	hcl, byVariable, reverse, comments, touch bool
	where                                     string // where the variable greeting has its value from
	keep, port                                int
	tag, command, name, scriptName, home      string
	now                                       int64
}

func newModel(r *rand.Rand) *model {
	return &model{
		rand: r, script: "echo 1\n", base: "ami-1", size: "t3.micro", tuning: "1", shape: "t3.micro", user: "",
		app:  map[string]*entry{"a": {text: "1", mode: 0o644}, "lib/b": {text: "2", mode: 0o644}, "link": {link: "a"}},
		mode: map[string]string{"staging": "s", "production": "p"}, greeting: map[string]string{"staging": "hi", "production": "hello"},
		environment: "staging", application: "shop", fileName: "imago.hcl", where: "environment", keep: 1, port: 80, name: "web", scriptName: "setup.sh",
	}
}

// primal and carnivore are the oracle: in plain words all that decides each image.
func (m *model) primal() string {
	return fmt.Sprintf("from %s on %s run %q with TUNING=%s", m.base, m.size, strings.ReplaceAll(m.script, "\r\n", "\n"), m.tuning)
}

func (m *model) carnivore() string {
	var b strings.Builder
	fmt.Fprintf(&b, "from (%s) on %s, user-data %q, run with MODE=%s GREETING=%s\n", m.primal(), m.shape, m.user, m.mode[m.environment], m.greeting[m.environment])
	for _, name := range slices.Sorted(maps.Keys(m.app)) {
		fmt.Fprintf(&b, "%s %+v\n", name, *m.app[name])
	}
	return b.String()
}

// mutations are by what they do; whether it counts is the oracle's to say.
func (m *model) mutations() map[string]func() {
	text := func() string { return pick(m, "1", "2", "3") }
	file := func() *entry { return m.app[pick(m, "a", "lib/b")] }
	return map[string]func(){
		"primal's script":     func() { m.script = "echo " + text() + pick(m, "\n", "\r\n") },
		"the source image":    func() { m.base = "ami-" + text() },
		"primal's machine":    func() { m.size = pick(m, "t3.micro", "m7g.large") },
		"a variable":          func() { m.tuning = text() },
		"a byte":              func() { file().text = text() },
		"a file's mode":       func() { file().mode = pick[fs.FileMode](m, 0o644, 0o755, 0o600) },
		"another file":        func() { m.app[pick(m, "c", "lib/d")] = &entry{text: text(), mode: 0o644} },
		"one file less":       func() { delete(m.app, pick(m, "c", "lib/d")) },
		"a link":              func() { m.app["link"].link = pick(m, "a", "lib") },
		"an environment's":    func() { m.greeting[pick(m, "staging", "production")] = pick(m, "hi", "hello", "hello, \"you\" ${1}") },
		"the same in both":    func() { m.mode = map[string]string{"staging": "x", "production": "x"} },
		"others in each":      func() { m.mode = map[string]string{"staging": "s", "production": "p"} },
		"carnivore's machine": func() { m.shape = pick(m, "t3.micro", "t3.small") },
		"user-data":           func() { m.user = pick(m, "", "#cloud-config\n") },

		"for another environment":    func() { m.environment = pick(m, "staging", "production") },
		"the other language":         func() { m.hcl = !m.hcl },
		"how from is said":           func() { m.byVariable = !m.byVariable },
		"the order of blocks":        func() { m.reverse = !m.reverse },
		"comments":                   func() { m.comments = !m.comments },
		"times":                      func() { m.touch, m.now = true, m.now+1 },
		"where a value comes from":   func() { m.where = pick(m, "environment", "default", "var", "shell", "file") },
		"retention":                  func() { m.keep = pick(m, 1, 2, 3) },
		"how it is deployed":         func() { m.port = pick(m, 80, 8080) },
		"tags":                       func() { m.tag = text() },
		"the build command":          func() { m.command = pick(m, "", "true", "make") },
		"the application's name":     func() { m.application = pick(m, "shop", "store") },
		"carnivore's name":           func() { m.name = pick(m, "web", "carnivore") },
		"the project file's name":    func() { m.fileName = pick(m, "imago.hcl", "project.hcl") },
		"a script's name":            func() { m.scriptName = pick(m, "setup.sh", "scripts/primal") },
		"somebody else's home, time": func() { m.home, m.now = pick(m, "/home/a", "/home/b"), m.now+100 },
	}
}

func (m *model) env(name string) (string, bool) {
	switch {
	case name == "HOME":
		return m.home, true
	case name == "PKR_VAR_greeting" && m.where == "shell":
		return m.greeting[m.environment], true
	}
	return "", false
}

func (m *model) options(t *testing.T) project.Options {
	o := project.Options{Environment: m.environment, Env: m.env, Vars: map[string]string{}}
	switch m.where {
	case "var":
		o.Vars["greeting"] = m.greeting[m.environment]
	case "file":
		o.VarFiles = []string{filepath.Join(write(t, "v.hcl", "greeting = "+quoted(m.greeting[m.environment])+"\n"), "v.hcl")}
	}
	return o
}

// files are the project's.
func (m *model) files() map[string]entry {
	all := map[string]entry{m.fileName: {text: m.project(), mode: 0o644}, m.scriptName: {text: m.script, mode: 0o644}}
	for name, e := range m.app {
		all["app/"+name] = *e
	}
	primal, carnivore := m.templates()
	ending := ".json"
	if m.hcl {
		ending = ".pkr.hcl"
	}
	all["primal"+ending], all["carnivore"+ending] = entry{text: primal, mode: 0o644}, entry{text: carnivore, mode: 0o644}
	return all
}
