package retention

import (
	"path"
	"regexp"
	"strings"

	"github.com/imagobuild/imago/builder"
)

// Series are the images of one name and environment: each is there in place of
// the one before.
type Series struct {
	Application, Image, Environment string
}

func (s Series) String() string {
	name := path.Join(s.Application, s.Image)
	if s.Environment == "" {
		return name
	}
	return name + " in " + s.Environment
}

// seriesOf says of which series an image is: one for each of its environments.
// Without imago's tags, the stem of its name stands for the image.
func (p Policy) seriesOf(img Image, stems stems) []Series {
	if len(p.Tags) > 0 {
		return []Series{{}}
	}
	s := Series{Application: img.Tags[builder.TagApplication], Image: img.Tags[builder.TagImage]}
	switch {
	case s.Image != "":
	case p.Name != "":
		s.Image = p.Name
	default:
		s.Image = stems.of(img.Name)
	}
	var all []Series
	for _, env := range builder.Environments(img.Tags[builder.TagEnvironment]) {
		s.Environment = env
		all = append(all, s)
	}
	if len(all) == 0 {
		all = []Series{s}
	}
	return all
}

// ours says whether imago has made an image.
func ours(img Image) bool {
	_, ok := builder.BuildOf(img.Tags)
	return ok
}

// stems finds out what the names of a template's images have in common.
type stems struct{ parts, date *regexp.Regexp }

// newStems knows what templates put into names to make each another one: {{uuid}},
// {{isotime}} and {{timestamp}}. A number that looks like none of these, such as a
// release's, tells images apart that have nothing to do with each other.
func newStems() stems {
	const (
		uuid = `[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`
		date = `20\d\d[-.]?(?:0[1-9]|1[0-2])[-.]?(?:0[1-9]|[12]\d|3[01])`
		hour = `(?:[T _-]?\d\d[-.:]?\d\d(?:[-.:]?\d\d)?(?:Z|UTC)?)?`
	)
	return stems{regexp.MustCompile(uuid + "|" + date + hour + `|\d+`), regexp.MustCompile("^" + date + hour + "$")}
}

// of is a name with a * where it says when it was made.
func (s stems) of(name string) string {
	return s.parts.ReplaceAllStringFunc(name, func(part string) string {
		number := strings.Trim(part, "0123456789") == ""
		if seconds := len(part) == 10 || len(part) == 13; number && !seconds && !s.date.MatchString(part) {
			return part
		}
		return "*"
	})
}

// like says whether a name fits a pattern, in which * is any text and ? any character.
func like(pattern, name string) bool {
	for i, c := range pattern {
		switch {
		case c == '*':
			rest := pattern[i+1:]
			for j := range len(name) + 1 {
				if like(rest, name[j:]) {
					return true
				}
			}
			return false
		case name == "" || c != '?' && !strings.HasPrefix(name, string(c)):
			return false
		case c == '?':
			name = name[1:]
		default:
			name = name[len(string(c)):]
		}
	}
	return name == ""
}
