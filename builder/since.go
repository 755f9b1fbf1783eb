package builder

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/provision"
)

// Since is the last image of a name, and what has changed since it was made.
type Since struct {
	ID, Name string
	Created  time.Time
	Changes  []string // such as "step 2: upload app to /srv/app: contents of lib/a.js"

	// Rough says that the image was made on another computer, or long ago: then its
	// tags name the steps that differ, but not the file or variable.
	Rough bool
}

// Since compares a plan with the last image of its name, whose digits may be
// others: web-1700000001 comes after web-1700000000. Without such an image it is nil.
func (b *Builder) Since(ctx context.Context, p Plan) (*Since, error) {
	img, found, err := b.lastOfName(ctx, p.Config.Output.Name)
	if err != nil || !found || len(p.Parts) == 0 {
		return nil, err
	}
	s := toSourceImage(img)
	since := &Since{ID: s.ID, Name: s.Name, Created: s.Created}
	if old, err := b.recorded(s.Tags[TagFingerprint]); err == nil {
		since.Changes = b.changes(p, old, s.Tags[TagFingerprint])
		return since, nil
	}
	since.Rough = true
	since.Changes = roughChanges(p, s.Tags[TagInputs])
	return since, nil
}

// lastOfName finds the newest image that says what it is made of.
func (b *Builder) lastOfName(ctx context.Context, name string) (img types.Image, found bool, err error) {
	out, err := b.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Owners:  []string{"self"},
		Filters: toFilters(map[string][]string{"name": {anyDigits(literal(name))}, "tag-key": {TagInputs}}),
	})
	if err != nil {
		return img, false, fmt.Errorf("look for earlier images of the name: %w", err)
	}
	for _, each := range out.Images {
		if anyDigits(aws.ToString(each.Name)) == anyDigits(name) && (!found || newer(each, img)) {
			img, found = each, true
		}
	}
	return img, found, nil
}

