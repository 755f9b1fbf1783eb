package localcloud

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/imagobuild/imago/builder/localcloud/balancer"
)

// groupAndTargets reads a request that names a target group, and targets of it.
func (c *Cloud) groupAndTargets(r *request) (*targetGroup, []registered, error) {
	g, err := c.findTargetGroup(r.region, r.need("TargetGroupArn"))
	if err != nil {
		return nil, nil, err
	}
	all := readTargets(r, g)
	return g, all, r.checked()
}

// readTargets reads Targets; without a port, that of the group.
func readTargets(r *request, g *targetGroup) []registered {
	var all []registered
	for _, item := range r.eachMember("Targets") {
		item.text("AvailabilityZone")
		all = append(all, registered{ID: item.need("Id"), Port: item.within("Port", g.Port, 1, 65535)})
	}
	return all
}

func registerTargets(c *Cloud, r *request) (any, error) {
	g, all, err := c.groupAndTargets(r)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		inst := c.state.Instances[t.ID]
		switch {
		case inst == nil || inst.Region != r.region:
			return nil, faultf("InvalidTarget", "The following targets are not valid instances: '%s'", t.ID)
		case inst.State != running:
			return nil, faultf("InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", t.ID)
		case inst.VpcID != g.VpcID:
			return nil, faultf("InvalidTarget", "The following targets are not in the target group VPC '%s': '%s'", g.VpcID, t.ID)
		}
	}
	for _, t := range all {
		c.addTarget(g, t)
	}
	return nil, nil
}

func (c *Cloud) addTarget(g *targetGroup, t registered) {
	if !slices.Contains(g.Targets, t) {
		g.Targets = append(g.Targets, t)
	}
	c.balance.register(g.ARN, t, c.state.Instances[t.ID])
}

func (c *Cloud) dropTarget(g *targetGroup, t registered) {
	g.Targets = slices.DeleteFunc(g.Targets, func(other registered) bool { return other == t })
	c.balance.groups[g.ARN].Deregister(t.ID, uint16(t.Port))
}

func deregisterTargets(c *Cloud, r *request) (any, error) {
	g, all, err := c.groupAndTargets(r)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		c.dropTarget(g, t)
	}
	return nil, nil
}

// leaveGroups takes an instance that ends out of all target groups.
func (c *Cloud) leaveGroups(id string) {
	for _, g := range c.state.TargetGroups {
		for _, t := range slices.Clone(g.Targets) {
			if t.ID == id {
				c.dropTarget(g, t)
			}
		}
	}
}

type targetItem struct {
	ID   string `xml:"Id"`
	Port int    `xml:"Port,omitempty"`
}

type healthItem struct {
	State       string
	Reason      string `xml:"Reason,omitempty"`
	Description string `xml:"Description,omitempty"`
}

type targetHealth struct {
	Target    targetItem
	CheckPort string     `xml:"HealthCheckPort"`
	Health    healthItem `xml:"TargetHealth"`
}

func describeTargetHealth(c *Cloud, r *request) (any, error) {
	g, wanted, err := c.groupAndTargets(r)
	if err != nil {
		return nil, err
	}
	known := map[registered]balancer.Health{}
	var all []registered
	for _, h := range c.balance.groups[g.ARN].Health() {
		t := registered{ID: h.ID, Port: int(h.Addr.Port())}
		known[t] = h
		all = append(all, t)
	}
	if len(wanted) > 0 {
		all = wanted
	}
	slices.SortFunc(all, func(a, b registered) int { return cmp.Or(cmp.Compare(a.ID, b.ID), a.Port-b.Port) })
	var answer struct {
		Health []targetHealth `xml:"TargetHealthDescriptions>member"`
	}
	for _, t := range all {
		answer.Health = append(answer.Health, c.healthOf(g, t, known))
	}
	return answer, nil
}

// healthOf is what AWS says of a target, also of one that is not there.
func (c *Cloud) healthOf(g *targetGroup, t registered, known map[registered]balancer.Health) targetHealth {
	item := targetHealth{Target: targetItem{t.ID, t.Port}, CheckPort: g.Check.Port}
	if item.CheckPort == "traffic-port" {
		item.CheckPort = strconv.Itoa(t.Port)
	}
	h, there := known[t]
	inst := c.state.Instances[t.ID]
	switch {
	case !there:
		item.Health = healthItem{targetUnused, "Target.NotRegistered", "Target is not registered to the target group"}
	case h.State != targetDraining && (inst == nil || inst.State != running):
		item.Health = healthItem{targetUnused, "Target.InvalidState", "Target is in the stopped state"}
	default:
		item.Health = healthItem{h.State, h.Reason, h.Description}
	}
	return item
}
