package localcloud

import (
	"time"
)

// imageAttributeAnswer is DescribeImageAttribute's: the one that was asked for.
type imageAttributeAnswer struct {
	ImageID     string          `xml:"imageId"`
	Mappings    *mappingSet     `xml:"blockDeviceMapping"`
	Permissions *permissionSet  `xml:"launchPermission"`
	Codes       *productCodeSet `xml:"productCodes"`
	Description *attributeValue `xml:"description"`
	BootMode    *attributeValue `xml:"bootMode"`
	SRIOV       *attributeValue `xml:"sriovNetSupport"`
	IMDSSupport *attributeValue `xml:"imdsSupport"`
}

type attributeValue struct {
	Value string `xml:"value,omitempty"`
}

func describeImageAttribute(c *Cloud, r *request) (any, error) {
	img, err := c.findImage(r.region, r.need("ImageId"))
	attribute := r.need("Attribute")
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	answer := imageAttributeAnswer{ImageID: img.ID}
	switch attribute {
	case "blockDeviceMapping":
		answer.Mappings = new(mappingsOf(img.Mappings))
	case "launchPermission":
		answer.Permissions = img.permissions()
	case "productCodes":
		answer.Codes = &productCodeSet{Items: img.item().ProductCodes}
	case "description":
		answer.Description = &attributeValue{img.Description}
	case "bootMode":
		answer.BootMode = &attributeValue{img.BootMode}
	case "sriovNetSupport":
		answer.SRIOV = &attributeValue{img.SRIOV}
	case "imdsSupport":
		answer.IMDSSupport = &attributeValue{img.IMDSSupport}
	default:
		return nil, badValue("attribute", attribute, "Expecting blockDeviceMapping, bootMode, description, "+
			"imdsSupport, launchPermission, productCodes or sriovNetSupport.")
	}
	return answer, nil
}

func (i *image) permissions() *permissionSet {
	set := permissionsOf(i.Public, i.LaunchUsers)
	for _, org := range i.LaunchOrgs {
		set.Items = append(set.Items, permissionItem{Org: org})
	}
	for _, unit := range i.LaunchUnits {
		set.Items = append(set.Items, permissionItem{Unit: unit})
	}
	return set
}

// imageChange is what one ModifyImageAttribute asks for. The attribute is
// named, with Value, or is itself the parameter.
type imageChange struct {
	permissions  permissionChange
	description  *string
	imdsSupport  string
	productCodes []string
}

func modifyImageAttribute(c *Cloud, r *request) (any, error) {
	img, err := c.findImage(r.region, r.need("ImageId"))
	change := readImageChange(r)
	if err := firstOf(r.checked(), err, change.refused(img), r.dryRun()); err != nil {
		return nil, err
	}
	change.permissions.apply(&img.Public, map[string]*[]string{
		permitUser: &img.LaunchUsers,
		permitOrg:  &img.LaunchOrgs,
		permitUnit: &img.LaunchUnits,
	})
	if change.description != nil {
		img.Description = *change.description
	}
	if change.imdsSupport != "" {
		img.IMDSSupport = change.imdsSupport
	}
	img.ProductCodes = append(img.ProductCodes, change.productCodes...)
	return simpleAnswer{Return: true}, nil
}

func readImageChange(r *request) imageChange {
	change := imageChange{
		permissions:  readPermissions(r, "LaunchPermission"),
		imdsSupport:  r.at("ImdsSupport").oneOf("Value", "", "v2.0"),
		productCodes: r.list("ProductCode"),
	}
	if r.has("Description") {
		change.description = new(r.at("Description").text("Value"))
	}
	attribute := r.text("Attribute")
	switch attribute {
	case "", "launchPermission", "productCodes":
	case "description":
		if r.has("Value") {
			change.description = new(r.text("Value"))
		}
	case "imdsSupport":
		if r.has("Value") {
			change.imdsSupport = r.oneOf("Value", "", "v2.0")
		}
	default:
		r.problem(badValue("attribute", attribute, "Expecting description, imdsSupport, launchPermission or productCodes."))
	}
	if change.permissions.empty() && change.description == nil && change.imdsSupport == "" && len(change.productCodes) == 0 {
		r.problem(faultf("InvalidParameterCombination", "No attributes specified."))
	}
	return change
}

func (change imageChange) refused(img *image) error {
	if img == nil {
		return nil
	}
	if change.permissions.add.public {
		for _, m := range img.Mappings {
			if m.Disk != nil && m.Disk.Encrypted {
				return faultf("InvalidParameterValue", "Image %s has an encrypted snapshot and cannot be made public", img.ID)
			}
		}
	}
	if img.State != available {
		return faultf("InvalidAMIID.Unavailable", "The image ID '%s' is not available", img.ID)
	}
	return nil
}

func resetImageAttribute(c *Cloud, r *request) (any, error) {
	img, err := c.findImage(r.region, r.need("ImageId"))
	if r.need("Attribute") != "launchPermission" {
		r.problem(badValue("attribute", r.text("Attribute"), "Expecting launchPermission."))
	}
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	img.Public, img.LaunchUsers, img.LaunchOrgs, img.LaunchUnits = false, nil, nil, nil
	return simpleAnswer{Return: true}, nil
}

func enableImageDeprecation(c *Cloud, r *request) (any, error) {
	img, err := c.findImage(r.region, r.need("ImageId"))
	text := r.need("DeprecateAt")
	at, wrong := time.Parse(time.RFC3339, text)
	switch {
	case text == "":
	case wrong != nil:
		r.problem(badValue("DeprecateAt", text, "Expecting a time such as 2026-01-31T00:00:00Z."))
	case !at.After(c.now()):
		r.problem(badValue("DeprecateAt", text, "Expecting a time in the future."))
	case at.After(c.now().AddDate(10, 0, 0)):
		r.problem(badValue("DeprecateAt", text, "Expecting a time within 10 years."))
	}
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	img.Deprecated = at.UTC().Round(time.Minute)
	return simpleAnswer{Return: true}, nil
}

func disableImageDeprecation(c *Cloud, r *request) (any, error) {
	img, err := c.findImage(r.region, r.need("ImageId"))
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	img.Deprecated = time.Time{}
	return simpleAnswer{Return: true}, nil
}
