package localcloud

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

const maxTags = 50

func tagActions() map[string]handler {
	return map[string]handler{
		"CreateTags":   createTags,
		"DeleteTags":   deleteTags,
		"DescribeTags": describeTags,
	}
}

// tagged is a resource that can have tags.
type tagged struct {
	id, kind string
	tags     *map[string]string
}

// taggedIn is every resource of a region that can have tags, by id.
func (c *Cloud) taggedIn(region string) map[string]tagged {
	all := map[string]tagged{}
	add := func(id, kind string, tags *map[string]string) { all[id] = tagged{id, kind, tags} }
	for id, inst := range c.state.Instances {
		if inst.Region != region || inst.State == terminated {
			continue
		}
		add(id, "instance", &inst.Tags)
		if inst.Spot != "" {
			add(inst.Spot, "spot-instances-request", &inst.SpotTags)
		}
	}
	for id, img := range c.state.Images {
		if img.in(region) {
			add(id, "image", &img.Tags)
		}
	}
	for id, snap := range c.state.Snapshots {
		if snap.in(region) {
			add(id, "snapshot", &snap.Tags)
		}
	}
	for id, v := range c.state.Volumes {
		if v.Region == region {
			add(id, "volume", &v.Tags)
		}
	}
	for _, pair := range c.state.KeyPairs {
		if pair.Region == region {
			add(pair.ID, "key-pair", &pair.Tags)
		}
	}
	for _, t := range c.launchTemplatesIn(region) {
		add(t.ID, "launch-template", &t.Tags)
	}
	c.addTaggedNetwork(region, add)
	return all
}

func (c *Cloud) addTaggedNetwork(region string, add func(id, kind string, tags *map[string]string)) {
	for _, g := range c.groupsIn(region) {
		add(g.ID, "security-group", &g.Tags)
		for _, one := range g.Rules {
			add(one.ID, "security-group-rule", &one.Tags)
		}
	}
	for _, p := range c.partsIn(region) {
		add(p.ID, p.Kind, &p.Tags)
	}
}

// taggedAsked is the resources of ResourceId.N, all of which must exist.
func (c *Cloud) taggedAsked(r *request) ([]tagged, error) {
	ids := r.list("ResourceId")
	if len(ids) == 0 {
		return nil, missing("resourceIdSet")
	}
	all := c.taggedIn(r.region)
	var asked []tagged
	for _, id := range ids {
		found, ok := all[id]
		if !ok {
			return nil, notFound(id)
		}
		asked = append(asked, found)
	}
	return asked, nil
}

// notFound is the fault for an id of any kind, in the words of its own kind.
func notFound(id string) *fault {
	kinds := []struct{ prefix, code, name string }{
		{"i-", "InvalidInstanceID.NotFound", "instance ID"},
		{"ami-", "InvalidAMIID.NotFound", "image ID"},
		{"snap-", "InvalidSnapshot.NotFound", "snapshot ID"},
		{"vol-", "InvalidVolume.NotFound", "volume ID"},
		{"key-", "InvalidKeyPair.NotFound", "key pair ID"},
		{"sg-", "InvalidGroup.NotFound", "security group ID"},
		{"sgr-", "InvalidSecurityGroupRuleId.NotFound", "security group rule ID"},
		{"vpc-", "InvalidVpcID.NotFound", "vpc ID"},
		{"subnet-", "InvalidSubnetID.NotFound", "subnet ID"},
		{"igw-", "InvalidInternetGatewayID.NotFound", "internetGateway ID"},
		{"rtb-", "InvalidRouteTableID.NotFound", "routeTable ID"},
		{"lt-", "InvalidLaunchTemplateId.NotFound", "launch template ID"},
		{"sir-", "InvalidSpotInstanceRequestID.NotFound", "spot instance request ID"},
	}
	for _, kind := range kinds {
		if strings.HasPrefix(id, kind.prefix) {
			return faultf(kind.code, "The %s '%s' does not exist", kind.name, id)
		}
	}
	return faultf("InvalidID", "The ID '%s' is not valid", id)
}

// createTags adds tags to resources, or changes them: all of them or none.
func createTags(c *Cloud, r *request) (any, error) {
	tags := r.tagList("Tag")
	if len(tags) == 0 && !r.has("Tag") {
		r.problem(missing("tagSet"))
	}
	asked, err := c.taggedAsked(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	for _, resource := range asked {
		if n := ownTags(withDefaults(tags, *resource.tags)); n > maxTags {
			return nil, faultf("TagLimitExceeded", "The maximum number of tags for a resource is %d; %s would have %d", maxTags, resource.id, n)
		}
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	for _, resource := range asked {
		*resource.tags = withDefaults(tags, *resource.tags)
	}
	return simpleAnswer{Return: true}, nil
}

// ownTags counts the tags that AWS counts: not those of its own.
func ownTags(tags map[string]string) int {
	n := 0
	for key := range tags {
		if !strings.HasPrefix(key, "aws:") {
			n++
		}
	}
	return n
}

// tagDoomed is one tag to delete: any value, unless one is given, even "".
type tagDoomed struct {
	key   string
	value *string
}

func readDoomed(r *request) []tagDoomed {
	var all []tagDoomed
	for _, item := range r.each("Tag") {
		one := tagDoomed{key: item.need("Key")}
		if item.has("Value") {
			one.value = new(item.text("Value"))
		}
		if strings.HasPrefix(strings.ToLower(one.key), "aws:") {
			r.problem(faultf("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"))
		}
		all = append(all, one)
	}
	return all
}

// deleteTags deletes the tags that are named; without any, all of them.
func deleteTags(c *Cloud, r *request) (any, error) {
	doomed := readDoomed(r)
	asked, err := c.taggedAsked(r)
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	for _, resource := range asked {
		left := withDefaults(nil, *resource.tags)
		if len(doomed) == 0 {
			maps.DeleteFunc(left, func(key, _ string) bool { return !strings.HasPrefix(key, "aws:") })
		}
		for _, one := range doomed {
			if one.value == nil || *one.value == left[one.key] {
				delete(left, one.key)
			}
		}
		*resource.tags = left
	}
	return simpleAnswer{Return: true}, nil
}

type tagDescription struct {
	ResourceID   string `xml:"resourceId"`
	ResourceType string `xml:"resourceType"`
	Key          string `xml:"key"`
	Value        string `xml:"value"`
}

func describeTags(c *Cloud, r *request) (any, error) {
	var all []tagDescription
	for id, resource := range c.taggedIn(r.region) {
		for key, value := range *resource.tags {
			all = append(all, tagDescription{id, resource.kind, key, value})
		}
	}
	slices.SortFunc(all, func(a, b tagDescription) int {
		return cmp.Or(cmp.Compare(a.ResourceType, b.ResourceType), cmp.Compare(a.ResourceID, b.ResourceID), cmp.Compare(a.Key, b.Key))
	})
	page, next, err := describe(r, all, func(t tagDescription) map[string]string { return map[string]string{t.Key: t.Value} },
		attributes[tagDescription]{
			"key":           func(t tagDescription) []string { return []string{t.Key} },
			"resource-id":   func(t tagDescription) []string { return []string{t.ResourceID} },
			"resource-type": func(t tagDescription) []string { return []string{t.ResourceType} },
			"value":         func(t tagDescription) []string { return []string{t.Value} },
		})
	if err != nil {
		return nil, err
	}
	return struct {
		Tags      []tagDescription `xml:"tagSet>item"`
		NextToken string           `xml:"nextToken,omitempty"`
	}{page, next}, nil
}
