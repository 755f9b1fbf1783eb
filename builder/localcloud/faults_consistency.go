package localcloud

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// unknown is what not every part of the cloud knows yet. It is guarded by the
// cloud's mu.
type unknown struct {
	made map[string]time.Time // until when, by id; a key pair by region and name
	tags map[string]oldTags   // by id
}

// oldTags are the tags that reading calls still see.
type oldTags struct {
	until time.Time
	tags  map[string]string
}

func newUnknown() unknown {
	return unknown{made: map[string]time.Time{}, tags: map[string]oldTags{}}
}

// keepUnknown hides what a call made, and the tags it gave, until a time.
func (c *Cloud) keepUnknown(made map[string]bool, tags map[string]map[string]string, until time.Time) {
	for key := range made {
		c.unknown.made[key] = until
	}
	for id, old := range tags {
		c.unknown.tags[id] = oldTags{until, old}
	}
}

// conceal makes a call see the cloud as if what is unknown were not there. A
// reading call gets a state without it, until reveal. Any other works on the
// whole state, because it changes it, and is refused when it names what is
// unknown.
func (c *Cloud) conceal(r *request) (reveal func(), err error) {
	maps.DeleteFunc(c.unknown.made, func(_ string, until time.Time) bool { return !until.After(c.now()) })
	maps.DeleteFunc(c.unknown.tags, func(_ string, old oldTags) bool { return !old.until.After(c.now()) })
	if len(c.unknown.made)+len(c.unknown.tags) == 0 {
		return func() {}, nil
	}
	if !readOnly(r.action) {
		return func() {}, c.namesUnknown(r)
	}
	c.networkOf(r.region) // made now, and not upon a state with holes, which it would save
	return joined(append(c.oldenTags(r.region),
		take(c.state.Instances, c.unknown.made), take(c.state.Images, c.unknown.made),
		take(c.state.Snapshots, c.unknown.made), take(c.state.Volumes, c.unknown.made),
		take(c.state.Groups, c.unknown.made), take(c.state.KeyPairs, c.unknown.made),
		take(c.state.LaunchTemplates, c.unknown.made), take(c.state.LaunchVersions, c.unknown.made),
		take(c.state.Vpcs, c.unknown.made), take(c.state.Subnets, c.unknown.made),
		take(c.state.Gateways, c.unknown.made), take(c.state.RouteTables, c.unknown.made),
		take(c.state.ScalingGroups, c.unknown.made))), nil
}

// take takes what is hidden out of a map; the function it returns puts it back.
func take[V any](from map[string]V, hidden map[string]time.Time) func() {
	taken := map[string]V{}
	for key := range hidden {
		if value, found := from[key]; found {
			taken[key] = value
			delete(from, key)
		}
	}
	return func() { maps.Copy(from, taken) }
}

// oldenTags gives resources the tags back that they had.
func (c *Cloud) oldenTags(region string) []func() {
	var undo []func()
	if len(c.unknown.tags) == 0 {
		return nil
	}
	all := c.taggedIn(region)
	for id, old := range c.unknown.tags {
		if one, found := all[id]; found {
			present := *one.tags
			*one.tags = old.tags
			undo = append(undo, func() { *one.tags = present })
		}
	}
	return undo
}

func joined(all []func()) func() {
	return func() {
		for _, f := range all {
			f()
		}
	}
}

// namesUnknown is the fault for a call that names what is unknown, as it would
// be if it were not there. What deletes a key pair is let through: AWS has no
// fault for one that is not there, and one would be left behind.
func (c *Cloud) namesUnknown(r *request) error {
	if r.action == "DeleteKeyPair" {
		return nil
	}
	for _, key := range sortedKeys(r.form) {
		if strings.HasPrefix(key, "Tag.") || strings.Contains(key, ".Tag.") || key == "ClientToken" {
			continue
		}
		for _, value := range r.form[key] {
			if _, hidden := c.unknown.made[value]; hidden {
				return notFound(value)
			}
			if err := c.nameIsUnknown(r, key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameIsUnknown is namesUnknown for key pairs and groups, which have names. An
// action that makes one does not look it up: two of a name are refused.
func (c *Cloud) nameIsUnknown(r *request, key, value string) error {
	looksUp := slices.Contains([]string{"RunInstances", "CreateLaunchTemplateVersion"}, r.action)
	if slices.Contains(makingActions(), r.action) && !looksUp {
		return nil
	}
	name, _, _ := strings.Cut(key, ".")
	switch name {
	case "KeyName":
		if _, hidden := c.unknown.made[r.region+"/"+value]; hidden {
			return noKeyPair(value)
		}
	case "AutoScalingGroupName":
		if _, hidden := c.unknown.made[scalingKey(r.region, value)]; hidden {
			return noScalingGroup(value)
		}
	case "LaunchTemplateName", "LaunchTemplate":
		t, err := c.findLaunchTemplate(r.region, "", value)
		if err != nil {
			return nil
		}
		if _, hidden := c.unknown.made[t.ID]; hidden {
			return noTemplateNamed(value)
		}
	case "GroupName", "SecurityGroup":
		g, err := c.findGroupNamed(r.region, value)
		if _, hidden := c.unknown.made[idOf(g)]; err == nil && hidden {
			return c.noGroup(r.region, value)
		}
	}
	return nil
}

func idOf(g *group) string {
	if g == nil {
		return ""
	}
	return g.ID
}
