package main

import (
	"errors"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// recorder answers a template's data sources, and puts what they look for into the catalogue.
type recorder struct{ things catalogue }

// Image makes an image that the filter finds.
func (r recorder) Image(_ template.Access, f builder.ImageFilter) (builder.SourceImage, error) {
	image := r.things.filtered(f, map[string]any{})
	text := func(name string) string { s, _ := image[name].(string); return s }
	return builder.SourceImage{ID: text("id"), Name: text("name"), Owner: text("owner"), Created: time.Now()}, nil
}

// Parameter cannot be answered: only its owner knows what is in it.
func (recorder) Parameter(_ template.Access, name string, _ bool) (template.Parameter, error) {
	return template.Parameter{}, errors.New("nobody here knows the value of the parameter " + name)
}

// Secret cannot be answered either.
func (recorder) Secret(_ template.Access, q template.SecretQuery) (template.Secret, error) {
	return template.Secret{}, errors.New("nobody here knows the secret " + q.Name)
}

// Fetch asks nobody.
func (recorder) Fetch(r template.Request) (template.Response, error) {
	return template.Response{}, errors.New("nobody asks the web for " + r.URL)
}

// variables and variableFiles read a template's arguments.
func variables(args []string) map[string]string {
	all := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		if name, value, ok := strings.Cut(args[i+1], "="); ok && args[i] == "-var" {
			all[name] = value
		}
	}
	return all
}

func variableFiles(args []string) (all []string) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "-var-file" {
			all = append(all, args[i+1])
		}
	}
	return all
}
