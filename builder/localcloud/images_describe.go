package localcloud

import (
	"cmp"
	"slices"
)

type reason struct {
	Code    string `xml:"code"`
	Message string `xml:"message"`
}

type productCode struct {
	Code string `xml:"productCode"`
	Type string `xml:"type"`
}

type imageItem struct {
	ID              string        `xml:"imageId"`
	Location        string        `xml:"imageLocation"`
	State           string        `xml:"imageState"`
	OwnerID         string        `xml:"imageOwnerId"`
	OwnerAlias      string        `xml:"imageOwnerAlias,omitempty"`
	Created         string        `xml:"creationDate"`
	Public          bool          `xml:"isPublic"`
	ProductCodes    []productCode `xml:"productCodes>item"`
	Architecture    string        `xml:"architecture"`
	Type            string        `xml:"imageType"`
	SRIOV           string        `xml:"sriovNetSupport,omitempty"`
	ENA             bool          `xml:"enaSupport"`
	Name            string        `xml:"name"`
	Description     string        `xml:"description,omitempty"`
	RootDeviceType  string        `xml:"rootDeviceType"`
	RootDeviceName  string        `xml:"rootDeviceName"`
	Mappings        mappingSet    `xml:"blockDeviceMapping"`
	Virtualization  string        `xml:"virtualizationType"`
	Tags            tagSet        `xml:"tagSet"`
	Hypervisor      string        `xml:"hypervisor"`
	PlatformDetails string        `xml:"platformDetails"`
	UsageOperation  string        `xml:"usageOperation"`
	BootMode        string        `xml:"bootMode,omitempty"`
	IMDSSupport     string        `xml:"imdsSupport,omitempty"`
	Deprecated      string        `xml:"deprecationTime,omitempty"`
	Protection      string        `xml:"deregistrationProtection,omitempty"`
	SourceInstance  string        `xml:"sourceInstanceId,omitempty"`
	SourceImage     string        `xml:"sourceImageId,omitempty"`
	SourceRegion    string        `xml:"sourceImageRegion,omitempty"`
	StateReason     *reason       `xml:"stateReason"`
}

func (i *image) item() imageItem {
	item := imageItem{
		ID:              i.ID,
		Location:        cmp.Or(i.Location, accountID+"/"+i.Name),
		State:           i.State,
		OwnerID:         cmp.Or(i.Owner, accountID),
		OwnerAlias:      i.OwnerAlias,
		Created:         stamp(i.Created),
		Public:          i.Public,
		Architecture:    i.architecture(),
		Type:            "machine",
		SRIOV:           i.SRIOV,
		ENA:             i.ENA,
		Name:            i.Name,
		Description:     i.Description,
		RootDeviceType:  "ebs",
		RootDeviceName:  i.RootDevice,
		Mappings:        mappingsOf(i.Mappings),
		Virtualization:  i.virtualization(),
		Tags:            tagsOf(i.Tags),
		Hypervisor:      "xen",
		PlatformDetails: "Linux/UNIX",
		UsageOperation:  "RunInstances",
		BootMode:        i.BootMode,
		IMDSSupport:     i.IMDSSupport,
		Deprecated:      stamp(i.Deprecated),
		SourceInstance:  i.SourceInstance,
		SourceImage:     i.SourceImage,
		SourceRegion:    i.SourceRegion,
	}
	for _, code := range i.ProductCodes {
		item.ProductCodes = append(item.ProductCodes, productCode{Code: code, Type: "marketplace"})
	}
	if i.StateReason != "" {
		item.StateReason = &reason{Code: "Client.InternalError", Message: i.StateReason}
	}
	return item
}

func (i *image) architecture() string   { return cmp.Or(i.Architecture, "x86_64") }
func (i *image) virtualization() string { return cmp.Or(i.Virtualization, "hvm") }

