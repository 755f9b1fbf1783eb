package project

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder/template"
)

// order puts each image behind the one that it is made from, and refuses images that there are not, and circles.
func (f *file) order() {
	all := f.project.Images
	for _, i := range all {
		if i.From != "" && !slices.Contains(f.names(), i.From) {
			f.doc.Problem(f.places[i.Name], "there is no image %q%s", i.From, template.DidYouMean(i.From, f.names()))
		}
	}
	var sorted []Image
	placed := map[string]bool{}
	for len(sorted) < len(all) {
		before := len(sorted)
		for _, i := range all {
			if !placed[i.Name] && (i.From == "" || placed[i.From] || !slices.Contains(f.names(), i.From)) {
				placed[i.Name] = true
				sorted = append(sorted, i)
			}
		}
		if len(sorted) == before {
			f.refuseCircle(placed)
			return
		}
	}
	f.project.Images = sorted
}

// refuseCircle tells one of the circles among the images that have no place.
func (f *file) refuseCircle(placed map[string]bool) {
	from, at := map[string]string{}, ""
	for _, i := range f.project.Images {
		from[i.Name] = i.From
		if !placed[i.Name] && at == "" {
			at = i.Name
		}
	}
	var way []string
	for !slices.Contains(way, at) {
		way = append(way, at)
		at = from[at]
	}
	way = append(way[slices.Index(way, at):], at)
	f.doc.Problem(f.places[at], "image %s is made from itself: %s", at, strings.Join(way, " from "))
}

// names lists the images.
func (f *file) names() (all []string) {
	for _, i := range f.project.Images {
		all = append(all, i.Name)
	}
	return all
}

// tops lists the images that no other is made from.
func (f *file) tops() (all []string) {
	for _, i := range f.project.Images {
		if !slices.ContainsFunc(f.project.Images, func(other Image) bool { return other.From == i.Name }) {
			all = append(all, i.Name)
		}
	}
	return all
}

// Select returns the named images and those below them, in order; without names, all.
func (p *Project) Select(names ...string) ([]Image, error) {
	if len(names) == 0 {
		return p.Images, nil
	}
	var known []string
	below := map[string]string{}
	for _, i := range p.Images {
		known = append(known, i.Name)
		below[i.Name] = i.From
	}
	wanted := map[string]bool{}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%s has no image %s%s", p.Path, name, hint(name, known))
		}
		for ; name != ""; name = below[name] {
			wanted[name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(p.Images), func(i Image) bool { return !wanted[i.Name] }), nil
}
