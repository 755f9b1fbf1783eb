package localcloud

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// group makes a security group and is its id.
func (c *testCloud) group(name string) string {
	c.t.Helper()
	return c.ok("CreateSecurityGroup", "GroupName", name, "GroupDescription", "of a test").text("groupId")
}

// rules is the permissions of a group in one line each.
func (c *testCloud) rules(group, direction string) []string {
	c.t.Helper()
	var all []string
	for _, p := range c.ok("DescribeSecurityGroups", "GroupId.1", group).all("securityGroupInfo/item/" + direction + "/item") {
		all = append(all, strings.Join([]string{p.text("ipProtocol"), p.text("fromPort") + "-" + p.text("toPort"),
			p.text("ipRanges/item/cidrIp") + p.text("ipv6Ranges/item/cidrIpv6") + p.text("groups/item/groupId")}, " "))
	}
	return all
}

func TestSecurityGroupRules(t *testing.T) {
	c := openTest(t)
	id, peer := c.group("web"), c.group("peer")
	in := func(pairs ...string) node {
		return c.ok("AuthorizeSecurityGroupIngress", append([]string{"GroupId", id}, pairs...)...)
	}
	in("IpProtocol", "tcp", "FromPort", "22", "ToPort", "22", "CidrIp", "192.0.2.7/32")
	in("IpPermissions.1.IpProtocol", "6", "IpPermissions.1.FromPort", "80", "IpPermissions.1.ToPort", "81",
		"IpPermissions.1.IpRanges.1.CidrIp", "192.0.2.0/24", "IpPermissions.1.IpRanges.1.Description", "office",
		"IpPermissions.1.IpRanges.2.CidrIp", "198.51.100.0/24",
		"IpPermissions.2.IpProtocol", "udp", "IpPermissions.2.FromPort", "53", "IpPermissions.2.ToPort", "53",
		"IpPermissions.2.Ipv6Ranges.1.CidrIpv6", "2001:db8::/32",
		"IpPermissions.3.IpProtocol", "-1", "IpPermissions.3.Groups.1.GroupId", peer)
	ping := in("IpPermissions.1.IpProtocol", "icmp", "IpPermissions.1.FromPort", "8", "IpPermissions.1.ToPort", "-1",
		"IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0").text("securityGroupRuleSet/item/securityGroupRuleId")
	want := []string{"tcp 22-22 192.0.2.7/32", "tcp 80-81 192.0.2.0/24 198.51.100.0/24", "udp 53-53 2001:db8::/32", "-1 - " + peer, "icmp 8--1 0.0.0.0/0"}
	if diff := cmp.Diff(want, c.rules(id, "ipPermissions")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"-1 - 0.0.0.0/0"}, c.rules(id, "ipPermissionsEgress")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	found := c.ok("DescribeSecurityGroups", "Filter.1.Name", "ip-permission.from-port", "Filter.1.Value.1", "53").texts("securityGroupInfo/item/groupId")
	if diff := cmp.Diff([]string{id}, found); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got, want := c.fault("RevokeSecurityGroupEgress", "GroupId", id, "SecurityGroupRuleId.1", ping),
		"400 InvalidSecurityGroupRuleId.NotFound: The security group rule ID '"+ping+"' does not exist"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.ok("RevokeSecurityGroupIngress", "GroupId", id, "SecurityGroupRuleId.1", ping)
	c.ok("RevokeSecurityGroupIngress", "GroupId", id, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "80", "IpPermissions.1.ToPort", "81",
		"IpPermissions.1.IpRanges.1.CidrIp", "192.0.2.0/24")
	c.ok("RevokeSecurityGroupEgress", "GroupId", id, "IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0")
	want = []string{"tcp 22-22 192.0.2.7/32", "tcp 80-81 198.51.100.0/24", "udp 53-53 2001:db8::/32", "-1 - " + peer}
	if diff := cmp.Diff(want, c.rules(id, "ipPermissions")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := c.rules(id, "ipPermissionsEgress"); len(got) != 0 {
		t.Errorf("egress: %v", got)
	}
	if got := c.ok("DescribeSecurityGroupRules", "Filter.1.Name", "group-id", "Filter.1.Value.1", id).all("securityGroupRuleSet/item"); len(got) != 4 {
		t.Errorf("%d rules", len(got))
	}
	if got, want := c.fault("DeleteSecurityGroup", "GroupId", peer), "400 DependencyViolation: resource "+peer+" has a dependent object: security group "+id; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	c := openTest(t)
	id := c.group("web")
	one := []string{"GroupId", id, "IpProtocol", "tcp", "FromPort", "22", "ToPort", "22", "CidrIp", "192.0.2.7/32"}
	c.ok("AuthorizeSecurityGroupIngress", one...)
	for name, test := range map[string]struct {
		want   string
		change []string
	}{
		"twice":       {"400 InvalidPermission.Duplicate: the specified rule \"peer: 192.0.2.7/32, TCP, from port: 22, to port: 22, ALLOW\" already exists", nil},
		"cidr":        {"400 InvalidParameterValue: CIDR block 192.0.2.7 is malformed", []string{"CidrIp", "192.0.2.7"}},
		"host bits":   {"400 InvalidParameterValue: CIDR block 192.0.2.7/24 has bits set beyond its length; 192.0.2.0/24 is meant", []string{"CidrIp", "192.0.2.7/24"}},
		"ports":       {"400 InvalidParameterValue: Invalid port range 22 to 21, expecting 0 to 65535, the lower first", []string{"ToPort", "21"}},
		"no port":     {"400 MissingParameter: The request must contain the parameters FromPort and ToPort for the protocol tcp", []string{"ToPort", ""}},
		"protocol":    {"400 InvalidPermission.Malformed: Unsupported IP protocol \"smtp\" - supported: [tcp, udp, icmp, icmpv6, -1, 0 to 255]", []string{"IpProtocol", "smtp"}},
		"no group":    {"400 InvalidGroup.NotFound: The security group 'sg-00000000' does not exist", []string{"GroupId", "sg-00000000"}},
		"which group": {"400 MissingParameter: The request must contain the parameter GroupName or GroupId", []string{"GroupId", ""}},
		"unknown":     {"400 UnknownParameter: The parameter CidrIpv6 is not recognized", []string{"CidrIpv6", "::/0"}},
		"dry run":     {"412 DryRunOperation: Request would have succeeded, but DryRun flag is set.", []string{"DryRun", "true", "CidrIp", "192.0.2.8/32"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.with(t).fault("AuthorizeSecurityGroupIngress", append(append([]string{}, one...), test.change...)...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got, want := c.fault("RevokeSecurityGroupIngress", append(one, "CidrIp", "192.0.2.9/32")...), "400 InvalidPermission.NotFound: The specified rule does not exist in this security group."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	many := []string{"GroupId", id}
	for i := range maxRules {
		p := "IpPermissions." + strconv.Itoa(i+1)
		many = append(many, p+".IpProtocol", "tcp", p+".FromPort", strconv.Itoa(i), p+".ToPort", strconv.Itoa(i), p+".IpRanges.1.CidrIp", "192.0.2.0/24")
	}
	if got, want := c.fault("AuthorizeSecurityGroupIngress", many...), "400 RulesPerSecurityGroupLimitExceeded: "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := c.rules(id, "ipPermissions"); len(got) != 1 {
		t.Errorf("rules were added: %v", got)
	}
}

func TestSecurityGroups(t *testing.T) {
	c := openTest(t)
	vpc := c.ok("DescribeVpcs").text("vpcSet/item/vpcId")
	id := c.group("mine")
	inst := c.run(c.base(), "SecurityGroupId.1", id)
	first := c.ok("DescribeSecurityGroups", "GroupName.1", "default").text("securityGroupInfo/item/groupId")
	for want, call := range map[string][]string{
		"400 InvalidGroup.Duplicate: The security group 'mine' already exists for VPC '" + vpc + "'":                  {"CreateSecurityGroup", "GroupName", "mine", "GroupDescription", "d"},
		"400 MissingParameter: The request must contain the parameter GroupDescription":                               {"CreateSecurityGroup", "GroupName", "new"},
		"400 InvalidParameterValue: Value (sg-x) for parameter groupName is invalid. A name cannot begin with 'sg-'.": {"CreateSecurityGroup", "GroupName", "sg-x", "GroupDescription", "d"},
		"400 InvalidVpcID.NotFound: The vpc ID 'vpc-00000000' does not exist":                                         {"CreateSecurityGroup", "GroupName", "new", "GroupDescription", "d", "VpcId", "vpc-00000000"},
		"400 DependencyViolation: resource " + id + " has a dependent object: instance " + inst:                       {"DeleteSecurityGroup", "GroupId", id},
		"400 CannotDelete: the specified group: \"" + first + "\" name: \"default\" cannot be deleted by a user":      {"DeleteSecurityGroup", "GroupName", "default"},
		"400 InvalidGroup.NotFound: The security group 'none' does not exist in default VPC '" + vpc + "'":            {"DescribeSecurityGroups", "GroupName.1", "none"},
		"400 InvalidGroupId.Malformed: Invalid id: \"x\" (expecting \"sg-...\")":                                      {"DescribeSecurityGroups", "GroupId.1", "x"},
		"400 InvalidSecurityGroupRuleId.NotFound: The security group rule ID 'sgr-0' does not exist":                  {"DescribeSecurityGroupRules", "SecurityGroupRuleId.1", "sgr-0"},
	} {
		if got := c.fault(call[0], call[1:]...); got != want {
			t.Errorf("%v: got %q, want %q", call, got, want)
		}
	}
	c.ok("TerminateInstances", "InstanceId.1", inst)
	c.until(inst, "terminated")
	if got := c.ok("DeleteSecurityGroup", "GroupId", id).text("groupId"); got != id {
		t.Errorf("deleted %q", got)
	}
	if got := c.ok("DescribeSecurityGroups").texts("securityGroupInfo/item/groupName"); len(got) != 1 {
		t.Errorf("left: %v", got)
	}
}
