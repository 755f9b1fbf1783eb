package localcloud

import (
	"strconv"
	"strings"
)

func scalingTagActions() map[string]handler {
	return map[string]handler{
		"CreateOrUpdateTags": createGroupTags,
		"DeleteTags":         deleteGroupTags,
		"DescribeTags":       describeGroupTags,
	}
}

// namedTag is a tag of a request, and the group it is for.
type namedTag struct {
	groupTag
	group, key string
}

// readGroupTags reads Tags.member.N.
func readGroupTags(r *request) []namedTag {
	var all []namedTag
	for _, item := range r.eachMember("Tags") {
		tag := namedTag{group: item.text("ResourceId"), key: item.need("Key")}
		tag.Value, tag.Propagate = item.text("Value"), isTrue(item.boolean("PropagateAtLaunch"))
		item.oneOf("ResourceType", "auto-scaling-group", "auto-scaling-group")
		switch {
		case strings.HasPrefix(strings.ToLower(tag.key), "aws:"):
			r.problem(invalid("Tag keys starting with 'aws:' are reserved for internal use"))
		case len(tag.key) > 128 || len(tag.Value) > 256:
			r.problem(invalid("The tag '%s' is too long: a key has at most 128 characters, a value 256", tag.key))
		}
		all = append(all, tag)
	}
	return all
}

// tagsAsked is the tags of a request and their groups.
func (c *Cloud) tagsAsked(r *request) ([]namedTag, error) {
	all := readGroupTags(r)
	if len(all) == 0 {
		r.problem(missing("Tags"))
	}
	for _, tag := range all {
		if c.state.ScalingGroups[scalingKey(r.region, tag.group)] == nil {
			r.problem(noScalingGroup(tag.group))
		}
	}
	return all, r.checked()
}

func createGroupTags(c *Cloud, r *request) (any, error) {
	all, err := c.tagsAsked(r)
	if err != nil {
		return nil, err
	}
	for _, tag := range all {
		g := c.state.ScalingGroups[scalingKey(r.region, tag.group)]
		if _, has := g.Tags[tag.key]; !has && len(g.Tags) >= maxTags {
			return nil, faultf("LimitExceeded", "The maximum number of tags for a group is %d", maxTags)
		}
		g.Tags[tag.key] = tag.groupTag
	}
	return done{}, nil
}

func deleteGroupTags(c *Cloud, r *request) (any, error) {
	all, err := c.tagsAsked(r)
	if err != nil {
		return nil, err
	}
	for _, tag := range all {
		delete(c.state.ScalingGroups[scalingKey(r.region, tag.group)].Tags, tag.key)
	}
	return done{}, nil
}

type groupTagItem struct {
	ResourceID   string `xml:"ResourceId"`
	ResourceType string
	Key          string
	Value        string
	Propagate    bool `xml:"PropagateAtLaunch"`
}

func (g *scalingGroup) tagItems() []groupTagItem {
	var all []groupTagItem
	for _, key := range sortedKeys(g.Tags) {
		all = append(all, groupTagItem{g.Name, "auto-scaling-group", key, g.Tags[key].Value, g.Tags[key].Propagate})
	}
	return all
}

// plainTags is the tags as filters know them.
func (g *scalingGroup) plainTags() map[string]string {
	tags := map[string]string{}
	for key, tag := range g.Tags {
		tags[key] = tag.Value
	}
	return tags
}

// launchTags is the tags that instances get.
func (g *scalingGroup) launchTags() map[string]string {
	tags := map[string]string{}
	for key, tag := range g.Tags {
		if tag.Propagate {
			tags[key] = tag.Value
		}
	}
	return tags
}

func describeGroupTags(c *Cloud, r *request) (any, error) {
	var all []groupTagItem
	for _, g := range c.scalingGroupsIn(r.region) {
		all = append(all, g.tagItems()...)
	}
	chosen, err := choose(r.scalingFilters(), all, untagged[groupTagItem], attributes[groupTagItem]{
		"auto-scaling-group":  func(t groupTagItem) []string { return one(t.ResourceID) },
		"key":                 func(t groupTagItem) []string { return one(t.Key) },
		"value":               func(t groupTagItem) []string { return []string{t.Value} },
		"propagate-at-launch": func(t groupTagItem) []string { return []string{strconv.FormatBool(t.Propagate)} },
	})
	if err != nil {
		return nil, err
	}
	page, next, err := recordsOf(r, chosen, 100)
	return struct {
		Tags      []groupTagItem `xml:"Tags>member"`
		NextToken string         `xml:"NextToken,omitempty"`
	}{page, next}, err
}
