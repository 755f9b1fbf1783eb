package localcloud

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// terminateInScalingGroup terminates one instance, and has the group replace it
// unless it is to be smaller from then on.
func terminateInScalingGroup(c *Cloud, r *request) (any, error) {
	g, m, err := c.memberOf(r.region, r.need("InstanceId"))
	smaller := r.boolean("ShouldDecrementDesiredCapacity")
	if smaller == nil {
		r.problem(missing("ShouldDecrementDesiredCapacity"))
	}
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if *smaller && g.Desired <= g.Min {
		return nil, invalid("Currently, desiredSize equals minSize (%d). Terminating instance without replacement will violate group's min size constraint. "+
			"Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.", g.Min)
	}
	if m.leaving() {
		return nil, faultf("ScalingActivityInProgress", "Activity %s is in progress and terminates the instance already", m.Activity)
	}
	cause := fmt.Sprintf("At %s instance %s was taken out of service in response to a user request", isoTime(c.now()), m.ID)
	if *smaller {
		cause += fmt.Sprintf(", shrinking the capacity from %d to %d", g.Desired, g.Desired-1)
		g.Desired--
	}
	made := c.scalerOf(g).retire(m, cause+".")
	return struct {
		Activity activityItem
	}{made.item()}, nil
}

// setInstanceHealth marks an instance. An unhealthy one is replaced, after its
// grace period if that counts.
func setInstanceHealth(c *Cloud, r *request) (any, error) {
	g, m, err := c.memberOf(r.region, r.need("InstanceId"))
	health := r.oneOf("HealthStatus", "", "Healthy", "Unhealthy")
	grace := isTrueOr(r.boolean("ShouldRespectGracePeriod"), true)
	if health == "" {
		r.problem(missing("HealthStatus"))
	}
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	m.Condemned, m.Unhealthy = time.Time{}, false
	if health == "Unhealthy" {
		m.Condemned = c.now()
		if end := m.Entered.Add(seconds(g.Grace)); grace && end.After(m.Condemned) {
			m.Condemned = end
		}
	}
	return done{}, nil
}

func setInstanceProtection(c *Cloud, r *request) (any, error) {
	g, err := c.findScalingGroup(r)
	protect := r.boolean("ProtectedFromScaleIn")
	ids := r.members("InstanceIds")
	if protect == nil || len(ids) == 0 {
		r.problem(missing("InstanceIds and ProtectedFromScaleIn"))
	}
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	var all []*groupMember
	for _, id := range ids {
		m := g.find(id)
		if m == nil {
			return nil, invalid("The instance %s is not part of Auto Scaling group %s.", id, g.Name)
		}
		if m.leaving() {
			return nil, invalid("The instance %s is not in InService or EnteringStandby or Standby.", id)
		}
		all = append(all, m)
	}
	for _, m := range all {
		m.Protected = *protect
	}
	g.Stuck = false
	return done{}, nil
}

// processes are what can be suspended.
func processes() []string {
	return []string{"AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh", "Launch",
		"ReplaceUnhealthy", "ScheduledActions", "Terminate"}
}

// suspendProcesses keeps a group from doing something; by default from all.
func suspendProcesses(c *Cloud, r *request) (any, error) {
	g, named, err := c.processesAsked(r)
	if err != nil {
		return nil, err
	}
	for _, one := range named {
		if !g.isSuspended(one) {
			g.Suspended[one] = c.now()
		}
	}
	return done{}, nil
}

func resumeProcesses(c *Cloud, r *request) (any, error) {
	g, named, err := c.processesAsked(r)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(g.Suspended, func(one string, _ time.Time) bool { return slices.Contains(named, one) })
	return done{}, nil
}

func (c *Cloud) processesAsked(r *request) (*scalingGroup, []string, error) {
	g, err := c.findScalingGroup(r)
	named := r.members("ScalingProcesses")
	for _, one := range named {
		if !slices.Contains(processes(), one) {
			r.problem(invalid("The scaling process '%s' is none of %s", one, strings.Join(processes(), ", ")))
		}
	}
	if len(named) == 0 {
		named = processes()
	}
	return g, named, firstOf(r.checked(), err)
}

type memberItem struct {
	InstanceID       string          `xml:"InstanceId"`
	InstanceType     string          `xml:"InstanceType"`
	Group            string          `xml:"AutoScalingGroupName,omitempty"`
	AvailabilityZone string          `xml:"AvailabilityZone"`
	LifecycleState   string          `xml:"LifecycleState"`
	HealthStatus     string          `xml:"HealthStatus"`
	Template         templateRefItem `xml:"LaunchTemplate"`
	Protected        bool            `xml:"ProtectedFromScaleIn"`
}

func (m *groupMember) item() memberItem {
	return memberItem{
		InstanceID:       m.ID,
		InstanceType:     m.Type,
		AvailabilityZone: m.Zone,
		LifecycleState:   m.State,
		HealthStatus:     either(m.Unhealthy, "Unhealthy", "Healthy"),
		Template:         templateRefItem(m.Template),
		Protected:        m.Protected,
	}
}

// describeScalingInstances lists the instances of all groups. Here, unlike in a
// group, AWS writes the health in capitals.
func describeScalingInstances(c *Cloud, r *request) (any, error) {
	ids := map[string]bool{}
	for _, id := range r.members("InstanceIds") {
		ids[id] = true
	}
	var all []memberItem
	for _, g := range c.scalingGroupsIn(r.region) {
		for _, m := range g.Members {
			if len(ids) > 0 && !ids[m.ID] {
				continue
			}
			item := m.item()
			item.Group, item.HealthStatus = g.Name, either(m.Unhealthy, "UNHEALTHY", "HEALTHY")
			all = append(all, item)
		}
	}
	page, next, err := recordsOf(r, all, 50)
	return struct {
		Instances []memberItem `xml:"AutoScalingInstances>member"`
		NextToken string       `xml:"NextToken,omitempty"`
	}{page, next}, err
}
