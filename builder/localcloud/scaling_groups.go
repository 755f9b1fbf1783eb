package localcloud

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	defaultCooldown = 300 // seconds
	maxGroupName    = 255
)

func createScalingGroup(c *Cloud, r *request) (any, error) {
	name := r.need("AutoScalingGroupName")
	g := &scalingGroup{
		Name: name, Region: r.region, UUID: newRequestID(), Created: c.now(), Min: -1, Max: -1,
		HealthTypes: []string{"EC2"}, Cooldown: defaultCooldown, Termination: []string{"Default"}, Tags: map[string]groupTag{},
		Suspended: map[string]time.Time{},
	}
	if strings.Contains(name, ":") || len(name) > maxGroupName {
		r.problem(invalid("The group name '%s' has a colon, or more than 255 characters", name))
	}
	desired := c.readScaling(r, g)
	c.readOnlyAtCreation(r, g)
	if g.Launch.Template.ID == "" {
		r.problem(invalid("Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter."))
	}
	if g.Min < 0 || g.Max < 0 {
		r.problem(missing("MinSize and MaxSize"))
	}
	g.Desired = g.Min
	if desired != nil {
		g.Desired = *desired
	}
	if err := firstOf(r.checked(), g.sizesRefused()); err != nil {
		return nil, err
	}
	if c.state.ScalingGroups[scalingKey(r.region, name)] != nil {
		return nil, faultf("AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name %s already exists", name)
	}
	if err := firstOf(c.placesRefused(g), c.tryLaunch(r, g)); err != nil {
		return nil, err
	}
	g.Why = fmt.Sprintf("At %s a user request created an AutoScalingGroup changing the desired capacity from 0 to %d.", isoTime(c.now()), g.Desired)
	c.state.ScalingGroups[scalingKey(r.region, name)] = g
	return done{}, nil
}

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
		if g.Warmup = n; *n < 0 {
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
	if policies := r.members("TerminationPolicies"); len(policies) > 0 {
		g.Termination = policies
	}
	for _, policy := range g.Termination {
		if !slices.Contains(terminationPolicies(), policy) {
			r.problem(invalid("Termination policy '%s' is none of %s", policy, strings.Join(terminationPolicies(), ", ")))
		}
	}
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

// sizesRefused is what is wrong with a group's sizes.
func (g *scalingGroup) sizesRefused() error {
	switch {
	case g.Max < g.Min:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", g.Max, g.Min)
	case g.Desired < g.Min || g.Desired > g.Max:
		return invalid("Desired capacity:%d must be between the specified min size:%d and max size:%d", g.Desired, g.Min, g.Max)
	}
	return nil
}

// placesRefused is what is wrong with where a group is to launch.
func (c *Cloud) placesRefused(g *scalingGroup) error {
	if len(g.Subnets)+len(g.Zones) == 0 {
		return invalid("At least one Availability Zone or VPC Subnet is required.")
	}
	for _, id := range g.Subnets {
		if _, err := c.findSubnet(g.Region, id); err != nil {
			return invalid("The subnet ID '%s' does not exist", id)
		}
	}
	for _, zone := range g.Zones {
		if _, err := c.defaultSubnet(g.Region, zone); err != nil {
			return invalid("%s", messageOf(err))
		}
	}
	return nil
}

// subnetsOf is where a group launches.
func (c *Cloud) subnetsOf(g *scalingGroup) []string {
	all := slices.Clone(g.Subnets)
	for _, zone := range g.Zones {
		if s, err := c.defaultSubnet(g.Region, zone); err == nil {
			all = append(all, s.ID)
		}
	}
	return all
}

// updateScalingGroup changes what it names. New sizes draw the desired capacity
// along.
func updateScalingGroup(c *Cloud, r *request) (any, error) {
	g, err := c.findScalingGroup(r)
	if err := firstOf(err, g.goes()); err != nil {
		return nil, err
	}
	changed := *g
	desired := c.readScaling(r, &changed)
	if desired != nil {
		changed.Desired = *desired
	} else {
		changed.Desired = min(max(changed.Desired, changed.Min), max(changed.Max, changed.Min))
	}
	if err := firstOf(r.checked(), changed.sizesRefused(), c.placesRefused(&changed)); err != nil {
		return nil, err
	}
	if r.has("LaunchTemplate") || r.has("MixedInstancesPolicy") || r.has("VPCZoneIdentifier") {
		if err := c.tryLaunch(r, &changed); err != nil {
			return nil, err
		}
	}
	before := g.Desired
	*g = changed
	if g.Desired != before {
		g.Why = fmt.Sprintf("At %s a user request update of AutoScalingGroup constraints to min: %d, max: %d, desired: %d "+
			"changing the desired capacity from %d to %d.", isoTime(c.now()), g.Min, g.Max, g.Desired, before, g.Desired)
	}
	g.RetryAt, g.Failures = c.now(), 0
	return done{}, nil
}

// setDesiredCapacity changes how many there are to be.
func setDesiredCapacity(c *Cloud, r *request) (any, error) {
	g, err := c.findScalingGroup(r)
	desired := readCount(r, "DesiredCapacity")
	honor := isTrue(r.boolean("HonorCooldown"))
	if desired == nil {
		r.problem(missing("DesiredCapacity"))
	}
	if err := firstOf(r.checked(), err, g.goes()); err != nil {
		return nil, err
	}
	switch {
	case *desired > g.Max:
		return nil, invalid("New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", *desired, g.Max)
	case *desired < g.Min:
		return nil, invalid("New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", *desired, g.Min)
	case honor && c.now().Before(g.Scaled.Add(seconds(g.Cooldown))):
		return nil, faultf("ScalingActivityInProgress", "Scaling activity is in progress and blocking this action: the group's cooldown is not over")
	}
	if *desired != g.Desired {
		g.Why = fmt.Sprintf("At %s a user request explicitly set group desired capacity changing the desired capacity from %d to %d.",
			isoTime(c.now()), g.Desired, *desired)
	}
	g.Desired = *desired
	return done{}, nil
}

// goes is the fault for a group that is being deleted.
func (g *scalingGroup) goes() error {
	if g == nil || !g.Deleting {
		return nil
	}
	return faultf("ScalingActivityInProgress", "The AutoScalingGroup '%s' is pending delete", g.Name)
}

// deleteScalingGroup deletes an empty group at once. With ForceDelete it takes
// the instances along, without waiting for their connections to drain.
func deleteScalingGroup(c *Cloud, r *request) (any, error) {
	g, err := c.findScalingGroup(r)
	force := isTrue(r.boolean("ForceDelete"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if len(g.Members) == 0 {
		c.forgetScalingGroup(g)
		return done{}, nil
	}
	if !force {
		if g.capacity() == 0 {
			return nil, faultf("ScalingActivityInProgress", "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.")
		}
		return nil, faultf("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.")
	}
	s := c.scalerOf(g)
	g.Deleting, g.Hooks, g.Policies = true, nil, nil
	cause := fmt.Sprintf("At %s a user request force deleted AutoScalingGroup changing the desired capacity from %d to 0.", isoTime(c.now()), g.Desired)
	g.Min, g.Desired = 0, 0
	for _, m := range g.Members {
		if !m.leaving() {
			s.retire(m, cause)
		}
		m.State, m.Holds, m.Targets = memberTerminating, nil, nil
	}
	return done{}, nil
}

// forgetScalingGroup takes a group away. Its activities stay.
func (c *Cloud) forgetScalingGroup(g *scalingGroup) {
	delete(c.state.ScalingGroups, scalingKey(g.Region, g.Name))
	for _, a := range c.state.Activities {
		if a.GroupARN == g.arn() {
			a.GroupGone = true
		}
	}
}
