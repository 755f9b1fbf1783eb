package localcloud

import (
	"net/netip"
	"slices"
)

func networkActions() map[string]handler {
	return map[string]handler{
		"AssociateRouteTable":      associateRouteTable,
		"AttachInternetGateway":    attachInternetGateway,
		"CreateInternetGateway":    createInternetGateway,
		"CreateRoute":              createRoute,
		"CreateRouteTable":         createRouteTable,
		"CreateSubnet":             createSubnet,
		"CreateVpc":                createVpc,
		"DeleteInternetGateway":    deleteInternetGateway,
		"DeleteRoute":              deleteRoute,
		"DeleteRouteTable":         deleteRouteTable,
		"DeleteSubnet":             deleteSubnet,
		"DeleteVpc":                deleteVpc,
		"DescribeInternetGateways": describeInternetGateways,
		"DescribeRouteTables":      describeRouteTables,
		"DescribeSubnets":          describeSubnets,
		"DescribeVpcAttribute":     describeVpcAttribute,
		"DescribeVpcs":             describeVpcs,
		"DetachInternetGateway":    detachInternetGateway,
		"DisassociateRouteTable":   disassociateRouteTable,
		"ModifySubnetAttribute":    modifySubnetAttribute,
		"ModifyVpcAttribute":       modifyVpcAttribute,
		"ReplaceRoute":             replaceRoute,
	}
}

// readBlock reads the range of a VPC or a subnet; code is what AWS answers when
// it is not from /16 to /28.
func readBlock(r *request, code string) netip.Prefix {
	text := r.need("CidrBlock")
	if text == "" {
		return netip.Prefix{}
	}
	block, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !block.Addr().Is4():
		r.problem(badValue("cidrBlock", text, "This is not a valid CIDR block."))
	case block.Bits() < 16 || block.Bits() > 28:
		r.problem(faultf(code, "The CIDR '%s' is invalid.", text))
	}
	return block.Masked()
}

func createVpc(c *Cloud, r *request) (any, error) {
	c.networkOf(r.region)
	v := &vpc{part: newPart("vpc-", "vpc", r.region), DHCP: c.networkOf(r.region).DHCP}
	v.Block = readBlock(r, "InvalidVpc.Range").String()
	v.Tags = r.tags("vpc")
	r.oneOf("InstanceTenancy", "default", "default")
	r.oneOf("AmazonProvidedIpv6CidrBlock", "false", "false")
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	c.addVpc(v)
	return struct {
		Vpc vpcItem `xml:"vpc"`
	}{c.vpcItem(v)}, nil
}

// deleteVpc deletes a VPC that holds nothing but what every VPC has.
func deleteVpc(c *Cloud, r *request) (any, error) {
	v, err := c.findVpc(r.region, r.need("VpcId"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if v.isDefault() {
		return nil, faultf("OperationNotPermitted", "The local cloud keeps its default VPC.")
	}
	if c.holdsMore(v) {
		return nil, faultf("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", v.ID)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	for id, t := range c.state.RouteTables {
		if t.VpcID == v.ID {
			delete(c.state.RouteTables, id)
		}
	}
	for id, g := range c.state.Groups {
		if g.VpcID == v.ID {
			delete(c.state.Groups, id)
		}
	}
	delete(c.state.Vpcs, v.ID)
	return simpleAnswer{Return: true}, nil
}

func (c *Cloud) holdsMore(v *vpc) bool {
	for _, s := range c.state.Subnets {
		if s.VpcID == v.ID {
			return true
		}
	}
	for _, g := range c.state.Gateways {
		if g.VpcID == v.ID {
			return true
		}
	}
	for _, t := range c.state.RouteTables {
		if t.VpcID == v.ID && !t.isMain() {
			return true
		}
	}
	for _, g := range c.state.Groups {
		if g.VpcID == v.ID && g.Name != defaultGroup {
			return true
		}
	}
	return false
}

// modifyVpcAttribute changes one attribute, as AWS has it.
func modifyVpcAttribute(c *Cloud, r *request) (any, error) {
	v, err := c.findVpc(r.region, r.need("VpcId"))
	support, names := r.at("EnableDnsSupport").boolean("Value"), r.at("EnableDnsHostnames").boolean("Value")
	usage := r.at("EnableNetworkAddressUsageMetrics").boolean("Value")
	given := slices.DeleteFunc([]*bool{support, names, usage}, func(b *bool) bool { return b == nil })
	if len(given) != 1 {
		r.problem(faultf("InvalidParameterCombination", "Fields for exactly one attribute must be specified"))
	}
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	switch {
	case support != nil:
		v.NoDNS = !*support
	case names != nil:
		v.Hostnames = *names
	default:
		v.AddressUsage = *usage
	}
	return simpleAnswer{Return: true}, nil
}

func describeVpcAttribute(c *Cloud, r *request) (any, error) {
	v, err := c.findVpc(r.region, r.need("VpcId"))
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
	answer.ID = v.ID
	switch attribute {
	case "enableDnsSupport":
		answer.Support = &flagItem{!v.NoDNS}
	case "enableDnsHostnames":
		answer.Hostnames = &flagItem{v.Hostnames}
	case "enableNetworkAddressUsageMetrics":
		answer.Metrics = &flagItem{v.AddressUsage}
	default:
		return nil, badValue("attribute", attribute, "Expecting enableDnsSupport, enableDnsHostnames or enableNetworkAddressUsageMetrics.")
	}
	return answer, nil
}

type flagItem struct {
	Value bool `xml:"value"`
}
