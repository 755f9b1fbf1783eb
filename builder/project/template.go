package project

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// Unknown stands for the id of an image that is not made yet.
const Unknown = "ami-00000000000000000"

// Template is what bakes an image: a template with one build, which has the image's name. from is the id of the image
// below, when it has one; Unknown stands for it before that image is there. What the options say of variables and of
// builds gives way to what the project says.
func (p *Project) Template(i Image, from string, o template.Options) (*template.Template, error) {
	t, err := p.read(i, from, o)
	if err != nil {
		return t, err
	}
	b := &t.Builds[0]
	b.Name, b.Config.Name = i.Name, i.Name
	if i.From != "" && i.FromVariable == "" {
		b.Config.Source = builder.Source{ID: from}
	}
	if r := p.Environment.Region; r != "" {
		b.Config.Region, b.Access.Region = r, r
	}
	t.Sensitive = append(slices.Clone(t.Sensitive), p.Sensitive...)
	b.Config.Sensitive = t.Sensitive
	b.Config.Output.Tags = p.tagged(i, b.Config.Output.Tags)
	for _, after := range b.PostProcessors {
		if after.Manifest != nil {
			after.Manifest.Output = p.local(after.Manifest.Output)
		}
	}
	return t, nil
}

// read reads an image's template, or makes one of its recipe.
func (p *Project) read(i Image, from string, o template.Options) (*template.Template, error) {
	if i.Recipe != nil {
		b, err := i.Recipe.build(p, i.Name, o.Now)
		return &template.Template{Path: p.Path, Builds: []template.Build{b}}, err
	}
	o.Vars = maps.Clone(i.Variables)
	if i.FromVariable != "" {
		if o.Vars == nil {
			o.Vars = map[string]string{}
		}
		o.Vars[i.FromVariable] = from
	}
	if o.Seed != "" { // else the first {{uuid}} of each image would be the same
		o.Seed += " " + i.Name
	}
	o.VarFiles, o.Only, o.Except = i.VarFiles, i.Only, i.Except
	if p.Dir != "" {
		o.Getwd = p.Dir
	}
	if i.Command != nil {
		o.Later = append(slices.Clone(o.Later), i.Command.Output)
	}
	t, err := template.Parse(i.Template, o)
	if err != nil {
		return t, i.inWords(err)
	}
	return t, i.checkTemplate(t, from)
}

// checkTemplate holds a template to what the project says of it.
func (i Image) checkTemplate(t *template.Template, from string) error {
	if len(t.Builds) != 1 {
		var all []string
		for _, b := range t.Builds {
			all = append(all, b.Name)
		}
		return i.wrong("template", "%s makes %d images, and must make one: choose it with only = [\"NAME\"], of %s", i.Template, len(all), strings.Join(all, ", "))
	}
	cfg := t.Builds[0].Config
	var errs []error
	if i.FromVariable != "" && cfg.Source.ID != from {
		errs = append(errs, i.wrong("from_variable", "from_variable is %q, but the source image of %s is not that variable: make it so, or leave from_variable out",
			i.FromVariable, i.Template))
	}
	if cfg.Output.SkipImage {
		errs = append(errs, i.wrong("template", "%s says skip_create_ami, so that there is no image", i.Template))
	}
	return errors.Join(errs...)
}

// inWords says what is wrong with a template in the project's words, not in the command line's.
func (i Image) inWords(err error) error {
	all, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var errs []error
	for _, err := range all.Unwrap() {
		if e, ok := errors.AsType[*template.Error](err); ok {
			err = i.inPlace(*e)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// inPlace is a problem of the image's template; what the command line would be blamed for has its place in the project file.
func (i Image) inPlace(e template.Error) error {
	e.Text = words(i).Replace(e.Text)
	if e.File != "" {
		return &e
	}
	argument, _, _ := strings.Cut(e.Text, ": ")
	return i.wrong(argument, "%s", e.Text)
}

// wrong is a problem of the image at one of its arguments, or else at its name.
func (i Image) wrong(argument, format string, args ...any) error {
	e, ok := i.at[argument]
	if !ok {
		e = i.at[""]
	}
	e.Text = fmt.Sprintf("image %s: ", i.Name) + fmt.Sprintf(format, args...)
	return &e
}

// words puts arguments of an image block in the place of flags.
func words(i Image) *strings.Replacer {
	give := "give one in vars of image " + i.Name + ", "
	if i.From != "" && i.FromVariable == "" {
		give = "if the id of " + i.From + " is to go there, name it in from_variable; else " + give
	}
	return strings.NewReplacer(
		"give one with -var ", give, "-var-file", "var_files", "-var ", "vars: ",
		"-only=", "only: ", "-except=", "except: ", "-only and -except", "only and except",
	)
}

// tagged adds whose an image is to its tags.
func (p *Project) tagged(i Image, tags map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, tags)
	all[builder.TagApplication], all[builder.TagImage] = p.Application, i.Name
	if p.Environment.Name != "" {
		all[builder.TagEnvironment] = p.Environment.Name
	}
	return all
}
