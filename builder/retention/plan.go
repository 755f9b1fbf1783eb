package retention

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
)

// Plan says of every image in a region that the policy covers whether it goes,
// and why: series by series, the newest first. It does not speak of anything else.
//
// An image goes when it is beyond the bound in each of its environments and
// nothing needs it. Whatever is not an image yet, or not any more, is left alone
// and does not count.
func Plan(inv Inventory, p Policy, now time.Time) []Decision {
	c := newCourt(inv, p, now)
	var all []Decision
	for _, img := range inv.Images {
		if series := c.series[img.ID]; p.covers(img, series) && !over(img) {
			all = append(all, c.judge(img, series))
		}
	}
	spareParents(inv, all)
	slices.SortStableFunc(all, func(a, b Decision) int {
		return cmp.Or(strings.Compare(a.Series[0].String(), b.Series[0].String()), newestFirst(a.Image, b.Image))
	})
	return all
}

// newestFirst orders images.
func newestFirst(a, b Image) int {
	return cmp.Or(b.Created.Compare(a.Created), strings.Compare(b.ID, a.ID))
}

// court is what decisions rest on.
type court struct {
	policy Policy
	series map[string][]Series       // by image
	place  map[Series]map[string]int // of an image in a series, from 1 on
	uses   map[string][]Use          // by image
	now    time.Time
}

func newCourt(inv Inventory, p Policy, now time.Time) court {
	c := court{p, map[string][]Series{}, map[Series]map[string]int{}, map[string][]Use{}, now}
	stems := newStems()
	images := slices.Clone(inv.Images)
	slices.SortFunc(images, newestFirst)
	for _, img := range images {
		series := p.seriesOf(img, stems)
		c.series[img.ID] = series
		if !p.covers(img, series) || unfinished(img, now) != "" {
			continue
		}
		for _, s := range series {
			if c.place[s] == nil {
				c.place[s] = map[string]int{}
			}
			c.place[s][img.ID] = len(c.place[s]) + 1
		}
	}
	for _, u := range inv.Uses() {
		c.uses[u.Image] = append(c.uses[u.Image], u)
	}
	return c
}

// judge decides by the bound and by who needs the image; not yet by what was made from it.
func (c court) judge(img Image, series []Series) Decision {
	d := Decision{Image: img, Series: series, Uses: c.uses[img.ID]}
	if d.Why = unfinished(img, c.now); d.Why != "" {
		return d
	}
	for _, s := range series {
		if !c.policy.asked(s) {
			d.Why = "it is of " + s.String() + " too"
			return d
		}
		if why := c.policy.bound(s).within(c.place[s][img.ID], img, c.now); why != "" {
			d.Why = why
			if s.Environment != "" && len(series) > 1 {
				d.Why += " in " + s.Environment
			}
			return d
		}
	}
	if d.Why = needed(img, d.Uses); d.Why != "" {
		d.Spared = true
		return d
	}
	d.Remove, d.Why = true, c.policy.bound(series[0]).beyond()
	return d
}

// needed says why an image must not go, whatever the bound, or "".
func needed(img Image, uses []Use) string {
	switch {
	case len(uses) > 0:
		return uses[0].why()
	case img.Protected:
		return "protected from deregistration"
	case len(img.SharedWith) > 0:
		return "shared with " + strings.Join(img.SharedWith, ", ")
	}
	return ""
}

// unfinished says why an image is not one that can be launched, or whose build may still take it
// back: those are imago gc's.
func unfinished(img Image, now time.Time) string {
	expires, err := time.Parse(time.RFC3339, img.Tags[builder.TagExpires])
	switch {
	case img.State != "available":
		return "it is " + img.State
	case img.Tags[builder.TagDraft] != "":
		return "it is not under its name yet"
	case err == nil && now.Before(expires):
		return "its build has not ended"
	}
	return ""
}

// over says of what is listed whether it is gone all the same.
func over(img Image) bool { return img.State == "deregistered" }

// spareParents spares images from which others were made that stay, also such as are not ours.
func spareParents(inv Inventory, all []Decision) {
	going := map[string]int{}
	for i, d := range all {
		if d.Remove {
			going[d.ID] = i
		}
	}
	for found := true; found; {
		found = false
		for _, child := range inv.Images {
			if _, goes := going[child.ID]; goes || over(child) {
				continue
			}
			for _, id := range child.Parents {
				if i, ok := going[id]; ok {
					all[i].Remove, all[i].Spared, all[i].Why = false, true, parentOf(child)
					delete(going, id)
					found = true
				}
			}
		}
	}
}

// parentOf says why the parent of an image stays.
func parentOf(child Image) string {
	return fmt.Sprintf("the parent of %s (%s), which stays", child.ID, child.Name)
}

// Orphans are the snapshots whose image a prune has taken away without them.
func Orphans(inv Inventory) (all []Snapshot) {
	used := inv.snapshotUsers()
	for _, s := range inv.Snapshots {
		if s.Image != "" && len(used[s.ID]) == 0 {
			all = append(all, s)
		}
	}
	return all
}

// staleMarks are the snapshots that are marked though an image has them which stays:
// the prune that marked them was killed, and their image is needed since, or has gone and another has them.
func staleMarks(inv Inventory, all []Decision) (stale []Snapshot) {
	used := inv.snapshotUsers()
	for _, s := range inv.Snapshots {
		gone := !slices.ContainsFunc(inv.Images, func(img Image) bool { return img.ID == s.Image && !over(img) })
		stays := slices.ContainsFunc(all, func(d Decision) bool { return d.ID == s.Image && !d.Remove })
		if (gone || stays) && len(used[s.ID]) > 0 {
			stale = append(stale, s)
		}
	}
	return stale
}

// snapshotUsers are the images that have each snapshot.
func (inv Inventory) snapshotUsers() map[string][]Image {
	used := map[string][]Image{}
	for _, img := range inv.Images {
		if over(img) {
			continue
		}
		for _, id := range img.Snapshots {
			used[id] = append(used[id], img)
		}
	}
	return used
}
