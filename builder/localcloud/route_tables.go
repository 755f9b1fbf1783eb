package localcloud

import (
	"cmp"
	"slices"
)

// routeTable is a record: the machines' packets go where their bridge leads.
type routeTable struct {
	part
	VpcID        string
	Routes       []route // without the local one, which every table has
	Associations []association
}

type route struct {
	Destination string
	Gateway     string
}

// association is a subnet's, or with SubnetID "" that of the main table.
type association struct {
	ID       string
	SubnetID string
}

func (a association) isMain() bool { return a.SubnetID == "" }

func (t *routeTable) isMain() bool { return slices.ContainsFunc(t.Associations, association.isMain) }

func createRouteTable(c *Cloud, r *request) (any, error) {
	v, err := c.findVpc(r.region, r.need("VpcId"))
	t := &routeTable{part: newPart("rtb-", "route-table", r.region)}
	t.Tags = r.tags("route-table")
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	t.VpcID = v.ID
	c.state.RouteTables[t.ID] = t
	return struct {
		Table routeTableItem `xml:"routeTable"`
	}{c.routeTableItem(t)}, nil
}

func deleteRouteTable(c *Cloud, r *request) (any, error) {
	t, err := c.findRouteTable(r.region, r.need("RouteTableId"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if len(t.Associations) > 0 {
		return nil, faultf("DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted.", t.ID)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	delete(c.state.RouteTables, t.ID)
	return simpleAnswer{Return: true}, nil
}

func associateRouteTable(c *Cloud, r *request) (any, error) {
	t, err := c.findRouteTable(r.region, r.need("RouteTableId"))
	s, errSubnet := c.findSubnet(r.region, r.need("SubnetId"))
	if err := firstOf(r.checked(), err, errSubnet); err != nil {
		return nil, err
	}
	if s.VpcID != t.VpcID {
		return nil, faultf("InvalidParameterValue", "Route table %s and subnet %s belong to different networks", t.ID, s.ID)
	}
	if other := c.tableOf(s); other != nil {
		return nil, faultf("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", t.ID)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	made := association{ID: newID("rtbassoc-"), SubnetID: s.ID}
	t.Associations = append(t.Associations, made)
	return struct {
		ID    string `xml:"associationId"`
		State string `xml:"associationState>state"`
	}{made.ID, "associated"}, nil
}

// tableOf is the table that a subnet is associated with; nil when it has the
// main one.
func (c *Cloud) tableOf(s *subnet) *routeTable {
	for _, t := range c.state.RouteTables {
		if slices.ContainsFunc(t.Associations, func(a association) bool { return a.SubnetID == s.ID }) {
			return t
		}
	}
	return nil
}

func disassociateRouteTable(c *Cloud, r *request) (any, error) {
	id := r.need("AssociationId")
	if err := r.checked(); err != nil {
		return nil, err
	}
	for _, t := range c.state.RouteTables {
		at := slices.IndexFunc(t.Associations, func(a association) bool { return a.ID == id })
		if at < 0 || t.Region != r.region {
			continue
		}
		if t.Associations[at].isMain() {
			return nil, faultf("InvalidParameterValue", "cannot disassociate the main route table association %s", id)
		}
		if err := r.dryRun(); err != nil {
			return nil, err
		}
		t.Associations = slices.Delete(t.Associations, at, at+1)
		return simpleAnswer{Return: true}, nil
	}
	return nil, faultf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", id)
}

type routeItem struct {
	Destination string `xml:"destinationCidrBlock"`
	GatewayID   string `xml:"gatewayId"`
	State       string `xml:"state"`
	Origin      string `xml:"origin"`
}

type routeAssociation struct {
	ID       string `xml:"routeTableAssociationId"`
	Table    string `xml:"routeTableId"`
	SubnetID string `xml:"subnetId,omitempty"`
	Main     bool   `xml:"main"`
	State    string `xml:"associationState>state"`
}

type routeTableItem struct {
	ID           string             `xml:"routeTableId"`
	VpcID        string             `xml:"vpcId"`
	OwnerID      string             `xml:"ownerId"`
	Routes       []routeItem        `xml:"routeSet>item"`
	Associations []routeAssociation `xml:"associationSet>item"`
	Tags         tagSet             `xml:"tagSet"`
}

func (c *Cloud) routeTableItem(t *routeTable) routeTableItem {
	item := routeTableItem{ID: t.ID, VpcID: t.VpcID, OwnerID: accountID, Routes: c.routesOf(t), Tags: tagsOf(t.Tags)}
	for _, a := range t.Associations {
		item.Associations = append(item.Associations, routeAssociation{a.ID, t.ID, a.SubnetID, a.isMain(), "associated"})
	}
	return item
}

func describeRouteTables(c *Cloud, r *request) (any, error) {
	home := c.networkOf(r.region)
	all, err := partsNamed(r.region, c.state.RouteTables, r.list("RouteTableId"), c.findRouteTable, func(a, b *routeTable) int {
		return cmp.Or(firstHome(home.ID, a.VpcID, b.VpcID), cmp.Compare(a.ID, b.ID))
	})
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, all, func(t *routeTable) map[string]string { return t.Tags }, c.routeAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Tables    []routeTableItem `xml:"routeTableSet>item"`
		NextToken string           `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, t := range page {
		answer.Tables = append(answer.Tables, c.routeTableItem(t))
	}
	return answer, nil
}

func (c *Cloud) routeAttributes() attributes[*routeTable] {
	routes := func(value func(routeItem) string) func(*routeTable) []string {
		return func(t *routeTable) (all []string) {
			for _, item := range c.routesOf(t) {
				all = append(all, value(item))
			}
			return all
		}
	}
	associations := func(value func(association) []string) func(*routeTable) []string {
		return func(t *routeTable) (all []string) {
			for _, a := range t.Associations {
				all = append(all, value(a)...)
			}
			return all
		}
	}
	return attributes[*routeTable]{
		"association.main":                       associations(func(a association) []string { return yesNo(a.isMain()) }),
		"association.route-table-association-id": associations(func(a association) []string { return one(a.ID) }),
		"association.route-table-id":             func(t *routeTable) []string { return one(t.ID) },
		"association.subnet-id":                  associations(func(a association) []string { return one(a.SubnetID) }),
		"owner-id":                               fixed[*routeTable](accountID),
		"route.destination-cidr-block":           routes(func(i routeItem) string { return i.Destination }),
		"route.gateway-id":                       routes(func(i routeItem) string { return i.GatewayID }),
		"route.state":                            routes(func(i routeItem) string { return i.State }),
		"route-table-id":                         func(t *routeTable) []string { return one(t.ID) },
		"vpc-id":                                 func(t *routeTable) []string { return one(t.VpcID) },
	}
}
