package localcloud

import (
	"net/netip"
	"slices"
)

// network is the default VPC of a region, as a new account finds it. The
// address ranges are not remembered: they are parts of the network that the
// machines have this time.
type network struct {
	Region  string
	Vpc     part
	Gateway part // internet gateway
	Routes  part
	DHCP    string
	Subnets []*subnet // one for each availability zone, and those of a catalogue
	More    []*part   // the other VPCs, those of a catalogue
}

// part is a piece of a network that has an id and tags.
type part struct {
	ID   string
	Kind string // vpc, subnet, internet-gateway, route-table
	Tags map[string]string
}

type subnet struct {
	part
	VpcID string
	Zone  string
	Index int // which part of the VPC's range is its
}

// networkOf is the network of a region, made at the first question about it
// together with its default security group. The caller holds c.mu.
func (c *Cloud) networkOf(region string) *network {
	if n := c.state.Networks[region]; n != nil {
		return n
	}
	n := &network{
		Region:  region,
		Vpc:     newPart("vpc-", "vpc"),
		Gateway: newPart("igw-", "internet-gateway"),
		Routes:  newPart("rtb-", "route-table"),
		DHCP:    newID("dopt-"),
	}
	for i, zone := range zonesOf(region) {
		n.Subnets = append(n.Subnets, &subnet{part: newPart("subnet-", "subnet"), VpcID: n.Vpc.ID, Zone: zone, Index: i})
	}
	c.state.Networks[region] = n
	c.addDefaultGroup(n)
	c.saveLogged() // the question may be a Describe, after which nobody saves
	return n
}

func newPart(prefix, kind string) part {
	return part{ID: newID(prefix), Kind: kind, Tags: map[string]string{}}
}

// parts is all of the network that can have tags.
func (n *network) parts() []*part {
	all := append(n.vpcs(), &n.Gateway, &n.Routes)
	for _, s := range n.Subnets {
		all = append(all, &s.part)
	}
	return all
}

// vpcs is the default VPC and the others.
func (n *network) vpcs() []*part { return append([]*part{&n.Vpc}, n.More...) }

// findVpc is the region's VPC with that id.
func (c *Cloud) findVpc(region, id string) (*part, error) {
	if !wellFormed("vpc-", id) {
		return nil, malformed("InvalidVpcID.Malformed", "vpc-", id)
	}
	for _, vpc := range c.networkOf(region).vpcs() {
		if vpc.ID == id {
			return vpc, nil
		}
	}
	return nil, faultf("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
}

// isDefault says whether a subnet is of the default VPC, as it is made.
func (c *Cloud) isDefault(region string, s *subnet) bool {
	return slices.Contains(c.networkOf(region).Subnets[:len(zonesOf(region))], s)
}

// findSubnet is the subnet with that id in the region.
func (c *Cloud) findSubnet(region, id string) (*subnet, error) {
	if !wellFormed("subnet-", id) {
		return nil, malformed("InvalidSubnetID.Malformed", "subnet-", id)
	}
	for _, s := range c.networkOf(region).Subnets {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, faultf("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
}

// defaultSubnet is the subnet that a launch gets which names none: that of the
// zone, or of the region's first zone.
func (c *Cloud) defaultSubnet(region, zone string) (*subnet, error) {
	for _, s := range c.networkOf(region).Subnets {
		if zone == "" || s.Zone == zone {
			return s, nil
		}
	}
	return nil, faultf("InvalidParameterValue", "Invalid availability zone: [%s]", zone)
}

// subnetRange is the addresses of a subnet: a quarter of the machines' network
// for each.
func (c *Cloud) subnetRange(s *subnet) netip.Prefix {
	whole := c.machines.Prefix().Masked()
	bytes := whole.Addr().As4()
	bits := whole.Bits() + 2
	step := s.Index << (32 - bits)
	low := int(bytes[2])<<8 | int(bytes[3])
	low += step
	bytes[2], bytes[3] = byte(low>>8), byte(low)
	return netip.PrefixFrom(netip.AddrFrom4(bytes), bits)
}

// rangeOf is the addresses of an instance's subnet.
func (c *Cloud) rangeOf(inst *instance) netip.Prefix {
	s, err := c.findSubnet(inst.Region, inst.SubnetID)
	if err != nil { // an older state's: any address will do
		return c.machines.Prefix()
	}
	return c.subnetRange(s)
}

// freeIn is how many more machines a subnet has addresses for. As on AWS, five
// addresses of each are never given out.
func (c *Cloud) freeIn(s *subnet) int {
	free := 1<<(32-c.subnetRange(s).Bits()) - 5
	for _, inst := range c.state.Instances {
		if inst.SubnetID == s.ID && inst.PrivateIP != "" && inst.State != terminated {
			free--
		}
	}
	return max(free, 0)
}
