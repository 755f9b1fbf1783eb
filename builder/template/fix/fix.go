// Package fix brings JSON templates that were written for old versions of Packer up to date.
package fix

import (
	"errors"
	"fmt"

	"github.com/imagobuild/imago/builder/template/internal/jsontree"
)

// Fixer mends one kind of thing.
type Fixer struct {
	Name string // Packer's
	What string // what it does

	// fix says whether there was something to do.
	fix func(root *jsontree.Object) bool
}

// Template returns a template with all fixers applied, in the order that it has
// its parts in, and the names of those that had something to do.
func Template(name string, data []byte) (fixed []byte, done []string, err error) {
	v, err := jsontree.Read(name, data)
	if err != nil {
		return nil, nil, err
	}
	root, ok := v.(*jsontree.Object)
	if !ok {
		return nil, nil, fmt.Errorf("%s: %w", name, errors.New("a template must be a JSON object"))
	}
	for _, f := range Fixers() {
		if f.fix(root) {
			done = append(done, f.Name)
		}
	}
	fixed, err = jsontree.Write(root)
	return fixed, done, err
}

// objects lists the objects of a section of the template, those in nested lists too.
func objects(root *jsontree.Object, section string) (all []*jsontree.Object) {
	var add func(items []any)
	add = func(items []any) {
		for _, i := range items {
			switch i := i.(type) {
			case *jsontree.Object:
				all = append(all, i)
			case *jsontree.List:
				add(i.Items)
			}
		}
	}
	add(root.List(section))
	return all
}

// each makes a fix of one that mends a single object.
func each(section string, mend func(*jsontree.Object) bool) func(*jsontree.Object) bool {
	return func(root *jsontree.Object) bool {
		done := false
		for _, o := range objects(root, section) {
			done = mend(o) || done
		}
		return done
	}
}
