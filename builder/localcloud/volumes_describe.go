package localcloud

import (
	"cmp"
	"slices"
	"strings"
)

type attachmentItem struct {
	VolumeID            string `xml:"volumeId"`
	InstanceID          string `xml:"instanceId"`
	Device              string `xml:"device"`
	Status              string `xml:"status"`
	AttachTime          string `xml:"attachTime"`
	DeleteOnTermination bool   `xml:"deleteOnTermination"`
}

type volumeItem struct {
	ID          string           `xml:"volumeId"`
	Size        int              `xml:"size"`
	SnapshotID  string           `xml:"snapshotId"`
	Zone        string           `xml:"availabilityZone"`
	Status      string           `xml:"status"`
	Created     string           `xml:"createTime"`
	Attachments []attachmentItem `xml:"attachmentSet>item"`
	Tags        tagSet           `xml:"tagSet"`
	Type        string           `xml:"volumeType"`
	IOPS        int              `xml:"iops,omitempty"`
	Throughput  int              `xml:"throughput,omitempty"`
	Encrypted   bool             `xml:"encrypted"`
	KmsKeyID    string           `xml:"kmsKeyId,omitempty"`
	MultiAttach bool             `xml:"multiAttachEnabled"`
}

func (v *volume) item(h holder) volumeItem {
	item := volumeItem{
		ID:         v.ID,
		Size:       v.Disk.Size,
		SnapshotID: v.Disk.Snapshot,
		Zone:       v.Zone,
		Status:     h.volumeState(),
		Created:    stamp(v.Created),
		Tags:       tagsOf(v.Tags),
		Type:       v.Disk.Type,
		IOPS:       v.Disk.IOPS,
		Throughput: v.Disk.Throughput,
		Encrypted:  v.Disk.Encrypted,
		KmsKeyID:   v.Disk.Key,
	}
	if h.inst != nil {
		item.Attachments = []attachmentItem{{
			VolumeID:            v.ID,
			InstanceID:          h.inst.ID,
			Device:              h.Device,
			Status:              "attached",
			AttachTime:          stamp(h.Attached),
			DeleteOnTermination: h.DeleteOnTermination,
		}}
	}
	return item
}

func (h holder) volumeState() string {
	if h.inst == nil {
		return available
	}
	return "in-use"
}

func describeVolumes(c *Cloud, r *request) (any, error) {
	r.boolean("IncludeManagedResources") // there are none
	all, err := c.volumesAsked(r)
	if err != nil {
		return nil, err
	}
	holders := c.holders()
	page, next, err := describe(r, all, func(v *volume) map[string]string { return v.Tags }, volumeAttributes(holders))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Volumes   []volumeItem `xml:"volumeSet>item"`
		NextToken string       `xml:"nextToken,omitempty"`
	}
	answer.NextToken = next
	for _, v := range page {
		answer.Volumes = append(answer.Volumes, v.item(holders[v.ID]))
	}
	return answer, nil
}

func (c *Cloud) volumesAsked(r *request) ([]*volume, error) {
	var all []*volume
	for _, id := range r.list("VolumeId") {
		v, err := c.findVolume(r.region, id)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	if !r.has("VolumeId") {
		all = inRegion(c.state.Volumes, r.region, func(v *volume) string { return v.Region })
	}
	slices.SortFunc(all, func(a, b *volume) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return slices.Compact(all), nil
}

func volumeAttributes(holders map[string]holder) attributes[*volume] {
	// held is an attribute that only an attached volume has.
	held := func(value func(holder) []string) func(*volume) []string {
		return func(v *volume) []string {
			if h := holders[v.ID]; h.inst != nil {
				return value(h)
			}
			return nil
		}
	}
	return attributes[*volume]{
		"attachment.attach-time":           held(func(h holder) []string { return one(stamp(h.Attached)) }),
		"attachment.delete-on-termination": held(func(h holder) []string { return yesNo(h.DeleteOnTermination) }),
		"attachment.device":                held(func(h holder) []string { return one(h.Device) }),
		"attachment.instance-id":           held(func(h holder) []string { return one(h.inst.ID) }),
		"attachment.status":                held(func(holder) []string { return one("attached") }),
		"availability-zone":                func(v *volume) []string { return one(v.Zone) },
		"create-time":                      func(v *volume) []string { return one(stamp(v.Created)) },
		"encrypted":                        func(v *volume) []string { return yesNo(v.Disk.Encrypted) },
		"multi-attach-enabled":             fixed[*volume]("false"),
		"size":                             func(v *volume) []string { return digits(v.Disk.Size) },
		"snapshot-id":                      func(v *volume) []string { return one(v.Disk.Snapshot) },
		"status":                           func(v *volume) []string { return one(holders[v.ID].volumeState()) },
		"volume-id":                        func(v *volume) []string { return one(v.ID) },
		"volume-type":                      func(v *volume) []string { return one(v.Disk.Type) },
	}
}
