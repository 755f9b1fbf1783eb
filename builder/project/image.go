package project

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/imagobuild/imago/builder/template"
)

// Image is one of a project's images.
type Image struct {
	Name string

	// From is the name of the image that it is made from. Empty: the template or the recipe says what it is made from.
	From string

	// FromVariable is the variable of the template that gets the id of From's image. Empty: the id takes the place of the
	// template's source image.
	FromVariable string

	// Template is the path of a template; Variables, VarFiles, Only and Except are what the command line would say about it.
	Template     string
	Variables    map[string]string
	VarFiles     []string
	Only, Except []string

	// Recipe is made without a template. Exactly one of the two is set.
	Recipe *Recipe

	// Command makes what is uploaded. Nil: nothing is made.
	Command *Command

	// Retention of its own. Nil: the project's.
	Retention *Retention

	at map[string]template.Error // the places of its arguments in the file, and of its name, as ""
}

// templateArguments and recipeArguments belong to images of one kind alone.
func templateArguments() []string { return []string{"var_files", "only", "except", "from_variable"} }

func recipeArguments() []string {
	return []string{"source_ami", "instance_type", "ssh_username", "packages", "app", "config"}
}

// readImages reads the image blocks.
func (f *file) readImages() {
	blocks := f.doc.Blocks().OfType("image")
	if len(blocks) == 0 {
		f.doc.Problem(f.top().at, "a project file needs an image block, such as image \"web\" { template = \"web.json\" }")
	}
	for _, b := range blocks {
		name, at := b.Labels[0], b.LabelRanges[0]
		if first, ok := f.places[name]; ok {
			f.doc.Problem(at, "image %s is declared twice, first at line %d", name, first.Start.Line)
			continue
		}
		if !fits(name) {
			f.doc.Problem(at, "image %q: %s", name, namesRule)
		}
		f.places[name] = at
		f.project.Images = append(f.project.Images, f.readImage(name, b))
	}
}

func (f *file) readImage(name string, b *hcl.Block) Image {
	arguments := slices.Concat([]string{"from", "template", "recipe", "vars"}, templateArguments(), recipeArguments())
	in := open(f.doc, b, "an image block", schema(arguments, []string{"build", "retention"}))
	i := Image{
		Name: name, at: map[string]template.Error{"": f.doc.Place(b.LabelRanges[0])}, From: in.text("from"), FromVariable: in.text("from_variable"), Template: in.text("template"),
		Variables: in.pairs("vars"), VarFiles: in.texts("var_files"), Only: in.texts("only"), Except: in.texts("except"),
		Command: f.readCommand(in.one("build")), Retention: readRetention(f.doc, in.one("retention")),
	}
	for name := range in.attrs {
		i.at[name] = f.doc.Place(in.place(name))
	}
	if in.has("from") {
		f.places[name] = in.place("from")
	}
	switch {
	case in.has("template") == in.has("recipe"):
		f.doc.Problem(b.DefRange, "image %s needs either template, the path of one, or recipe, one of %s", name, strings.Join(recipes(), ", "))
	case in.has("template"):
		f.refuse(in, recipeArguments(), "an image with a recipe; the template has its own")
		f.checkFiles(in, i)
	default:
		f.refuse(in, templateArguments(), "an image with a template")
		i.Recipe = f.readRecipe(in, i)
	}
	if in.has("from_variable") && !in.has("from") {
		in.wrong("from_variable", "needs from, the name of the image below")
	}
	return i
}

// refuse says which arguments belong elsewhere.
func (f *file) refuse(in block, arguments []string, where string) {
	for _, name := range arguments {
		if in.has(name) {
			f.doc.Problem(in.attrs[name].NameRange, "%s belongs to %s", name, where)
		}
	}
}

// checkFiles says which of the files that an image names are not there.
func (f *file) checkFiles(in block, i Image) {
	if i.Template != "" && !f.exists(i.Template) {
		in.wrong("template", "%s does not exist%s", i.Template, f.beside(i.Template))
	}
	for _, name := range i.VarFiles {
		if !f.exists(name) {
			in.wrong("var_files", "%s does not exist", name)
		}
	}
}

func (f *file) exists(path string) bool {
	_, err := os.Stat(f.project.local(path))
	return err == nil
}

// beside says which file in the same directory may be meant.
func (f *file) beside(path string) string {
	entries, _ := os.ReadDir(filepath.Dir(f.project.local(path))) // nothing to say about one that cannot be read
	var all []string
	for _, e := range entries {
		all = append(all, filepath.Join(filepath.Dir(path), e.Name()))
	}
	return template.DidYouMean(filepath.Clean(path), all)
}

// local is the path to open for one of the file.
func (p *Project) local(path string) string {
	if filepath.IsAbs(path) || p.Dir == "" {
		return path
	}
	full := filepath.Join(p.Dir, path)
	if strings.HasSuffix(path, "/") {
		full += "/" // it means something to an upload
	}
	return full
}
