package localcloud

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestImageAttributes(t *testing.T) {
	c := openTest(t)
	id := c.image(c.run(c.base()), "an image")
	permissions := func() string {
		n := c.ok("DescribeImageAttribute", "ImageId", id, "Attribute", "launchPermission")
		return strings.Join(slices.Concat(n.texts("launchPermission/item/group"), n.texts("launchPermission/item/userId"),
			n.texts("launchPermission/item/organizationArn"), n.texts("launchPermission/item/organizationalUnitArn")), " ")
	}
	steps := []struct {
		pairs []string
		want  string
	}{
		{[]string{"LaunchPermission.Add.1.UserId", "123456789012", "LaunchPermission.Add.2.Group", "all"}, "all 123456789012"},
		{[]string{"LaunchPermission.Remove.1.Group", "all"}, "123456789012"},
		{[]string{"Attribute", "launchPermission", "OperationType", "add", "UserId.1", "1111-2222-3333", "OrganizationArn.1", "arn:o", "OrganizationalUnitArn.1", "arn:u"},
			"123456789012 111122223333 arn:o arn:u"},
		{[]string{"Attribute", "launchPermission", "OperationType", "remove", "UserId.1", "123456789012", "OrganizationArn.1", "arn:o"}, "111122223333 arn:u"},
	}
	for _, step := range steps {
		c.ok("ModifyImageAttribute", append([]string{"ImageId", id}, step.pairs...)...)
		if got := permissions(); got != step.want {
			t.Errorf("after %v: %q, want %q", step.pairs, got, step.want)
		}
	}
	if got := c.ok("DescribeImages", "ExecutableBy.1", "111122223333").text("imagesSet/item/imageId"); got != id {
		t.Errorf("executable by the account: %q", got)
	}
	c.ok("ResetImageAttribute", "ImageId", id, "Attribute", "launchPermission")
	if got := permissions(); got != "" {
		t.Errorf("after a reset: %q", got)
	}
	c.ok("ModifyImageAttribute", "ImageId", id, "Description.Value", "first")
	c.ok("ModifyImageAttribute", "ImageId", id, "Attribute", "description", "Value", "second")
	c.ok("ModifyImageAttribute", "ImageId", id, "ImdsSupport.Value", "v2.0")
	c.ok("ModifyImageAttribute", "ImageId", id, "Attribute", "productCodes", "ProductCode.1", "code")
	c.ok("EnableImageDeprecation", "ImageId", id, "DeprecateAt", time.Now().Add(time.Hour).UTC().Truncate(time.Minute).Format(time.RFC3339))
	img := c.described(id)
	if got := img.text("description") + img.text("imdsSupport") + img.text("productCodes/item/productCode"); got != "secondv2.0code" {
		t.Errorf("got %q", got)
	}
	if got := img.text("deprecationTime"); len(got) != len("2026-01-31T00:00:00.000Z") {
		t.Errorf("deprecated at %q", got)
	}
	c.ok("DisableImageDeprecation", "ImageId", id)
	if got := c.described(id).text("deprecationTime"); got != "" {
		t.Errorf("deprecated at %q", got)
	}
	for want, pairs := range map[string][]string{
		"400 InvalidParameterCombination: No attributes specified.":                                                                                           {},
		"400 InvalidAMIAttributeItemValue: Invalid attribute item value \"12\" for userId item type.":                                                         {"LaunchPermission.Add.1.UserId", "12"},
		"400 InvalidParameterValue: Value (nobody) for parameter userGroup is invalid. The only group is 'all'.":                                              {"LaunchPermission.Add.1.Group", "nobody"},
		"400 MissingParameter: The request must contain the parameter OperationType":                                                                          {"UserId.1", "123456789012"},
		"400 UnknownParameter: The parameter LaunchPermission.Add.1.User is not recognized":                                                                   {"LaunchPermission.Add.1.User", "x", "Description.Value", "d"},
		"400 InvalidParameterValue: Value (kernel) for parameter attribute is invalid. Expecting description, imdsSupport, launchPermission or productCodes.": {"Attribute", "kernel"},
	} {
		if got := c.fault("ModifyImageAttribute", append([]string{"ImageId", id}, pairs...)...); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDescribeImages(t *testing.T) {
	c := openTest(t)
	base := c.base()
	inst := c.run(base)
	made := c.image(inst, "web-1", "TagSpecification.1.ResourceType", "image", "TagSpecification.1.Tag.1.Key", "Role", "TagSpecification.1.Tag.1.Value", "web")
	for name, test := range map[string]struct {
		pairs []string
		want  []string
	}{
		"all":              {nil, []string{base, made}},
		"self":             {[]string{"Owner.1", "self"}, []string{base, made}},
		"account":          {[]string{"Owner.1", "000000000000"}, []string{base, made}},
		"Debian's":         {[]string{"Owner.1", "136693071363"}, []string{base}},
		"nobody's":         {[]string{"Owner.1", "999999999999"}, nil},
		"owner-id":         {[]string{"Filter.1.Name", "owner-id", "Filter.1.Value.1", "136693071363"}, []string{base}},
		"name":             {[]string{"Filter.1.Name", "name", "Filter.1.Value.1", "debian-12-amd64-*"}, []string{base}},
		"either name":      {[]string{"Filter.1.Name", "name", "Filter.1.Value.1", "web-?", "Filter.1.Value.2", "debian*"}, []string{base, made}},
		"tag":              {[]string{"Filter.1.Name", "tag:Role", "Filter.1.Value.1", "w*"}, []string{made}},
		"both must match":  {[]string{"Filter.1.Name", "tag-key", "Filter.1.Value.1", "Role", "Filter.2.Name", "is-public", "Filter.2.Value.1", "true"}, nil},
		"public":           {[]string{"Filter.1.Name", "is-public", "Filter.1.Value.1", "true"}, []string{base}},
		"everybody's":      {[]string{"ExecutableBy.1", "all"}, []string{base}},
		"usual ones":       {[]string{"Filter.1.Name", "root-device-type", "Filter.1.Value.1", "ebs", "Filter.2.Name", "virtualization-type", "Filter.2.Value.1", "hvm", "Filter.3.Name", "architecture", "Filter.3.Value.1", "x86_64", "Filter.4.Name", "state", "Filter.4.Value.1", "available", "IncludeDeprecated", "true"}, []string{base, made}},
		"by a disk":        {[]string{"Filter.1.Name", "block-device-mapping.volume-size", "Filter.1.Value.1", "9"}, nil},
		"by id":            {[]string{"ImageId.1", made, "ImageId.2", made}, []string{made}},
		"source instance":  {[]string{"Filter.1.Name", "source-instance-id", "Filter.1.Value.1", inst}, []string{made}},
		"by creation date": {[]string{"Filter.1.Name", "creation-date", "Filter.1.Value.1", "1999-*"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.with(t).ok("DescribeImages", test.pairs...).texts("imagesSet/item/imageId")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	first := c.ok("DescribeImages", "MaxResults", "1")
	second := c.ok("DescribeImages", "MaxResults", "1", "NextToken", first.text("nextToken"))
	if got := []string{first.text("imagesSet/item/imageId"), second.text("imagesSet/item/imageId"), second.text("nextToken")}; !slices.Equal(got, []string{base, made, ""}) {
		t.Errorf("pages: %v", got)
	}
	if got := c.in("eu-west-1").ok("DescribeImages").texts("imagesSet/item/imageId"); !slices.Equal(got, []string{base}) {
		t.Errorf("another region has %v", got)
	}
	for want, pairs := range map[string][]string{
		"400 InvalidParameterValue: The filter 'colour' is invalid":                  {"Filter.1.Name", "colour", "Filter.1.Value.1", "red"},
		"400 InvalidAMIID.Malformed: Invalid id: \"web-1\" (expecting \"ami-...\")":  {"ImageId.1", "web-1"},
		"400 InvalidAMIID.NotFound: The image id '[ami-00000000]' does not exist":    {"ImageId.1", "ami-00000000"},
		"412 DryRunOperation: Request would have succeeded, but DryRun flag is set.": {"DryRun", "true"},
		"400 InvalidNextToken: The token 'x' is invalid":                             {"NextToken", "x"},
	} {
		if got := c.fault("DescribeImages", pairs...); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
