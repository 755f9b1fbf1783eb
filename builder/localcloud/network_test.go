package localcloud

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDefaultNetwork(t *testing.T) {
	dir := t.TempDir()
	c := openTestIn(t, dir)
	vpc := c.ok("DescribeVpcs", "Filter.1.Name", "is-default", "Filter.1.Value.1", "true").all("vpcSet/item")[0]
	id := vpc.text("vpcId")
	if got := vpc.text("cidrBlock") + " " + vpc.text("state"); got != "127.77.0.0/24 available" {
		t.Errorf("got %q", got)
	}
	subnets := c.ok("DescribeSubnets", "Filter.1.Name", "vpc-id", "Filter.1.Value.1", id, "Filter.2.Name", "default-for-az", "Filter.2.Value.1", "true").all("subnetSet/item")
	var got []string
	for _, s := range subnets {
		got = append(got, strings.Join([]string{s.text("availabilityZone"), s.text("availabilityZoneId"), s.text("cidrBlock"), s.text("availableIpAddressCount")}, " "))
	}
	want := []string{"us-east-1a use1-az1 127.77.0.0/26 59", "us-east-1b use1-az2 127.77.0.64/26 59", "us-east-1c use1-az3 127.77.0.128/26 59"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	third := subnets[2].text("subnetId")
	inst := c.run(c.base(), "SubnetId", third)
	shown := c.ok("DescribeInstances", "InstanceId.1", inst).all("reservationSet/item/instancesSet/item")[0]
	if addr := netip.MustParseAddr(shown.text("privateIpAddress")); !netip.MustParsePrefix("127.77.0.128/26").Contains(addr) || shown.text("vpcId") != id {
		t.Errorf("the instance has %s in %s", addr, shown.text("vpcId"))
	}
	if got := c.ok("DescribeSubnets", "SubnetId.1", third).text("subnetSet/item/availableIpAddressCount"); got != "58" {
		t.Errorf("%s addresses are free", got)
	}
	gateway := c.ok("DescribeInternetGateways", "Filter.1.Name", "attachment.vpc-id", "Filter.1.Value.1", id).text("internetGatewaySet/item/internetGatewayId")
	routes := c.ok("DescribeRouteTables", "Filter.1.Name", "association.main", "Filter.1.Value.1", "true").texts("routeTableSet/item/routeSet/item/gatewayId")
	if diff := cmp.Diff([]string{"local", gateway}, routes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	other := c.in("eu-west-1").ok("DescribeVpcs").text("vpcSet/item/vpcId")
	if other == id {
		t.Error("two regions have one VPC")
	}
	c.stop()
	c = openTestIn(t, dir)
	if got := c.ok("DescribeVpcs").text("vpcSet/item/vpcId") + c.in("eu-west-1").ok("DescribeVpcs").text("vpcSet/item/vpcId"); got != id+other {
		t.Errorf("after a restart: %s, want %s", got, id+other)
	}
	for want, call := range map[string][]string{
		"400 InvalidVpcID.NotFound: The vpc ID '" + other + "' does not exist":         {"DescribeVpcs", "VpcId.1", other},
		"400 InvalidSubnetID.NotFound: The subnet ID 'subnet-00000000' does not exist": {"DescribeSubnets", "SubnetId.1", "subnet-00000000"},
		"400 InvalidSubnetID.Malformed: Invalid id: \"x\" (expecting \"subnet-...\")":  {"DescribeSubnets", "SubnetId.1", "x"},
	} {
		if got := c.fault(call[0], call[1:]...); got != want {
			t.Errorf("%v: got %q, want %q", call, got, want)
		}
	}
}

func TestRegionsAndZones(t *testing.T) {
	c := openTest(t)
	names := c.ok("DescribeRegions").texts("regionInfo/item/regionName")
	if len(names) != 17 || !slices.Contains(names, "us-east-1") || slices.Contains(names, "af-south-1") {
		t.Errorf("regions: %v", names)
	}
	if all := c.ok("DescribeRegions", "AllRegions", "true").all("regionInfo/item"); len(all) != len(regions()) {
		t.Errorf("%d regions of %d", len(all), len(regions()))
	}
	if got := c.ok("DescribeRegions", "RegionName.1", "eu-west-1").text("regionInfo/item/regionEndpoint"); got != "ec2.eu-west-1.amazonaws.com" {
		t.Errorf("got %q", got)
	}
	zones := c.in("eu-west-1").ok("DescribeAvailabilityZones", "Filter.1.Name", "state", "Filter.1.Value.1", "available").texts("availabilityZoneInfo/item/zoneName")
	if diff := cmp.Diff([]string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}, zones); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := c.ok("DescribeAccountAttributes", "AttributeName.1", "default-vpc").text("accountAttributeSet/item/attributeValueSet/item/attributeValue"); got != c.ok("DescribeVpcs").text("vpcSet/item/vpcId") {
		t.Errorf("the default VPC is %q", got)
	}
	for want, call := range map[string][]string{
		"400 InvalidParameterValue: Invalid region provided: mars-1":                             {"DescribeRegions", "RegionName.1", "mars-1"},
		"400 InvalidParameterValue: Invalid availability zone: [us-east-1z]":                     {"DescribeAvailabilityZones", "ZoneName.1", "us-east-1z"},
		"400 InvalidInstanceType: The following supplied instance types do not exist: [x9.huge]": {"DescribeInstanceTypes", "InstanceType.1", "x9.huge"},
		"400 InvalidParameterValue: The filter 'x' is invalid":                                   {"DescribeRegions", "Filter.1.Name", "x", "Filter.1.Value.1", "y"},
	} {
		if got := c.fault(call[0], call[1:]...); got != want {
			t.Errorf("%v: got %q, want %q", call, got, want)
		}
	}
}

func TestInstanceTypes(t *testing.T) {
	c := openTest(t)
	for name, want := range map[string]string{
		"t2.micro": "i386 x86_64 1 1024 xen true", "t3.micro": "x86_64 2 1024 nitro true", "t3.2xlarge": "x86_64 8 32768 nitro true",
		"m5.large": "x86_64 2 8192 nitro false", "c5.xlarge": "x86_64 4 8192 nitro false", "t4g.small": "arm64 2 2048 nitro true",
	} {
		n := c.ok("DescribeInstanceTypes", "InstanceType.1", name).all("instanceTypeSet/item")[0]
		got := strings.Join([]string{n.text("processorInfo/supportedArchitectures/item"), n.text("vCpuInfo/defaultVCpus"), n.text("memoryInfo/sizeInMiB"),
			n.text("hypervisor"), n.text("burstablePerformanceSupported")}, " ")
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	var all []string
	for token := "start"; token != ""; {
		pairs := []string{"MaxResults", "50"}
		if token != "start" {
			pairs = append(pairs, "NextToken", token)
		}
		n := c.ok("DescribeInstanceTypes", pairs...)
		all, token = append(all, n.texts("instanceTypeSet/item/instanceType")...), n.text("nextToken")
	}
	if len(all) != len(instanceTypes()) || !slices.IsSorted(all) {
		t.Errorf("%d types in pages, of %d: %v", len(all), len(instanceTypes()), all)
	}
	offers := c.ok("DescribeInstanceTypeOfferings", "LocationType", "availability-zone", "Filter.1.Name", "instance-type", "Filter.1.Value.1", "t3.micro").texts("instanceTypeOfferingSet/item/location")
	if diff := cmp.Diff([]string{"us-east-1a", "us-east-1b", "us-east-1c"}, offers); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	prices := c.ok("DescribeSpotPriceHistory", "InstanceType.1", "t3.micro", "ProductDescription.1", "Linux/UNIX", "AvailabilityZone", "us-east-1b").texts("spotPriceHistorySet/item/spotPrice")
	if diff := cmp.Diff([]string{"0.010000"}, prices); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// parameter calls SSM and is the answer's JSON.
func (c *testCloud) parameter(target, body string) (int, map[string]any) {
	c.t.Helper()
	status, text := c.post("ssm", body, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", target)
		signTest(r, body, c.keys, c.region, "ssm", time.Now())
	})
	var answer map[string]any
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		c.t.Fatalf("%v: %s", err, text)
	}
	return status, answer
}

func TestGetParameter(t *testing.T) {
	c := openTest(t)
	const get, name = "AmazonSSM.GetParameter", "/aws/service/debian/release/12/latest/amd64"
	c.image(c.run(c.base()), "not a base")
	if _, err := c.AddImage(t.Context(), ImageSpec{Suite: "debian-12", ID: "ami-22de994a", Name: "newest"}); err != nil {
		t.Fatal(err)
	}
	status, answer := c.parameter(get, `{"Name":"`+name+`"}`)
	p, ok := answer["Parameter"].(map[string]any)
	if !ok || status != 200 || p["Value"] != "ami-22de994a" || p["Name"] != name || p["Type"] != "String" || p["DataType"] != "aws:ec2:image" {
		t.Errorf("%d %v", status, answer)
	}
	for body, want := range map[string]string{
		`{"Name":"/aws/service/debian/release/13/latest/amd64"}`:                                        "ParameterNotFound",
		`{"Name":"/aws/service/debian/release/12/latest/arm64"}`:                                        "ParameterNotFound",
		`{"Name":"/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id"}`: "ParameterNotFound",
		`{"Name":"mine"}`:             "ParameterNotFound",
		`{}`:                          "ValidationException",
		`{"Name":"x","Colour":"red"}`: "SerializationException",
	} {
		if status, answer := c.parameter(get, body); status != 400 || answer["__type"] != want {
			t.Errorf("%s: %d %v, want %s", body, status, answer, want)
		}
	}
	if status, answer := c.parameter("AmazonSSM.PutParameter", `{}`); status != 400 || answer["__type"] != "UnknownOperationException" {
		t.Errorf("%d %v", status, answer)
	}
}

func TestPublicParametersOfDistributions(t *testing.T) {
	for name, want := range map[string]string{
		"/aws/service/debian/release/12/latest/amd64":                                        "debian-12",
		"/aws/service/debian/daily/13/latest/amd64":                                          "debian-13",
		"/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id": "ubuntu-24.04",
		"/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id": "",
		"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64":              "",
		"debian": "",
	} {
		if got := suiteOfParameter(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestCallerIdentity(t *testing.T) {
	c := openTest(t)
	status, body := c.post("sts", "Action=GetCallerIdentity&Version=2011-06-15", nil)
	n := parseNode(t, body)
	if got := n.text("GetCallerIdentityResult/Arn"); status != 200 || got != "arn:aws:iam::000000000000:root" {
		t.Errorf("%d %s", status, body)
	}
	for form, want := range map[string]string{"Action=AssumeRole&Version=2011-06-15": "InvalidAction", "Action=GetCallerIdentity&Colour=red": "ValidationError"} {
		if status, body := c.post("sts", form, nil); status != 400 || parseNode(t, body).text("Error/Code") != want {
			t.Errorf("%s: %d %s", form, status, body)
		}
	}
}
