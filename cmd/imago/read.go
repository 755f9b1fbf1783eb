package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/imagobuild/imago/builder/project"
	"github.com/imagobuild/imago/builder/template"
)

// parse reads a template and shows its warnings. Its secrets are hidden from
// here on.
func (s *session) parse(path string, o template.Options) (*template.Template, error) {
	if filepath.Base(path) == project.DefaultPath {
		return nil, usagef("%s is a project file and not a template: imago bake makes its images, and imago validate checks it", path)
	}
	s.secrets.Hide(os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))
	t, err := template.Parse(path, o)
	if t != nil { // what is wrong may be in a secret, too
		s.secrets.Hide(t.Sensitive...)
	}
	if err != nil {
		return nil, &usageError{err}
	}
	for _, w := range t.Warnings {
		s.say("imago: warning: %v", w)
	}
	return t, nil
}

// newView chooses the display: Packer's lines, a live terminal, or plain lines.
func (b *bake) newView(t *template.Template) *view {
	v := &view{now: time.Now, clean: b.secrets.Clean}
	for _, build := range t.Builds {
		v.order = append(v.order, build.Name)
	}
	format := layout{}
	if b.options.stamp {
		format.stamp = func() string { return time.Now().Format(time.RFC3339) }
	}
	colours := b.tty != nil && b.options.colour && !envSet("NO_COLOR") && !envSet("PACKER_NO_COLOR")
	if colours {
		format.colours = buildColours(v.order)
	}
	switch {
	case b.options.readable:
		m := b.machine()
		v.out = &plain{w: m.w, format: m.format, clean: v.clean, now: time.Now}
	case b.lively() && !b.options.debug:
		v.out = &live{board: board{w: b.stderr, width: b.width}, format: format.format, clean: v.clean, now: time.Now}
	default:
		v.out = &plain{w: b.stderr, format: format.format, clean: v.clean, now: time.Now}
	}
	return v
}
