package localcloud

import "strings"

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

func describeInternetGateways(c *Cloud, r *request) (any, error) {
	n := c.networkOf(r.region)
	for _, id := range r.list("InternetGatewayId") {
		if id != n.Gateway.ID {
			return nil, faultf("InvalidInternetGatewayID.NotFound", "The internetGateway ID '%s' does not exist", id)
		}
	}
	page, next, err := describe(r, []*network{n}, func(n *network) map[string]string { return n.Gateway.Tags }, attributes[*network]{
		"attachment.state":    fixed[*network](available),
		"attachment.vpc-id":   func(n *network) []string { return one(n.Vpc.ID) },
		"internet-gateway-id": func(n *network) []string { return one(n.Gateway.ID) },
		"owner-id":            fixed[*network](accountID),
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Gateways  []gatewayItem `xml:"internetGatewaySet>item"`
		NextToken string        `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, n := range page {
		answer.Gateways = append(answer.Gateways, gatewayItem{
			ID:          n.Gateway.ID,
			OwnerID:     accountID,
			Attachments: []gatewayAttachment{{VpcID: n.Vpc.ID, State: available}},
			Tags:        tagsOf(n.Gateway.Tags),
		})
	}
	return answer, nil
}

type routeItem struct {
	Destination string `xml:"destinationCidrBlock"`
	GatewayID   string `xml:"gatewayId"`
	State       string `xml:"state"`
	Origin      string `xml:"origin"`
}

type routeAssociation struct {
	ID    string `xml:"routeTableAssociationId"`
	Table string `xml:"routeTableId"`
	Main  bool   `xml:"main"`
	State string `xml:"associationState>state"`
}

type routeTableItem struct {
	ID           string             `xml:"routeTableId"`
	VpcID        string             `xml:"vpcId"`
	OwnerID      string             `xml:"ownerId"`
	Routes       []routeItem        `xml:"routeSet>item"`
	Associations []routeAssociation `xml:"associationSet>item"`
	Tags         tagSet             `xml:"tagSet"`
}

func describeRouteTables(c *Cloud, r *request) (any, error) {
	n := c.networkOf(r.region)
	for _, id := range r.list("RouteTableId") {
		if id != n.Routes.ID {
			return nil, faultf("InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist", id)
		}
	}
	page, next, err := describe(r, []*network{n}, func(n *network) map[string]string { return n.Routes.Tags }, c.routeAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Tables    []routeTableItem `xml:"routeTableSet>item"`
		NextToken string           `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, n := range page {
		answer.Tables = append(answer.Tables, routeTableItem{
			ID:           n.Routes.ID,
			VpcID:        n.Vpc.ID,
			OwnerID:      accountID,
			Routes:       c.routesOf(n),
			Associations: []routeAssociation{{ID: n.association(), Table: n.Routes.ID, Main: true, State: "associated"}},
			Tags:         tagsOf(n.Routes.Tags),
		})
	}
	return answer, nil
}

func (n *network) association() string {
	return "rtbassoc-" + strings.TrimPrefix(n.Routes.ID, "rtb-")
}

func (c *Cloud) routesOf(n *network) []routeItem {
	return []routeItem{
		{Destination: c.machines.Prefix().Masked().String(), GatewayID: "local", State: "active", Origin: "CreateRouteTable"},
		{Destination: "0.0.0.0/0", GatewayID: n.Gateway.ID, State: "active", Origin: "CreateRoute"},
	}
}

func (c *Cloud) routeAttributes() attributes[*network] {
	return attributes[*network]{
		"association.main":                       fixed[*network]("true"),
		"association.route-table-association-id": func(n *network) []string { return one(n.association()) },
		"association.route-table-id":             func(n *network) []string { return one(n.Routes.ID) },
		"association.subnet-id":                  func(*network) []string { return nil },
		"owner-id":                               fixed[*network](accountID),
		"route.destination-cidr-block": func(n *network) []string {
			return []string{c.routesOf(n)[0].Destination, "0.0.0.0/0"}
		},
		"route.gateway-id": func(n *network) []string { return []string{"local", n.Gateway.ID} },
		"route.state":      fixed[*network]("active"),
		"route-table-id":   func(n *network) []string { return one(n.Routes.ID) },
		"vpc-id":           func(n *network) []string { return one(n.Vpc.ID) },
	}
}
