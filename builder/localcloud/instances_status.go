package localcloud

import "slices"

type statusItem struct {
	InstanceID string       `xml:"instanceId"`
	Zone       string       `xml:"availabilityZone"`
	State      stateItem    `xml:"instanceState"`
	System     statusDetail `xml:"systemStatus"`
	Instance   statusDetail `xml:"instanceStatus"`
}

type statusDetail struct {
	Status  string         `xml:"status"`
	Details []statusReason `xml:"details>item"`
}

type statusReason struct {
	Name   string `xml:"name"`
	Status string `xml:"status"`
}

// describeInstanceStatus lists running instances only, unless asked for all.
func describeInstanceStatus(c *Cloud, r *request) (any, error) {
	c.forgetTerminated()
	all := isTrue(r.boolean("IncludeAllInstances"))
	named, err := c.instancesNamed(r)
	if err != nil {
		return nil, err
	}
	if !all {
		named = slices.DeleteFunc(named, func(i *instance) bool { return i.State != running })
	}
	page, next, err := describe(r, named, untagged[*instance], statusAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Statuses  []statusItem `xml:"instanceStatusSet>item"`
		NextToken string       `xml:"nextToken,omitempty"`
	}
	for _, inst := range page {
		detail := inst.health()
		answer.Statuses = append(answer.Statuses, statusItem{inst.ID, inst.Zone, stateOf(inst.State), detail, detail})
	}
	answer.NextToken = next
	return answer, nil
}

// health is what the status checks say: they pass as soon as a machine runs,
// and never when it is one that does not boot.
func (inst *instance) health() statusDetail {
	if inst.State != running {
		return statusDetail{Status: "not-applicable"}
	}
	if inst.Trouble.NeverBoots {
		return statusDetail{"impaired", []statusReason{{"reachability", "failed"}}}
	}
	return statusDetail{"ok", []statusReason{{"reachability", "passed"}}}
}

func statusAttributes() attributes[*instance] {
	status := func(i *instance) []string { return one(i.health().Status) }
	reach := func(i *instance) []string {
		var all []string
		for _, detail := range i.health().Details {
			all = append(all, detail.Status)
		}
		return all
	}
	return attributes[*instance]{
		"availability-zone":            func(i *instance) []string { return one(i.Zone) },
		"instance-state-name":          func(i *instance) []string { return one(i.State) },
		"instance-state-code":          func(i *instance) []string { return digits(stateCode(i.State)) },
		"instance-status.status":       status,
		"instance-status.reachability": reach,
		"system-status.status":         status,
		"system-status.reachability":   reach,
	}
}
