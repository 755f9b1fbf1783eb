package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/gc"
	"github.com/imagobuild/imago/builder/journal"
	"github.com/imagobuild/imago/builder/template"
)

// lookForUnfinished finds the journals that --resume may go on with, and holds
// them until the function it returns is called: those of the template's builds
// whose builders are gone, or have left them.
func (b *bake) lookForUnfinished(t *template.Template) (release func()) {
	if !b.options.resume {
		return func() {}
	}
	dir, err := journalDir()
	if err == nil {
		b.unfinished, err = journal.Read(dir, true)
	}
	if err != nil {
		b.say("imago: warning: journals that cannot be read do not count: %v", err)
	}
	b.unfinished = slices.DeleteFunc(b.unfinished, func(f *journal.Found) bool {
		mine := slices.ContainsFunc(t.Builds, func(build template.Build) bool { return b.continues(f, build) })
		if !mine {
			f.Close()
		}
		return !mine
	})
	slices.SortFunc(b.unfinished, func(x, y *journal.Found) int { return y.Reading.Time.Compare(x.Reading.Time) }) // the newest first
	return func() {
		for _, f := range b.unfinished {
			f.Close()
		}
	}
}

// continues says whether a journal is of an earlier run of a build.
func (b *bake) continues(f *journal.Found, build template.Build) bool {
	return f.Is(build.Name, build.Config.Region) && f.Via == via(build.Access, b.local)
}

// resume goes on with an earlier run of a build: one that a journal here speaks
// of, or else one whose image is found by its tags. It is false, and says why,
// when there is none to go on with.
func (b *bake) resume(ctx context.Context, i int, build template.Build) (r result, resumed bool) {
	said := false
	for _, f := range b.unfinished {
		if !b.continues(f, build) {
			continue
		}
		switch f.Build.State {
		case gc.Gone, gc.Left:
			if r, resumed = b.goOn(ctx, i, build, f); resumed {
				return r, true
			}
		case gc.Living:
			b.view.say(build.Name, warning, "build "+f.Build.ID+" cannot be gone on with: "+f.Build.Why)
		default:
			b.view.say(build.Name, warning, "build "+f.Build.ID+" cannot be gone on with: nobody knows whether its builder is gone")
		}
		said = true
	}
	if said {
		return result{}, false
	}
	return b.goOnByTags(ctx, i, build)
}

// goOn goes on with the build of a journal, as its template was read then.
func (b *bake) goOn(ctx context.Context, i int, build template.Build, f *journal.Found) (result, bool) {
	build, err := b.again(build, f.Reading)
	if err != nil {
		return result{build: build, err: err}, true
	}
	j := b.scribe(build)
	if j.file != nil {
		j.file.Reading = f.Reading
		if err := j.file.GoOn(f); err != nil {
			return result{build: build, err: err}, true
		}
		defer j.file.Close()
	}
	return b.resumed(ctx, i, build, j, f.Records)
}

// again is a build as its template said it at another reading.
func (b *bake) again(build template.Build, with journal.Reading) (template.Build, error) {
	o := b.options.template
	o.Now, o.Seed = with.Time, with.Seed
	parse := func() (*template.Template, error) { return template.Parse(b.options.path, o) }
	if b.chain != nil {
		parse = func() (*template.Template, error) { return b.chain.parse(build, o) }
	}
	t, err := parse()
	if t != nil {
		b.secrets.Hide(t.Sensitive...)
	}
	if err != nil {
		return build, &usageError{err}
	}
	if err := prepare(t, b.options); err != nil {
		return build, err
	}
	for _, same := range t.Builds {
		if same.Name == build.Name {
			same.Config.Region = build.Config.Region // which may be from the environment
			return same, nil
		}
	}
	return build, nil
}

// goOnByTags goes on with what a lost journal spoke of.
func (b *bake) goOnByTags(ctx context.Context, i int, build template.Build) (result, bool) {
	j := b.scribe(build)
	records, err := b.builder(i, build, j).Unfinished(ctx, build.Config)
	if err != nil {
		return b.unable(build, err)
	}
	if j.file != nil {
		defer j.file.Close()
	}
	return b.resumed(ctx, i, build, j, records)
}

// resumed is what became of going on.
func (b *bake) resumed(ctx context.Context, i int, build template.Build, j scribe, said []builder.Record) (result, bool) {
	img, err := b.builder(i, build, j).Resume(ctx, build.Config, said)
	if errors.As(err, new(*builder.NoResumeError)) {
		return b.unable(build, err)
	}
	return result{build: build, image: img, err: err}, true
}

// unable says why a build is not gone on with, or is the error that it ended with.
func (b *bake) unable(build template.Build, err error) (result, bool) {
	why := new(builder.NoResumeError)
	if !errors.As(err, &why) {
		return result{build: build, err: err}, true
	}
	b.view.say(build.Name, warning, why.Error())
	return result{}, false
}

// resumeHint says which command goes on with builds whose images AWS is still making.
func (s *session) resumeHint(err error) {
	if !is[*builder.PendingError](err) || len(leaks(err)) == 0 { // somebody who was asked wanted it taken away
		return
	}
	i := slices.IndexFunc(s.args, func(a string) bool { return a == "build" || a == "bake" })
	if i < 0 {
		return
	}
	args := slices.DeleteFunc(slices.Clone(s.args[i+1:]), func(a string) bool { return strings.TrimLeft(a, "-") == "resume" })
	s.say("imago: hint: to go on with it: imago %s --resume %s", s.args[i], commandLine(args))
}

// commandLine is arguments as a shell takes them.
func commandLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = a
		if a == "" || strings.ContainsFunc(a, func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+", r)
		}) {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
