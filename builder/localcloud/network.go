package localcloud

import (
	"cmp"
	"net/netip"
	"slices"
)

// part is a piece of a network that has an id and tags.
type part struct {
	ID     string
	Region string
	Kind   string // vpc, subnet, internet-gateway, route-table
	Tags   map[string]string
}

// vpc is a network. The default one of a region has the addresses of the
// machines. Any other is a record: its machines are on the same bridge as all.
type vpc struct {
	part
	Block        string // "" for the default VPC: its range is not remembered, it may be another one next time
	DHCP         string
	NoDNS        bool // enableDnsSupport is off
	Hostnames    bool // enableDnsHostnames
	AddressUsage bool // enableNetworkAddressUsageMetrics
}

type subnet struct {
	part
	VpcID    string
	Zone     string
	Block    string // "" for a default subnet
	Index    int    // which part of the default VPC's range is its
	PublicIP bool   // mapPublicIpOnLaunch
}

// gateway is an internet gateway. Every machine reaches the internet; a gateway
// is a record of it.
type gateway struct {
	part
	VpcID string // "" while it is not attached
}

// networkOf is the default VPC of a region, made at the first question about it
// as a new account finds it. The caller holds c.mu.
func (c *Cloud) networkOf(region string) *vpc {
	for _, v := range c.state.Vpcs {
		if v.Region == region && v.isDefault() {
			return v
		}
	}
	v := &vpc{part: newPart("vpc-", "vpc", region), DHCP: newID("dopt-"), Hostnames: true}
	out := &gateway{part: newPart("igw-", "internet-gateway", region), VpcID: v.ID}
	c.addVpc(v).Routes = []route{{Destination: "0.0.0.0/0", Gateway: out.ID}}
	c.state.Gateways[out.ID] = out
	for i, zone := range zonesOf(region) {
		s := &subnet{part: newPart("subnet-", "subnet", region), VpcID: v.ID, Zone: zone, Index: i, PublicIP: true}
		c.state.Subnets[s.ID] = s
	}
	c.saveLogged() // the question may be a Describe, after which nobody saves
	return v
}

// addVpc keeps a new VPC with what every VPC has: a main route table, which it
// returns, and a default security group.
func (c *Cloud) addVpc(v *vpc) *routeTable {
	c.state.Vpcs[v.ID] = v
	c.addDefaultGroup(v)
	main := &routeTable{
		part: newPart("rtb-", "route-table", v.Region), VpcID: v.ID, Associations: []association{{ID: newID("rtbassoc-")}},
	}
	c.state.RouteTables[main.ID] = main
	return main
}

func newPart(prefix, kind, region string) part {
	return part{ID: newID(prefix), Region: region, Kind: kind, Tags: map[string]string{}}
}

func (p *part) regionOf() string { return p.Region }

func (v *vpc) isDefault() bool { return v.Block == "" }

func (s *subnet) isDefault() bool { return s.Block == "" }

// partsIn is all parts of a region's networks.
func (c *Cloud) partsIn(region string) []*part {
	c.networkOf(region)
	var all []*part
	for _, v := range c.state.Vpcs {
		all = append(all, &v.part)
	}
	for _, s := range c.state.Subnets {
		all = append(all, &s.part)
	}
	for _, g := range c.state.Gateways {
		all = append(all, &g.part)
	}
	for _, t := range c.state.RouteTables {
		all = append(all, &t.part)
	}
	return slices.DeleteFunc(all, func(p *part) bool { return p.Region != region })
}

// partWith is the part of a region with that id.
func partWith[T interface{ regionOf() string }](c *Cloud, all map[string]T, region, prefix, malformedCode, id string) (T, error) {
	var none T
	c.networkOf(region)
	if !wellFormed(prefix, id) {
		return none, malformed(malformedCode, prefix, id)
	}
	found, ok := all[id]
	if !ok || found.regionOf() != region {
		return none, notFound(id)
	}
	return found, nil
}

func (c *Cloud) findVpc(region, id string) (*vpc, error) {
	return partWith(c, c.state.Vpcs, region, "vpc-", "InvalidVpcID.Malformed", id)
}

func (c *Cloud) findSubnet(region, id string) (*subnet, error) {
	return partWith(c, c.state.Subnets, region, "subnet-", "InvalidSubnetID.Malformed", id)
}

