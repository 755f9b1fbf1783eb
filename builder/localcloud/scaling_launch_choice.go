package localcloud

import (
	"math"
	"strings"
)

// templateRef names a version of a launch template.
type templateRef struct {
	ID, Name string
	Version  string // a number, $Latest or $Default
}

type templateRefItem struct {
	ID      string `xml:"LaunchTemplateId"`
	Name    string `xml:"LaunchTemplateName"`
	Version string `xml:"Version"`
}

// launchChoice is what a group launches: a template, or with a mixed instances
// policy one of several types.
type launchChoice struct {
	Template     templateRef
	Mixed        bool
	Overrides    []launchOverride `json:",omitempty"`
	Distribution distribution     `json:",omitzero"`
}

// launchOverride is a type to try, in its order.
type launchOverride struct {
	Type   string `xml:"InstanceType,omitempty"`
	Weight string `xml:"WeightedCapacity,omitempty"`
}

type distribution struct {
	OnDemandStrategy string `xml:"OnDemandAllocationStrategy"`
	Base             int    `xml:"OnDemandBaseCapacity"`
	Percentage       int    `xml:"OnDemandPercentageAboveBaseCapacity"`
	SpotStrategy     string `xml:"SpotAllocationStrategy"`
	SpotPools        int    `xml:"SpotInstancePools,omitempty"`
	SpotMaxPrice     string `xml:"SpotMaxPrice,omitempty"`
}

// readLaunchChoice reads what a group is to launch; nil when the request does
// not say.
func (c *Cloud) readLaunchChoice(r *request) *launchChoice {
	if name := r.text("LaunchConfigurationName"); name != "" {
		r.problem(invalid("Launch configuration name not found - A launch configuration with the name: %s does not exist", name))
	}
	single, mixed := r.has("LaunchTemplate"), r.has("MixedInstancesPolicy")
	switch {
	case single && mixed:
		r.problem(invalid("Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter."))
	case single:
		return &launchChoice{Template: c.readTemplateRef(r.at("LaunchTemplate"))}
	case mixed:
		return c.readMixed(r.at("MixedInstancesPolicy"))
	}
	return nil
}

func (c *Cloud) readMixed(r *request) *launchChoice {
	choice := &launchChoice{Mixed: true, Template: c.readTemplateRef(r.at("LaunchTemplate.LaunchTemplateSpecification"))}
	for _, item := range r.at("LaunchTemplate").eachMember("Overrides") {
		choice.Overrides = append(choice.Overrides, launchOverride{item.need("InstanceType"), item.text("WeightedCapacity")})
		if weight := item.text("WeightedCapacity"); weight != "" && weight != "1" {
			r.problem(invalid("The local cloud has no weighted capacity but 1."))
		}
	}
	d := r.at("InstancesDistribution")
	choice.Distribution = distribution{
		OnDemandStrategy: d.oneOf("OnDemandAllocationStrategy", "prioritized", "prioritized", "lowest-price"),
		Percentage:       100,
		SpotStrategy: d.oneOf("SpotAllocationStrategy", "lowest-price", "lowest-price", "capacity-optimized",
			"capacity-optimized-prioritized", "price-capacity-optimized"),
		SpotMaxPrice: d.text("SpotMaxPrice"),
	}
	for name, field := range map[string]*int{
		"OnDemandBaseCapacity": &choice.Distribution.Base, "OnDemandPercentageAboveBaseCapacity": &choice.Distribution.Percentage,
		"SpotInstancePools": &choice.Distribution.SpotPools,
	} {
		if n := d.number(name); n != nil {
			*field = *n
		}
	}
	return choice
}

func (c *Cloud) readTemplateRef(r *request) templateRef {
	id, name, version := r.text("LaunchTemplateId"), r.text("LaunchTemplateName"), r.text("Version")
	if version == "" {
		version = defaultVersion
	}
	t, err := c.findLaunchTemplate(r.region, id, name)
	if err == nil {
		_, err = c.findVersion(t, version)
	}
	if err != nil {
		r.problem(invalid("You must use a valid fully-formed launch template. %s", messageOf(err)))
		return templateRef{}
	}
	return templateRef{t.ID, t.Name, version}
}

// types is what to try, in order; "" is the template's own.
func (l launchChoice) types() []string {
	var all []string
	for _, one := range l.Overrides {
		all = append(all, one.Type)
	}
	if len(all) == 0 {
		all = []string{""}
	}
	return all
}

// nextIsSpot says whether what a group launches next is to be a spot instance.
func (g *scalingGroup) nextIsSpot() bool {
	if !g.Launch.Mixed {
		return false
	}
	d, onDemand := g.Launch.Distribution, 0
	for _, m := range g.Members {
		if !m.leaving() && !m.Spot {
			onDemand++
		}
	}
	above := max(g.Desired-d.Base, 0)
	return onDemand >= d.Base+int(math.Ceil(float64(above)*float64(d.Percentage)/100))
}

type mixedItem struct {
	Spec         templateRefItem  `xml:"LaunchTemplate>LaunchTemplateSpecification"`
	Overrides    []launchOverride `xml:"LaunchTemplate>Overrides>member"`
	Distribution distribution     `xml:"InstancesDistribution"`
}

// tryLaunch says what is wrong with what a group would launch, as AWS does when
// a group is made.
func (c *Cloud) tryLaunch(r *request, g *scalingGroup) error {
	for _, kind := range g.Launch.types() {
		for _, id := range c.subnetsOf(g) {
			trial := c.launchRequest(r.ctx, g, id, kind)
			_, err := c.planLaunch(trial)
			if err = firstOf(err, trial.checked()); err != nil {
				return invalid("You must use a valid fully-formed launch template. %s", messageOf(err))
			}
		}
	}
	return nil
}

// joinIDs is a list as VPCZoneIdentifier has it.
func joinIDs(ids []string) string { return strings.Join(ids, ",") }
