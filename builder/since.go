package builder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
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
	img, found, err := newestNamed(ctx, b.EC2, p.Config.Output.Name, map[string][]string{"tag-key": {TagInputs}})
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

// newestNamed finds the newest image of a name, whose digits may be others, that
// passes some filters more.
func newestNamed(ctx context.Context, cloud EC2, name string, more map[string][]string) (img types.Image, found bool, err error) {
	filters := map[string][]string{"name": {anyDigits(literal(name))}}
	maps.Copy(filters, more)
	out, err := cloud.DescribeImages(ctx, &ec2.DescribeImagesInput{Owners: []string{"self"}, Filters: toFilters(filters)})
	if err != nil {
		return img, false, fmt.Errorf("look for images of the name: %w", err)
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
