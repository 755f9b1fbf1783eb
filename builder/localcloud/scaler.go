package localcloud

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// scalingPeriod is how often the groups are looked at.
const scalingPeriod = 50 * time.Millisecond

// The names of delays that Auto Scaling has.
const (
	delayInService = "in-service" // of a member, after its instance runs
	delayScaling   = "scaling"    // from a difference in capacity to what is done about it
	delayHealth    = "health"     // for which a member must fail before it is replaced
	delayMetric    = "metric"     // the period of what scaling policies look at
)

// scale looks after the groups until ctx ends.
func (c *Cloud) scale(ctx context.Context) {
	for sleep(ctx, scalingPeriod) == nil {
		c.lookAtGroups()
	}
}

func (c *Cloud) lookAtGroups() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return
	}
	changed := false
	for _, key := range sortedKeys(c.state.ScalingGroups) {
		s := c.scalerOf(c.state.ScalingGroups[key])
		s.look()
		changed = changed || s.changed
	}
	if changed {
		c.saveLogged()
	}
}

// scaler brings one group where it is to be, one look at a time: it begins what
// is to be done, and does not wait for it. The cloud's mu is held.
type scaler struct {
	c       *Cloud
	g       *scalingGroup
	now     time.Time
	changed bool
}

func (c *Cloud) scalerOf(g *scalingGroup) *scaler { return &scaler{c: c, g: g, now: c.now()} }

func (s *scaler) look() {
	for _, m := range slices.Clone(s.g.Members) {
		s.step(m)
	}
	s.dropTargets()
	s.follow()
	s.balance()
	if s.g.Deleting && len(s.g.Members) == 0 {
		s.c.forgetScalingGroup(s.g)
		s.changed = true
	}
}

func (s *scaler) step(m *groupMember) {
	switch m.State {
	case memberPending:
		s.arrive(m)
	case memberPendingWait:
		s.waitToEnter(m)
	case memberInService:
		s.register(m)
		s.check(m)
	case memberTerminatingWait:
		s.waitToLeave(m)
	case memberTerminating:
		s.leave(m)
	}
}

// isDown says whether the instance of a member does not run, and will not.
func (s *scaler) isDown(m *groupMember) bool {
	inst := s.c.state.Instances[m.ID]
	return inst == nil || inst.State != running && inst.State != pending
}

// arrive takes a member into service when its instance runs.
func (s *scaler) arrive(m *groupMember) {
	if s.isDown(m) {
		s.lose(m)
		return
	}
	if s.c.state.Instances[m.ID].State != running {
		return
	}
	if m.Ran.IsZero() {
		m.Ran, s.changed = s.now, true
	}
	if s.now.Sub(m.Ran) < s.c.options.Delays[delayInService] {
		return
	}
	if s.hold(m, launching) {
		m.State = memberPendingWait
		s.c.activityOf(m.Activity).Status = activityHeld
		return
	}
	s.enter(m)
}

func (s *scaler) enter(m *groupMember) {
	m.State, m.Entered, s.changed = memberInService, s.now, true
	s.c.activityOf(m.Activity).end(activitySuccessful, s.now)
	s.register(m)
}

// lose is the end of a member that never came into service.
func (s *scaler) lose(m *groupMember) {
	reason := "Client.InstanceInitiatedShutdown: Instance initiated shutdown"
	if inst := s.c.state.Instances[m.ID]; inst != nil && inst.Reason != "" {
		reason = inst.Reason
	}
	a := s.c.activityOf(m.Activity)
	a.Message = "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: " + reason
	a.end(activityCancelled, s.now)
	s.retire(m, fmt.Sprintf("At %s an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.", isoTime(s.now)))
	s.delayLaunch()
}

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

// check has a member replaced that is not well.
func (s *scaler) check(m *groupMember) {
	why := s.ailment(m)
	if why == "" {
		m.Sick, m.Unhealthy = time.Time{}, false
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
	s.g.Unhealthy++
	s.retire(m, fmt.Sprintf("At %s an instance was taken out of service in response to %s.", isoTime(s.now), why))
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

// retire begins to take a member out of the group.
func (s *scaler) retire(m *groupMember, cause string) *activity {
	a := s.c.record(s.g, "Terminating EC2 instance: "+m.ID, cause, m.SubnetID, m.Zone)
	m.State, m.Activity, m.Holds, s.changed = memberTerminating, a.ID, nil, true
	for _, t := range m.Targets {
		s.c.targets.deregister(t, m.ID)
	}
	if !s.isDown(m) && s.hold(m, terminating) {
		m.State, a.Status = memberTerminatingWait, activityHeld
	}
	return a
}

// leave takes a member from draining to its end.
func (s *scaler) leave(m *groupMember) {
	a := s.c.activityOf(m.Activity)
	if s.drains(m) {
		if a.Status != activityDraining {
			a.Status, a.Progress, s.changed = activityDraining, 50, true
		}
		return
	}
	inst := s.c.state.Instances[m.ID]
	switch {
	case inst == nil || inst.State == terminated:
		s.g.Members = slices.DeleteFunc(s.g.Members, func(other *groupMember) bool { return other == m })
		a.end(activitySuccessful, s.now)
		s.changed = true
	case inst.State != shuttingDown:
		s.c.terminate(inst)
		s.changed = true
	}
}

// drains says whether a member still has connections to finish. One whose
// instance is down has none.
func (s *scaler) drains(m *groupMember) bool {
	if s.isDown(m) {
		return false
	}
	return slices.ContainsFunc(m.Targets, func(t string) bool { return s.c.targets.health(t, m.ID) != "" })
}
