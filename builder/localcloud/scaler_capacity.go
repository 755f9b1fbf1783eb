package localcloud

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// balance launches or terminates until there are as many as desired.
func (s *scaler) balance() {
	have, want := s.g.capacity(), s.g.Desired
	if have == want {
		s.g.Differs, s.g.Why, s.g.Unhealthy, s.g.Stuck = time.Time{}, "", 0, false
		return
	}
	if s.g.Differs.IsZero() {
		s.g.Differs, s.changed = s.now, true
	}
	if s.now.Sub(s.g.Differs) < s.c.options.Delays[delayScaling] {
		return
	}
	switch {
	case have < want && !s.g.isSuspended("Launch") && !s.now.Before(s.g.RetryAt):
		s.grow(have, want)
	case have > want && !s.g.isSuspended("Terminate"):
		s.shrink(have, want)
	}
}

// grow launches what is missing, each in the subnet that has the fewest.
func (s *scaler) grow(have, want int) {
	for range want - have {
		cause := fmt.Sprintf("At %s an instance was started in response to a difference between desired and actual capacity, increasing the capacity from %d to %d.",
			isoTime(s.now), have, want)
		if s.g.Unhealthy > 0 {
			cause = fmt.Sprintf("At %s an instance was launched in response to an unhealthy instance needing to be replaced.", isoTime(s.now))
		}
		if s.g.Why != "" {
			cause = s.g.Why + "  " + cause
		}
		s.changed = true
		if !s.launch(cause) {
			s.delayLaunch()
			return
		}
		s.g.Scaled, s.g.Failures, s.g.Unhealthy = s.now, 0, max(s.g.Unhealthy-1, 0)
	}
}

// delayLaunch makes the next try later, and later each time.
func (s *scaler) delayLaunch() {
	s.g.RetryAt = s.now.Add(time.Second << min(s.g.Failures, 6))
	s.g.Failures++
}

// launch launches one instance; where there is no room for it, it tries the
// group's next type, and its next subnet. Each try is an activity.
func (s *scaler) launch(cause string) bool {
	for _, id := range s.subnets() {
		for _, kind := range s.g.Launch.types() {
			inst, err := s.c.launchFor(s.g, id, kind)
			zone := ""
			if place := s.c.state.Subnets[id]; place != nil {
				zone = place.Zone
			}
			if err == nil {
				s.join(inst, s.c.record(s.g, "Launching a new EC2 instance: "+inst.ID, cause, id, zone))
				return true
			}
			a := s.c.record(s.g, "Launching a new EC2 instance.  Status Reason: "+messageOf(err)+". Launching EC2 instance failed.", cause, id, zone)
			a.Message = messageOf(err) + ". Launching EC2 instance failed."
			a.end(activityFailed, s.now)
			if code := faultOf(err).Code; code != "InsufficientInstanceCapacity" && code != "InsufficientFreeAddressesInSubnet" {
				return false
			}
		}
	}
	return false
}

// subnets is where the group launches: first where it has the fewest.
func (s *scaler) subnets() []string {
	count := map[string]int{}
	for _, m := range s.g.Members {
		if !m.leaving() {
			count[m.SubnetID]++
		}
	}
	all := s.c.subnetsOf(s.g)
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(count[a], count[b]) })
	return all
}

func (s *scaler) join(inst *instance, a *activity) {
	s.g.Members = append(s.g.Members, &groupMember{
		ID: inst.ID, Type: inst.Type, Zone: inst.Zone, SubnetID: inst.SubnetID, Spot: inst.Spot != "",
		Template: templateRef{s.g.Launch.Template.ID, s.g.Launch.Template.Name, inst.Tags["aws:ec2launchtemplate:version"]},
		State:    memberPending, Protected: s.g.ProtectNew, Joined: s.now, Activity: a.ID,
	})
}

// launchFor launches one instance for a group, as a RunInstances that meets the
// fault rules of one.
func (c *Cloud) launchFor(g *scalingGroup, subnet, kind string) (*instance, error) {
	r := c.launchRequest(c.ctx, g, subnet, kind)
	if len(c.faults.rules) > 0 {
		r.struck = c.faults.strike(r.action, "", c.placesOf(r))
	}
	for _, rule := range r.struck {
		if rule.Error != "" {
			return nil, rule.fault()
		}
		if rule.Reset == resetBefore {
			return nil, faultf("InternalError", "An internal error has occurred")
		}
	}
	var made []*instance
	launch := rehearsed(func(c *Cloud, r *request) (any, error) {
		plan, err := c.planLaunch(r)
		if err := firstOf(err, r.checked()); err != nil {
			return nil, err
		}
		plan.template.Tags["aws:autoscaling:groupName"] = g.Name
		made, err = c.launch(plan)
		return nil, err
	})
	if _, err := launch(c, r); err != nil {
		return nil, err
	}
	return made[0], nil
}

// launchRequest is the RunInstances of a group's next instance.
func (c *Cloud) launchRequest(ctx context.Context, g *scalingGroup, subnet, kind string) *request {
	ref := g.Launch.Template
	form := url.Values{
		"Action": {"RunInstances"}, "MinCount": {"1"}, "MaxCount": {"1"},
		"LaunchTemplate.LaunchTemplateId": {ref.ID}, "LaunchTemplate.Version": {ref.Version},
	}
	if kind != "" {
		form.Set("InstanceType", kind)
	}
	if g.nextIsSpot() {
		form.Set("InstanceMarketOptions.MarketType", "spot")
		if price := g.Launch.Distribution.SpotMaxPrice; price != "" {
			form.Set("InstanceMarketOptions.SpotOptions.MaxPrice", price)
		}
	}
	setTags(form, 1, "instance", g.launchTags())
	c.placeLaunch(g, form, subnet)
	return newRequest(ctx, g.Region, form)
}

// placeLaunch names the subnet of a launch where the template has its network
// interface, if it has one.
func (c *Cloud) placeLaunch(g *scalingGroup, form url.Values, subnet string) {
	var data map[string]string
	if t := c.state.LaunchTemplates[g.Launch.Template.ID]; t != nil {
		if v, err := c.findVersion(t, g.Launch.Template.Version); err == nil {
			data = v.Data
		}
	}
	indexes := newRequest(c.ctx, g.Region, formWith(data)).indexes("NetworkInterface")
	if len(indexes) == 0 {
		form.Set("SubnetId", subnet)
		return
	}
	for key, value := range data {
		if parameterOf(key) == "NetworkInterface" {
			form.Set(key, value)
		}
	}
	form.Set("NetworkInterface."+strconv.Itoa(indexes[0])+".SubnetId", subnet)
}
