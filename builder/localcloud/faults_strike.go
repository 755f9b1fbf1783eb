package localcloud

import (
	"math/rand/v2"
	"slices"
	"time"
)

// faultRules are Faults at work. They are guarded by the cloud's mu.
type faultRules struct {
	rules []*faultRule
	clock time.Duration
}

type faultRule struct {
	FaultCount
	random *rand.Rand
}

func newFaultRules(f Faults) faultRules {
	all := faultRules{clock: time.Duration(f.Clock)}
	for i, rule := range f.Rules {
		all.rules = append(all.rules, &faultRule{
			FaultCount: FaultCount{Rule: rule},
			random:     rand.New(rand.NewPCG(f.Seed, uint64(i))), // its own: another rule's calls change nothing here
		})
	}
	return all
}

// strike finds the rules that a call meets, and counts it.
func (f faultRules) strike(action, token string, places []place) []FaultRule {
	var struck []FaultRule
	for _, one := range f.rules {
		if !one.isAbout(action, token, places) || !one.next() {
			continue
		}
		struck = append(struck, one.Rule)
		if one.Rule.answers() {
			break
		}
	}
	return struck
}

func (f faultRules) counts() []FaultCount {
	all := []FaultCount{}
	for _, one := range f.rules {
		all = append(all, one.FaultCount)
	}
	return all
}

// next counts a call, and says whether the rule strikes it.
func (f *faultRule) next() bool {
	f.Calls++
	drawn := f.random.Float64()
	switch {
	case f.Rule.Times > 0 && f.Struck >= f.Rule.Times,
		len(f.Rule.Nth) > 0 && !slices.Contains(f.Rule.Nth, f.Calls),
		f.Rule.Share > 0 && drawn >= f.Rule.Share:
		return false
	}
	f.Struck++
	return true
}

// isAbout says whether a call is one of those that the rule is for.
func (f *faultRule) isAbout(action, token string, places []place) bool {
	r := f.Rule
	if !matches(r.Action, action) || r.Token != "" && r.Token != token {
		return false
	}
	if r.InstanceType == "" && r.Subnet == "" && r.Zone == "" {
		return true
	}
	return slices.ContainsFunc(places, func(p place) bool {
		return (r.InstanceType == "" || matches(r.InstanceType, p.kind)) &&
			(r.Subnet == "" || r.Subnet == p.subnet) && (r.Zone == "" || r.Zone == p.zone)
	})
}

// place is where an instance is, or is to be, and its type.
type place struct{ kind, subnet, zone string }

// placesOf is the places of the instances that a call launches or names. It
// reads a copy of the call, so that no parameter counts as read. The caller
// holds c.mu.
func (c *Cloud) placesOf(r *request) []place {
	r = newRequest(r.ctx, r.region, r.form)
	if r.action == "RunInstances" {
		return c.placeOfLaunch(r)
	}
	var all []place
	for _, id := range append(r.list("InstanceId"), r.text("InstanceId")) {
		if inst := c.state.Instances[id]; inst != nil && inst.Region == r.region {
			all = append(all, place{inst.Type, inst.SubnetID, inst.Zone})
		}
	}
	return all
}

// placeOfLaunch is none when the launch names a place that is not there: the
// action will say so.
func (c *Cloud) placeOfLaunch(r *request) []place {
	r, _, err := c.withTemplate(r)
	if err != nil {
		return nil
	}
	spec, err := readInterface(r)
	if err != nil {
		return nil
	}
	where, err := c.subnetFor(r.region, spec)
	if err != nil {
		return nil
	}
	kind := r.text("InstanceType")
	if kind == "" {
		kind = defaultType
	}
	return []place{{kind, where.ID, where.Zone}}
}