func describeImages(c *Cloud, r *request) (any, error) {
	all, err := c.imagesAsked(r)
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, all, func(i *image) map[string]string { return i.Tags }, imageAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Images    []imageItem `xml:"imagesSet>item"`
		NextToken string      `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, img := range page {
		item := img.item()
		item.Protection = c.protectionOf(img)
		answer.Images = append(answer.Images, item)
	}
	return answer, nil
}

// imagesAsked is what the request's ids, owners and permissions leave of the
// region's images. An image named by its id is shown though it is deprecated,
// as its owner sees it.
func (c *Cloud) imagesAsked(r *request) ([]*image, error) {
	ids, owners, users := r.list("ImageId"), r.list("Owner"), r.list("ExecutableBy")
	r.boolean("IncludeDisabled") // no image can be disabled here
	r.boolean("IncludeDeprecated")
	all := c.imagesIn(r.region)
	if len(ids) > 0 {
		all = nil
		for _, id := range ids {
			img, err := c.findImage(r.region, id)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(all, img) {
				all = append(all, img)
			}
		}
	}
	return slices.DeleteFunc(all, func(i *image) bool {
		return len(owners) > 0 && !slices.ContainsFunc(owners, i.ownedBy) ||
			len(users) > 0 && !slices.ContainsFunc(users, i.executableBy)
	}), nil
}

func (i *image) ownedBy(owner string) bool { return slices.Contains(i.owners(), owner) }

// owners is every name the image's owner is looked for by.
func (i *image) owners() []string {
	if i.Owner == "" || i.Owner == accountID {
		return append([]string{"self", accountID}, i.Publishers...)
	}
	return append(one(i.OwnerAlias), i.Owner)
}

// ownerIDs is the same without the names that are not numbers.
func (i *image) ownerIDs() []string {
	return slices.DeleteFunc(i.owners(), func(name string) bool { return !isAccount(name) })
}

func (i *image) executableBy(user string) bool {
	switch user {
	case "all":
		return i.Public
	case "self":
		return slices.Contains(i.LaunchUsers, accountID)
	}
	return slices.Contains(i.LaunchUsers, user)
}

func imageAttributes() attributes[*image] {
	known := attributes[*image]{
		"architecture":        func(i *image) []string { return one(i.architecture()) },
		"creation-date":       func(i *image) []string { return one(stamp(i.Created)) },
		"description":         func(i *image) []string { return one(i.Description) },
		"ena-support":         func(i *image) []string { return yesNo(i.ENA) },
		"hypervisor":          fixed[*image]("xen"),
		"image-allowed":       fixed[*image]("true"),
		"image-id":            func(i *image) []string { return one(i.ID) },
		"image-type":          fixed[*image]("machine"),
		"is-public":           func(i *image) []string { return yesNo(i.Public) },
		"kernel-id":           func(*image) []string { return nil },
		"manifest-location":   func(i *image) []string { return one(cmp.Or(i.Location, accountID+"/"+i.Name)) },
		"name":                func(i *image) []string { return one(i.Name) },
		"owner-alias":         func(i *image) []string { return i.owners() },
		"owner-id":            (*image).ownerIDs,
		"platform":            func(*image) []string { return nil },
		"platform-details":    fixed[*image]("Linux/UNIX"),
		"product-code":        func(i *image) []string { return i.ProductCodes },
		"product-code.type":   productCodeTypes,
		"ramdisk-id":          func(*image) []string { return nil },
		"root-device-name":    func(i *image) []string { return one(i.RootDevice) },
		"root-device-type":    fixed[*image]("ebs"),
		"source-image-id":     func(i *image) []string { return one(i.SourceImage) },
		"source-image-region": func(i *image) []string { return one(i.SourceRegion) },
		"source-instance-id":  func(i *image) []string { return one(i.SourceInstance) },
		"sriov-net-support":   func(i *image) []string { return one(i.SRIOV) },
		"state":               func(i *image) []string { return one(i.State) },
		"state-reason-code":   func(*image) []string { return nil },
		"state-reason-message": func(i *image) []string {
			return one(i.StateReason)
		},
		"usage-operation":     fixed[*image]("RunInstances"),
		"virtualization-type": func(i *image) []string { return one(i.virtualization()) },
	}
	for name, value := range diskAttributes() {
		known["block-device-mapping."+name] = func(i *image) []string { return eachDisk(i.Mappings, value) }
	}
	return known
}

func productCodeTypes(i *image) []string {
	if len(i.ProductCodes) == 0 {
		return nil
	}
	return []string{"marketplace"}
}

func diskAttributes() attributes[mapping] {
	return attributes[mapping]{
		"delete-on-termination": func(m mapping) []string { return yesNo(m.Disk.DeleteOnTermination) },
		"device-name":           func(m mapping) []string { return one(m.Device) },
		"encrypted":             func(m mapping) []string { return yesNo(m.Disk.Encrypted) },
		"snapshot-id":           func(m mapping) []string { return one(m.Disk.Snapshot) },
		"volume-size":           func(m mapping) []string { return digits(m.Disk.Size) },
		"volume-type":           func(m mapping) []string { return one(m.Disk.Type) },
	}
}

// newestBase is the base of a suite that was registered last, nil when there
// is none.
func (c *Cloud) newestBase(suite string) *image {
	var newest *image
	for _, id := range sortedKeys(c.state.Images) {
		img := c.state.Images[id]
		if suite == "" || img.Suite != suite || img.State != available || img.Catalogued {
			continue
		}
		if newest == nil || img.Created.After(newest.Created) {
			newest = img
		}
	}
	return newest
}