// anyDigits is a name with a * for each UUID and each run of digits: what
// {{uuid}}, {{timestamp}} and {{isotime}} put there.
func anyDigits(name string) string {
	var b strings.Builder
	for digit := false; name != ""; {
		rest := name[uuidLength(name):]
		if rest == name && isDigit(name[0]) {
			rest = strings.TrimLeft(name, "0123456789")
		}
		was := digit
		switch digit = rest != name; {
		case !digit:
			b.WriteByte(name[0])
			rest = name[1:]
		case !was:
			b.WriteByte('*')
		}
		name = rest
	}
	return b.String()
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// uuidLength is the length of a UUID that s begins with; 0 when it begins with none.
func uuidLength(s string) int {
	const like = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	if len(s) < len(like) {
		return 0
	}
	for i := range like {
		if dash := like[i] == '-'; dash != (s[i] == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return 0
		}
	}
	return len(like)
}

// recorded is what this computer remembers of a fingerprint.
func (b *Builder) recorded(fingerprint string) (r record, err error) {
	if b.Cache == "" || fingerprint == "" || filepath.Base(fingerprint) != fingerprint {
		return r, errors.New("nothing is remembered")
	}
	data, err := os.ReadFile(filepath.Join(b.recordDir(fingerprint), recordFile))
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err == nil && len(r.Parts) < fixedParts {
		err = errors.New("the record is not whole")
	}
	return r, err
}

// changes says which inputs differ.
func (b *Builder) changes(p Plan, old record, fingerprint string) (all []string) {
	for i := range fixedParts {
		was, is := old.Parts[i], p.Parts[i]
		switch {
		case was.Digest == is.Digest:
		case i == sourcePart:
			all = append(all, fmt.Sprintf("source image: it was %s, and is %s", old.Source, p.Source.ID))
		default:
			all = append(all, partChanges(is.Title, was, is, nil)...)
		}
	}
	files := func(was, is int, name string) []string { return b.fileChanges(p, fingerprint, was, is, name) }
	return append(all, stepChanges(old.Parts[fixedParts:], p.Parts[fixedParts:], files)...)
}

// stepChanges aligns the steps: those that are the same at both ends are, and of
// the ones between, as many as there are on both sides are taken to have changed.
func stepChanges(was, is []Part, files func(was, is int, name string) []string) (all []string) {
	same := func(a, b Part) bool { return a.Digest == b.Digest }
	head := 0
	for head < min(len(was), len(is)) && same(was[head], is[head]) {
		head++
	}
	tail := 0
	for tail < min(len(was), len(is))-head && same(was[len(was)-1-tail], is[len(is)-1-tail]) {
		tail++
	}
	for i := head; i < max(len(was), len(is))-tail; i++ {
		switch {
		case i >= len(is)-tail:
			all = append(all, removedStep(was[i]))
		case i >= len(was)-tail:
			all = append(all, is[i].Title+": new")
		case !same(was[i], is[i]):
			all = append(all, partChanges(is[i].Title, was[i], is[i], func(name string) []string { return files(i, i, name) })...)
		}
	}
	return all
}

func removedStep(was Part) string {
	if was.Title == "" {
		return "a step is gone"
	}
	return "was " + was.Title + ": gone"
}

// partChanges says which inputs of one part differ.
func partChanges(title string, was, is Part, files func(name string) []string) (all []string) {
	if len(was.Inputs) == 0 {
		return []string{title + ": changed"}
	}
	find := func(p Part, name string) (Input, bool) {
		i := slices.IndexFunc(p.Inputs, func(in Input) bool { return in.Name == name })
		if i < 0 {
			return Input{}, false
		}
		return p.Inputs[i], true
	}
	for _, in := range is.Inputs {
		old, found := find(was, in.Name)
		switch {
		case !found:
			all = append(all, fmt.Sprintf("%s: %s: new", title, in.Name))
		case old.Digest == in.Digest:
		case files != nil && strings.HasPrefix(in.Name, treePrefix):
			all = append(all, prefixed(title+": ", files(in.Name))...)
		default:
			all = append(all, fmt.Sprintf("%s: %s: changed", title, in.Name))
		}
	}
	for _, in := range was.Inputs {
		if _, found := find(is, in.Name); !found {
			all = append(all, fmt.Sprintf("%s: %s: gone", title, in.Name))
		}
	}
	if len(all) == 0 { // the order, of what has no name of its own
		all = append(all, title+": changed")
	}
	return all
}

func prefixed(prefix string, all []string) (out []string) {
	for _, s := range all {
		out = append(out, prefix+s)
	}
	return out
}

// mostFiles bounds how many files of a tree are named.
const mostFiles = 20

// fileChanges says which files of a step's trees of that name differ.
func (b *Builder) fileChanges(p Plan, fingerprint string, was, is int, name string) (all []string) {
	up, _ := p.Config.Steps[is].(Upload)
	for j, t := range up.Trees {
		if treeInput(t, t.Dest) != name {
			continue
		}
		old := filepath.Join(b.recordDir(fingerprint), treeFile(was, j))
		changes, count, err := provision.Changes(old, b.knownFile(t), mostFiles)
		if err != nil {
			continue
		}
		for _, c := range changes {
			c.Name = cmp.Or(c.Name, filepath.Base(t.Source))
			all = append(all, c.String())
		}
		if count > len(changes) {
			all = append(all, fmt.Sprintf("and %d files more", count-len(changes)))
		}
	}
	if len(all) == 0 {
		all = []string{name + ": changed"}
	}
	return all
}

// roughChanges says what the tag of an image says: which parts differ.
func roughChanges(p Plan, tag string) (all []string) {
	fields := map[string]string{}
	for _, f := range strings.Fields(tag) {
		name, value, _ := strings.Cut(f, "=")
		fields[name] = value
	}
	if _, ok := fields["1"]; !ok {
		return []string{"the image says nothing that this version of imago understands"}
	}
	if fields["imago"] != short(p.Parts[imagoPart].Digest) {
		all = append(all, "imago: changed")
	}
	if fields["source"] != p.Source.ID {
		all = append(all, fmt.Sprintf("source image: it was %s, and is %s", fields["source"], p.Source.ID))
	}
	if fields["options"] != short(p.Parts[optionsPart].Digest) {
		all = append(all, "options: changed")
	}
	return append(all, roughSteps(fields["steps"], p.Parts[fixedParts:])...)
}

// roughSteps compares steps by the beginnings of their digests, of which the last may be of all the rest.
func roughSteps(tag string, steps []Part) []string {
	var was []Part
	for _, digest := range strings.FieldsFunc(tag, func(r rune) bool { return r == ',' }) {
		was = append(was, Part{Digest: digest})
	}
	return stepChanges(was, shortSteps(steps), nil)
}
