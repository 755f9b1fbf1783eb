package localcloud

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// image makes an image of an instance and waits until it is available.
func (c *testCloud) image(instance, name string, pairs ...string) string {
	c.t.Helper()
	id := c.ok("CreateImage", append([]string{"InstanceId", instance, "Name", name}, pairs...)...).text("imageId")
	c.untilImage(id, available)
	return id
}

func (c *testCloud) untilImage(id, state string) {
	c.t.Helper()
	eventually(c.t, "image "+id+" is "+state, func() bool { return c.described(id).text("imageState") == state })
}

// described is an image as DescribeImages shows it.
func (c *testCloud) described(id string) node {
	c.t.Helper()
	return c.ok("DescribeImages", "ImageId.1", id).all("imagesSet/item")[0]
}

// in is the same cloud, called in another region.
func (c *testCloud) in(region string) *testCloud {
	other := *c
	other.region = region
	return &other
}

// layers is the names of the layer directories on disk.
func (c *testCloud) layers() []string {
	c.t.Helper()
	entries, err := os.ReadDir(filepath.Join(c.options.StateDir, "layers"))
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// layersOf is the layers that the state has for an image.
func (c *testCloud) layersOf(id string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.state.Images[id].Layers)
}

func TestCreateImage(t *testing.T) {
	c := openTest(t, func(o *Options) { o.Delays = map[string]time.Duration{available: 50 * time.Millisecond} })
	base := c.base()
	inst := c.run(base, "BlockDeviceMapping.1.DeviceName", "/dev/sdf", "BlockDeviceMapping.1.Ebs.VolumeSize", "3")
	id := c.ok("CreateImage", "InstanceId", inst, "Name", "an image", "Description", "of a test",
		"TagSpecification.1.ResourceType", "image", "TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", "i",
		"TagSpecification.2.ResourceType", "snapshot", "TagSpecification.2.Tag.1.Key", "Name", "TagSpecification.2.Tag.1.Value", "s",
		"BlockDeviceMapping.1.DeviceName", "/dev/xvda", "BlockDeviceMapping.1.Ebs.DeleteOnTermination", "false",
		"BlockDeviceMapping.1.Ebs.VolumeSize", "20").text("imageId")
	if got := c.described(id).text("imageState"); got != pending {
		t.Errorf("the image is %s at once", got)
	}
	if got, want := c.fault("RunInstances", "ImageId", id, "MinCount", "1", "MaxCount", "1"), "400 InvalidAMIID.Unavailable: "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	c.untilImage(id, available)
	img := c.described(id)
	snapshots := img.texts("blockDeviceMapping/item/ebs/snapshotId")
	want := map[string]string{
		"name": "an image", "description": "of a test", "imageLocation": "000000000000/an image",
		"imageOwnerId": "000000000000", "isPublic": "false", "architecture": "x86_64", "imageType": "machine",
		"rootDeviceType": "ebs", "rootDeviceName": "/dev/xvda", "virtualizationType": "hvm", "hypervisor": "xen",
		"enaSupport": "true", "platformDetails": "Linux/UNIX", "usageOperation": "RunInstances",
		"sourceInstanceId": inst, "sourceImageId": base, "sourceImageRegion": "us-east-1",
		"tagSet/item/value":                               "i",
		"blockDeviceMapping/item/deviceName":              "/dev/xvda /dev/sdf",
		"blockDeviceMapping/item/ebs/volumeSize":          "20 3",
		"blockDeviceMapping/item/ebs/volumeType":          "gp2 gp2",
		"blockDeviceMapping/item/ebs/encrypted":           "false false",
		"blockDeviceMapping/item/ebs/snapshotId":          strings.Join(snapshots, " "),
		"blockDeviceMapping/item/ebs/deleteOnTermination": "false true",
	}
	got := map[string]string{}
	for path := range want {
		got[path] = img.text(path)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, snap := range c.ok("DescribeSnapshots", "SnapshotId.1", snapshots[0], "SnapshotId.2", snapshots[1]).all("snapshotSet/item") {
		got := snap.text("status") + " " + snap.text("progress") + " " + snap.text("tagSet/item/value") + " " + snap.text("description")
		if want := "completed 100% s Created by CreateImage(" + inst + ") for " + id; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if starts := c.machines.startsOf(inst); len(starts) != 2 || len(starts[1].Layers) != 2 {
		t.Errorf("the machine was to be started again on two layers: %+v", starts)
	}
	second := c.run(id)
	if starts := c.machines.startsOf(second); len(starts[0].Layers) != 2 {
		t.Errorf("layers of a machine of the image: %v", starts[0].Layers)
	}
}

func TestCreateImageWithoutReboot(t *testing.T) {
	c := openTest(t)
	inst := c.run(c.base())
	id := c.image(inst, "live", "NoReboot", "true")
	if starts := c.machines.startsOf(inst); len(starts) != 1 {
		t.Errorf("the machine was started %d times", len(starts))
	}
	if n := len(c.layersOf(id)); n != 2 {
		t.Errorf("the image has %d layers", n)
	}
}

func TestCreateImageRefuses(t *testing.T) {
	c := openTest(t)
	inst := c.run(c.base())
	c.image(inst, "taken")
	gone := c.run(c.base())
	c.ok("TerminateInstances", "InstanceId.1", gone)
	c.until(gone, "terminated")
	const rules = "400 InvalidAMIName.Malformed: AMI names must be between 3 and 128 characters long, and may contain letters, numbers, " +
		"'(', ')', '.', '-', '/', '_', ''', '@', '[', ']' and spaces"
	for name, test := range map[string]struct {
		want  string
		pairs []string
	}{
		"no name":       {"400 MissingParameter: The request must contain the parameter Name", []string{"Name", ""}},
		"short":         {rules, []string{"Name", "ab"}},
		"long":          {rules, []string{"Name", strings.Repeat("a", 129)}},
		"strange":       {rules, []string{"Name", "a:b:c"}},
		"taken":         {"400 InvalidAMIName.Duplicate: AMI name taken is already in use by AMI ", []string{"Name", "taken"}},
		"no instance":   {"400 InvalidInstanceID.NotFound: The instance ID 'i-00000000' does not exist", []string{"InstanceId", "i-00000000"}},
		"terminated":    {"400 IncorrectInstanceState: The instance '" + gone + "' is in the state 'terminated'; ", []string{"InstanceId", gone}},
		"bad boolean":   {"400 InvalidParameterValue: Value (maybe) for parameter NoReboot is invalid.", []string{"NoReboot", "maybe"}},
		"unknown":       {"400 UnknownParameter: The parameter Reboot is not recognized", []string{"Reboot", "true"}},
		"dry run":       {"412 DryRunOperation: Request would have succeeded, but DryRun flag is set.", []string{"DryRun", "true"}},
		"no such snap":  {"400 InvalidSnapshot.NotFound: The snapshot 'snap-00000000' does not exist.", []string{"BlockDeviceMapping.1.DeviceName", "/dev/sdb", "BlockDeviceMapping.1.Ebs.SnapshotId", "snap-00000000"}},
		"iops of gp2":   {"400 InvalidParameterCombination: The parameter iops is not supported for gp2 volumes.", []string{"BlockDeviceMapping.1.DeviceName", "/dev/xvda", "BlockDeviceMapping.1.Ebs.Iops", "100"}},
		"io1 less iops": {"400 MissingParameter: The parameter iops must be specified for io1 volumes.", []string{"BlockDeviceMapping.1.DeviceName", "/dev/xvda", "BlockDeviceMapping.1.Ebs.VolumeType", "io1"}},
		"key alone":     {"400 InvalidParameterDependency: The parameter KmsKeyId requires the parameter Encrypted to be set.", []string{"BlockDeviceMapping.1.DeviceName", "/dev/xvda", "BlockDeviceMapping.1.Ebs.KmsKeyId", "k"}},
		"device twice":  {"400 InvalidBlockDeviceMapping: The device '/dev/a' is used", []string{"BlockDeviceMapping.1.DeviceName", "/dev/a", "BlockDeviceMapping.2.DeviceName", "/dev/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := c.with(t)
			before := len(c.ok("DescribeImages").all("imagesSet/item"))
			if got := c.fault("CreateImage", append([]string{"InstanceId", inst, "Name", "fine"}, test.pairs...)...); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if after := len(c.ok("DescribeImages").all("imagesSet/item")); after != before {
				t.Errorf("%d images before, %d after", before, after)
			}
		})
	}
}

func TestFailedImageSaysWhy(t *testing.T) {
	c := openTest(t)
	inst := c.run(c.base())
	if err := os.RemoveAll(filepath.Join(c.dir, "disks", inst)); err != nil { // nothing to capture
		t.Fatal(err)
	}
	id := c.ok("CreateImage", "InstanceId", inst, "Name", "broken").text("imageId")
	c.untilImage(id, failed)
	img := c.described(id)
	if got := img.text("stateReason/message"); !strings.Contains(got, "no such file") {
		t.Errorf("the reason is %q", got)
	}
	snap := img.text("blockDeviceMapping/item/ebs/snapshotId")
	if got := c.ok("DescribeSnapshots", "SnapshotId.1", snap).text("snapshotSet/item/status"); got != "error" {
		t.Errorf("the snapshot is %s", got)
	}
	c.ok("CreateImage", "InstanceId", inst, "Name", "broken") // the name is free again
}

func TestDeepImagesAreFlattened(t *testing.T) {
	c := openTest(t)
	inst := c.run(c.base())
	depths := []int{}
	for i := range 11 {
		file := filepath.Join(c.dir, "disks", inst, fmt.Sprintf("file-%d", i))
		if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		id := c.image(inst, fmt.Sprintf("image %d", i))
		depths = append(depths, len(c.layersOf(id)))
		if i == 10 {
			files, err := filepath.Glob(filepath.Join(c.layerPath(c.layersOf(id)[0]), "file-*"))
			if err != nil || len(files) != 11 {
				t.Errorf("the flat layer has %v, %v", files, err)
			}
		}
	}
	if diff := cmp.Diff([]int{2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 1}, depths); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLayersGoWithTheLastThatNeedsThem(t *testing.T) {
	c := openTest(t)
	inst := c.run(c.base())
	first := c.image(inst, "first")
	copied := c.ok("CopyImage", "SourceImageId", first, "SourceRegion", "us-east-1", "Name", "copy").text("imageId")
	c.untilImage(copied, available)
	expect := func(when string, want int) {
		t.Helper()
		if got := c.layers(); len(got) != want {
			t.Errorf("%s: layers %v, want %d", when, got, want)
		}
	}
	c.ok("TerminateInstances", "InstanceId.1", inst)
	c.until(inst, "terminated")
	expect("two images", 1)
	c.ok("DeregisterImage", "ImageId", first, "DeleteAssociatedSnapshots", "true")
	expect("a copy", 1)
	snap := c.described(copied).text("blockDeviceMapping/item/ebs/snapshotId")
	if got, want := c.fault("DeleteSnapshot", "SnapshotId", snap), "400 InvalidSnapshot.InUse: The snapshot "+snap+" is currently in use by "+copied; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.ok("DeregisterImage", "ImageId", copied)
	expect("a snapshot", 1)
	again := c.ok("RegisterImage", "Name", "again", "RootDeviceName", "/dev/xvda", "Architecture", "x86_64", "VirtualizationType", "hvm",
		"BlockDeviceMapping.1.DeviceName", "/dev/xvda", "BlockDeviceMapping.1.Ebs.SnapshotId", snap).text("imageId")
	third := c.run(again)
	if starts := c.machines.startsOf(third); len(starts[0].Layers) != 2 {
		t.Errorf("layers of a registered image's machine: %v", starts[0].Layers)
	}
	c.ok("DeregisterImage", "ImageId", again, "DeleteAssociatedSnapshots", "true")
	expect("a machine", 1)
	c.ok("TerminateInstances", "InstanceId.1", third)
	c.until(third, "terminated")
	expect("nothing", 0)
	if left := len(c.ok("DescribeSnapshots").all("snapshotSet/item")); left != 1 { // the base's
		t.Errorf("%d snapshots are left", left)
	}
}

func TestCopyImage(t *testing.T) {
	c := openTest(t)
	source := c.image(c.run(c.base()), "source", "TagSpecification.1.ResourceType", "image",
		"TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", "old", "TagSpecification.1.Tag.2.Key", "Kept", "TagSpecification.1.Tag.2.Value", "yes")
	west := c.in("us-west-2")
	ask := []string{"SourceImageId", source, "SourceRegion", "us-east-1", "Name", "source", "Encrypted", "true", "KmsKeyId", "alias/mine",
		"CopyImageTags", "true", "TagSpecification.1.ResourceType", "image", "TagSpecification.1.Tag.1.Key", "Name",
		"TagSpecification.1.Tag.1.Value", "new", "ClientToken", "once"}
	id := west.ok("CopyImage", ask...).text("imageId")
	if again := west.ok("CopyImage", ask...).text("imageId"); again != id {
		t.Errorf("the same token made %s and %s", id, again)
	}
	west.untilImage(id, available)
	img := west.described(id)
	snap := img.text("blockDeviceMapping/item/ebs/snapshotId")
	got := []string{img.text("description"), img.text("tagSet/item/value"), img.text("blockDeviceMapping/item/ebs/encrypted"),
		img.text("blockDeviceMapping/item/ebs/kmsKeyId"), west.ok("DescribeSnapshots", "SnapshotId.1", snap).text("snapshotSet/item/encrypted"),
		img.text("sourceImageId") + img.text("sourceImageRegion")}
	want := []string{"[Copied " + source + " from us-east-1] source", "yes new", "true", "arn:aws:kms:us-west-2:000000000000:alias/mine", "true", source + "us-east-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for call, want := range map[string]string{
		c.fault("DescribeImages", "ImageId.1", id):                                                                 "400 InvalidAMIID.NotFound: The image id '[" + id + "]' does not exist",
		c.fault("CopyImage", "SourceImageId", id, "SourceRegion", "us-east-1", "Name", "abc"):                      "400 InvalidAMIID.NotFound: The image id '[" + id + "]' does not exist",
		c.fault("CopyImage", "SourceImageId", source, "Name", "abc"):                                               "400 MissingParameter: The request must contain the parameter SourceRegion",
		west.fault("CopyImage", append(slices.Clone(ask), "Name", "other")...):                                     "400 IdempotentParameterMismatch: Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
		c.fault("CopyImage", "SourceImageId", source, "SourceRegion", "us-east-1", "Name", "abc", "KmsKeyId", "k"): "400 InvalidParameterDependency: The parameter KmsKeyId requires the parameter Encrypted to be set.",
	} {
		if call != want {
			t.Errorf("got %q, want %q", call, want)
		}
	}
	west.run(id)
}

func TestPendingImagesFailAtARestart(t *testing.T) {
	dir := t.TempDir()
	slow := func(o *Options) { o.Delays = map[string]time.Duration{available: time.Hour} }
	c := openTestIn(t, dir, slow)
	inst := c.run(c.base())
	done := c.ok("CreateImage", "InstanceId", inst, "Name", "first").text("imageId")
	eventually(t, "the disk is captured", func() bool { return len(c.layers()) == 1 })
	copied := c.in("eu-west-1").ok("CopyImage", "SourceImageId", c.base(), "SourceRegion", "us-east-1", "Name", "copy").text("imageId")
	c.stop()
	again := openTestIn(t, dir)
	for _, img := range []node{again.described(done), again.in("eu-west-1").described(copied)} {
		if img.text("imageState") != failed || img.text("stateReason/message") == "" {
			t.Errorf("%s is %s: %q", img.text("name"), img.text("imageState"), img.text("stateReason/message"))
		}
	}
}
