package project

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/scripts"
)

// Recipe is an image that imago knows how to make: primal, the base image, or carnivore, one release of the application. It
// is what the templates of imago new say, without the files.
type Recipe struct {
	Name     string
	Source   string // an image's id, or resolve:ssm:NAME; empty with From
	Type     string // of the instance
	User     string
	Packages []string // primal: package.json and its like, whose modules are installed ahead
	App      string   // carnivore: the application's directory
	Config   string   // carnivore: its configuration, a JSON file; may be empty
	Env      []string // of the script
}

// The defaults of recipes.
const (
	DefaultInstanceType = "t3.micro"
	DefaultUser         = "admin"
)

func recipes() []string { return []string{"primal", "carnivore"} }

// recipeVars are the variables that a recipe's script takes, with their defaults.
func recipeVars(recipe string) map[string]string {
	if recipe == "primal" {
		return map[string]string{
			"NODE_VERSION": "22", "NODE_SOURCE": "", "NODE_MIRROR": "", "NPM_REGISTRY": "", "NPM_VERSION": "", "NVM_VERSION": "", "NVM_SOURCE": "",
		}
	}
	return map[string]string{
		"NODE_ENV": "staging", "SERVER_NAME": "_", "NGINX_WORKERS": "auto", "NPM_REGISTRY": "", "NGINX_USER": "", "MAIN": "", "STATIC_ROOT": "",
	}
}

// readRecipe reads the arguments of an image with a recipe.
func (f *file) readRecipe(in block, i Image) *Recipe {
	r := &Recipe{
		Name: in.text("recipe"), Source: in.text("source_ami"), Type: in.text("instance_type"), User: in.text("ssh_username"),
		Packages: in.texts("packages"), App: in.text("app"), Config: in.text("config"),
	}
	if !slices.Contains(recipes(), r.Name) {
		if r.Name != "" {
			in.wrong("recipe", "is %q; it is one of %s%s", r.Name, strings.Join(recipes(), ", "), template.DidYouMean(r.Name, recipes()))
		}
		return r
	}
	if r.Type == "" {
		r.Type = DefaultInstanceType
	}
	if r.User == "" {
		r.User = DefaultUser
	}
	if in.has("source_ami") == in.has("from") {
		f.doc.Problem(in.at, "image %s needs either from, the name of an image below, or source_ami, the id of a Debian or Ubuntu image", i.Name)
	}
	f.readRecipeFiles(in, i, r)
	r.Env = f.recipeEnv(in, i, r)
	if _, err := scripts.Project(f.project.Application); err != nil && f.project.Application != "" {
		f.doc.Problem(f.top().place("application"), "a recipe names a service after the application: %s", err)
	}
	return r
}

// readRecipeFiles reads what a recipe uploads.
func (f *file) readRecipeFiles(in block, i Image, r *Recipe) {
	if r.Name == "primal" {
		f.refuse(in, []string{"app", "config"}, "the recipe carnivore")
		for _, name := range r.Packages {
			if !f.exists(name) {
				in.wrong("packages", "%s does not exist%s", name, f.beside(name))
			}
		}
		return
	}
	f.refuse(in, []string{"packages"}, "the recipe primal")
	switch {
	case r.App != "" && !f.exists(r.App) && i.Command == nil:
		in.wrong("app", "%s does not exist%s", r.App, f.beside(r.App))
	case r.App != "":
		r.App = f.project.local(r.App)
	case i.Command != nil:
		r.App = i.Command.Output
	case !in.has("app"):
		f.doc.Problem(in.at, "the recipe carnivore needs app, the application's directory, or a build block that makes it")
	}
	if r.Config != "" && !f.exists(r.Config) {
		in.wrong("config", "%s does not exist%s", r.Config, f.beside(r.Config))
	}
}

// recipeEnv is what the recipe's script gets.
func (f *file) recipeEnv(in block, i Image, r *Recipe) (env []string) {
	all := recipeVars(r.Name)
	known := slices.Sorted(maps.Keys(all))
	if e := f.chosen; e != "" && r.Name == "carnivore" {
		all["NODE_ENV"] = e
	}
	for _, name := range slices.Sorted(maps.Keys(i.Variables)) {
		if !slices.Contains(known, name) {
			in.wrong("vars", "has %s, which the recipe %s does not know%s", name, r.Name, hint(name, known))
			continue
		}
		all[name] = i.Variables[name]
	}
	if r.Name == "carnivore" {
		all["NAME"], all["INSTANCE_USER"] = f.project.Application+"-"+all["NODE_ENV"], r.User
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		env = append(env, name+"="+all[name])
	}
	return env
}

// build is the recipe as a template would say it.
func (r *Recipe) build(p *Project, image string, now time.Time) (template.Build, error) {
	files, err := scripts.Project(p.Application)
	if err != nil {
		return template.Build{}, err
	}
	cfg := builder.Config{
		Name: image, Region: p.Environment.Region, Source: builder.Source{ID: r.Source}, Instance: builder.Instance{Type: r.Type},
		SSH: builder.SSH{User: r.User}, Output: builder.Output{Name: r.imageName(p, image, now)},
	}
	up := builder.Upload{StepOptions: builder.StepOptions{Where: p.Path + ": recipe " + r.Name}}
	run := builder.Run{StepOptions: up.StepOptions}
	for _, f := range files {
		name, mailtube := strings.CutPrefix(f.Path, "deploy/mailtube/")
		switch {
		case f.Path == "deploy/templates/"+r.Name:
			run.Scripts = []provision.Script{{Name: r.Name, Body: f.Content, Env: r.Env}}
		case mailtube && r.Name == "primal" && !r.replaces(name):
			up.Trees = append(up.Trees, provision.Tree{Content: f.Content, Mode: f.Mode, Dest: "/tmp/mailtube/" + name})
		}
	}
	for _, name := range r.Packages {
		up.Trees = append(up.Trees, provision.Tree{Source: p.local(name), Dest: "/tmp/mailtube/" + path.Base(name)})
	}
	if r.App != "" {
		up.Trees = append(up.Trees, provision.Tree{Source: strings.TrimSuffix(r.App, "/") + "/", Dest: "/tmp/appserver"})
	}
	if r.Config != "" {
		up.Trees = append(up.Trees, provision.Tree{Source: p.local(r.Config), Dest: "/tmp/env.json"})
	}
	cfg.Steps = []builder.Step{up, run}
	return template.Build{Name: image, Type: "amazon-ebs", ScriptName: image, Config: cfg, Access: template.Access{Region: cfg.Region}}, nil
}

// replaces says whether a file of the mailtube is given by the project.
func (r *Recipe) replaces(name string) bool {
	return slices.ContainsFunc(r.Packages, func(p string) bool { return path.Base(p) == name })
}

// imageName is another one at each second.
func (r *Recipe) imageName(p *Project, image string, now time.Time) string {
	parts := []string{p.Application, image, p.Environment.Name, fmt.Sprint(now.Unix())}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "-")
}
