package localcloud

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// madeNetwork is a network as `imago setup` makes one: two subnets behind an
// internet gateway.
type madeNetwork struct{ vpc, first, second, gateway, table string }

func (c *testCloud) network() madeNetwork {
	c.t.Helper()
	var n madeNetwork
	n.vpc = c.ok("CreateVpc", "CidrBlock", "10.0.0.0/16", "TagSpecification.1.ResourceType", "vpc",
		"TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", "web").text("vpc/vpcId")
	n.first = c.ok("CreateSubnet", "VpcId", n.vpc, "CidrBlock", "10.0.1.0/24", "AvailabilityZone", "us-east-1a").text("subnet/subnetId")
	n.second = c.ok("CreateSubnet", "VpcId", n.vpc, "CidrBlock", "10.0.2.0/24", "AvailabilityZone", "us-east-1b").text("subnet/subnetId")
	n.gateway = c.ok("CreateInternetGateway").text("internetGateway/internetGatewayId")
	c.ok("AttachInternetGateway", "InternetGatewayId", n.gateway, "VpcId", n.vpc)
	n.table = c.ok("CreateRouteTable", "VpcId", n.vpc).text("routeTable/routeTableId")
	c.ok("CreateRoute", "RouteTableId", n.table, "DestinationCidrBlock", "0.0.0.0/0", "GatewayId", n.gateway)
	return n
}