func (c *Cloud) findGateway(region, id string) (*gateway, error) {
	return partWith(c, c.state.Gateways, region, "igw-", "InvalidInternetGatewayId.Malformed", id)
}

func (c *Cloud) findRouteTable(region, id string) (*routeTable, error) {
	return partWith(c, c.state.RouteTables, region, "rtb-", "InvalidRouteTableId.Malformed", id)
}

// partsNamed is the parts with those ids, each once, or all of the region in
// the order of less.
func partsNamed[T interface {
	comparable
	regionOf() string
}](region string, all map[string]T, ids []string, find func(region, id string) (T, error), less func(a, b T) int) ([]T, error) {
	var named []T
	for _, id := range ids {
		one, err := find(region, id)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(named, one) {
			named = append(named, one)
		}
	}
	if len(ids) == 0 {
		named = inRegion(all, region, T.regionOf)
		slices.SortStableFunc(named, less)
	}
	return named, nil
}

// subnetsIn is the subnets of a region: those of the default VPC first, by zone.
func (c *Cloud) subnetsIn(region string, ids []string) ([]*subnet, error) {
	home := c.networkOf(region)
	return partsNamed(region, c.state.Subnets, ids, c.findSubnet, func(a, b *subnet) int {
		return cmp.Or(firstHome(home.ID, a.VpcID, b.VpcID), cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.ID, b.ID))
	})
}

// firstHome orders what is of the default VPC before what is of another.
func firstHome(home, a, b string) int {
	switch {
	case a == b:
		return 0
	case a == home:
		return -1
	case b == home:
		return 1
	}
	return cmp.Compare(a, b)
}

// defaultSubnet is the subnet that a launch gets which names none: that of the
// zone, or of the region's first zone.
func (c *Cloud) defaultSubnet(region, zone string) (*subnet, error) {
	all, err := c.subnetsIn(region, nil)
	if err != nil {
		return nil, err
	}
	if zone != "" && !slices.Contains(zonesOf(region), zone) {
		return nil, faultf("InvalidParameterValue", "Invalid availability zone: [%s]", zone)
	}
	for _, s := range all {
		if s.isDefault() && (zone == "" || s.Zone == zone) {
			return s, nil
		}
	}
	return nil, faultf("MissingInput", "No default subnet for availability zone: '%s'.", cmp.Or(zone, "null"))
}

// blockOf is the addresses of a VPC.
func (c *Cloud) blockOf(v *vpc) netip.Prefix {
	if v.isDefault() {
		return c.machines.Prefix().Masked()
	}
	block, _ := netip.ParsePrefix(v.Block) //nolint:errcheck // it was read once
	return block
}

// subnetRange is the addresses of a subnet: a quarter of the machines' network
// for each default one.
func (c *Cloud) subnetRange(s *subnet) netip.Prefix {
	if !s.isDefault() {
		block, _ := netip.ParsePrefix(s.Block) //nolint:errcheck // it was read once
		return block
	}
	whole := c.machines.Prefix().Masked()
	bytes := whole.Addr().As4()
	bits := whole.Bits() + 2
	step := s.Index << (32 - bits)
	low := int(bytes[2])<<8 | int(bytes[3])
	low += step
	bytes[2], bytes[3] = byte(low>>8), byte(low)
	return netip.PrefixFrom(netip.AddrFrom4(bytes), bits)
}

// rangeOf is the addresses that an instance may have: those of its subnet, or
// any of the machines' network where that does not hold the subnet.
func (c *Cloud) rangeOf(inst *instance) netip.Prefix {
	s, err := c.findSubnet(inst.Region, inst.SubnetID)
	if err != nil || !c.machines.Prefix().Overlaps(c.subnetRange(s)) { // or an older state's
		return c.machines.Prefix().Masked()
	}
	return c.subnetRange(s)
}

// freeIn is how many more machines a subnet has addresses for. As on AWS, five
// addresses of each are never given out.
func (c *Cloud) freeIn(s *subnet) int {
	block := c.subnetRange(s)
	free := 1<<(32-block.Bits()) - 5
	for _, inst := range c.state.Instances {
		addr, err := netip.ParseAddr(inst.PrivateIP)
		if inst.State != terminated && err == nil && (inst.SubnetID == s.ID || block.Contains(addr)) {
			free--
		}
	}
	return max(free, 0)
}
