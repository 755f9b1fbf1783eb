package localcloud

import (
	"slices"
	"strings"
	"time"
)

// image is an AMI: a stack of layers and what DescribeImages says of it.
type image struct {
	ID          string
	Name        string
	Region      string // "" for a base, which is there in every region
	Description string
	State       string // pending, available, failed
	StateReason string // why it failed

	Layers     []string // names of directories, top first
	RootDevice string
	Mappings   []mapping

	Architecture   string // x86_64 when empty
	Virtualization string // hvm when empty
	BootMode       string
	IMDSSupport    string // "" or v2.0
	ENA            bool
	SRIOV          string
	Location       string
	ProductCodes   []string

	Created        time.Time
	Deprecated     time.Time
	Protection     protection
	Tags           map[string]string
	SourceInstance string
	SourceImage    string
	SourceRegion   string

	Public      bool
	LaunchUsers []string
	LaunchOrgs  []string // ARNs
	LaunchUnits []string // ARNs

	// Suite is what a base was made of ("debian-12"); Publishers are the
	// accounts that publish it on the real AWS. A base answers for them, so
	// that a template that looks for Debian's or Canonical's image finds it.
	Suite      string
	Publishers []string

	// Owner and OwnerAlias are whose an image of a catalogue is. Empty: this account's.
	Owner      string
	OwnerAlias string
	Catalogued bool
}

const (
	available = "available"
	failed    = "failed"
)

func imageActions() map[string]handler {
	return map[string]handler{
		"CreateImage":                          createImage,
		"RegisterImage":                        registerImage,
		"CopyImage":                            copyImage,
		"DeregisterImage":                      deregisterImage,
		"EnableImageDeregistrationProtection":  enableProtection,
		"DisableImageDeregistrationProtection": disableProtection,
		"DescribeImages":                       describeImages,
		"DescribeImageAttribute":               describeImageAttribute,
		"ModifyImageAttribute":                 modifyImageAttribute,
		"ResetImageAttribute":                  resetImageAttribute,
		"EnableImageDeprecation":               enableImageDeprecation,
		"DisableImageDeprecation":              disableImageDeprecation,
	}
}

// findImage is the image with that id in the region, in any state.
func (c *Cloud) findImage(region, id string) (*image, error) {
	if !wellFormed("ami-", id) {
		return nil, malformed("InvalidAMIID.Malformed", "ami-", id)
	}
	img := c.state.Images[id]
	if img == nil || !img.in(region) {
		return nil, faultf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
	}
	return img, nil
}

func (i *image) in(region string) bool { return i.Region == region || i.Region == "" }

// imagesIn is the images of a region, the oldest first.
func (c *Cloud) imagesIn(region string) []*image {
	var all []*image
	for _, img := range c.state.Images {
		if img.in(region) {
			all = append(all, img)
		}
	}
	slices.SortFunc(all, func(a, b *image) int {
		if n := a.Created.Compare(b.Created); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}

// readImageName is the Name of a new image, checked as AWS does.
func (c *Cloud) readImageName(r *request) string {
	const more = "()[] ./-'@_"
	name := r.need("Name")
	if name == "" {
		return ""
	}
	strange := strings.ContainsFunc(name, func(ch rune) bool {
		return (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') && (ch < '0' || ch > '9') && !strings.ContainsRune(more, ch)
	})
	if strange || len(name) < 3 || len(name) > 128 {
		r.problem(faultf("InvalidAMIName.Malformed",
			"AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/', '_', ''', '@', '[', ']' and spaces"))
		return name
	}
	for _, img := range c.imagesIn(r.region) {
		if img.Name == name && img.State != failed && img.ownedBy("self") {
			r.problem(faultf("InvalidAMIName.Duplicate", "AMI name %s is already in use by AMI %s", name, img.ID))
			break
		}
	}
	return name
}

func readDescription(r *request) string {
	text := r.text("Description")
	if len(text) > 255 {
		r.problem(badValue("description", text, "Character sets beyond 255 characters are not allowed."))
	}
	return text
}

// deregisterImage takes the image away; its snapshots stay, unless the request
// says otherwise.
func deregisterImage(c *Cloud, r *request) (any, error) {
	img, err := c.findImage(r.region, r.need("ImageId"))
	withSnapshots := r.boolean("DeleteAssociatedSnapshots")
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	if c.isProtected(img) {
		return nil, faultf("OperationNotPermitted", "The image '%s' is protected from being deregistered: %s", img.ID, c.protectionOf(img))
	}
	type result struct {
		ReturnCode string `xml:"returnCode"`
		SnapshotID string `xml:"snapshotId"`
	}
	var answer struct {
		Return  bool     `xml:"return"`
		Results []result `xml:"deleteSnapshotResultSet>item"`
	}
	answer.Return = true
	delete(c.state.Images, img.ID)
	c.dropLayers(img.Layers)
	if withSnapshots == nil || !*withSnapshots {
		return answer, nil
	}
	for _, id := range img.snapshots() {
		code := "success"
		if snap := c.state.Snapshots[id]; snap == nil {
			code = "warn-not-found"
		} else if user := c.imageUsing(id); user != nil {
			code = "skipped"
		} else {
			c.deleteSnapshotNow(snap)
		}
		answer.Results = append(answer.Results, result{ReturnCode: code, SnapshotID: id})
	}
	return answer, nil
}

// snapshots is the ids of the snapshots the image's disks are made from.
func (i *image) snapshots() []string {
	return eachDisk(i.Mappings, func(m mapping) []string { return one(m.Disk.Snapshot) })
}

// imageUsing is an image one of whose disks is made from the snapshot.
func (c *Cloud) imageUsing(snapshotID string) *image {
	for _, id := range sortedKeys(c.state.Images) {
		if slices.Contains(c.state.Images[id].snapshots(), snapshotID) {
			return c.state.Images[id]
		}
	}
	return nil
}
