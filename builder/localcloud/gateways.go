package localcloud

import "cmp"

func createInternetGateway(c *Cloud, r *request) (any, error) {
	c.networkOf(r.region)
	g := &gateway{part: newPart("igw-", "internet-gateway", r.region)}
	g.Tags = r.tags("internet-gateway")
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	c.state.Gateways[g.ID] = g
	return struct {
		Gateway gatewayItem `xml:"internetGateway"`
	}{g.item()}, nil
}

// gatewayAndVpc reads what attaching and detaching are about.
func (c *Cloud) gatewayAndVpc(r *request) (*gateway, *vpc, error) {
	g, err := c.findGateway(r.region, r.need("InternetGatewayId"))
	v, errVpc := c.findVpc(r.region, r.need("VpcId"))
	return g, v, firstOf(r.checked(), err, errVpc)
}

func attachInternetGateway(c *Cloud, r *request) (any, error) {
	g, v, err := c.gatewayAndVpc(r)
	if err != nil {
		return nil, err
	}
	if g.VpcID != "" {
		return nil, faultf("Resource.AlreadyAssociated", "resource %s is already attached to network %s", g.ID, g.VpcID)
	}
	for _, other := range c.state.Gateways {
		if other.VpcID == v.ID {
			return nil, faultf("InvalidParameterValue", "Network %s already has an internet gateway attached", v.ID)
		}
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	g.VpcID = v.ID
	return simpleAnswer{Return: true}, nil
}

func detachInternetGateway(c *Cloud, r *request) (any, error) {
	g, v, err := c.gatewayAndVpc(r)
	if err != nil {
		return nil, err
	}
	if g.VpcID != v.ID {
		return nil, faultf("Gateway.NotAttached", "resource %s is not attached to network %s", g.ID, v.ID)
	}
	for _, inst := range c.state.Instances {
		if inst.VpcID == v.ID && inst.State != terminated && inst.publicIP() != "" {
			return nil, faultf("DependencyViolation", "Network %s has some mapped public address(es). "+
				"Please unmap those public address(es) before detaching the gateway.", v.ID)
		}
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	g.VpcID = ""
	return simpleAnswer{Return: true}, nil
}

func deleteInternetGateway(c *Cloud, r *request) (any, error) {
	g, err := c.findGateway(r.region, r.need("InternetGatewayId"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if g.VpcID != "" {
		return nil, faultf("DependencyViolation", "The internetGateway '%s' has dependencies and cannot be deleted.", g.ID)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	delete(c.state.Gateways, g.ID)
	return simpleAnswer{Return: true}, nil
}

type gatewayAttachment struct {
	VpcID string `xml:"vpcId"`
	State string `xml:"state"`
}

type gatewayItem struct {
	ID          string              `xml:"internetGatewayId"`
	OwnerID     string              `xml:"ownerId"`
	Attachments []gatewayAttachment `xml:"attachmentSet>item"`
	Tags        tagSet              `xml:"tagSet"`
}

func (g *gateway) item() gatewayItem {
	item := gatewayItem{ID: g.ID, OwnerID: accountID, Tags: tagsOf(g.Tags)}
	if g.VpcID != "" {
		item.Attachments = []gatewayAttachment{{VpcID: g.VpcID, State: available}}
	}
	return item
}

func describeInternetGateways(c *Cloud, r *request) (any, error) {
	home := c.networkOf(r.region)
	all, err := partsNamed(r.region, c.state.Gateways, r.list("InternetGatewayId"), c.findGateway, func(a, b *gateway) int {
		return cmp.Or(firstHome(home.ID, a.VpcID, b.VpcID), cmp.Compare(a.ID, b.ID))
	})
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, all, func(g *gateway) map[string]string { return g.Tags }, attributes[*gateway]{
		"attachment.state": func(g *gateway) []string {
			if g.VpcID == "" {
				return nil
			}
			return []string{available}
		},
		"attachment.vpc-id":   func(g *gateway) []string { return one(g.VpcID) },
		"internet-gateway-id": func(g *gateway) []string { return one(g.ID) },
		"owner-id":            fixed[*gateway](accountID),
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Gateways  []gatewayItem `xml:"internetGatewaySet>item"`
		NextToken string        `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, g := range page {
		answer.Gateways = append(answer.Gateways, g.item())
	}
	return answer, nil
}
