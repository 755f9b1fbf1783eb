package e2e

import (
	"net"
	"strings"
	"testing"
	"time"
)

// awsText runs awscli for one value of its answer.
func awsText(t *testing.T, query string, args ...string) string {
	t.Helper()
	r := cloud.awscli(t, append(args, "--query", query, "--output", "text")...)
	if r.code != 0 {
		t.Fatalf("aws %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return strings.TrimSpace(r.stdout)
}

// TestAWSCLINetwork: awscli makes a network, a machine in it answers, and the
// network comes down again.
func TestAWSCLINetwork(t *testing.T) {
	leavesNothing(t)
	ec2 := func(query string, args ...string) string {
		t.Helper()
		return awsText(t, query, append([]string{"ec2"}, args...)...)
	}
	undo := func(args ...string) { t.Cleanup(func() { awscli(t, nil, append([]string{"ec2"}, args...)...) }) }

	vpc := ec2("Vpc.VpcId", "create-vpc", "--cidr-block", "10.20.0.0/16")
	undo("delete-vpc", "--vpc-id", vpc)
	awscli(t, nil, "ec2", "modify-vpc-attribute", "--vpc-id", vpc, "--enable-dns-hostnames")
	gateway := ec2("InternetGateway.InternetGatewayId", "create-internet-gateway")
	undo("delete-internet-gateway", "--internet-gateway-id", gateway)
	awscli(t, nil, "ec2", "attach-internet-gateway", "--internet-gateway-id", gateway, "--vpc-id", vpc)
	undo("detach-internet-gateway", "--internet-gateway-id", gateway, "--vpc-id", vpc)
	table := ec2("RouteTable.RouteTableId", "create-route-table", "--vpc-id", vpc)
	undo("delete-route-table", "--route-table-id", table)
	awscli(t, nil, "ec2", "create-route", "--route-table-id", table, "--destination-cidr-block", "0.0.0.0/0", "--gateway-id", gateway)
	subnet := ec2("Subnet.SubnetId", "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.20.1.0/24", "--availability-zone", "us-east-1b")
	undo("delete-subnet", "--subnet-id", subnet)
	undo("disassociate-route-table", "--association-id",
		ec2("AssociationId", "associate-route-table", "--route-table-id", table, "--subnet-id", subnet))
	group := ec2("GroupId", "create-security-group", "--vpc-id", vpc, "--group-name", "web", "--description", "web")
	undo("delete-security-group", "--group-id", group)
	awscli(t, nil, "ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "8080", "--source-group", group)

	run := ec2("Instances[0].[InstanceId,PrivateIpAddress]", "run-instances", "--image-id", baseID, "--instance-type", "t3.micro", "--subnet-id", subnet, "--security-group-ids", group)
	id, addr, _ := strings.Cut(run, "\t")
	t.Cleanup(func() { terminate(t, id) })
	answers(t, net.JoinHostPort(addr, "22"))
}

// answers waits until somebody takes connections.
func answers(t *testing.T, addr string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
