package localcloud

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// registerImage makes an image of a snapshot of a root disk.
func registerImage(c *Cloud, r *request) (any, error) {
	img := c.newImage(r)
	img.RootDevice = r.need("RootDeviceName")
	img.Architecture = r.oneOf("Architecture", "i386", "i386", "x86_64", "arm64")
	img.Virtualization = r.oneOf("VirtualizationType", "paravirtual", "hvm", "paravirtual")
	img.BootMode = r.oneOf("BootMode", "", "legacy-bios", "uefi", "uefi-preferred")
	img.IMDSSupport = r.oneOf("ImdsSupport", "", "v2.0")
	img.SRIOV = r.oneOf("SriovNetSupport", "", "simple")
	img.ENA = isTrue(r.boolean("EnaSupport"))
	mappings, err := c.mergeMappings(r.region, nil, r.blockDevices())
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	img.Mappings = mappings
	snap, err := c.rootSnapshot(img)
	if err := firstOf(err, r.dryRun()); err != nil {
		return nil, err
	}
	img.Layers, img.State = slices.Clone(snap.Layers), available
	c.state.Images[img.ID] = img
	return imageCreated{img.ID}, nil
}

// rootSnapshot is the snapshot that an image to be registered boots from.
func (c *Cloud) rootSnapshot(img *image) (*snapshot, error) {
	if img.Architecture != "x86_64" || img.Virtualization != "hvm" {
		return nil, faultf("UnsupportedOperation", "The machines of the local cloud are of architecture x86_64 and virtualization type hvm, not %s and %s.",
			img.Architecture, img.Virtualization)
	}
	for _, m := range img.Mappings {
		if m.Device != img.RootDevice || m.Disk == nil || m.Disk.Snapshot == "" {
			continue
		}
		snap := c.state.Snapshots[m.Disk.Snapshot]
		if snap.State != completed {
			return nil, faultf("IncorrectState", "The snapshot '%s' is not 'completed'.", snap.ID)
		}
		if len(snap.Layers) == 0 {
			return nil, faultf("InvalidParameterValue", "The snapshot '%s' is not of a root disk; no machine can boot from it.", snap.ID)
		}
		return snap, nil
	}
	return nil, faultf("InvalidBlockDeviceMapping", "The root device '%s' needs an Ebs.SnapshotId in a block-device mapping", img.RootDevice)
}

// copyImage copies an image within a region or from another. The layers are
// shared: a copy takes no space.
func copyImage(c *Cloud, r *request) (any, error) {
	from := r.need("SourceRegion")
	source, err := c.findImage(from, r.need("SourceImageId"))
	img := c.newImage(r)
	encrypted, key := r.boolean("Encrypted"), r.text("KmsKeyId")
	withTags, snapshotTags := isTrue(r.boolean("CopyImageTags")), r.tags("snapshot")
	if minutes := r.number("SnapshotCopyCompletionDurationMinutes"); minutes != nil && (*minutes < 15 || *minutes > 2880 || *minutes%15 != 0) {
		r.problem(badValue("SnapshotCopyCompletionDurationMinutes", digits(*minutes)[0], "Expecting 15 to 2880 in steps of 15."))
	}
	r.text("ClientToken") // perform has seen to it
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if source.State != available {
		return nil, faultf("InvalidAMIID.Unavailable", "The image ID '%s' is not available; it is %s", source.ID, source.State)
	}
	if err := firstOf(checkCopyKey(r.region, encrypted, key), r.dryRun()); err != nil {
		return nil, err
	}
	img.like(source, from)
	img.Description = cmp.Or(img.Description, fmt.Sprintf("[Copied %s from %s] %s", source.ID, from, source.Name))
	if withTags {
		img.Tags = withDefaults(img.Tags, source.Tags)
	}
	img.Mappings = c.copyDisks(source, img, diskCopy{encrypted: encrypted, key: key, tags: snapshotTags})
	c.state.Images[img.ID] = img
	c.finish(img.ID, available, func(err error) {
		layers := img.Layers
		c.settleImage(img, layers, err)
		c.dropLayers(layers)
	})
	return imageCreated{img.ID}, nil
}

func checkCopyKey(region string, encrypted *bool, key string) error {
	return new(disk).setEncryption(region, encrypted, key)
}

// like takes over what a copy has of its source. Permissions are not copied.
func (i *image) like(source *image, region string) {
	i.SourceImage, i.SourceRegion = source.ID, region
	i.Layers = slices.Clone(source.Layers)
	i.RootDevice, i.Architecture, i.Virtualization = source.RootDevice, source.Architecture, source.Virtualization
	i.BootMode, i.IMDSSupport, i.ENA, i.SRIOV = source.BootMode, source.IMDSSupport, source.ENA, source.SRIOV
}

// diskCopy is how the snapshots of a copied image differ from their sources.
type diskCopy struct {
	encrypted *bool
	key       string
	tags      map[string]string
}

func (c *Cloud) copyDisks(source, img *image, how diskCopy) []mapping {
	var all []mapping
	for _, m := range source.Mappings {
		m = m.clone()
		all = append(all, m)
		if m.Disk == nil {
			continue
		}
		if isTrue(how.encrypted) {
			m.Disk.Encrypted, m.Disk.Key = true, keyARN(img.Region, how.key)
		}
		from := c.state.Snapshots[m.Disk.Snapshot]
		if from == nil {
			continue
		}
		snap := c.copyOfSnapshot(from, img.Region, *m.Disk)
		snap.Description = fmt.Sprintf("Copied for DestinationAmi %s from SourceAmi %s for SourceSnapshot %s. Task created on %d.",
			img.ID, source.ID, from.ID, img.Created.UnixMilli())
		snap.Tags = maps.Clone(how.tags)
		m.Disk.Snapshot = snap.ID
	}
	return all
}

// withDefaults is tags with those of others that they do not name.
func withDefaults(tags, others map[string]string) map[string]string {
	all := maps.Clone(others)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, tags)
	return all
}
