// Package scripts holds the bash that bakes primal and carnivore, and the files
// they put on a machine, as a project to adapt.
package scripts

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed primal carnivore PROJECT.md project.hcl app manifests mailtube env
var files embed.FS

// File is one file of a project.
type File struct {
	Path    string      // below the project's directory, with slashes
	Mode    fs.FileMode // permission bits
	Content []byte
}

// origins says where each directory of a project comes from, in the order of Project.
var origins = [...]struct{ from, to string }{
	{"PROJECT.md", "README.md"},
	{"app", "app"},
	{"env", "deploy/env"},
	{"mailtube", "deploy/mailtube"},
	{"carnivore", "deploy/templates/carnivore"},
	{"primal", "deploy/templates/primal"},
	{"manifests", "deploy/templates"},
	{"project.hcl", "imago.hcl"},
}

// Project returns the files of a new project of that name: its project file, two
// manifests with their scripts, the mailtube, a configuration for each environment,
// and an application to begin with. The name
// is 1 to 40 lower-case letters, digits and hyphens, a letter first: it begins the
// names of the images and of the service.
func Project(name string) ([]File, error) {
	if !fits(name) {
		return nil, fmt.Errorf("project name %q: give 1 to 40 lower-case letters, digits and hyphens, a letter first", name)
	}
	var project []File
	for _, o := range origins {
		err := fs.WalkDir(files, o.from, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			body, err := files.ReadFile(p)
			if err != nil {
				return err
			}
			project = append(project, file(path.Join(o.to, strings.TrimPrefix(p, o.from)), body, name))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return project, nil
}

// fits says whether name fits an image, a systemd unit and a directory alike.
func fits(name string) bool {
	const first, more = "abcdefghijklmnopqrstuvwxyz", "0123456789-"
	return name != "" && len(name) <= 40 && strings.Trim(name, first+more) == "" && strings.Contains(first, name[:1])
}

// file fills in the application's name; what begins with #! is executable.
func file(name string, body []byte, app string) File {
	mode := fs.FileMode(0o644)
	if strings.HasPrefix(string(body), "#!") {
		mode = 0o755
	}
	return File{Path: name, Mode: mode, Content: []byte(strings.ReplaceAll(string(body), "{APP}", app))}
}
