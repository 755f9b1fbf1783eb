package localcloud

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rootVolume is the id of an instance's root volume.
func (c *testCloud) rootVolume(instance string) string {
	c.t.Helper()
	return c.ok("DescribeVolumes", "Filter.1.Name", "attachment.instance-id", "Filter.1.Value.1", instance).text("volumeSet/item/volumeId")
}

func (c *testCloud) snapshotState(id string) string {
	c.t.Helper()
	return c.ok("DescribeSnapshots", "SnapshotId.1", id).text("snapshotSet/item/status")
}

func TestSnapshotOfARunningMachineBecomesAnImage(t *testing.T) {
	c := openTest(t)
	inst := c.run(c.base())
	if err := os.WriteFile(filepath.Join(c.dir, "disks", inst, "file"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	made := c.ok("CreateSnapshot", "VolumeId", c.rootVolume(inst), "Description", "mine",
		"TagSpecification.1.ResourceType", "snapshot", "TagSpecification.1.Tag.1.Key", "k", "TagSpecification.1.Tag.1.Value", "v")
	if got := made.text("status") + made.text("description") + made.text("volumeSize") + made.text("tagSet/item/value"); got != "pendingmine8v" {
		t.Errorf("got %q", got)
	}
	id := made.text("snapshotId")
	eventually(t, "the snapshot is completed", func() bool { return c.snapshotState(id) == "completed" })
	copied := c.in("eu-west-1").ok("CopySnapshot", "SourceRegion", "us-east-1", "SourceSnapshotId", id).text("snapshotId")
	eventually(t, "the copy is completed", func() bool { return c.in("eu-west-1").snapshotState(copied) == "completed" })
	c.ok("DeleteSnapshot", "SnapshotId", id)
	register := []string{"Name", "registered", "RootDeviceName", "/dev/xvda", "Architecture", "x86_64", "VirtualizationType", "hvm", "EnaSupport", "true",
		"BlockDeviceMapping.1.DeviceName", "/dev/xvda", "BlockDeviceMapping.1.Ebs.SnapshotId", copied}
	img := c.in("eu-west-1").ok("RegisterImage", register...).text("imageId")
	if _, err := os.Stat(filepath.Join(c.layerPath(c.layersOf(img)[0]), "file")); err != nil {
		t.Errorf("the file is not in the image: %v", err)
	}
	c.in("eu-west-1").run(img)
}

func TestRegisterImageRefuses(t *testing.T) {
	c := openTest(t)
	inst := c.run(c.base(), "BlockDeviceMapping.1.DeviceName", "/dev/sdf", "BlockDeviceMapping.1.Ebs.VolumeSize", "2")
	data := c.ok("DescribeVolumes", "Filter.1.Name", "attachment.device", "Filter.1.Value.1", "/dev/sdf").text("volumeSet/item/volumeId")
	snap := c.ok("CreateSnapshot", "VolumeId", data).text("snapshotId")
	eventually(t, "the snapshot is completed", func() bool { return c.snapshotState(snap) == "completed" })
	_ = inst
	good := []string{"Name", "abc", "RootDeviceName", "/dev/xvda", "Architecture", "x86_64", "VirtualizationType", "hvm",
		"BlockDeviceMapping.1.DeviceName", "/dev/xvda", "BlockDeviceMapping.1.Ebs.SnapshotId", snap}
	for want, change := range map[string][]string{
		"400 InvalidParameterValue: The snapshot '" + snap + "' is not of a root disk; no machine can boot from it.":                           nil,
		"400 UnsupportedOperation: The machines of the local cloud are of architecture x86_64 and virtualization type hvm, not arm64 and hvm.": {"Architecture", "arm64"},
		"400 InvalidBlockDeviceMapping: The root device '/dev/sda1' needs an Ebs.SnapshotId in a block-device mapping":                         {"RootDeviceName", "/dev/sda1"},
		"400 InvalidBlockDeviceMapping: Volume of size 1GB is smaller than snapshot '" + snap + "', expect size>= 2GB":                         {"BlockDeviceMapping.1.Ebs.VolumeSize", "1"},
		"400 InvalidSnapshotID.Malformed: Value (x) for parameter snapshotId is invalid. Expected: 'snap-...'.":                                {"BlockDeviceMapping.1.Ebs.SnapshotId", "x"},
		"400 UnknownParameter: The parameter ImageLocation is not recognized":                                                                  {"ImageLocation", "bucket/manifest"},
	} {
		if got := c.fault("RegisterImage", append(append([]string{}, good...), change...)...); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSnapshotAttributes(t *testing.T) {
	c := openTest(t)
	snap := c.ok("CreateSnapshot", "VolumeId", c.rootVolume(c.run(c.base()))).text("snapshotId")
	eventually(t, "the snapshot is completed", func() bool { return c.snapshotState(snap) == "completed" })
	permissions := func() []string {
		n := c.ok("DescribeSnapshotAttribute", "SnapshotId", snap, "Attribute", "createVolumePermission")
		return append(n.texts("createVolumePermission/item/group"), n.texts("createVolumePermission/item/userId")...)
	}
	c.ok("ModifySnapshotAttribute", "SnapshotId", snap, "Attribute", "createVolumePermission", "OperationType", "add", "UserId.1", "123456789012")
	c.ok("ModifySnapshotAttribute", "SnapshotId", snap, "CreateVolumePermission.Add.1.Group", "all")
	if diff := cmp.Diff([]string{"all", "123456789012"}, permissions()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	c.ok("ResetSnapshotAttribute", "SnapshotId", snap, "Attribute", "createVolumePermission")
	if got := permissions(); len(got) != 0 {
		t.Errorf("after a reset: %v", got)
	}
	if got := c.ok("DescribeSnapshots", "Owner.1", "amazon").texts("snapshotSet/item/snapshotId"); len(got) != 0 {
		t.Errorf("amazon owns %v", got)
	}
}

func TestVolumes(t *testing.T) {
	c := openTest(t)
	inst := c.run(c.base(), "BlockDeviceMapping.1.DeviceName", "/dev/sdf", "BlockDeviceMapping.1.Ebs.VolumeSize", "5",
		"BlockDeviceMapping.1.Ebs.VolumeType", "gp3", "BlockDeviceMapping.1.Ebs.DeleteOnTermination", "false", "BlockDeviceMapping.1.Ebs.Encrypted", "true")
	kept := c.ok("DescribeVolumes", "Filter.1.Name", "attachment.device", "Filter.1.Value.1", "/dev/sdf").all("volumeSet/item")[0]
	want := []string{"5", "in-use", "gp3", "3000", "125", "true", "arn:aws:kms:us-east-1:000000000000:alias/aws/ebs", inst, "false", "attached"}
	var got []string
	for _, path := range []string{"size", "status", "volumeType", "iops", "throughput", "encrypted", "kmsKeyId",
		"attachmentSet/item/instanceId", "attachmentSet/item/deleteOnTermination", "attachmentSet/item/status"} {
		got = append(got, kept.text(path))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	id := kept.text("volumeId")
	if got, want := c.fault("DeleteVolume", "VolumeId", id), "400 VolumeInUse: Volume "+id+" is currently attached to "+inst; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.ok("TerminateInstances", "InstanceId.1", inst)
	c.until(inst, "terminated")
	if got := c.ok("DescribeVolumes").all("volumeSet/item"); len(got) != 1 || got[0].text("volumeId")+got[0].text("status") != id+"available" {
		t.Errorf("left: %v", got)
	}
	c.ok("DeleteVolume", "VolumeId", id)
	made := c.ok("CreateVolume", "AvailabilityZone", "us-east-1b", "Size", "7", "ClientToken", "t").text("volumeId")
	if again := c.ok("CreateVolume", "AvailabilityZone", "us-east-1b", "Size", "7", "ClientToken", "t").text("volumeId"); again != made {
		t.Errorf("the same token made %s and %s", made, again)
	}
	for want, call := range map[string][]string{
		"400 InvalidZone.NotFound: The zone 'eu-west-1a' does not exist.":                                                    {"CreateVolume", "AvailabilityZone", "eu-west-1a", "Size", "1"},
		"400 MissingParameter: The request must contain the parameter Size or SnapshotId":                                    {"CreateVolume", "AvailabilityZone", "us-east-1a"},
		"400 InvalidParameterValue: Volume of 70000GiB is out of bounds, expecting 1 to 65536":                               {"CreateVolume", "AvailabilityZone", "us-east-1a", "Size", "70000"},
		"400 InvalidVolume.NotFound: The volume 'vol-00000000' does not exist.":                                              {"DeleteVolume", "VolumeId", "vol-00000000"},
		"400 UnsupportedOperation: The local cloud cannot attach a volume to a machine: its machines have no block devices.": {"AttachVolume", "VolumeId", made, "InstanceId", inst, "Device", "/dev/sdg"},
		"400 InvalidParameterValue: Value (x) for parameter volumeId is invalid. Expected: 'vol-...'.":                       {"DescribeVolumes", "VolumeId.1", "x"},
	} {
		if got := c.fault(call[0], call[1:]...); got != want {
			t.Errorf("%v: got %q, want %q", call, got, want)
		}
	}
	if got := c.in("eu-west-1").ok("DescribeVolumes").text("volumeSet/item/volumeId"); strings.Contains(got, made) {
		t.Error("a volume is in two regions")
	}
}
