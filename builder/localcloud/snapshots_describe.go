package localcloud

import (
	"slices"
)

type snapshotItem struct {
	ID          string `xml:"snapshotId"`
	VolumeID    string `xml:"volumeId"`
	Status      string `xml:"status"`
	Message     string `xml:"statusMessage,omitempty"`
	StartTime   string `xml:"startTime"`
	Progress    string `xml:"progress"`
	OwnerID     string `xml:"ownerId"`
	VolumeSize  int    `xml:"volumeSize"`
	Description string `xml:"description"`
	Encrypted   bool   `xml:"encrypted"`
	KmsKeyID    string `xml:"kmsKeyId,omitempty"`
	StorageTier string `xml:"storageTier"`
	Tags        tagSet `xml:"tagSet"`
}

func (s *snapshot) item() snapshotItem {
	return snapshotItem{
		ID:          s.ID,
		VolumeID:    s.VolumeID,
		Status:      s.State,
		Message:     s.Message,
		StartTime:   stamp(s.Started),
		Progress:    s.progress(),
		OwnerID:     accountID,
		VolumeSize:  s.Size,
		Description: s.Description,
		Encrypted:   s.Encrypted,
		KmsKeyID:    s.Key,
		StorageTier: "standard",
		Tags:        tagsOf(s.Tags),
	}
}

func (s *snapshot) progress() string {
	if s.State == completed {
		return "100%"
	}
	return "0%"
}

func describeSnapshots(c *Cloud, r *request) (any, error) {
	all, err := c.snapshotsAsked(r)
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, all, func(s *snapshot) map[string]string { return s.Tags }, snapshotAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Snapshots []snapshotItem `xml:"snapshotSet>item"`
		NextToken string         `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, snap := range page {
		answer.Snapshots = append(answer.Snapshots, snap.item())
	}
	return answer, nil
}

func (c *Cloud) snapshotsAsked(r *request) ([]*snapshot, error) {
	owners, users := r.list("Owner"), r.list("RestorableBy")
	var all []*snapshot
	for _, id := range r.list("SnapshotId") {
		snap, err := c.findSnapshot(r.region, id)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, snap) {
			all = append(all, snap)
		}
	}
	if !r.has("SnapshotId") {
		all = c.snapshotsIn(r.region)
	}
	return slices.DeleteFunc(all, func(s *snapshot) bool {
		return len(owners) > 0 && !slices.Contains(owners, "self") && !slices.Contains(owners, accountID) ||
			len(users) > 0 && !slices.ContainsFunc(users, s.restorableBy)
	}), nil
}

func (s *snapshot) restorableBy(user string) bool {
	switch user {
	case "all":
		return s.Public
	case "self", accountID:
		return true
	}
	return slices.Contains(s.Users, user)
}

func snapshotAttributes() attributes[*snapshot] {
	return attributes[*snapshot]{
		"description":  func(s *snapshot) []string { return one(s.Description) },
		"encrypted":    func(s *snapshot) []string { return yesNo(s.Encrypted) },
		"owner-alias":  fixed[*snapshot]("self"),
		"owner-id":     fixed[*snapshot](accountID),
		"progress":     func(s *snapshot) []string { return one(s.progress()) },
		"snapshot-id":  func(s *snapshot) []string { return one(s.ID) },
		"start-time":   func(s *snapshot) []string { return one(stamp(s.Started)) },
		"status":       func(s *snapshot) []string { return one(s.State) },
		"storage-tier": fixed[*snapshot]("standard"),
		"volume-id":    func(s *snapshot) []string { return one(s.VolumeID) },
		"volume-size":  func(s *snapshot) []string { return digits(s.Size) },
	}
}

func describeSnapshotAttribute(c *Cloud, r *request) (any, error) {
	snap, err := c.findSnapshot(r.region, r.need("SnapshotId"))
	attribute := r.need("Attribute")
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	var answer struct {
		ID          string          `xml:"snapshotId"`
		Permissions *permissionSet  `xml:"createVolumePermission"`
		Codes       *productCodeSet `xml:"productCodes"`
	}
	answer.ID = snap.ID
	switch attribute {
	case "createVolumePermission":
		answer.Permissions = permissionsOf(snap.Public, snap.Users)
	case "productCodes":
		answer.Codes = &productCodeSet{}
	default:
		return nil, badValue("attribute", attribute, "Expecting createVolumePermission or productCodes.")
	}
	return answer, nil
}

func modifySnapshotAttribute(c *Cloud, r *request) (any, error) {
	snap, err := c.findSnapshot(r.region, r.need("SnapshotId"))
	r.oneOf("Attribute", "", "createVolumePermission")
	changes := readPermissions(r, "CreateVolumePermission")
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	if snap.Encrypted && changes.add.public {
		return nil, faultf("InvalidParameter", "An encrypted snapshot cannot be made public")
	}
	changes.apply(&snap.Public, map[string]*[]string{permitUser: &snap.Users})
	return simpleAnswer{Return: true}, nil
}

func resetSnapshotAttribute(c *Cloud, r *request) (any, error) {
	snap, err := c.findSnapshot(r.region, r.need("SnapshotId"))
	if r.need("Attribute") != "createVolumePermission" {
		r.problem(badValue("attribute", r.text("Attribute"), "Expecting createVolumePermission."))
	}
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	snap.Public, snap.Users = false, nil
	return simpleAnswer{Return: true}, nil
}
