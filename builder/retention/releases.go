package retention

import (
	"cmp"
	"fmt"
	"slices"
)

// releases says which images are the current and the previous release of an
// environment. A release is a version of a launch template that is tagged with the
// environment, or that an auto scaling group launches which is. Current is what
// such a group launches or, without one, the default version; previous is the
// newest version before it that has another image.
func (inv Inventory) releases() (all []Use) {
	serving := map[string][]int64{} // by template: the versions that groups launch
	environments := map[string][]string{}
	for _, g := range inv.Groups {
		for _, u := range g.Templates {
			if t, ok := inv.template(u); ok && len(g.Environments)+len(t.Environments) > 0 {
				serving[t.ID] = append(serving[t.ID], t.number(u.Version))
				environments[t.ID] = append(environments[t.ID], g.Environments...)
			}
		}
		if len(g.Environments) > 0 {
			for _, image := range inv.launches(g) {
				all = append(all, inv.release(image, "current", g.Environments, "auto scaling group "+g.Name)...)
			}
		}
	}
	for _, t := range inv.Templates {
		in := append(environments[t.ID], t.Environments...)
		if len(in) == 0 {
			continue
		}
		now := serving[t.ID]
		if len(now) == 0 {
			now = []int64{t.Default}
		}
		current, previous := t.currentAndPrevious(now)
		for _, v := range current {
			all = append(all, inv.release(v.Image, "current", in, fmt.Sprintf("launch template %s version %d", t.Name, v.Number))...)
		}
		for _, v := range previous {
			all = append(all, inv.release(v.Image, "previous", in, fmt.Sprintf("launch template %s version %d", t.Name, v.Number))...)
		}
	}
	return all
}

// release is a use of an image as a release in some environments.
func (inv Inventory) release(image, which string, environments []string, by string) (all []Use) {
	slices.Sort(environments)
	for _, env := range slices.Compact(environments) {
		all = append(all, Use{Image: image, By: by, Release: fmt.Sprintf("the %s release in %s", which, env)})
	}
	return all
}

// currentAndPrevious are the versions that serve, and the one before the oldest of them.
func (t Template) currentAndPrevious(serving []int64) (current, previous []Version) {
	for _, v := range t.Versions {
		if slices.Contains(serving, v.Number) {
			current = append(current, v)
		}
	}
	before := slices.DeleteFunc(slices.Clone(t.Versions), func(v Version) bool {
		return v.Number >= slices.Min(serving) || slices.ContainsFunc(current, func(c Version) bool { return c.Image == v.Image })
	})
	if len(before) > 0 {
		previous = []Version{slices.MaxFunc(before, func(a, b Version) int { return cmp.Compare(a.Number, b.Number) })}
	}
	return current, previous
}
