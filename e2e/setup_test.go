package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/google/go-cmp/cmp"
)

// environments writes a project file of environments, each with more for its deploy block.
func environments(t *testing.T, application string, more map[string]string) (dir string) {
	t.Helper()
	text := "application = \"" + application + "\"\nimage \"web\" {\n  template = \"web.json\"\n}\n"
	for name, lines := range more {
		text += fmt.Sprintf("environment %q {\n  deploy {\n    instance_type = \"t3.micro\"\n    port = 8080\n    %s\n  }\n}\n", name, lines)
	}
	return write(t, "imago.hcl", text, "web.json", template(admin, ""))
}

// config is the suite's cloud for the SDK's other clients.
func config(t *testing.T) aws.Config {
	o := client(t).Options()
	return aws.Config{Region: o.Region, BaseEndpoint: o.BaseEndpoint, Credentials: o.Credentials}
}

// standing is all that environments consist of, as AWS describes it, by kind.
func standing(t *testing.T) map[string]string {
	t.Helper()
	ctx, api := after(t), client(t)
	cfg := config(t)
	balancers, groups, zones := elb.NewFromConfig(cfg), autoscaling.NewFromConfig(cfg), route53.NewFromConfig(cfg)
	all := map[string]string{}
	for kind, describe := range map[string]func() (any, error){
		"vpc":    func() (any, error) { out, err := api.DescribeVpcs(ctx, nil); return out.Vpcs, err },
		"subnet": func() (any, error) { out, err := api.DescribeSubnets(ctx, nil); return out.Subnets, err },
		"gateway": func() (any, error) {
			out, err := api.DescribeInternetGateways(ctx, nil)
			return out.InternetGateways, err
		},
		"route table":    func() (any, error) { out, err := api.DescribeRouteTables(ctx, nil); return out.RouteTables, err },
		"security group": func() (any, error) { out, err := api.DescribeSecurityGroups(ctx, nil); return out.SecurityGroups, err },
		"key pair":       func() (any, error) { out, err := api.DescribeKeyPairs(ctx, nil); return out.KeyPairs, err },
		"launch template": func() (any, error) {
			out, err := api.DescribeLaunchTemplates(ctx, nil)
			return out.LaunchTemplates, err
		},
		"group": func() (any, error) {
			out, err := groups.DescribeAutoScalingGroups(ctx, nil)
			return out.AutoScalingGroups, err
		},
		"load balancer": func() (any, error) {
			out, err := balancers.DescribeLoadBalancers(ctx, nil)
			return out.LoadBalancers, err
		},
		"target group": func() (any, error) {
			out, err := balancers.DescribeTargetGroups(ctx, nil)
			return out.TargetGroups, err
		},
		"zone": func() (any, error) { out, err := zones.ListHostedZones(ctx, nil); return out.HostedZones, err },
	} {
		what, err := describe()
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		text, err := json.MarshalIndent(what, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		all[kind] = string(text)
	}
	return all
}

// neighbours makes what has nearly the tags or the names of shop's staging, and is not of it.
func neighbours(t *testing.T) {
	t.Helper()
	ctx, api, balancers := after(t), client(t), elb.NewFromConfig(config(t))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	undo := func(do func() error) {
		t.Cleanup(func() {
			if err := do(); err != nil {
				t.Errorf("a namesake: %v", err)
			}
		})
	}
	for i, tags := range [][]types.Tag{
		nil,
		{{Key: aws.String("imago:application"), Value: aws.String("shop")}},
		{{Key: aws.String("imago:application"), Value: aws.String("shop")}, {Key: aws.String("imago:environment"), Value: aws.String("staging-eu")}, {Key: aws.String("imago:role"), Value: aws.String("network")}},
		{{Key: aws.String("imago:application"), Value: aws.String("shop-2")}, {Key: aws.String("imago:environment"), Value: aws.String("staging")}, {Key: aws.String("imago:role"), Value: aws.String("network")}},
	} {
		specs := func(kind types.ResourceType) []types.TagSpecification {
			if tags == nil {
				return nil
			}
			return []types.TagSpecification{{ResourceType: kind, Tags: tags}}
		}
		vpc, err := api.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.64.0.0/16"), TagSpecifications: specs(types.ResourceTypeVpc)})
		must(err)
		id := vpc.Vpc.VpcId
		undo(func() error { _, err := api.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: id}); return err })
		subnet, err := api.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: id, CidrBlock: aws.String("10.64.0.0/20"), TagSpecifications: specs(types.ResourceTypeSubnet)})
		must(err)
		undo(func() error {
			_, err := api.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: subnet.Subnet.SubnetId})
			return err
		})
		gateway, err := api.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{TagSpecifications: specs(types.ResourceTypeInternetGateway)})
		must(err)
		undo(func() error {
			_, err := api.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: gateway.InternetGateway.InternetGatewayId})
			return err
		})
		table, err := api.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: id, TagSpecifications: specs(types.ResourceTypeRouteTable)})
		must(err)
		undo(func() error {
			_, err := api.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: table.RouteTable.RouteTableId})
			return err
		})
		group, err := api.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
			GroupName: aws.String("shop-staging-machines"), Description: aws.String("a namesake"), VpcId: id, TagSpecifications: specs(types.ResourceTypeSecurityGroup),
		})
		must(err)
		undo(func() error {
			_, err := api.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: group.GroupId})
			return err
		})
		name := fmt.Sprintf("shop-staging-%d", i)
		_, err = api.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: &name, LaunchTemplateData: &types.RequestLaunchTemplateData{InstanceType: "t3.micro"}, TagSpecifications: specs(types.ResourceTypeLaunchTemplate),
		})
		must(err)
		undo(func() error {
			_, err := api.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateName: &name})
			return err
		})
		target, err := balancers.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: id})
		must(err)
		undo(func() error {
			_, err := balancers.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: target.TargetGroups[0].TargetGroupArn})
			return err
		})
	}
}

