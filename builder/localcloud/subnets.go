package localcloud

import (
	"slices"
	"strings"
)

func createSubnet(c *Cloud, r *request) (any, error) {
	v, err := c.findVpc(r.region, r.need("VpcId"))
	s := &subnet{part: newPart("subnet-", "subnet", r.region)}
	block := readBlock(r, "InvalidSubnet.Range")
	s.Block, s.Tags, s.Zone = block.String(), r.tags("subnet"), readZone(r)
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	s.VpcID = v.ID
	if whole := c.blockOf(v); !whole.Contains(block.Addr()) || block.Bits() < whole.Bits() {
		return nil, faultf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", block)
	}
	for _, other := range c.state.Subnets {
		if other.VpcID == v.ID && c.subnetRange(other).Overlaps(block) {
			return nil, faultf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", block)
		}
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	c.state.Subnets[s.ID] = s
	return struct {
		Subnet subnetItem `xml:"subnet"`
	}{c.subnetItem(s)}, nil
}

// readZone reads the zone of a new subnet, by its name or its id; the region's
// first when neither is given.
func readZone(r *request) string {
	name, id := r.text("AvailabilityZone"), r.text("AvailabilityZoneId")
	zones := zonesOf(r.region)
	if name == "" && id == "" {
		return zones[0]
	}
	for _, zone := range zones {
		if zone == name || name == "" && zoneID(zone) == id {
			return zone
		}
	}
	r.problem(badValue("availabilityZone", name+id, "Subnets can currently only be created in the following availability zones: "+strings.Join(zones, ", ")+"."))
	return ""
}

func deleteSubnet(c *Cloud, r *request) (any, error) {
	s, err := c.findSubnet(r.region, r.need("SubnetId"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	for _, inst := range c.state.Instances {
		if inst.SubnetID == s.ID && inst.State != terminated {
			return nil, faultf("DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted.", s.ID)
		}
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	for _, t := range c.state.RouteTables {
		t.Associations = slices.DeleteFunc(t.Associations, func(a association) bool { return a.SubnetID == s.ID })
	}
	delete(c.state.Subnets, s.ID)
	return simpleAnswer{Return: true}, nil
}

func modifySubnetAttribute(c *Cloud, r *request) (any, error) {
	s, err := c.findSubnet(r.region, r.need("SubnetId"))
	public := r.at("MapPublicIpOnLaunch").boolean("Value")
	if public == nil {
		r.problem(missing("MapPublicIpOnLaunch"))
	}
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	s.PublicIP = *public
	return simpleAnswer{Return: true}, nil
}

type subnetItem struct {
	ID         string `xml:"subnetId"`
	ARN        string `xml:"subnetArn"`
	State      string `xml:"state"`
	OwnerID    string `xml:"ownerId"`
	VpcID      string `xml:"vpcId"`
	Block      string `xml:"cidrBlock"`
	Free       int    `xml:"availableIpAddressCount"`
	Zone       string `xml:"availabilityZone"`
	ZoneID     string `xml:"availabilityZoneId"`
	Default    bool   `xml:"defaultForAz"`
	PublicIP   bool   `xml:"mapPublicIpOnLaunch"`
	AssignIPv6 bool   `xml:"assignIpv6AddressOnCreation"`
	Tags       tagSet `xml:"tagSet"`
}

func (s *subnet) arn() string { return arn("ec2", s.Region, "subnet/"+s.ID) }

func (c *Cloud) subnetItem(s *subnet) subnetItem {
	return subnetItem{
		ID:       s.ID,
		ARN:      s.arn(),
		State:    available,
		OwnerID:  accountID,
		VpcID:    s.VpcID,
		Block:    c.subnetRange(s).String(),
		Free:     c.freeIn(s),
		Zone:     s.Zone,
		ZoneID:   zoneID(s.Zone),
		Default:  s.isDefault(),
		PublicIP: s.PublicIP,
		Tags:     tagsOf(s.Tags),
	}
}

func describeSubnets(c *Cloud, r *request) (any, error) {
	all, err := c.subnetsIn(r.region, r.list("SubnetId"))
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, all, func(s *subnet) map[string]string { return s.Tags }, c.subnetAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Subnets   []subnetItem `xml:"subnetSet>item"`
		NextToken string       `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, s := range page {
		answer.Subnets = append(answer.Subnets, c.subnetItem(s))
	}
	return answer, nil
}

func (c *Cloud) subnetAttributes() attributes[*subnet] {
	block := func(s *subnet) []string { return one(c.subnetRange(s).String()) }
	zone := func(s *subnet) []string { return one(s.Zone) }
	zoneIDs := func(s *subnet) []string { return one(zoneID(s.Zone)) }
	isDefault := func(s *subnet) []string { return yesNo(s.isDefault()) }
	return attributes[*subnet]{
		"availability-zone":          zone,
		"availabilityZone":           zone,
		"availability-zone-id":       zoneIDs,
		"availabilityZoneId":         zoneIDs,
		"available-ip-address-count": func(s *subnet) []string { return digits(c.freeIn(s)) },
		"cidr":                       block,
		"cidr-block":                 block,
		"cidrBlock":                  block,
		"default-for-az":             isDefault,
		"defaultForAz":               isDefault,
		"ipv6-native":                fixed[*subnet]("false"),
		"map-public-ip-on-launch":    func(s *subnet) []string { return yesNo(s.PublicIP) },
		"owner-id":                   fixed[*subnet](accountID),
		"state":                      fixed[*subnet](available),
		"subnet-arn":                 func(s *subnet) []string { return one(s.arn()) },
		"subnet-id":                  func(s *subnet) []string { return one(s.ID) },
		"vpc-id":                     func(s *subnet) []string { return one(s.VpcID) },
	}
}
