package localcloud

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const account = `{
  "images": [
    {"id": "ami-0c55b159cbfafe1f0", "name": "ubuntu/images/jammy-amd64-server-20260101", "owner": "099720109477",
     "root_device": "/dev/sda1", "user": "ubuntu", "architecture": "arm64", "created": "2026-01-01T00:00:00Z", "tags": {"Release": "jammy"}},
    {"id": "ami-00000000", "name": "al2023-ami-minimal-x", "owner": "137112412989", "owner_alias": "amazon", "product_code": "abc"}
  ],
  "vpcs": [{"id": "vpc-0123456789abcdef0", "tags": {"Name": "builds"}}],
  "subnets": [{"id": "subnet-0123456789abcdef0", "vpc": "vpc-0123456789abcdef0", "zone": "us-east-1b", "tags": {"Tier": "public"}}],
  "security_groups": [{"id": "sg-0123456789abcdef0", "vpc": "vpc-0123456789abcdef0", "name": "builders"}],
  "key_pairs": [{"name": "deploy", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEq+SfFfvqALEHQe0wkqLYQZDBy1KjICMMaiWMPrcRtd"}],
  "parameters": [{"name": "/images/base", "value": "ami-0c55b159cbfafe1f0"}]
}`

// TestCatalogue: what is in a catalogue is found by its id and by filters, and a machine can be made of it.
func TestCatalogue(t *testing.T) {
	c := openTest(t)
	all, err := ParseCatalogue([]byte(account))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // to add it again changes nothing
		if err := c.AddCatalogue(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	images := func(pairs ...string) string {
		return strings.Join(c.ok("DescribeImages", pairs...).texts("imagesSet/item/imageId"), " ")
	}
	_, parameter := c.parameter(getParameterTarget, `{"Name": "/images/base"}`)
	got := map[string]string{
		"by owner and name": images("Owner.1", "099720109477", "Filter.1.Name", "name", "Filter.1.Value.1", "ubuntu/images/*jammy*"),
		"by alias":          images("Owner.1", "amazon", "Filter.1.Name", "product-code", "Filter.1.Value.1", "abc"),
		"by tag":            images("Filter.1.Name", "tag:Release", "Filter.1.Value.1", "jammy", "Filter.2.Name", "architecture", "Filter.2.Value.1", "arm64"),
		"own":               images("Owner.1", "self"),
		"a VPC by tag":      c.ok("DescribeVpcs", "Filter.1.Name", "tag:Name", "Filter.1.Value.1", "builds").text("vpcSet/item/vpcId"),
		"the default VPCs":  strings.Join(c.ok("DescribeVpcs").texts("vpcSet/item/isDefault"), " "),
		"a subnet by tag":   c.ok("DescribeSubnets", "Filter.1.Name", "tag:Tier", "Filter.1.Value.1", "public").text("subnetSet/item/subnetId"),
		"its own subnet":    c.ok("DescribeSubnets", "Filter.1.Name", "default-for-az", "Filter.1.Value.1", "false").text("subnetSet/item/availabilityZone"),
		"a group by id":     c.ok("DescribeSecurityGroups", "GroupId.1", "sg-0123456789abcdef0").text("securityGroupInfo/item/groupName"),
		"a parameter":       parameter["Parameter"].(map[string]any)["Value"].(string),
	}
	want := map[string]string{
		"by owner and name": "ami-0c55b159cbfafe1f0", "by alias": "ami-00000000", "by tag": "ami-0c55b159cbfafe1f0", "own": "",
		"a VPC by tag": "vpc-0123456789abcdef0", "the default VPCs": "true false", "a subnet by tag": "subnet-0123456789abcdef0",
		"its own subnet": "us-east-1b", "a group by id": "builders", "a parameter": "ami-0c55b159cbfafe1f0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	id := c.run("ami-0c55b159cbfafe1f0", "SubnetId", "subnet-0123456789abcdef0", "SecurityGroupId.1", "sg-0123456789abcdef0", "KeyName", "deploy")
	c.until(id, running)
	machine := c.machines.startsOf(id)[0]
	user, err := os.ReadFile(filepath.Join(machine.Layers[0], "etc/cloud/cloud.cfg.d/99-imago-user.cfg"))
	if err != nil || len(machine.Layers) != 2 || !strings.Contains(string(user), "name: ubuntu") {
		t.Errorf("the machine has layers %v, the first with %q, %v", machine.Layers, user, err)
	}
	group := c.ok("CreateSecurityGroup", "GroupName", "g", "GroupDescription", "d", "VpcId", "vpc-0123456789abcdef0").text("groupId")
	if vpc := c.ok("DescribeSecurityGroups", "GroupId.1", group).text("securityGroupInfo/item/vpcId"); vpc != "vpc-0123456789abcdef0" {
		t.Errorf("a group that is made in the VPC is in %s", vpc)
	}
	c.ok("CreateImage", "InstanceId", id, "Name", "al2023-ami-minimal-x") // another account's name is free
}

// TestCatalogueKeepsWhatWasMade: an image that was made here is not replaced by one of a catalogue.
func TestCatalogueKeepsWhatWasMade(t *testing.T) {
	c := openTest(t)
	made := c.image(c.run(c.base()), "mine")
	err := c.AddCatalogue(t.Context(), Catalogue{Images: []CatalogueImage{{ID: made, Name: "other"}}})
	if err == nil || !strings.Contains(err.Error(), "is there already and was made here (mine)") {
		t.Errorf("the image was replaced: %v", err)
	}
}

// TestBadCatalogues: all that is wrong is said, with its line.
func TestBadCatalogues(t *testing.T) {
	for text, want := range map[string]string{
		"{\n\"images\": [}": "line 2: invalid character '}' looking for beginning of value",
		"[]":                "line 1: expects an object",
		`{"images": {}, "colour": 1}`: "line 1: colour: there is no such field (there are images, key_pairs, parameters, security_groups, subnets, vpcs)\n" +
			"line 1: images: expects a list",
		"{\"images\": [\n{\"id\": \"x\", \"owner\": \"amazon\", \"user\": \"a b\", \"suite\": \"plan9\", \"created\": \"now\", \"region\": \"mars\"},\n{\"id\": 1}]}": "line 2: images[0].id: expects an id such as ami-0123456789abcdef0\n" +
			"line 2: images[0].name: required\nline 2: images[0].owner: expects the 12 digits of an account; names such as amazon go into owner_alias\n" +
			"line 2: images[0].user: expects the name of a user, such as ubuntu\nline 2: images[0].suite: there are debian-12 and debian-13\n" +
			"line 2: images[0].created: expects a time such as 2026-01-31T00:00:00Z\nline 2: images[0].region: there is no region mars\n" +
			"line 3: images[1].id: expects a text",
		`{"subnets": [{"id": "subnet-00000000", "zone": "us-east-1z", "vpc": "v"}], "key_pairs": [{"public_key": "x"}], "parameters": [{"name": "x"}]}`: "line 1: subnets[0].vpc: expects an id such as vpc-0123456789abcdef0\n" +
			"line 1: subnets[0].zone: us-east-1 has the zones us-east-1a, us-east-1b, us-east-1c\nline 1: key_pairs[0].name: required\n" +
			"line 1: key_pairs[0].public_key: expects a line of authorized_keys\nline 1: parameters[0]: a parameter needs a name and a value",
	} {
		if _, err := ParseCatalogue([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s:\n%v\nwant\n%s", text, err, want)
		}
	}
}

// TestClientAddsCatalogues: what the client sends is there.
func TestClientAddsCatalogues(t *testing.T) {
	c := openTest(t)
	client := &Client{endpoint: c.endpoint(), keys: c.keys, http: http.Client{}}
	if err := client.AddCatalogue(t.Context(), []byte(`{"vpcs": [{"id": "vpc-00000000"}]}`), nil); err != nil {
		t.Fatal(err)
	}
	c.ok("DescribeVpcs", "VpcId.1", "vpc-00000000")
	if err := client.AddCatalogue(t.Context(), []byte(`{"vpcs": [{"id": "x"}]}`), nil); err == nil || err.Error() != "line 1: vpcs[0].id: expects an id such as vpc-0123456789abcdef0" {
		t.Errorf("a bad one: %v", err)
	}
}