// changed fails the test when something stands that is not as it was.
func changed(t *testing.T, what string, before map[string]string) {
	t.Helper()
	if diff := cmp.Diff(before, standing(t)); diff != "" {
		t.Errorf("%s has changed something:\n%s", what, diff)
	}
}

// TestSetup: setup makes an environment once, leaves the DNS records of others
// alone, and destroy takes it down without its neighbours.
func TestSetup(t *testing.T) {
	neighbours(t)
	zone := awsText(t, "HostedZone.Id", "route53", "create-hosted-zone", "--name", "shop.test", "--caller-reference", t.Name())
	t.Cleanup(func() { awscli(t, nil, "route53", "delete-hosted-zone", "--id", zone) })
	record := func(action, address string) {
		t.Helper()
		awscli(t, nil, "route53", "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", fmt.Sprintf(
			`{"Changes": [{"Action": %q, "ResourceRecordSet": {"Name": "www.shop.test", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": %q}]}}]}`, action, address))
	}
	led := func() string {
		return awsText(t, "ResourceRecordSets[?Name=='www.shop.test.'].[ResourceRecords[0].Value, AliasTarget.DNSName]", "route53", "list-resource-record-sets", "--hosted-zone-id", zone)
	}
	record("CREATE", "192.0.2.1")
	dir := environments(t, "shop", map[string]string{"staging": `domain = "www.shop.test"`})
	before := standing(t)

	r := cloud.exec(t.Context(), dir, "setup", "--local", "staging")
	if want := "imago: www.shop.test is in DNS already, and leads elsewhere (A 192.0.2.1): with --force it leads here\n"; r.code != 1 || r.stderr != want {
		t.Fatalf("exit %d, %q, want 1, %q", r.code, r.stderr, want)
	}
	changed(t, "a setup that was refused", before)

	var place struct {
		VPC, Address string
		Changes      int
	}
	lines := strings.Split(imago(t, dir, "setup", "--local", "--force", "--json", "staging"), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &place); err != nil || place.Changes < 15 || place.Address == "" {
		t.Fatalf("%v: %s", err, lines[len(lines)-1])
	}
	if got, want := led(), "None\t"+place.Address; got != want {
		t.Errorf("the domain leads to %q, want %q", got, want)
	}
	made := standing(t)
	if again, want := imago(t, dir, "setup", "--local", "staging"), fmt.Sprintf("staging is set up in %s at http://%s/: nothing to change", place.VPC, place.Address); again != want {
		t.Errorf("the second time: %q, want %q", again, want)
	}
	changed(t, "the second setup", made)
	ports := strings.Fields(awsText(t, "SecurityGroups[].IpPermissions[].[FromPort, ToPort]", "ec2", "describe-security-groups",
		"--filters", "Name=vpc-id,Values="+place.VPC, "Name=group-name,Values=shop-staging-*"))
	slices.Sort(ports)
	if want := []string{"80", "80", "8080", "8080"}; !slices.Equal(ports, want) {
		t.Errorf("these ports are open, from and to: %v, want %v", ports, want)
	}
	if public := publicSubnets(t, "staging"); public != "True\tTrue" {
		t.Errorf("machines get public addresses: %q, want in both subnets", public)
	}
	if resp, err := http.Get("http://" + place.Address); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("before the first release: %v, %v", resp, err)
	}

	imago(t, dir, "destroy", "--local", "--yes", "staging")
	if got := led(); got != "" {
		t.Errorf("the domain leads to %q yet", got)
	}
	record("CREATE", "192.0.2.1")
	changed(t, "all of it", before)
	record("DELETE", "192.0.2.1")
	if got := imago(t, dir, "destroy", "--local", "--yes", "staging"); got != "staging has nothing to destroy" {
		t.Errorf("again: %q", got)
	}
}

