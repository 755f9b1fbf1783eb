package localcloud

import "slices"

// trafficType is the one kind of traffic source there is here.
const trafficType = "elbv2"

func scalingTargetActions() map[string]handler {
	return map[string]handler{
		"AttachLoadBalancerTargetGroups":   attachTargets,
		"AttachTrafficSources":             attachTargets,
		"DescribeLoadBalancerTargetGroups": describeGroupTargets,
		"DescribeLoadBalancers":            describeGroupBalancers,
		"DescribeTrafficSources":           describeTrafficSources,
		"DetachLoadBalancerTargetGroups":   detachTargets,
		"DetachTrafficSources":             detachTargets,
	}
}

// attach adds a target group, once.
func (g *scalingGroup) attach(target string) {
	g.Targets = slices.DeleteFunc(slices.Clone(g.Targets), func(t attachedTargets) bool { return t.ARN == target && t.Removed })
	if !g.hasTargets(target) {
		g.Targets = append(g.Targets, attachedTargets{ARN: target})
	}
}

func (g *scalingGroup) hasTargets(target string) bool {
	return slices.ContainsFunc(g.Targets, func(t attachedTargets) bool { return t.ARN == target && !t.Removed })
}

// readTrafficSources reads TrafficSources.member.N, which are target groups.
func readTrafficSources(r *request) []string {
	var all []string
	for _, item := range r.eachMember("TrafficSources") {
		all = append(all, item.need("Identifier"))
		item.oneOf("Type", trafficType, trafficType)
	}
	return all
}

// targetsAsked is the target groups that a request names, in either form.
func (c *Cloud) targetsAsked(r *request) (*scalingGroup, []string, error) {
	g, err := c.findScalingGroup(r)
	all := append(r.members("TargetGroupARNs"), readTrafficSources(r)...)
	if len(all) == 0 {
		r.problem(missing("TargetGroupARNs"))
	}
	return g, all, firstOf(r.checked(), err)
}

func attachTargets(c *Cloud, r *request) (any, error) {
	g, all, err := c.targetsAsked(r)
	if err := firstOf(err, g.goes()); err != nil {
		return nil, err
	}
	for _, target := range all {
		if !c.targets.has(r.region, target) {
			return nil, invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")
		}
	}
	for _, target := range all {
		g.attach(target)
	}
	return done{}, nil
}

// detachTargets begins to take target groups away: their connections drain.
func detachTargets(c *Cloud, r *request) (any, error) {
	g, all, err := c.targetsAsked(r)
	if err != nil {
		return nil, err
	}
	for _, target := range all {
		if !g.hasTargets(target) {
			return nil, invalid("Trying to remove Target Groups that are not part of the group")
		}
	}
	g.Targets = slices.Clone(g.Targets)
	for i := range g.Targets {
		if slices.Contains(all, g.Targets[i].ARN) {
			g.Targets[i].Removed = true
		}
	}
	return done{}, nil
}

// targetState is how far a group is with a target group, by AWS's names.
func (c *Cloud) targetState(g *scalingGroup, t attachedTargets) string {
	if t.Removed {
		return "Removing"
	}
	added, passes := true, false
	for _, m := range g.Members {
		if m.State != memberInService {
			continue
		}
		added = added && slices.Contains(m.Targets, t.ARN)
		passes = passes || c.targets.health(t.ARN, m.ID) == targetHealthy
	}
	switch {
	case !added:
		return "Adding"
	case passes:
		return "InService"
	}
	return "Added"
}

type targetStateItem struct {
	ARN   string `xml:"LoadBalancerTargetGroupARN"`
	State string
}

func describeGroupTargets(c *Cloud, r *request) (any, error) {
	g, err := c.findScalingGroup(r)
	if err != nil {
		return nil, err
	}
	var all []targetStateItem
	for _, t := range g.Targets {
		all = append(all, targetStateItem{t.ARN, c.targetState(g, t)})
	}
	page, next, err := recordsOf(r, all, 100)
	return struct {
		Targets   []targetStateItem `xml:"LoadBalancerTargetGroups>member"`
		NextToken string            `xml:"NextToken,omitempty"`
	}{page, next}, err
}

type trafficSourceRef struct {
	Identifier string
	Type       string
}

type trafficSourceItem struct {
	trafficSourceRef
	Source string `xml:"TrafficSource"`
	State  string
}

func describeTrafficSources(c *Cloud, r *request) (any, error) {
	g, err := c.findScalingGroup(r)
	r.oneOf("TrafficSourceType", trafficType, trafficType)
	if err != nil {
		return nil, err
	}
	var all []trafficSourceItem
	for _, t := range g.Targets {
		all = append(all, trafficSourceItem{trafficSourceRef{t.ARN, trafficType}, t.ARN, c.targetState(g, t)})
	}
	page, next, err := recordsOf(r, all, 100)
	return struct {
		Sources   []trafficSourceItem `xml:"TrafficSources>member"`
		NextToken string              `xml:"NextToken,omitempty"`
	}{page, next}, err
}

// describeGroupBalancers has nothing to list: there are no classic load balancers.
func describeGroupBalancers(c *Cloud, r *request) (any, error) {
	if _, err := c.findScalingGroup(r); err != nil {
		return nil, err
	}
	_, _, err := recordsOf(r, []string(nil), 100)
	return struct {
		Balancers struct{} `xml:"LoadBalancers"`
	}{}, err
}
