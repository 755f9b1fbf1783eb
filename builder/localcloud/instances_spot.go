package localcloud

import (
	"cmp"
	"slices"
)

type spotItem struct {
	ID         string       `xml:"spotInstanceRequestId"`
	Price      string       `xml:"spotPrice,omitempty"`
	Type       string       `xml:"type"`
	State      string       `xml:"state"`
	Status     spotStatus   `xml:"status"`
	Spec       spotSpecItem `xml:"launchSpecification"`
	InstanceID string       `xml:"instanceId"`
	Created    string       `xml:"createTime"`
	Product    string       `xml:"productDescription"`
	Tags       tagSet       `xml:"tagSet"`
	Zone       string       `xml:"launchedAvailabilityZone"`
}

type spotStatus struct {
	Code    string `xml:"code"`
	Message string `xml:"message"`
	Updated string `xml:"updateTime"`
}

type spotSpecItem struct {
	ImageID string `xml:"imageId"`
	Type    string `xml:"instanceType"`
	KeyName string `xml:"keyName,omitempty"`
}

// spotState is the state of the request that an instance came from.
func (inst *instance) spotState() (state, code, message string) {
	switch {
	case inst.SpotCanceled && inst.State != terminated:
		return "cancelled", "request-canceled-and-instance-running", "Your Spot request is canceled, but your instance is still running."
	case inst.SpotCanceled:
		return "cancelled", "canceled-before-fulfillment", "Your Spot request is canceled."
	case inst.State == terminated:
		return "closed", "instance-terminated-by-user", "Spot Instance terminated due to user-initiated termination."
	}
	return "active", "fulfilled", "Your spot request is fulfilled."
}

func (inst *instance) spotItem() spotItem {
	state, code, message := inst.spotState()
	return spotItem{
		ID: inst.Spot, Price: inst.SpotPrice, Type: inst.SpotType, State: state,
		Status:     spotStatus{code, message, stamp(inst.Launched)},
		Spec:       spotSpecItem{inst.ImageID, inst.Type, inst.KeyName},
		InstanceID: inst.ID, Created: stamp(inst.Launched), Product: "Linux/UNIX",
		Tags: tagsOf(inst.SpotTags), Zone: inst.Zone,
	}
}

// findSpots are the instances whose requests SpotInstanceRequestId.N names, or
// all that came from one.
func (c *Cloud) findSpots(r *request) ([]*instance, error) {
	all := inRegion(c.state.Instances, r.region, func(i *instance) string { return i.Region })
	all = slices.DeleteFunc(all, func(i *instance) bool { return i.Spot == "" })
	slices.SortFunc(all, func(a, b *instance) int { return cmp.Compare(a.Spot, b.Spot) })
	ids := r.list("SpotInstanceRequestId")
	if len(ids) == 0 {
		return all, nil
	}
	var found []*instance
	for _, id := range ids {
		i := slices.IndexFunc(all, func(i *instance) bool { return i.Spot == id })
		if i < 0 {
			return nil, faultf("InvalidSpotInstanceRequestID.NotFound", "The spot instance request ID '%s' does not exist", id)
		}
		found = append(found, all[i])
	}
	return found, nil
}

func describeSpotRequests(c *Cloud, r *request) (any, error) {
	c.forgetTerminated()
	all, err := c.findSpots(r)
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, all, func(i *instance) map[string]string { return i.SpotTags }, attributes[*instance]{
		"spot-instance-request-id": func(i *instance) []string { return one(i.Spot) },
		"instance-id":              func(i *instance) []string { return one(i.ID) },
		"state":                    func(i *instance) []string { return one(i.spotItem().State) },
		"status-code":              func(i *instance) []string { return one(i.spotItem().Status.Code) },
		"type":                     func(i *instance) []string { return one(i.SpotType) },
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Items     []spotItem `xml:"spotInstanceRequestSet>item"`
		NextToken string     `xml:"nextToken,omitempty"`
	}
	for _, inst := range page {
		answer.Items = append(answer.Items, inst.spotItem())
	}
	answer.NextToken = next
	return answer, nil
}

// cancelSpotRequests ends the requests; their instances go on, as on AWS.
func cancelSpotRequests(c *Cloud, r *request) (any, error) {
	if !r.has("SpotInstanceRequestId") {
		return nil, missing("SpotInstanceRequestId")
	}
	all, err := c.findSpots(r)
	if err != nil {
		return nil, err
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	type canceled struct {
		ID    string `xml:"spotInstanceRequestId"`
		State string `xml:"state"`
	}
	var answer struct {
		Items []canceled `xml:"spotInstanceRequestSet>item"`
	}
	for _, inst := range all {
		inst.SpotCanceled = true
		answer.Items = append(answer.Items, canceled{inst.Spot, "cancelled"})
	}
	return answer, nil
}
