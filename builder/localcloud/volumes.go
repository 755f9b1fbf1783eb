package localcloud

import (
	"maps"
	"slices"
	"time"
)

// volume is a disk. Only a root disk has files, those of its machine: the
// machines have no block devices. Whether it is attached, and to what, the
// instance knows.
type volume struct {
	ID      string
	Region  string
	Zone    string
	Disk    disk
	Created time.Time
	Tags    map[string]string
	// Layers is what a volume made from a snapshot holds, or one that its
	// instance left behind.
	Layers []string
}

func volumeActions() map[string]handler {
	return map[string]handler{
		"AttachVolume":    refuseVolume("attach a volume to a machine"),
		"CreateVolume":    createVolume,
		"DeleteVolume":    deleteVolume,
		"DescribeVolumes": describeVolumes,
		"DetachVolume":    refuseVolume("detach a volume from a machine"),
		"ModifyVolume":    refuseVolume("change the size of a volume"),
	}
}

// refuseVolume answers for actions whose effect a machine could not see.
func refuseVolume(what string) handler {
	return func(*Cloud, *request) (any, error) {
		return nil, faultf("UnsupportedOperation", "The local cloud cannot %s: its machines have no block devices.", what)
	}
}

// findVolume is the volume with that id in the region.
func (c *Cloud) findVolume(region, id string) (*volume, error) {
	if !wellFormed("vol-", id) {
		return nil, faultf("InvalidParameterValue", "Value (%s) for parameter volumeId is invalid. Expected: 'vol-...'.", id)
	}
	v := c.state.Volumes[id]
	if v == nil || v.Region != region {
		return nil, faultf("InvalidVolume.NotFound", "The volume '%s' does not exist.", id)
	}
	return v, nil
}

// attachNewVolumes makes the volumes of a new instance. The caller holds c.mu.
func (c *Cloud) attachNewVolumes(inst *instance, mappings []mapping, tags map[string]string) {
	for _, m := range mappings {
		if m.Disk == nil {
			continue // instance store: no volume
		}
		v := &volume{
			ID:      newID("vol-"),
			Region:  inst.Region,
			Zone:    inst.Zone,
			Disk:    *m.Disk,
			Created: c.now(),
			Tags:    maps.Clone(tags),
		}
		c.state.Volumes[v.ID] = v
		inst.Volumes = append(inst.Volumes, attachment{
			Device:              m.Device,
			VolumeID:            v.ID,
			Attached:            v.Created,
			DeleteOnTermination: m.Disk.DeleteOnTermination,
		})
	}
}

// instanceTerminated deletes the volumes that go with their instance, lets go
// of the others, and of the instance's layers. The caller holds c.mu and has
// set the state to terminated.
func (c *Cloud) instanceTerminated(inst *instance) {
	for _, a := range inst.Volumes {
		if a.DeleteOnTermination {
			delete(c.state.Volumes, a.VolumeID)
		}
	}
	inst.Volumes = nil
	c.dropLayers(inst.Layers)
}

// holder is the instance that a volume is attached to.
type holder struct {
	inst *instance
	attachment
}

// holders is the attached volumes, by id.
func (c *Cloud) holders() map[string]holder {
	all := map[string]holder{}
	for _, inst := range c.state.Instances {
		for _, a := range inst.Volumes {
			all[a.VolumeID] = holder{inst, a}
		}
	}
	return all
}

// rootedOn is the instance that boots from the volume.
func (c *Cloud) rootedOn(v *volume) *instance {
	h := c.holders()[v.ID]
	if h.inst == nil || h.Device != h.inst.RootDevice {
		return nil
	}
	return h.inst
}

func createVolume(c *Cloud, r *request) (any, error) {
	zone := r.need("AvailabilityZone")
	asked := blockDevice{
		SnapshotID: r.text("SnapshotId"),
		VolumeType: r.oneOf("VolumeType", "", "standard", "gp2", "gp3", "io1", "io2", "st1", "sc1"),
		KmsKeyID:   r.text("KmsKeyId"),
		Size:       r.number("Size"),
		Iops:       r.number("Iops"),
		Throughput: r.number("Throughput"),
		Encrypted:  r.boolean("Encrypted"),
	}
	tags := r.tags("volume")
	if asked.Size == nil && asked.SnapshotID == "" {
		r.problem(missing("Size or SnapshotId"))
	}
	if zone != "" && !slices.Contains(zonesOf(r.region), zone) {
		r.problem(faultf("InvalidZone.NotFound", "The zone '%s' does not exist.", zone))
	}
	var made disk
	if err := firstOf(r.checked(), c.mergeDisk(r.region, &made, asked), r.dryRun()); err != nil {
		return nil, err
	}
	v := &volume{ID: newID("vol-"), Region: r.region, Zone: zone, Disk: made, Created: c.now(), Tags: tags}
	if snap := c.state.Snapshots[made.Snapshot]; snap != nil {
		v.Layers = slices.Clone(snap.Layers)
	}
	c.state.Volumes[v.ID] = v
	return v.item(holder{}), nil
}

func deleteVolume(c *Cloud, r *request) (any, error) {
	v, err := c.findVolume(r.region, r.need("VolumeId"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if h := c.holders()[v.ID]; h.inst != nil {
		return nil, faultf("VolumeInUse", "Volume %s is currently attached to %s", v.ID, h.inst.ID)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	delete(c.state.Volumes, v.ID)
	c.dropLayers(v.Layers)
	return simpleAnswer{Return: true}, nil
}