func TestANetworkIsMadeAndTakenDown(t *testing.T) {
	c := openTest(t)
	n := c.network()
	association := c.ok("AssociateRouteTable", "RouteTableId", n.table, "SubnetId", n.first).text("associationId")
	c.ok("ModifyVpcAttribute", "VpcId", n.vpc, "EnableDnsHostnames.Value", "true")
	c.ok("ModifySubnetAttribute", "SubnetId", n.first, "MapPublicIpOnLaunch.Value", "true")

	got := map[string]string{
		"vpc": c.ok("DescribeVpcs", "Filter.1.Name", "tag:Name", "Filter.1.Value.1", "web").text("vpcSet/item/cidrBlock"),
		"names": c.ok("DescribeVpcAttribute", "VpcId", n.vpc, "Attribute", "enableDnsHostnames").
			text("enableDnsHostnames/value"),
		"subnets": c.ok("DescribeSubnets", "Filter.1.Name", "vpc-id", "Filter.1.Value.1", n.vpc).text("subnetSet/item/availableIpAddressCount"),
		"public":  c.ok("DescribeSubnets", "Filter.1.Name", "map-public-ip-on-launch", "Filter.1.Value.1", "true", "SubnetId.1", n.first, "SubnetId.2", n.second).text("subnetSet/item/subnetId"),
		"gateway": c.ok("DescribeInternetGateways", "Filter.1.Name", "attachment.vpc-id", "Filter.1.Value.1", n.vpc).text("internetGatewaySet/item/internetGatewayId"),
		"main":    c.ok("DescribeRouteTables", "Filter.1.Name", "vpc-id", "Filter.1.Value.1", n.vpc).text("routeTableSet/item/associationSet/item/subnetId"),
		"routes":  c.ok("DescribeRouteTables", "RouteTableId.1", n.table).text("routeTableSet/item/routeSet/item/destinationCidrBlock"),
		"default": c.ok("DescribeSecurityGroups", "Filter.1.Name", "vpc-id", "Filter.1.Value.1", n.vpc).text("securityGroupInfo/item/groupName"),
	}
	want := map[string]string{
		"vpc": "10.0.0.0/16", "names": "true", "subnets": "251 251", "public": n.first, "gateway": n.gateway, "main": n.first,
		"routes": "10.0.0.0/16 0.0.0.0/0", "default": "default",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wants := map[string]string{ // in the wrong order
		"DeleteVpc VpcId " + n.vpc:                                     "400 DependencyViolation: The vpc '" + n.vpc + "' has dependencies and cannot be deleted.",
		"DeleteRouteTable RouteTableId " + n.table:                     "400 DependencyViolation: The routeTable '" + n.table + "' has dependencies and cannot be deleted.",
		"DeleteInternetGateway InternetGatewayId " + n.gateway:         "400 DependencyViolation: The internetGateway '" + n.gateway + "' has dependencies and cannot be deleted.",
		"AssociateRouteTable SubnetId " + n.first:                      "400 Resource.AlreadyAssociated: the specified association for route table " + n.table + " conflicts with an existing association",
		"CreateRoute DestinationCidrBlock 0.0.0.0/0":                   "400 RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists.",
		"DeleteRoute DestinationCidrBlock 10.9.0.0/16":                 "400 InvalidRoute.NotFound: no route with destination-cidr-block 10.9.0.0/16 in route table " + n.table,
		"DisassociateRouteTable AssociationId rtbassoc-01234567890123": "400 InvalidAssociationID.NotFound: The association ID 'rtbassoc-01234567890123' does not exist",
	}
	gots := map[string]string{
		"DeleteVpc VpcId " + n.vpc:                                     c.fault("DeleteVpc", "VpcId", n.vpc),
		"DeleteRouteTable RouteTableId " + n.table:                     c.fault("DeleteRouteTable", "RouteTableId", n.table),
		"DeleteInternetGateway InternetGatewayId " + n.gateway:         c.fault("DeleteInternetGateway", "InternetGatewayId", n.gateway),
		"AssociateRouteTable SubnetId " + n.first:                      c.fault("AssociateRouteTable", "RouteTableId", n.table, "SubnetId", n.first),
		"CreateRoute DestinationCidrBlock 0.0.0.0/0":                   c.fault("CreateRoute", "RouteTableId", n.table, "DestinationCidrBlock", "0.0.0.0/0", "GatewayId", n.gateway),
		"DeleteRoute DestinationCidrBlock 10.9.0.0/16":                 c.fault("DeleteRoute", "RouteTableId", n.table, "DestinationCidrBlock", "10.9.0.0/16"),
		"DisassociateRouteTable AssociationId rtbassoc-01234567890123": c.fault("DisassociateRouteTable", "AssociationId", "rtbassoc-01234567890123"),
	}
	if diff := cmp.Diff(wants, gots); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	c.ok("DetachInternetGateway", "InternetGatewayId", n.gateway, "VpcId", n.vpc)
	if got := c.ok("DescribeRouteTables", "RouteTableId.1", n.table).text("routeTableSet/item/routeSet/item/state"); got != "active blackhole" {
		t.Errorf("the routes are %q", got)
	}
	c.ok("DeleteInternetGateway", "InternetGatewayId", n.gateway)
	c.ok("DisassociateRouteTable", "AssociationId", association)
	c.ok("DeleteRouteTable", "RouteTableId", n.table)
	c.ok("DeleteSubnet", "SubnetId", n.first)
	c.ok("DeleteSubnet", "SubnetId", n.second)
	c.ok("DeleteVpc", "VpcId", n.vpc)
	for _, action := range []string{"DescribeVpcs", "DescribeSubnets", "DescribeRouteTables", "DescribeSecurityGroups"} {
		if left := c.ok(action, "Filter.1.Name", "vpc-id", "Filter.1.Value.1", n.vpc); len(left.Children[1].Children) != 0 {
			t.Errorf("%s: left behind: %v", action, left.Children[1])
		}
	}
}

func TestNetworksRefuse(t *testing.T) {
	c := openTest(t)
	n := c.network()
	home := c.ok("DescribeVpcs", "Filter.1.Name", "is-default", "Filter.1.Value.1", "true").text("vpcSet/item/vpcId")
	homeGateway := c.ok("DescribeInternetGateways", "Filter.1.Name", "attachment.vpc-id", "Filter.1.Value.1", home).text("internetGatewaySet/item/internetGatewayId")
	for name, test := range map[string]struct {
		action string
		pairs  []string
		want   string
	}{
		"a range too large": {"CreateVpc", []string{"CidrBlock", "10.0.0.0/8"}, "400 InvalidVpc.Range: The CIDR '10.0.0.0/8' is invalid."},
		"no range": {"CreateVpc", []string{"CidrBlock", "ten"},
			"400 InvalidParameterValue: Value (ten) for parameter cidrBlock is invalid. This is not a valid CIDR block."},
		"outside": {"CreateSubnet", []string{"VpcId", n.vpc, "CidrBlock", "10.1.0.0/24"}, "400 InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid."},
		"taken": {"CreateSubnet", []string{"VpcId", n.vpc, "CidrBlock", "10.0.2.128/25"},
			"400 InvalidSubnet.Conflict: The CIDR '10.0.2.128/25' conflicts with another subnet"},
		"no zone": {"CreateSubnet", []string{"VpcId", n.vpc, "CidrBlock", "10.0.3.0/24", "AvailabilityZone", "us-east-1z"},
			"400 InvalidParameterValue: Value (us-east-1z) for parameter availabilityZone is invalid. " +
				"Subnets can currently only be created in the following availability zones: us-east-1a, us-east-1b, us-east-1c."},
		"two gateways": {"AttachInternetGateway", []string{"InternetGatewayId", homeGateway, "VpcId", n.vpc},
			"400 Resource.AlreadyAssociated: resource " + homeGateway + " is already attached to network " + home},
		"another's gateway": {"CreateRoute", []string{"RouteTableId", n.table, "DestinationCidrBlock", "10.8.0.0/16", "GatewayId", homeGateway},
			"400 InvalidParameterValue: route table " + n.table + " and network gateway " + homeGateway + " belong to different networks"},
		"the default VPC": {"DeleteVpc", []string{"VpcId", home}, "400 OperationNotPermitted: The local cloud keeps its default VPC."},
		"two attributes": {"ModifyVpcAttribute", []string{"VpcId", n.vpc, "EnableDnsSupport.Value", "true", "EnableDnsHostnames.Value", "true"},
			"400 InvalidParameterCombination: Fields for exactly one attribute must be specified"},
	} {
		if got := c.fault(test.action, test.pairs...); got != test.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, test.want)
		}
	}
}

