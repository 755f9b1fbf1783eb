package localcloud

import (
	"fmt"
	"slices"
	"time"
)

// check has a member replaced that is not well.
func (s *scaler) check(m *groupMember) {
	why := s.ailment(m)
	if why == "" {
		m.Sick, m.Unhealthy, m.Replaced = time.Time{}, false, false
		return
	}
	if m.Sick.IsZero() {
		m.Sick, s.changed = s.now, true
	}
	if s.now.Sub(m.Sick) < s.c.options.Delays[delayHealth] {
		return
	}
	m.Unhealthy = true
	if s.g.isSuspended("ReplaceUnhealthy") || s.g.isSuspended("Terminate") {
		return
	}
	if !m.Replaced {
		s.g.Unhealthy++
	}
	if s.g.launchesFirst() && !s.isDown(m) {
		m.Replaced, s.changed = true, true
		if s.others(m) < s.g.Desired {
			return
		}
	}
	s.retire(m, fmt.Sprintf("At %s an instance was taken out of service in response to %s.", isoTime(s.now), why))
}

// others is how many members are in service beside one.
func (s *scaler) others(m *groupMember) int {
	n := 0
	for _, other := range s.g.Members {
		if other != m && other.State == memberInService && !s.isDown(other) {
			n++
		}
	}
	return n
}

// ailment is what is wrong with a member in service, as AWS puts it.
func (s *scaler) ailment(m *groupMember) string {
	if !m.Condemned.IsZero() && !s.now.Before(m.Condemned) {
		return "a user health-check"
	}
	if s.g.isSuspended("HealthCheck") {
		return ""
	}
	if s.isDown(m) {
		return "an EC2 health check indicating it has been terminated or stopped"
	}
	if s.now.Sub(m.Entered) < seconds(s.g.Grace) {
		return ""
	}
	if s.c.state.Instances[m.ID].health().Status == "impaired" {
		return "an EC2 instance status checks failure"
	}
	if !slices.Contains(s.g.HealthTypes, "ELB") {
		return ""
	}
	for _, t := range m.Targets {
		if s.c.targets.health(t, m.ID) == targetUnhealthy {
			return "an ELB system health check failure"
		}
	}
	return ""
}
