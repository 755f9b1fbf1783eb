package localcloud

import (
	"cmp"
	"slices"
)

// mapping is one entry of a block device mapping: a disk, or a name for
// nothing.
type mapping struct {
	Device   string
	Virtual  string `json:",omitempty"` // ephemeral0
	NoDevice bool   `json:",omitempty"`
	Disk     *disk  `json:",omitempty"`
}

// disk is what a volume is made from, or was.
type disk struct {
	Snapshot            string `json:",omitempty"`
	Size                int    // GiB
	Type                string
	IOPS                int    `json:",omitempty"`
	Throughput          int    `json:",omitempty"` // MiB/s
	Encrypted           bool   `json:",omitempty"`
	Key                 string `json:",omitempty"` // ARN of the KMS key
	DeleteOnTermination bool
}

const defaultDiskSize = 8 // GiB

// mergeMappings is base with the devices that a request names laid over it:
// what a request does not say stays as it was. The caller holds c.mu.
func (c *Cloud) mergeMappings(region string, base []mapping, asked []blockDevice) ([]mapping, error) {
	merged := make([]mapping, 0, len(base))
	for _, m := range base {
		merged = append(merged, m.clone())
	}
	seen := map[string]bool{}
	for _, device := range asked {
		if seen[device.Device] {
			return nil, faultf("InvalidBlockDeviceMapping", "The device '%s' is used in more than one block-device mapping", device.Device)
		}
		seen[device.Device] = true
		at := slices.IndexFunc(merged, func(m mapping) bool { return m.Device == device.Device })
		if at < 0 {
			merged, at = append(merged, mapping{Device: device.Device}), len(merged)
		}
		if err := c.mergeMapping(region, &merged[at], device); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(merged, func(m mapping) bool { return m.NoDevice }), nil
}

func (m mapping) clone() mapping {
	if m.Disk != nil {
		m.Disk = new(*m.Disk)
	}
	return m
}

func (c *Cloud) mergeMapping(region string, m *mapping, asked blockDevice) error {
	switch {
	case asked.NoDevice:
		m.NoDevice = true
		return nil
	case asked.VirtualName != "":
		m.Virtual, m.Disk = asked.VirtualName, nil
		return nil
	case m.Disk == nil:
		m.Virtual, m.Disk = "", &disk{DeleteOnTermination: true}
	}
	return c.mergeDisk(region, m.Disk, asked)
}

// mergeDisk lays what was asked for over d and checks the sum.
func (c *Cloud) mergeDisk(region string, d *disk, asked blockDevice) error {
	d.Snapshot = cmp.Or(asked.SnapshotID, d.Snapshot)
	if asked.Size != nil {
		d.Size = *asked.Size
	}
	if asked.DeleteOnTermination != nil {
		d.DeleteOnTermination = *asked.DeleteOnTermination
	}
	if err := d.setKind(asked); err != nil {
		return err
	}
	if err := d.setEncryption(region, asked.Encrypted, asked.KmsKeyID); err != nil {
		return err
	}
	if err := c.fromSnapshot(region, d); err != nil {
		return err
	}
	if d.Size < 1 || d.Size > 65536 {
		return faultf("InvalidParameterValue", "Volume of %dGiB is out of bounds, expecting 1 to 65536", d.Size)
	}
	return nil
}

func (d *disk) setKind(asked blockDevice) error {
	if kind := cmp.Or(asked.VolumeType, d.Type, "gp2"); kind != d.Type {
		d.Type, d.IOPS, d.Throughput = kind, 0, 0
	}
	switch {
	case asked.Iops != nil && !slices.Contains([]string{"gp3", "io1", "io2"}, d.Type):
		return faultf("InvalidParameterCombination", "The parameter iops is not supported for %s volumes.", d.Type)
	case asked.Iops != nil:
		d.IOPS = *asked.Iops
	case d.IOPS == 0 && (d.Type == "io1" || d.Type == "io2"):
		return faultf("MissingParameter", "The parameter iops must be specified for %s volumes.", d.Type)
	}
	switch {
	case asked.Throughput != nil && d.Type != "gp3":
		return faultf("InvalidParameterCombination", "The parameter throughput is not supported for %s volumes.", d.Type)
	case asked.Throughput != nil:
		d.Throughput = *asked.Throughput
	}
	if d.Type == "gp3" {
		d.IOPS, d.Throughput = cmp.Or(d.IOPS, 3000), cmp.Or(d.Throughput, 125)
	}
	return nil
}

func (d *disk) setEncryption(region string, encrypted *bool, key string) error {
	switch {
	case encrypted != nil && !*encrypted && d.Encrypted:
		return faultf("InvalidParameter", "The parameter Encrypted cannot be false: the source is encrypted.")
	case key != "" && (encrypted == nil || !*encrypted):
		return faultf("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
	case encrypted != nil && *encrypted:
		d.Encrypted, d.Key = true, keyARN(region, key)
	}
	return nil
}

// fromSnapshot takes from the disk's snapshot what the request left open.
func (c *Cloud) fromSnapshot(region string, d *disk) error {
	if d.Snapshot == "" {
		d.Size = cmp.Or(d.Size, defaultDiskSize)
		return nil
	}
	snap, err := c.findSnapshot(region, d.Snapshot)
	if err != nil {
		return err
	}
	d.Size = cmp.Or(d.Size, snap.Size)
	if snap.Encrypted && !d.Encrypted {
		d.Encrypted, d.Key = true, snap.Key
	}
	if d.Size < snap.Size {
		return faultf("InvalidBlockDeviceMapping", "Volume of size %dGB is smaller than snapshot '%s', expect size>= %dGB", d.Size, d.Snapshot, snap.Size)
	}
	return nil
}

// keyARN is the ARN of a KMS key named in any of the ways KMS has; the
// region's default key for "".
func keyARN(region, key string) string {
	switch {
	case key == "":
		return arn("kms", region, "alias/aws/ebs")
	case len(key) > 4 && key[:4] == "arn:":
		return key
	case len(key) > 6 && key[:6] == "alias/":
		return arn("kms", region, key)
	}
	return arn("kms", region, "key/"+key)
}

type diskItem struct {
	DeleteOnTermination bool   `xml:"deleteOnTermination"`
	SnapshotID          string `xml:"snapshotId,omitempty"`
	VolumeSize          int    `xml:"volumeSize"`
	VolumeType          string `xml:"volumeType"`
	IOPS                int    `xml:"iops,omitempty"`
	Throughput          int    `xml:"throughput,omitempty"`
	Encrypted           bool   `xml:"encrypted"`
	KmsKeyID            string `xml:"kmsKeyId,omitempty"`
}

type mappingItem struct {
	DeviceName  string    `xml:"deviceName"`
	VirtualName string    `xml:"virtualName,omitempty"`
	EBS         *diskItem `xml:"ebs"`
}

type mappingSet struct {
	Items []mappingItem `xml:"item"`
}

func mappingsOf(all []mapping) mappingSet {
	var set mappingSet
	for _, m := range all {
		item := mappingItem{DeviceName: m.Device, VirtualName: m.Virtual}
		if d := m.Disk; d != nil {
			item.EBS = &diskItem{
				DeleteOnTermination: d.DeleteOnTermination,
				SnapshotID:          d.Snapshot,
				VolumeSize:          d.Size,
				VolumeType:          d.Type,
				IOPS:                d.IOPS,
				Throughput:          d.Throughput,
				Encrypted:           d.Encrypted,
				KmsKeyID:            d.Key,
			}
		}
		set.Items = append(set.Items, item)
	}
	return set
}

// eachDisk is an image filter's view of a mapping: one value for each disk.
func eachDisk(all []mapping, value func(mapping) []string) []string {
	var values []string
	for _, m := range all {
		if m.Disk != nil {
			values = append(values, value(m)...)
		}
	}
	return values
}
