package localcloud

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// snapshot is a disk at a moment. That of a root disk has layers; a data disk
// is only a record, because the machines have no block devices.
type snapshot struct {
	ID          string
	Region      string // "" for that of a base, which is there in every region
	VolumeID    string
	Description string
	State       string // pending, completed, error
	Message     string // why it is in error
	Size        int    // GiB
	Encrypted   bool
	Key         string   // ARN of the KMS key
	Layers      []string // names of directories, top first
	Started     time.Time
	Tags        map[string]string
	Public      bool
	Users       []string // accounts that may make volumes of it
}

const completed = "completed"

// unknownVolume is what AWS shows for a snapshot that was made from none.
const unknownVolume = "vol-ffffffff"

func snapshotActions() map[string]handler {
	return map[string]handler{
		"CreateSnapshot":            createSnapshot,
		"CopySnapshot":              copySnapshot,
		"DeleteSnapshot":            deleteSnapshot,
		"DescribeSnapshots":         describeSnapshots,
		"DescribeSnapshotAttribute": describeSnapshotAttribute,
		"ModifySnapshotAttribute":   modifySnapshotAttribute,
		"ResetSnapshotAttribute":    resetSnapshotAttribute,
	}
}

// findSnapshot is the snapshot with that id in the region, in any state.
func (c *Cloud) findSnapshot(region, id string) (*snapshot, error) {
	if !wellFormed("snap-", id) {
		return nil, faultf("InvalidSnapshotID.Malformed", "Value (%s) for parameter snapshotId is invalid. Expected: 'snap-...'.", id)
	}
	snap := c.state.Snapshots[id]
	if snap == nil || !snap.in(region) {
		return nil, faultf("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", id)
	}
	return snap, nil
}

func (s *snapshot) in(region string) bool { return s.Region == region || s.Region == "" }

// snapshotOf begins a snapshot of a volume; the caller completes it.
func (c *Cloud) snapshotOf(v *volume, description string, tags map[string]string) *snapshot {
	snap := &snapshot{
		ID:          newID("snap-"),
		Region:      v.Region,
		VolumeID:    v.ID,
		Description: description,
		State:       pending,
		Size:        v.Disk.Size,
		Encrypted:   v.Disk.Encrypted,
		Key:         v.Disk.Key,
		Started:     c.now(),
		Tags:        tags,
	}
	c.state.Snapshots[snap.ID] = snap
	return snap
}

// settle completes a snapshot, or marks what went wrong.
func (s *snapshot) settle(err error) {
	if err != nil {
		s.State, s.Message, s.Layers = "error", err.Error(), nil
		return
	}
	s.State = completed
}

// finishSnapshot completes one that has its layers already.
func (c *Cloud) finishSnapshot(snap *snapshot) {
	c.finish(snap.ID, completed, func(err error) {
		layers := snap.Layers
		snap.settle(err)
		c.dropLayers(layers)
	})
}

// createSnapshot takes the disk as it is: of a running machine, its files at
// this moment; of a stopped one, all of it.
func createSnapshot(c *Cloud, r *request) (any, error) {
	v, err := c.findVolume(r.region, r.need("VolumeId"))
	description, tags := readDescription(r), r.tags("snapshot")
	r.oneOf("Location", "regional", "regional")
	if err := firstOf(r.checked(), err, r.dryRun()); err != nil {
		return nil, err
	}
	snap := c.snapshotOf(v, description, tags)
	inst := c.rootedOn(v)
	if inst == nil {
		snap.Layers = slices.Clone(v.Layers)
		c.finishSnapshot(snap)
		return snap.item(), nil
	}
	top := newID("layer-")
	snap.Layers = slices.Concat([]string{top}, inst.Layers) // held from now on, though top is still to come
	c.background(func(ctx context.Context) { c.takeSnapshot(ctx, inst, snap, top) })
	return snap.item(), nil
}

// takeSnapshot copies the root disk of an instance, which goes on running.
func (c *Cloud) takeSnapshot(ctx context.Context, inst *instance, snap *snapshot, top string) {
	start := time.Now()
	layers, err := c.capture(ctx, inst, top, true)
	err = firstOf(err, c.ripen(ctx, snap.ID, completed, start))
	c.change(func() {
		snap.Layers = layers
		if snap.settle(err); err != nil {
			c.dropLayers([]string{top})
		}
	})
}

func deleteSnapshot(c *Cloud, r *request) (any, error) {
	snap, err := c.findSnapshot(r.region, r.need("SnapshotId"))
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if user := c.imageUsing(snap.ID); user != nil {
		return nil, faultf("InvalidSnapshot.InUse", "The snapshot %s is currently in use by %s", snap.ID, user.ID)
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	c.deleteSnapshotNow(snap)
	return simpleAnswer{Return: true}, nil
}

func (c *Cloud) deleteSnapshotNow(snap *snapshot) {
	delete(c.state.Snapshots, snap.ID)
	c.dropLayers(snap.Layers)
}

// copySnapshot copies a snapshot of the same or another region; the layers are
// shared, not copied.
func copySnapshot(c *Cloud, r *request) (any, error) {
	from := r.need("SourceRegion")
	source, err := c.findSnapshot(from, r.need("SourceSnapshotId"))
	encrypted, key := r.boolean("Encrypted"), r.text("KmsKeyId")
	description, tags := readDescription(r), r.tags("snapshot")
	r.text("PresignedUrl") // what it would prove, the local cloud knows already
	r.text("DestinationRegion")
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if source.State != completed {
		return nil, faultf("IncorrectState", "The snapshot '%s' is not 'completed'.", source.ID)
	}
	made := disk{Encrypted: source.Encrypted, Key: source.Key}
	if err := made.setEncryption(r.region, encrypted, key); err != nil {
		return nil, err
	}
	if err := r.dryRun(); err != nil {
		return nil, err
	}
	snap := c.copyOfSnapshot(source, r.region, made)
	snap.Description = cmp.Or(description, fmt.Sprintf("[Copied %s from %s]", source.ID, from))
	snap.Tags = tags
	c.finishSnapshot(snap)
	return struct {
		ID   string `xml:"snapshotId"`
		Tags tagSet `xml:"tagSet"`
	}{snap.ID, tagsOf(tags)}, nil
}

// copyOfSnapshot begins a copy that shares the layers of its source.
func (c *Cloud) copyOfSnapshot(source *snapshot, region string, made disk) *snapshot {
	snap := &snapshot{
		ID:        newID("snap-"),
		Region:    region,
		VolumeID:  unknownVolume,
		State:     pending,
		Size:      source.Size,
		Encrypted: made.Encrypted,
		Key:       made.Key,
		Layers:    slices.Clone(source.Layers),
		Started:   c.now(),
		Tags:      map[string]string{},
	}
	c.state.Snapshots[snap.ID] = snap
	return snap
}

// snapshotsIn is the snapshots of a region, the oldest first.
func (c *Cloud) snapshotsIn(region string) []*snapshot {
	var all []*snapshot
	for _, snap := range c.state.Snapshots {
		if snap.in(region) {
			all = append(all, snap)
		}
	}
	slices.SortFunc(all, func(a, b *snapshot) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.ID, b.ID))
	})
	return all
}
