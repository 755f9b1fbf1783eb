package localcloud

import (
	"slices"
	"strings"
)

func networkActions() map[string]handler {
	return map[string]handler{
		"DescribeVpcs":             describeVpcs,
		"DescribeVpcAttribute":     describeVpcAttribute,
		"DescribeSubnets":          describeSubnets,
		"DescribeInternetGateways": describeInternetGateways,
		"DescribeRouteTables":      describeRouteTables,
	}
}

type cidrItem struct {
	ID    string `xml:"associationId"`
	Block string `xml:"cidrBlock"`
	State string `xml:"cidrBlockState>state"`
}

type vpcItem struct {
	ID      string     `xml:"vpcId"`
	OwnerID string     `xml:"ownerId"`
	State   string     `xml:"state"`
	Block   string     `xml:"cidrBlock"`
	Blocks  []cidrItem `xml:"cidrBlockAssociationSet>item"`
	DHCP    string     `xml:"dhcpOptionsId"`
	Tags    tagSet     `xml:"tagSet"`
	Tenancy string     `xml:"instanceTenancy"`
	Default bool       `xml:"isDefault"`
}

func describeVpcs(c *Cloud, r *request) (any, error) {
	n := c.networkOf(r.region)
	all := n.vpcs()
	if ids := r.list("VpcId"); len(ids) > 0 {
		all = nil
		for _, id := range ids {
			vpc, err := c.findVpc(r.region, id)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(all, vpc) {
				all = append(all, vpc)
			}
		}
	}
	block := c.machines.Prefix().Masked().String()
	page, next, err := describe(r, all, func(vpc *part) map[string]string { return vpc.Tags }, n.vpcAttributes(block))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Vpcs      []vpcItem `xml:"vpcSet>item"`
		NextToken string    `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, vpc := range page {
		answer.Vpcs = append(answer.Vpcs, vpcItem{
			ID:      vpc.ID,
			OwnerID: accountID,
			State:   available,
			Block:   block,
			Blocks:  []cidrItem{{ID: "vpc-cidr-assoc-" + strings.TrimPrefix(vpc.ID, "vpc-"), Block: block, State: "associated"}},
			DHCP:    n.DHCP,
			Tags:    tagsOf(vpc.Tags),
			Tenancy: "default",
			Default: vpc == &n.Vpc,
		})
	}
	return answer, nil
}

func (n *network) vpcAttributes(block string) attributes[*part] {
	isDefault := func(vpc *part) []string { return yesNo(vpc == &n.Vpc) }
	return attributes[*part]{
		"cidr":                              fixed[*part](block),
		"cidr-block-association.cidr-block": fixed[*part](block),
		"cidr-block-association.state":      fixed[*part]("associated"),
		"dhcp-options-id":                   func(*part) []string { return one(n.DHCP) },
		"is-default":                        isDefault,
		"isDefault":                         isDefault,
		"ipv6-cidr-block-association.state": func(*part) []string { return nil },
		"owner-id":                          fixed[*part](accountID),
		"state":                             fixed[*part](available),
		"vpc-id":                            func(vpc *part) []string { return one(vpc.ID) },
	}
}

func describeVpcAttribute(c *Cloud, r *request) (any, error) {
	vpc, err := c.findVpc(r.region, r.need("VpcId"))
	attribute := r.need("Attribute")
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	var answer struct {
		ID        string    `xml:"vpcId"`
		Support   *flagItem `xml:"enableDnsSupport"`
		Hostnames *flagItem `xml:"enableDnsHostnames"`
		Metrics   *flagItem `xml:"enableNetworkAddressUsageMetrics"`
	}
	answer.ID = vpc.ID
	switch attribute {
	case "enableDnsSupport":
		answer.Support = &flagItem{true}
	case "enableDnsHostnames":
		answer.Hostnames = &flagItem{true}
	case "enableNetworkAddressUsageMetrics":
		answer.Metrics = &flagItem{false}
	default:
		return nil, badValue("attribute", attribute, "Expecting enableDnsSupport, enableDnsHostnames or enableNetworkAddressUsageMetrics.")
	}
	return answer, nil
}

type flagItem struct {
	Value bool `xml:"value"`
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

func describeSubnets(c *Cloud, r *request) (any, error) {
	n := c.networkOf(r.region)
	all := n.Subnets
	if ids := r.list("SubnetId"); len(ids) > 0 {
		all = nil
		for _, id := range ids {
			s, err := c.findSubnet(r.region, id)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	page, next, err := describe(r, all, func(s *subnet) map[string]string { return s.Tags }, c.subnetAttributes(r.region))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Subnets   []subnetItem `xml:"subnetSet>item"`
		NextToken string       `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, s := range page {
		answer.Subnets = append(answer.Subnets, subnetItem{
			ID:       s.ID,
			ARN:      arn("ec2", r.region, "subnet/"+s.ID),
			State:    available,
			OwnerID:  accountID,
			VpcID:    s.VpcID,
			Block:    c.subnetRange(s).String(),
			Free:     c.freeIn(s),
			Zone:     s.Zone,
			ZoneID:   zoneID(s.Zone),
			Default:  c.isDefault(r.region, s),
			PublicIP: true,
			Tags:     tagsOf(s.Tags),
		})
	}
	return answer, nil
}

func (c *Cloud) subnetAttributes(region string) attributes[*subnet] {
	block := func(s *subnet) []string { return one(c.subnetRange(s).String()) }
	zone := func(s *subnet) []string { return one(s.Zone) }
	isDefault := func(s *subnet) []string { return yesNo(c.isDefault(region, s)) }
	zoneIDs := func(s *subnet) []string { return one(zoneID(s.Zone)) }
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
		"map-public-ip-on-launch":    fixed[*subnet]("true"),
		"owner-id":                   fixed[*subnet](accountID),
		"state":                      fixed[*subnet](available),
		"subnet-arn":                 func(s *subnet) []string { return one(arn("ec2", region, "subnet/"+s.ID)) },
		"subnet-id":                  func(s *subnet) []string { return one(s.ID) },
		"vpc-id":                     func(s *subnet) []string { return one(s.VpcID) },
	}
}