// TestSetupAdopts: setup uses the network that the file names, and destroy leaves it.
func TestSetupAdopts(t *testing.T) {
	ctx, api := after(t), client(t)
	vpc := awsText(t, "Vpc.VpcId", "ec2", "create-vpc", "--cidr-block", "10.9.0.0/16")
	t.Cleanup(func() { awscli(t, nil, "ec2", "delete-vpc", "--vpc-id", vpc) })
	var subnets []string
	for i, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
		out, err := api.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: aws.String(fmt.Sprintf("10.9.%d.0/24", i)), AvailabilityZone: &zone})
		if err != nil {
			t.Fatal(err)
		}
		subnets = append(subnets, *out.Subnet.SubnetId)
		t.Cleanup(func() { api.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: out.Subnet.SubnetId}) })
	}
	before := standing(t)
	dir := environments(t, "shop", map[string]string{"named": fmt.Sprintf("vpc_id = %q\n    subnet_ids = [%q, %q]", vpc, subnets[0], subnets[2])})
	if out := imago(t, dir, "setup", "--local", "named"); !strings.HasPrefix(out, "named is set up in "+vpc+" at ") {
		t.Errorf("setup: %q", out)
	}
	if got, want := awsText(t, "LoadBalancers[?LoadBalancerName=='shop-named'].AvailabilityZones[].SubnetId | sort(@)", "elbv2", "describe-load-balancers"),
		awsText(t, "Subnets[].SubnetId | sort(@)", "ec2", "describe-subnets", "--subnet-ids", subnets[0], subnets[2]); got != want {
		t.Errorf("the load balancer is in %s, want %s", got, want)
	}
	imago(t, dir, "destroy", "--local", "--yes", "named")
	changed(t, "all of it", before)

	// By its tags it is the environment's own, with what is missing in it; and goes with it.
	own := awsText(t, "Vpc.VpcId", "ec2", "create-vpc", "--cidr-block", "10.10.0.0/16", "--tag-specifications",
		"ResourceType=vpc,Tags=[{Key=imago:application,Value=shop},{Key=imago:environment,Value=tagged},{Key=imago:role,Value=network}]")
	dir = environments(t, "shop", map[string]string{"tagged": ""})
	if out := imago(t, dir, "setup", "--local", "tagged"); !strings.HasPrefix(out, "tagged is set up in "+own+" at ") {
		t.Errorf("setup: %q", out)
	}
	imago(t, dir, "destroy", "--local", "--yes", "tagged")
	changed(t, "all of it", before)
}

// publicSubnets says of each subnet of an environment's own whether its machines get public addresses.
func publicSubnets(t *testing.T, name string) string {
	t.Helper()
	return awsText(t, "Subnets[].MapPublicIpOnLaunch", "ec2", "describe-subnets",
		"--filters", "Name=tag:imago:environment,Values="+name, "Name=tag:imago:role,Values=network", "Name=tag:imago:application,Values=shop,killed")
}

// TestSetupKilled: a setup that was killed is gone on with by the next, once its
// holder has been silent for long enough.
func TestSetupKilled(t *testing.T) {
	before := standing(t)
	points := map[string]string{"early": "made subnet", "middle": "made the security group of the load", "late": "made load balancer"}
	all := map[string]string{}
	for name := range points {
		all[name] = ""
	}
	dir := environments(t, "killed", all)
	for name, at := range points {
		killedAt(t, dir, at, 1, "setup", "--local", name)
	}
	var again sync.WaitGroup
	for name := range points {
		again.Go(func() {
			for _, want := range []string{" change", "nothing to change\n"} {
				r := cloud.exec(t.Context(), dir, "setup", "--local", name)
				if r.code != 0 || !strings.HasPrefix(r.stdout, name+" is set up in ") || !strings.Contains(r.stdout, want) {
					t.Errorf("%s: exit %d, %q, want %q in it\n%s", name, r.code, r.stdout, want, r.stderr)
				}
			}
			if public := publicSubnets(t, name); public != "True\tTrue" {
				t.Errorf("%s: machines get public addresses: %q, want in both subnets", name, public)
			}
			if r := cloud.exec(t.Context(), dir, "destroy", "--local", "--yes", name); r.code != 0 {
				t.Errorf("destroy %s: exit %d\n%s", name, r.code, r.stderr)
			}
		})
	}
	again.Wait()
	changed(t, "all of it", before)
}
