package localcloud

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tagged is one resource of each kind, by kind.
func (c *testCloud) tagged() map[string]string {
	base := c.base()
	inst := c.run(base)
	group := c.group("tagged")
	return map[string]string{
		"instance":            inst,
		"image":               base,
		"snapshot":            c.described(base).text("blockDeviceMapping/item/ebs/snapshotId"),
		"volume":              c.rootVolume(inst),
		"key-pair":            c.ok("CreateKeyPair", "KeyName", "tagged", "KeyType", "ed25519").text("keyPairId"),
		"security-group":      group,
		"security-group-rule": c.ok("DescribeSecurityGroupRules", "Filter.1.Name", "group-id", "Filter.1.Value.1", group).text("securityGroupRuleSet/item/securityGroupRuleId"),
		"vpc":                 c.ok("DescribeVpcs").text("vpcSet/item/vpcId"),
		"subnet":              c.ok("DescribeSubnets").texts("subnetSet/item/subnetId")[0],
		"internet-gateway":    c.ok("DescribeInternetGateways").text("internetGatewaySet/item/internetGatewayId"),
		"route-table":         c.ok("DescribeRouteTables").text("routeTableSet/item/routeTableId"),
	}
}

func TestTagsOfEveryKind(t *testing.T) {
	dir := t.TempDir()
	c := openTestIn(t, dir)
	all := c.tagged()
	pairs := []string{"Tag.1.Key", "Name", "Tag.1.Value", "x", "Tag.2.Key", "Empty", "Tag.2.Value", ""}
	want := map[string]string{}
	for i, kind := range sortedKeys(all) {
		pairs = append(pairs, fmt.Sprintf("ResourceId.%d", i+1), all[kind])
		want[all[kind]+" "+kind+" Name"], want[all[kind]+" "+kind+" Empty"] = "x", ""
	}
	c.ok("CreateTags", pairs...)
	c.stop()
	c = openTestIn(t, dir) // and they outlive a restart
	shown := func() map[string]string {
		got := map[string]string{}
		for _, tag := range c.ok("DescribeTags").all("tagSet/item") {
			got[tag.text("resourceId")+" "+tag.text("resourceType")+" "+tag.text("key")] = tag.text("value")
		}
		return got
	}
	if diff := cmp.Diff(want, shown()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for action, path := range map[string]string{
		"DescribeInstances": "reservationSet/item/instancesSet/item/instanceId", "DescribeImages": "imagesSet/item/imageId",
		"DescribeSnapshots": "snapshotSet/item/snapshotId", "DescribeVolumes": "volumeSet/item/volumeId",
		"DescribeKeyPairs": "keySet/item/keyPairId", "DescribeSecurityGroups": "securityGroupInfo/item/groupId",
		"DescribeSecurityGroupRules": "securityGroupRuleSet/item/securityGroupRuleId", "DescribeVpcs": "vpcSet/item/vpcId",
		"DescribeSubnets": "subnetSet/item/subnetId", "DescribeInternetGateways": "internetGatewaySet/item/internetGatewayId",
		"DescribeRouteTables": "routeTableSet/item/routeTableId",
	} {
		answer := c.ok(action, "Filter.1.Name", "tag:Name", "Filter.1.Value.1", "x")
		kind := answer.text(path)
		if ids := answer.texts(path); len(ids) != 1 || want[ids[0]+" "+kindOf(all, kind)+" Name"] != "x" {
			t.Errorf("%s by tag: %v", action, ids)
		}
	}
	// Elsewhere there are those of the base, which is in all regions.
	if got := c.in("us-west-2").ok("DescribeTags", "Filter.1.Name", "key", "Filter.1.Value.1", "Name").texts("tagSet/item/resourceType"); !slices.Equal(got, []string{"image", "snapshot"}) {
		t.Errorf("another region has tags of %v", got)
	}
	if got := len(c.ok("DescribeTags", "Filter.1.Name", "resource-type", "Filter.1.Value.1", "vpc").all("tagSet/item")); got != 2 {
		t.Errorf("%d tags of the VPC", got)
	}
	c.ok("DeleteTags", "ResourceId.1", all["vpc"], "Tag.1.Key", "Name", "Tag.1.Value", "other", "Tag.2.Key", "Empty", "Tag.2.Value", "")
	c.ok("DeleteTags", "ResourceId.1", all["subnet"], "Tag.1.Key", "Name")
	c.ok("DeleteTags", "ResourceId.1", all["image"])
	for _, gone := range []string{all["vpc"] + " vpc Empty", all["subnet"] + " subnet Name", all["image"] + " image Name", all["image"] + " image Empty"} {
		delete(want, gone)
	}
	if diff := cmp.Diff(want, shown()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func kindOf(all map[string]string, id string) string {
	for kind, other := range all {
		if other == id {
			return kind
		}
	}
	return ""
}

func TestCreateTagsRefuses(t *testing.T) {
	c := openTest(t)
	id := c.group("tagged")
	full := []string{"ResourceId.1", id}
	for i := range maxTags {
		full = append(full, fmt.Sprintf("Tag.%d.Key", i+1), fmt.Sprintf("key %d", i), fmt.Sprintf("Tag.%d.Value", i+1), "v")
	}
	c.ok("CreateTags", full...)
	c.ok("CreateTags", "ResourceId.1", id, "Tag.1.Key", "key 7", "Tag.1.Value", "changed") // no more than before
	for want, pairs := range map[string][]string{
		"400 TagLimitExceeded: The maximum number of tags for a resource is 50; " + id + " would have 51": {"Tag.1.Key", "one more"},
		"400 InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use":          {"Tag.1.Key", "AWS:x"},
		"400 InvalidParameterValue: Tag key exceeds the maximum length of 128 characters":                 {"Tag.1.Key", strings.Repeat("k", 129)},
		"400 InvalidParameterValue: Tag value exceeds the maximum length of 256 characters":               {"Tag.1.Key", "key 1", "Tag.1.Value", strings.Repeat("v", 257)},
		"400 MissingParameter: The request must contain the parameter tagSet":                             {},
		"400 InvalidVolume.NotFound: The volume ID 'vol-00000000' does not exist":                         {"ResourceId.2", "vol-00000000", "Tag.1.Key", "key 1"},
		"400 InvalidID: The ID 'nonsense' is not valid":                                                   {"ResourceId.2", "nonsense", "Tag.1.Key", "key 1"},
		"412 DryRunOperation: Request would have succeeded, but DryRun flag is set.":                      {"Tag.1.Key", "key 1", "DryRun", "true"},
	} {
		if got := c.fault("CreateTags", append([]string{"ResourceId.1", id}, pairs...)...); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got, want := c.in("us-west-2").fault("CreateTags", "ResourceId.1", id, "Tag.1.Key", "k"), "400 InvalidGroup.NotFound: The security group ID '"+id+"' does not exist"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
