package localcloud

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// basePrefix marks the layers that are in the cache.
const basePrefix = "cache/"

// baseDisk is the size that a base's root disk claims, in GiB: that of Debian's
// own images.
const baseDisk = 8

// ImageSpec says which base to register, and as what.
type ImageSpec struct {
	// Suite is debian-12 or debian-13.
	Suite string
	// ID is the image's id, such as one that a template names. Optional;
	// defaults to a new one.
	ID string
	// Name is the image's name. Optional; defaults to one made as Debian makes
	// them, debian-12-amd64-20261124-1200.
	Name string
}

// ImageInfo is an image of the local cloud.
type ImageInfo struct {
	ID      string
	Name    string
	Region  string // empty for a base, which is in all regions
	State   string // pending, available or failed
	Created time.Time
}

// AddImage registers the base of a suite as an image, in all regions. It builds
// the base first unless it is in the cache. To add the same id again does
// nothing when it is a base of the same suite.
func (c *Cloud) AddImage(ctx context.Context, spec ImageSpec) (ImageInfo, error) {
	return c.addImage(ctx, spec, c.options.Progress)
}

func (c *Cloud) addImage(ctx context.Context, spec ImageSpec, progress func(string)) (ImageInfo, error) {
	if spec.ID != "" && !wellFormed("ami-", spec.ID) {
		return ImageInfo{}, malformed("InvalidAMIID.Malformed", "ami-", spec.ID)
	}
	suite, err := suiteOf(spec.Suite)
	if err != nil {
		return ImageInfo{}, err
	}
	c.baseMu.Lock()
	defer c.baseMu.Unlock()
	dir, err := c.buildBase(ctx, machine.BaseConfig{Suite: suite, Dir: c.options.CacheDir, Progress: progress})
	if err != nil {
		return ImageInfo{}, err
	}
	layer, err := filepath.Rel(c.options.CacheDir, dir)
	if err != nil {
		return ImageInfo{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	spec.Suite = suite
	img, err := c.register(spec, basePrefix+layer)
	if err != nil {
		return ImageInfo{}, err
	}
	return img.info(), c.save()
}

// suiteOf is a suite's name with its number, whichever way it was named.
func suiteOf(name string) (string, error) {
	switch name {
	case "debian-12", "bookworm":
		return "debian-12", nil
	case "debian-13", "trixie":
		return "debian-13", nil
	}
	return "", faultf("InvalidParameterValue", "There is no base %q: the bases are debian-12 and debian-13.", name)
}

// register makes a base an image, or an image of the same suite one of the base
// as it is now. The caller holds c.mu.
func (c *Cloud) register(spec ImageSpec, layer string) (*image, error) {
	if old := c.state.Images[spec.ID]; old != nil {
		if old.Suite == spec.Suite && cmp.Or(spec.Name, old.Name) == old.Name {
			old.Layers = []string{layer} // a newer imago may have another recipe
			old.Mappings[0].Disk.Snapshot = c.baseSnapshot(spec.Suite, old.Layers).ID
			return old, nil
		}
		return nil, faultf("InvalidAMIID.Duplicate", "The image %s is there already and is something else (%s); "+
			"remove it first, with: imago local image rm %s", old.ID, old.Name, old.ID)
	}
	name := spec.Name
	if name == "" {
		name = c.freeName(spec.Suite + "-amd64-" + c.now().UTC().Format("20060102-1504"))
	}
	snap := c.baseSnapshot(spec.Suite, []string{layer})
	img := &image{
		ID:          cmp.Or(spec.ID, newID("ami-")),
		Name:        name,
		Description: "imago's base of " + spec.Suite,
		State:       available,
		Layers:      []string{layer},
		RootDevice:  "/dev/xvda",
		Mappings: []mapping{{Device: "/dev/xvda", Disk: &disk{
			Snapshot: snap.ID, Size: baseDisk, Type: "gp2", DeleteOnTermination: true,
		}}},
		ENA:        true,
		Location:   "amazon/" + name,
		Created:    c.now(),
		Tags:       map[string]string{},
		Public:     true,
		Suite:      spec.Suite,
		Publishers: publishers(spec.Suite),
	}
	c.state.Images[img.ID] = img
	return img, nil
}

// baseSnapshot is the snapshot of a base, which all images of the base share.
func (c *Cloud) baseSnapshot(suite string, layers []string) *snapshot {
	for _, id := range sortedKeys(c.state.Snapshots) {
		if snap := c.state.Snapshots[id]; slices.Equal(snap.Layers, layers) && snap.Region == "" {
			return snap
		}
	}
	snap := &snapshot{
		ID: newID("snap-"), VolumeID: unknownVolume, Description: "imago's base of " + suite, State: completed,
		Size: baseDisk, Layers: slices.Clone(layers), Started: c.now(), Tags: map[string]string{},
	}
	c.state.Snapshots[snap.ID] = snap
	return snap
}

// freeName is name, or name with a number that no image has.
func (c *Cloud) freeName(name string) string {
	taken := map[string]bool{}
	for _, img := range c.state.Images {
		taken[img.Name] = true
	}
	free := name
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

// publishers are the accounts that publish a suite's images on AWS.
func publishers(suite string) []string {
	if strings.HasPrefix(suite, "debian-") {
		return []string{"136693071363"}
	}
	return nil
}

func (i *image) info() ImageInfo {
	return ImageInfo{ID: i.ID, Name: i.Name, Region: i.Region, State: i.State, Created: i.Created}
}

// removeImage takes an image and its snapshots away, in whatever region it is.
func (c *Cloud) removeImage(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	img := c.state.Images[id]
	if img == nil {
		return faultf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
	}
	c.forgetImage(img)
	return c.save()
}

// forgetImage removes an image, those of its snapshots that no other image
// needs, and the layers that then nobody needs. The caller holds c.mu.
func (c *Cloud) forgetImage(img *image) {
	layers := slices.Clone(img.Layers)
	delete(c.state.Images, img.ID)
	for _, id := range img.snapshots() {
		snap := c.state.Snapshots[id]
		if snap == nil || c.imageUsing(id) != nil {
			continue
		}
		layers = append(layers, snap.Layers...)
		delete(c.state.Snapshots, id)
	}
	c.dropLayers(layers)
}
