package localcloud

import (
	"slices"
	"strings"
)

// readOnlyAtCreation reads what later has calls of its own.
func (c *Cloud) readOnlyAtCreation(r *request, g *scalingGroup) {
	for _, target := range r.members("TargetGroupARNs") {
		g.attach(target)
	}
	for _, target := range readTrafficSources(r) {
		g.attach(target)
	}
	for _, t := range g.Targets {
		if !c.targets.has(r.region, t.ARN) {
			r.problem(invalid("Provided Target Groups may not be valid. Please ensure they exist and try again."))
		}
	}
	for _, tag := range readGroupTags(r) {
		g.Tags[tag.key] = tag.groupTag
	}
	for _, item := range r.eachMember("LifecycleHookSpecificationList") {
		g.Hooks = append(g.Hooks, readHook(item))
	}
	if len(r.members("LoadBalancerNames")) > 0 {
		r.problem(invalid("The local cloud has no classic load balancers."))
	}
}

// readScaling reads what a request says of a group, over what the group has,
// and is the desired capacity, if it says that.
func (c *Cloud) readScaling(r *request, g *scalingGroup) (desired *int) {
	for name, field := range map[string]*int{
		"MinSize": &g.Min, "MaxSize": &g.Max, "DefaultCooldown": &g.Cooldown,
		"HealthCheckGracePeriod": &g.Grace, "MaxInstanceLifetime": &g.Lifetime,
	} {
		if n := readCount(r, name); n != nil {
			*field = *n
		}
	}
	if n := r.number("DefaultInstanceWarmup"); n != nil {
		if g.Warmup = n; *n < 0 { // takes it away
			g.Warmup = nil
		}
	}
	if choice := c.readLaunchChoice(r); choice != nil {
		g.Launch = *choice
	}
	if text := r.text("VPCZoneIdentifier"); text != "" {
		g.Subnets, g.Zones = splitList(text), nil
	}
	if zones := r.members("AvailabilityZones"); len(zones) > 0 && len(g.Subnets) == 0 {
		g.Zones = zones
	}
	readHealthTypes(r, g)
	readTermination(r, g)
	readMaintenance(r, g)
	for name, field := range map[string]*bool{"NewInstancesProtectedFromScaleIn": &g.ProtectNew, "CapacityRebalance": &g.Rebalance} {
		if b := r.boolean(name); b != nil {
			*field = *b
		}
	}
	if text := r.text("Context"); text != "" {
		g.Context = text
	}
	r.oneOf("DesiredCapacityType", "units", "units")
	r.text("ServiceLinkedRoleARN") // nobody has a role here, nor needs one
	return readCount(r, "DesiredCapacity")
}

func readCount(r *request, name string) *int {
	n := r.number(name)
	if n != nil && *n < 0 {
		r.problem(invalid("%s must be at least 0, not %d", name, *n))
	}
	return n
}

func splitList(text string) []string {
	var all []string
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}

func readHealthTypes(r *request, g *scalingGroup) {
	text := r.text("HealthCheckType")
	if text == "" {
		return
	}
	g.HealthTypes = splitList(text)
	for _, one := range g.HealthTypes {
		if one != "EC2" && one != "ELB" {
			r.problem(invalid("The health check type '%s' is not one of the local cloud's, which are EC2 and ELB", one))
		}
	}
}

func readTermination(r *request, g *scalingGroup) {
	if policies := r.members("TerminationPolicies"); len(policies) > 0 {
		g.Termination = policies
	}
	for _, policy := range g.Termination {
		if !slices.Contains(terminationPolicies(), policy) {
			r.problem(invalid("Termination policy '%s' is none of %s", policy, strings.Join(terminationPolicies(), ", ")))
		}
	}
}

// readMaintenance reads an instance maintenance policy; -1 takes it away.
func readMaintenance(r *request, g *scalingGroup) {
	if !r.has("InstanceMaintenancePolicy") {
		return
	}
	policy := r.at("InstanceMaintenancePolicy")
	least, most := policy.number("MinHealthyPercentage"), policy.number("MaxHealthyPercentage")
	switch {
	case least == nil || most == nil:
		r.problem(missing("InstanceMaintenancePolicy.MinHealthyPercentage and MaxHealthyPercentage"))
	case *least == -1 && *most == -1:
		g.Maintenance = nil
	case *least < 0 || *least > 100 || *most < 100 || *most > 200 || *most-*least > 100:
		r.problem(invalid("MinHealthyPercentage must be from 0 to 100, MaxHealthyPercentage from 100 to 200, and they may be 100 apart at most"))
	default:
		g.Maintenance = &maintenance{*least, *most}
	}
}