func TestInstancesOfAMadeNetwork(t *testing.T) {
	c := openTest(t)
	n := c.network()
	image := c.base()
	group := c.ok("CreateSecurityGroup", "GroupName", "web", "GroupDescription", "web", "VpcId", n.vpc).text("groupId")
	stranger := c.group("web") // the same name, in the default VPC
	id := c.run(image, "SubnetId", n.first, "SecurityGroupId.1", group)
	public := c.run(image, "NetworkInterface.1.DeviceIndex", "0", "NetworkInterface.1.SubnetId", n.second, "NetworkInterface.1.AssociatePublicIpAddress", "true")
	const at = "reservationSet/item/instancesSet/item/"
	shown := c.ok("DescribeInstances", "InstanceId.1", id, "InstanceId.2", public)
	got := textsAt(shown, at+"privateIpAddress", at+"ipAddress", at+"vpcId", at+"placement/availabilityZone", at+"groupSet/item/groupName")
	want := map[string]string{
		at + "privateIpAddress": "127.77.0.2 127.77.0.3", at + "ipAddress": "127.77.0.3", at + "vpcId": n.vpc + " " + n.vpc,
		at + "placement/availabilityZone": "us-east-1a us-east-1b", at + "groupSet/item/groupName": "web default",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := c.ok("DescribeSubnets", "SubnetId.1", n.first).text("subnetSet/item/availableIpAddressCount"); got != "250" {
		t.Errorf("%s addresses are free, want 250", got)
	}
	faults := []string{
		c.fault("RunInstances", "ImageId", image, "MinCount", "1", "MaxCount", "1", "SubnetId", n.first, "SecurityGroupId.1", stranger),
		c.fault("RunInstances", "ImageId", image, "MinCount", "1", "MaxCount", "1", "SubnetId", n.first, "PrivateIpAddress", "10.0.1.9"),
		c.fault("DeleteSubnet", "SubnetId", n.first),
		c.fault("DetachInternetGateway", "InternetGatewayId", n.gateway, "VpcId", n.vpc),
	}
	wants := []string{
		"400 InvalidParameter: Security group " + stranger + " and subnet " + n.first + " belong to different networks.",
		"400 UnsupportedOperation: The machines of the local cloud have addresses of 127.77.0.0/24; one of subnet " + n.first + " cannot be asked for.",
		"400 DependencyViolation: The subnet '" + n.first + "' has dependencies and cannot be deleted.",
		"400 DependencyViolation: Network " + n.vpc + " has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.",
	}
	if diff := cmp.Diff(wants, faults); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A group that lets another in holds it, across a restart too.
func TestGroupsOfAMadeNetwork(t *testing.T) {
	dir := t.TempDir()
	c := openTestIn(t, dir)
	n := c.network()
	make := func(name string) string {
		return c.ok("CreateSecurityGroup", "GroupName", name, "GroupDescription", name, "VpcId", n.vpc).text("groupId")
	}
	balancer, web := make("balancer"), make("web")
	c.ok("AuthorizeSecurityGroupIngress", "GroupId", web, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "8080",
		"IpPermissions.1.ToPort", "8080", "IpPermissions.1.Groups.1.GroupId", balancer)
	c.stop()
	c = openTestIn(t, dir)
	if got, want := c.rules(web, "ipPermissions"), []string{"tcp 8080-8080 " + balancer}; !slices.Equal(got, want) {
		t.Errorf("rules: %v, want %v", got, want)
	}
	if got, want := c.fault("DeleteSecurityGroup", "GroupId", balancer), "400 DependencyViolation: resource "+balancer+" has a dependent object: security group "+web; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := c.fault("CreateSecurityGroup", "GroupName", "web", "GroupDescription", "x", "VpcId", n.vpc),
		"400 InvalidGroup.Duplicate: The security group 'web' already exists for VPC '"+n.vpc+"'"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := c.fault("AuthorizeSecurityGroupIngress", "GroupId", web, "IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.Groups.1.GroupId", c.group("web")),
		"400 InvalidGroup.NotFound: You have specified two resources that belong to different networks."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.ok("DeleteSecurityGroup", "GroupId", web)
	c.ok("DeleteSecurityGroup", "GroupId", balancer)
}
