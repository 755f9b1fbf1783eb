package retention

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Bound says which images of a series stay: those within one of its two limits.
// The zero Bound is none.
type Bound struct {
	// Keep is how many of the newest stay. Optional; the last one stays in any case.
	Keep int

	// Age is how old an image may grow. Optional.
	Age time.Duration
}

// None says that a bound limits nothing, and so all images stay.
func (b Bound) None() bool { return b == Bound{} }

// Policy says how much stays of each series of images, and which series it is about.
type Policy struct {
	// Bound is that of every series which has none of its own.
	Bound

	// ByImage are the bounds of some images, by Series.Image. A bound that is none
	// lets all of them stay. Optional.
	ByImage map[string]Bound

	// Application, Image and Environment leave everything alone that is not of
	// them. Image is the tag's value or, of an image without that, its name's stem.
	// Optional.
	Application, Image, Environment string

	// Name leaves everything alone whose name is not like this, in which * is any
	// text and ? any character. Images that say nothing but their name are one
	// series then. Optional.
	Name string

	// Tags are used in place of imago's own: what has all of them is one series,
	// whoever made it. Optional.
	Tags map[string]string
}

// Validate says everything that is wrong with a policy.
func (p Policy) Validate() error {
	var errs []error
	none := p.None()
	for _, b := range append(slices.Collect(maps.Values(p.ByImage)), p.Bound) {
		if b.Keep < 0 {
			errs = append(errs, fmt.Errorf("keep: %d is not a number of images", b.Keep))
		}
		if b.Age < 0 {
			errs = append(errs, fmt.Errorf("age: %v is no age", b.Age))
		}
		none = none && b.None()
	}
	if none {
		errs = append(errs, errors.New("neither a number of images nor an age says what is to go"))
	}
	return errors.Join(errs...)
}

// bound is that of a series.
func (p Policy) bound(s Series) Bound {
	if b, ok := p.ByImage[s.Image]; ok {
		return b
	}
	return p.Bound
}

// keep is how many of the newest images stay.
func (b Bound) keep() int { return max(b.Keep, 1) }

// within says why an image stays that is the n-th newest of its series, or "".
func (b Bound) within(n int, img Image, now time.Time) string {
	switch {
	case b.None():
		return "nothing bounds it"
	case n == 1 && b.keep() == 1:
		return "the newest"
	case n <= b.keep():
		return fmt.Sprintf("one of the newest %d", b.keep())
	case b.Age > 0 && now.Sub(img.Created) < b.Age:
		return "younger than " + days(b.Age)
	}
	return ""
}

// beyond says why an image goes.
func (b Bound) beyond() string {
	switch {
	case b.keep() == 1 && b.Age == 0:
		return "not the newest"
	case b.Age == 0:
		return fmt.Sprintf("not one of the newest %d", b.keep())
	case b.keep() == 1:
		return "not the newest, and not younger than " + days(b.Age)
	}
	return fmt.Sprintf("not one of the newest %d, and not younger than %s", b.keep(), days(b.Age))
}

// days is an age for people.
func days(d time.Duration) string {
	switch n := int(d / (24 * time.Hour)); {
	case d%(24*time.Hour) != 0:
		return d.String()
	case n == 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}

// covers says whether an image is the policy's to speak of.
func (p Policy) covers(img Image, all []Series) bool {
	if len(p.Tags) > 0 {
		for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
			if value, ok := img.Tags[key]; !ok || value != p.Tags[key] {
				return false
			}
		}
		return true
	}
	return ours(img) && slices.ContainsFunc(all, p.asked) && (p.Name == "" || like(p.Name, img.Name))
}

// asked says whether a series is one that the policy is about.
func (p Policy) asked(s Series) bool {
	return (p.Application == "" || p.Application == s.Application) &&
		(p.Image == "" || p.Image == s.Image) &&
		(p.Environment == "" || p.Environment == s.Environment)
}
