package localcloud

import "slices"

// register makes a member a target where it is not yet one.
func (s *scaler) register(m *groupMember) {
	if s.g.isSuspended("AddToLoadBalancer") {
		return
	}
	for _, t := range s.g.Targets {
		if t.Removed || slices.Contains(m.Targets, t.ARN) || !s.c.targets.has(s.g.Region, t.ARN) {
			continue
		}
		s.c.targets.register(t.ARN, m.ID)
		m.Targets, s.changed = append(m.Targets, t.ARN), true
	}
}

// dropTargets takes members out of the target groups that were detached, and
// forgets those when nothing drains there any more.
func (s *scaler) dropTargets() {
	s.g.Targets = slices.DeleteFunc(s.g.Targets, func(t attachedTargets) bool {
		if !t.Removed {
			return false
		}
		drained := true
		for _, m := range s.g.Members {
			if at := slices.Index(m.Targets, t.ARN); at >= 0 {
				s.c.targets.deregister(t.ARN, m.ID)
				m.Targets, s.changed = slices.Delete(m.Targets, at, at+1), true
			}
			drained = drained && s.c.targets.health(t.ARN, m.ID) == ""
		}
		s.changed = s.changed || drained
		return drained
	})
}

// drains says whether a member still has connections to finish. One whose
// instance is down has none.
func (s *scaler) drains(m *groupMember) bool {
	if s.isDown(m) {
		return false
	}
	return slices.ContainsFunc(m.Targets, func(t string) bool { return s.c.targets.health(t, m.ID) != "" })
}
