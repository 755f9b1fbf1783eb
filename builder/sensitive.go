package builder

import (
	"errors"

	"github.com/imagobuild/imago/provision"
)

// discreet is an event without the values of sensitive variables.
func (b *Builder) discreet(e Event) Event {
	clean := b.secrets.Clean
	switch e := e.(type) {
	case StageDone:
		e.Err = b.discreetError(e.Err)
		return e
	case Note:
		e.Text = clean(e.Text)
		return e
	case Created:
		if e.Kind == KindKeyPair { // its id is its name, which may be the template's
			e.ID = clean(e.ID)
		}
		return e
	case Waiting:
		e.Holder = clean(e.Holder)
		return e
	case StepStarted:
		e.Title = clean(e.Title)
		return e
	case Uploaded:
		e.Path = clean(e.Path)
		return e
	case Line:
		e.Script, e.Text = clean(e.Script), clean(e.Text)
		return e
	case Span:
		e.Name = clean(e.Name)
		return e
	}
	return e
}

// discreetError is err with another text, when that holds something sensitive.
func (b *Builder) discreetError(err error) error {
	if err == nil {
		return nil
	}
	if text := b.secrets.Clean(err.Error()); text != err.Error() {
		return reworded{err, text}
	}
	return err
}

// reworded is an error with another text.
type reworded struct {
	error
	text string
}

func (e reworded) Error() string { return e.text }
func (e reworded) Unwrap() error { return e.error }

// discreetExit takes what is sensitive out of a script's last lines.
func (b *Builder) discreetExit(err error) error {
	if exit, ok := errors.AsType[*provision.ExitError](err); ok {
		exit.Tail = b.secrets.Clean(exit.Tail)
	}
	return err
}

// named is the name of a thing, where the journal has something in place of what is sensitive in it.
func (b *Builder) named(p Plan, recorded string) string {
	for _, name := range []string{p.Config.Output.Name, draftName(p), p.Config.SSH.KeyPairName} {
		if b.secrets.Clean(name) == recorded {
			return name
		}
	}
	return recorded
}
