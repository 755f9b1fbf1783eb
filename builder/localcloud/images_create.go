package localcloud

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// createImage answers with the id of an image that is still pending, as AWS
// does; the work goes on in the background.
func createImage(c *Cloud, r *request) (any, error) {
	inst, err := c.findInstance(r.region, r.need("InstanceId"))
	img := c.newImage(r)
	noReboot, asked := r.boolean("NoReboot"), r.blockDevices()
	r.oneOf("SnapshotLocation", "regional", "regional")
	snapshotTags := r.tags("snapshot")
	if err := firstOf(r.checked(), err); err != nil {
		return nil, err
	}
	if inst.State != running && inst.State != stopped {
		return nil, faultf("IncorrectInstanceState", "The instance '%s' is in the state '%s'; an image is made of one that is 'running' or 'stopped'.", inst.ID, inst.State)
	}
	mappings, err := c.mergeMappings(r.region, c.mappingsOfInstance(inst), asked)
	if err := firstOf(err, r.dryRun()); err != nil {
		return nil, err
	}
	img.SourceInstance, img.RootDevice = inst.ID, inst.RootDevice
	img.Architecture, img.ENA = inst.Architecture, inst.ENA
	if from := c.state.Images[inst.ImageID]; from != nil {
		img.SourceImage, img.SourceRegion = from.ID, r.region
		img.IMDSSupport, img.BootMode, img.SRIOV = from.IMDSSupport, from.BootMode, from.SRIOV
		img.ProductCodes = slices.Clone(from.ProductCodes)
	}
	top := newID("layer-")
	img.Layers = slices.Concat([]string{top}, inst.Layers) // held from now on, though top is still to come
	img.Mappings = c.snapshotDisks(inst, mappings, img, snapshotTags)
	c.state.Images[img.ID] = img
	live := isTrue(noReboot)
	c.background(func(ctx context.Context) { c.takeImage(ctx, inst, img, capturing{top, live}) })
	return imageCreated{img.ID}, nil
}

type imageCreated struct {
	ID string `xml:"imageId"`
}

// newImage is an image of the request's name, description and tags, pending.
func (c *Cloud) newImage(r *request) *image {
	return &image{
		ID:          newID("ami-"),
		Name:        c.readImageName(r),
		Region:      r.region,
		Description: readDescription(r),
		State:       pending,
		Created:     c.now(),
		Tags:        r.tags("image"),
	}
}

// mappingsOfInstance is an instance's disks as the base of an image's mapping:
// those that are attached, at their present size.
func (c *Cloud) mappingsOfInstance(inst *instance) []mapping {
	var all []mapping
	for _, a := range inst.Volumes {
		v := c.state.Volumes[a.VolumeID]
		if v == nil {
			continue
		}
		d := v.Disk
		d.DeleteOnTermination = a.DeleteOnTermination
		d.Snapshot = ""
		all = append(all, mapping{Device: a.Device, Disk: &d})
	}
	return all
}

// snapshotDisks begins a snapshot of each disk that the image takes from the
// instance. A disk that only the request names is made from the request's
// snapshot, or empty.
func (c *Cloud) snapshotDisks(inst *instance, mappings []mapping, img *image, tags map[string]string) []mapping {
	description := fmt.Sprintf("Created by CreateImage(%s) for %s", inst.ID, img.ID)
	for _, a := range inst.Volumes {
		at := slices.IndexFunc(mappings, func(m mapping) bool { return m.Device == a.Device && m.Disk != nil })
		v := c.state.Volumes[a.VolumeID]
		if at < 0 || v == nil || mappings[at].Disk.Snapshot != "" {
			continue
		}
		snap := c.snapshotOf(v, description, maps.Clone(tags))
		mappings[at].Disk.Snapshot = snap.ID
		if a.Device == inst.RootDevice {
			snap.Layers = slices.Clone(img.Layers)
		}
	}
	return mappings
}

// capturing is the layer to capture to, and whether the machine keeps running.
type capturing struct {
	top  string
	live bool
}

// takeImage captures the machine's disk and makes the image available, or
// marks it failed and says why.
func (c *Cloud) takeImage(ctx context.Context, inst *instance, img *image, how capturing) {
	start := time.Now()
	layers, err := c.capture(ctx, inst, how.top, how.live)
	made := layers
	if err == nil && len(layers) > maxLayers {
		layers, err = c.flatten(ctx, layers)
	}
	err = firstOf(err, c.ripen(ctx, img.ID, available, start))
	c.change(func() {
		before := slices.Concat(img.Layers, made, layers)
		c.settleImage(img, layers, err)
		c.dropLayers(before)
	})
}

// settleImage is the end of an image's making. The image or its snapshots may
// have been deleted meanwhile: then nothing refers to the layers.
func (c *Cloud) settleImage(img *image, layers []string, err error) {
	for _, m := range img.Mappings {
		if m.Disk == nil || c.state.Snapshots[m.Disk.Snapshot] == nil {
			continue
		}
		snap := c.state.Snapshots[m.Disk.Snapshot]
		if snap.State != pending {
			continue // the request named it: it is not of this making
		}
		if m.Device == img.RootDevice {
			snap.Layers = layers
		}
		snap.settle(err)
	}
	if err != nil {
		img.fail(err.Error())
		c.log.Warn("an image could not be made", "image", img.ID, "why", err)
		return
	}
	img.Layers, img.State = layers, available
}

func (i *image) fail(why string) {
	i.State, i.StateReason, i.Layers = failed, why, nil
}

// flatten makes one layer of a stack that has grown too deep.
func (c *Cloud) flatten(ctx context.Context, layers []string) ([]string, error) {
	var paths []string
	for _, name := range layers {
		paths = append(paths, c.layerPath(name))
	}
	flat := newID("layer-")
	if err := machine.Flatten(ctx, paths, c.layerPath(flat)); err != nil {
		return []string{flat}, fmt.Errorf("make one layer of %d: %w", len(layers), err)
	}
	return []string{flat}, nil
}
