package provision

import "cmp"

// Change is one difference between two trees.
type Change struct {
	Name string // relative to the tree's root; "" is the root itself
	What string // "added", "removed", "contents", "mode" or "link"
}

// String is the change in words, such as "contents of lib/a.js".
func (c Change) String() string {
	name := cmp.Or(c.Name, "the root")
	switch c.What {
	case "added", "removed":
		return name + " " + c.What
	}
	return c.What + " of " + name
}

// Changes compares two memories of ListKnown, of an older and a newer state of a
// tree. It returns up to most changes, in the order of a walk, and how many there
// are in all. A memory that is not there is an error.
func Changes(older, newer string, most int) (changes []Change, all int, err error) {
	a, err := readKnown(older)
	if err != nil {
		return nil, 0, err
	}
	defer a.close()
	b, err := readKnown(newer)
	if err != nil {
		return nil, 0, err
	}
	defer b.close()
	x, moreX := a.read()
	y, moreY := b.read()
	for moreX || moreY {
		c, side := Change{}, compareKnown(x, y, moreX, moreY)
		switch {
		case side < 0:
			c = Change{x.name, "removed"}
		case side > 0:
			c = Change{y.name, "added"}
		default:
			c = Change{x.name, x.differs(y)}
		}
		if c.What != "" {
			if all++; all <= most {
				changes = append(changes, c)
			}
		}
		if side <= 0 {
			x, moreX = a.read()
		}
		if side >= 0 {
			y, moreY = b.read()
		}
	}
	return changes, all, nil
}

// compareKnown says which of two entries comes first; the end comes last.
func compareKnown(x, y digested, moreX, moreY bool) int {
	switch {
	case !moreX:
		return 1
	case !moreY:
		return -1
	}
	return inWalk(x.name, y.name)
}

// differs says what is different between two states of one entry, or nothing.
func (d digested) differs(e digested) string {
	switch {
	case d.link != e.link:
		return "link"
	case d.mode.Type() != e.mode.Type() || d.size != e.size || d.sum != e.sum:
		return "contents"
	case d.mode != e.mode:
		return "mode"
	}
	return ""
}
