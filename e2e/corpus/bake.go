package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// baked is what came of baking a template.
type baked struct {
	entry
	ok   bool
	why  string // it did not bake, or was not tried
	took time.Duration
}

// bakes bakes every template in scope that has all its inputs, and says which could not be baked.
func (p program) bakes(ctx context.Context, w io.Writer, entries []entry, atOnce int) (failed bool, err error) {
	var chosen []entry
	for _, e := range entries {
		if e.inScope {
			chosen = append(chosen, e)
		}
	}
	all := make([]baked, len(chosen))
	err = each(ctx, atOnce, len(chosen), func(ctx context.Context, i int) (err error) {
		all[i], err = p.bake(ctx, chosen[i])
		fmt.Fprintf(os.Stderr, "corpus: %s: %s\n", all[i].name(), all[i])
		return err
	})
	if err != nil {
		return true, err
	}
	return bakeReport(w, all), nil
}

func (b baked) String() string {
	if b.ok {
		return fmt.Sprintf("baked in %.1f s", b.took.Seconds())
	}
	return b.why
}

// noInput marks a template that does not say all that a bake needs.
const noInput = "not tried: "

func bakeReport(w io.Writer, all []baked) (failed bool) {
	tried, ok := 0, 0
	for _, b := range all {
		if !strings.HasPrefix(b.why, noInput) {
			tried++
		}
		if b.ok {
			ok++
		}
	}
	fmt.Fprintf(w, "\nOf %d templates in scope, %d have all inputs; of those %d bake (%.1f %%)\n", len(all), tried, ok, 100*float64(ok)/float64(max(tried, 1)))
	for _, b := range all {
		if !b.ok {
			fmt.Fprintf(w, "  %s (%s): %s\n", b.name(), b.repo, oneLine(b.why))
		}
	}
	return 100*ok < 95*tried
}

// oneLine leaves the excerpts out of what is wrong.
func oneLine(why string) string {
	lines := slices.DeleteFunc(strings.Split(why, "\n"), excerpt)
	return strings.Join(lines, "; ")
}

// bake bakes a copy of a template, with stubs, on a local cloud of its own whose catalogue has what the template looks for.
func (p program) bake(ctx context.Context, e entry) (b baked, err error) {
	b.entry = e
	home, err := os.MkdirTemp(p.home, "bake-")
	if err != nil {
		return b, err
	}
	defer os.RemoveAll(home)
	p.home = home
	defer p.run(context.WithoutCancel(ctx), e, p.imago, "local", "down") //nolint:errcheck // what is left of it is in the home directory
	why := ""
	root := filepath.Join(home, "copy")
	for _, args := range [][]string{e.args, e.filled} { // what is made up for blank defaults may be no real value
		e.filled = args
		if why, err = p.offer(ctx, &e, root); err != nil || why == "" {
			break
		}
	}
	if err != nil || why != "" {
		b.why = "refused: " + why
		if e.lacksInput(why) {
			b.why = noInput + why
		}
		return b, err
	}
	start := time.Now()
	r, err := p.run(ctx, e, p.imago, slices.Concat([]string{"build", "--local", "-color=false"}, e.filled, []string{e.template})...)
	if err != nil {
		return b, err
	}
	b.ok, b.took = r.code == 0, time.Since(start)
	if !b.ok {
		b.why = fmt.Sprintf("exit %d: %s", r.code, lastLines(r.stderr, 6))
	}
	return b, nil
}

// lacksInput says whether a template is refused for what it does not say: Packer refuses it, too, or
// finds out in the bake what is missing.
func (e entry) lacksInput(why string) bool {
	if e.said["validate"] != "0" && e.said["filled"] != "0" {
		return true
	}
	for line := range strings.Lines(why) {
		if !excerpt(line) && !missingInput.MatchString(line) {
			return false
		}
	}
	return true
}

var missingInput = regexp.MustCompile(`is empty; |does not exist|expects an id such as|nobody here knows|the catalogue `)

// offer copies a template, puts stubs into it, and makes a local cloud have what it looks for. why says what is missing.
func (p program) offer(ctx context.Context, e *entry, root string) (why string, err error) {
	if within, ok := strings.CutPrefix(e.dir, e.root); ok {
		e.dir = filepath.Join(root, within)
	}
	if err := errors.Join(os.RemoveAll(root), os.CopyFS(root, os.DirFS(e.root)), unlock(root)); err != nil {
		return "", err
	}
	things, why := prepare(*e, root)
	if why != "" {
		return why, nil
	}
	file := filepath.Join(p.home, "catalogue.json")
	text, err := things.file()
	if err := errors.Join(err, os.WriteFile(file, text, 0o600)); err != nil {
		return "", err
	}
	r, err := p.run(ctx, *e, p.imago, "local", "catalogue", file)
	if err == nil && r.code != 0 {
		why = strings.Join(messages(r.stderr), "; ")
	}
	return why, err
}

// unlock makes a copy writable.
func unlock(root string) error {
	return filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Type()&os.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode()|0o200)
	})
}

// prepare puts stubs into the copy of a template, and finds out what it looks for. why says what is missing.
func prepare(e entry, root string) (things catalogue, why string) {
	if err := plainStubs().apply(e, root); err != nil {
		return nil, err.Error()
	}
	things = catalogue{}
	t, err := template.Parse(e.template, template.Options{
		Getwd: e.dir, Vars: variables(e.filled), VarFiles: variableFiles(e.filled), Env: func(string) (string, bool) { return "", false },
		Lookup: recorder{things},
	})
	if err != nil {
		return nil, err.Error()
	}
	s := plainStubs()
	for _, b := range t.Builds {
		if b.Config.Region == "" {
			b.Config.Region = "us-east-1"
		}
		things.wants(b)
		s.line = stubFor(b.Config.Steps, s.line)
	}
	if err := s.apply(e, root); err != nil {
		return nil, err.Error()
	}
	return things, ""
}

// stubFor is a script that makes the directories that uploads go into and the files that downloads fetch, as
// the template's own scripts do.
func stubFor(steps []builder.Step, line string) string {
	dirs, files := folders(steps)
	for _, dir := range dirs {
		if dir != "." && dir != "/tmp" && !strings.Contains(line, " "+dir+";") {
			line = fmt.Sprintf("sudo mkdir -p %s; sudo chmod a+rwx %s; ", dir, dir) + line
		}
	}
	for _, file := range files {
		line = fmt.Sprintf("sudo mkdir -p $(dirname %s); sudo touch %s; ", file, file) + line
	}
	return line
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
