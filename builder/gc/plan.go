package gc

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
)

// Plan says of everything in an account that carries the exact tags of a build
// whether it goes, and why, in the order in which it can go. It does not speak
// of anything else.
//
// An image is finished when it is available and not a draft, which is one under a
// name of its own until an older one has gone. A finished image stays, whatever
// became of its build; so does a draft that is all there is of its image.
func Plan(found []Resource, builds []Build, now time.Time) []Verdict {
	c := newCourt(found, builds, now)
	var all []Verdict
	for _, r := range found {
		if id, ok := buildOf(r); ok && !over(r) {
			all = append(all, c.judge(r, id))
		}
	}
	for _, kinds := range [][]string{{Image}, {Volume, Snapshot, Group}} { // an image that stays keeps its snapshots
		keepUsed(all, found, kinds)
	}
	slices.SortStableFunc(all, func(a, b Verdict) int {
		return cmp.Or(slices.Index(order, a.Kind)-slices.Index(order, b.Kind), strings.Compare(a.Region, b.Region), strings.Compare(a.ID, b.ID))
	})
	return all
}

// order is that of going: nothing before what uses it.
var order = []string{Instance, Image, KeyPair, Profile, Volume, Snapshot, Group}

// court is what a verdict rests on.
type court struct {
	builds map[string]Build
	until  map[string]time.Time // the latest time at which something of a build expires
	named  map[string]bool      // region and name of the images that are there for good
	now    time.Time
}

func newCourt(found []Resource, builds []Build, now time.Time) court {
	c := court{builds: map[string]Build{}, until: map[string]time.Time{}, named: map[string]bool{}, now: now}
	for _, b := range builds {
		c.builds[b.ID] = b
	}
	for _, r := range found {
		if id, ok := buildOf(r); ok {
			if t, err := time.Parse(time.RFC3339, r.Tags[builder.TagExpires]); err == nil && t.After(c.until[id]) {
				c.until[id] = t
			}
		}
		if r.Kind == Image && r.State == "available" && r.Tags[builder.TagDraft] == "" {
			c.named[r.Region+"/"+r.Name] = true
		}
	}
	return c
}

// judge decides by the build and by what the resource is; not yet by who uses it.
func (c court) judge(r Resource, id string) Verdict {
	v := Verdict{Resource: r, Build: id}
	if v.Remove, v.Why = c.forfeit(r, id); !v.Remove {
		return v
	}
	if why := c.wanted(r); why != "" {
		v.Remove, v.Why = false, why
	}
	return v
}

// forfeit says whether nobody speaks for a resource any more. A build that still
// lives elsewhere keeps moving the time on all it has; the latest counts for all,
// since what AWS makes by itself is not moved.
func (c court) forfeit(r Resource, id string) (bool, string) {
	b, expires := c.builds[id], r.Tags[builder.TagExpires]
	switch {
	case expires == builder.ExpiresNever:
		return false, "it is to stay"
	case b.State == Living:
		return false, cmp.Or(b.Why, "its build still runs")
	case b.State == Gone:
		return true, cmp.Or(b.Why, "its builder is gone")
	}
	if _, err := time.Parse(time.RFC3339, expires); err != nil {
		return false, "it does not say when it expires"
	}
	until := c.until[id].UTC().Format(time.RFC3339)
	if c.now.After(c.until[id]) {
		return true, "expired " + until
	}
	if b.State == Left {
		return false, "left on purpose until " + until
	}
	return false, "expires " + until
}

// wanted says why an image stays though its build is over, or "".
func (c court) wanted(r Resource) string {
	draft := r.Tags[builder.TagDraft]
	switch {
	case r.Kind != Image:
		return ""
	case slices.Contains([]string{"pending", "failed", "error", "invalid", "transient"}, r.State): // it never became available
		return ""
	case r.State != "available":
		return "it is " + r.State
	case r.Tags[builder.TagPassing] != "": // its copies are what stays
		return ""
	case draft == "":
		return "it is finished"
	case !c.named[r.Region+"/"+draft]:
		return "it is all there is of " + draft
	}
	return ""
}

// keepUsed spares resources of some kinds that something uses which stays.
func keepUsed(all []Verdict, found []Resource, kinds []string) {
	going := map[string]bool{}
	for _, v := range all {
		going[v.Region+"/"+v.ID] = v.Remove
	}
	user := map[string]Resource{}
	for _, r := range found {
		if !over(r) && !going[r.Region+"/"+r.ID] {
			for _, id := range r.Uses {
				user[r.Region+"/"+id] = r
			}
		}
	}
	for i, v := range all {
		if u, used := user[v.Region+"/"+v.ID]; used && v.Remove && slices.Contains(kinds, v.Kind) {
			all[i].Remove, all[i].Why = false, "in use by "+u.String()
		}
	}
}

// buildOf is the build that a resource says it is of, in the words of builder.
func buildOf(r Resource) (id string, ok bool) {
	id = r.Tags[builder.TagBuild]
	return id, len(id) == 12 && strings.Trim(id, "0123456789abcdef") == ""
}

// over says of what is listed whether it is gone all the same.
func over(r Resource) bool {
	return slices.Contains([]string{"terminated", "shutting-down", "deleting", "deleted", "deregistered"}, r.State)
}
