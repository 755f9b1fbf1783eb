package localcloud

import (
	"cmp"
	"fmt"
	"slices"
)

func terminationPolicies() []string {
	return []string{"Default", "OldestInstance", "NewestInstance", "OldestLaunchTemplate", "OldestLaunchConfiguration",
		"ClosestToNextInstanceHour", "AllocationStrategy"}
}

// shrink takes members out that are too many, if they are not protected.
func (s *scaler) shrink(have, want int) {
	for range have - want {
		m := s.surplus()
		if m == nil {
			s.stick()
			return
		}
		cause := fmt.Sprintf("At %[1]s an instance was taken out of service in response to a difference between desired and actual capacity, "+
			"shrinking the capacity from %[2]d to %[3]d.  At %[1]s instance %[4]s was selected for termination.", isoTime(s.now), have, want, m.ID)
		if s.g.Why != "" {
			cause = s.g.Why + "  " + cause
		}
		s.retire(m, cause)
		s.g.Scaled = s.now
	}
}

// stick records, once, that a group cannot shrink.
func (s *scaler) stick() {
	if s.g.Stuck {
		return
	}
	s.g.Stuck, s.changed = true, true
	a := s.c.record(s.g, "Could not scale to desired capacity because all remaining instances are protected from scale-in.", s.g.Why, "", "")
	a.Message = a.Description
	a.end(activityFailed, s.now)
}

// surplus is the member to terminate next: of the zone that has the most, the
// first by the group's policies. It is nil when all are protected.
func (s *scaler) surplus() *groupMember {
	zones := map[string]int{}
	for _, m := range s.g.Members {
		if !m.leaving() {
			zones[m.Zone]++
		}
	}
	var all []*groupMember
	for _, m := range s.g.Members {
		if !m.leaving() && !m.Protected {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return slices.MinFunc(all, func(a, b *groupMember) int {
		return cmp.Or(cmp.Compare(zones[b.Zone], zones[a.Zone]), s.g.byTermination(a, b))
	})
}

// byTermination orders members by the group's termination policies.
func (g *scalingGroup) byTermination(a, b *groupMember) int {
	version := cmp.Compare(versionNumber(a.Template.Version), versionNumber(b.Template.Version))
	age := a.Joined.Compare(b.Joined)
	for _, policy := range g.Termination {
		order := 0
		switch policy {
		case "Default":
			order = cmp.Or(version, age)
		case "OldestInstance", "ClosestToNextInstanceHour":
			order = age
		case "NewestInstance":
			order = -age
		case "OldestLaunchTemplate":
			order = version
		}
		if order != 0 {
			return order
		}
	}
	return age
}
