package localcloud

// balancerTags are the tags of what has an ARN of Elastic Load Balancing's.
func (c *Cloud) balancerTags(region, id string) (*map[string]string, error) {
	if lb, err := c.findBalancer(region, id); err == nil {
		return &lb.Tags, nil
	}
	if g, err := c.findTargetGroup(region, id); err == nil {
		return &g.Tags, nil
	}
	if l, err := c.findListener(region, id); err == nil {
		return &l.Tags, nil
	}
	one, err := c.findRule(region, id)
	if err != nil {
		return nil, faultf("LoadBalancerNotFound", "One or more resources not found: '%s'", id)
	}
	return &one.Tags, nil
}

// taggedBalancers are the tags of all ResourceArns, every one of which must exist.
func (c *Cloud) taggedBalancers(r *request) (ids []string, all []*map[string]string, err error) {
	ids = r.members("ResourceArns")
	if len(ids) == 0 {
		r.problem(missing("ResourceArns"))
	}
	for _, id := range ids {
		tags, err := c.balancerTags(r.region, id)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, tags)
	}
	return ids, all, nil
}

func addBalancerTags(c *Cloud, r *request) (any, error) {
	tags := r.tagList("Tags.member")
	_, all, err := c.taggedBalancers(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	for _, of := range all {
		*of = withDefaults(tags, *of)
	}
	return nil, nil
}

func removeBalancerTags(c *Cloud, r *request) (any, error) {
	keys := r.members("TagKeys")
	_, all, err := c.taggedBalancers(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	for _, of := range all {
		left := withDefaults(nil, *of)
		for _, key := range keys {
			delete(left, key)
		}
		*of = left
	}
	return nil, nil
}

type tagItems struct {
	ARN  string          `xml:"ResourceArn"`
	Tags []attributeItem `xml:"Tags>member"`
}

func describeBalancerTags(c *Cloud, r *request) (any, error) {
	ids, all, err := c.taggedBalancers(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	var answer struct {
		Tags []tagItems `xml:"TagDescriptions>member"`
	}
	for i, of := range all {
		item := tagItems{ARN: ids[i]}
		for _, key := range sortedKeys(*of) {
			item.Tags = append(item.Tags, attributeItem{key, (*of)[key]})
		}
		answer.Tags = append(answer.Tags, item)
	}
	return answer, nil
}
