package template

import (
	"slices"

	"github.com/imagobuild/imago/builder"
)

// readBlockDevices reads one of the two lists of block device mappings.
func readBlockDevices(o *object, name string) []builder.BlockDevice {
	var all []builder.BlockDevice
	for _, d := range o.objects(name) {
		b := builder.BlockDevice{
			DeviceName: d.required("device_name"), VirtualName: d.text("virtual_name"), NoDevice: d.boolean("no_device"),
			SnapshotID: d.text("snapshot_id"),
			VolumeType: d.oneOf("volume_type", "gp3", "gp2", "io1", "io2", "st1", "sc1", "standard"),
			SizeGiB:    d.number("volume_size", 0), IOPS: d.number("iops", 0), Throughput: d.number("throughput", 0),
			Encrypted: d.tristate("encrypted"), KMSKeyID: d.text("kms_key_id"),
			DeleteOnTermination: d.tristate("delete_on_termination"),
		}
		d.finish()
		all = append(all, fixedSpeed(d, b))
	}
	return all
}

// fixedSpeed takes iops from a volume whose type has none to choose: AWS would
// refuse the launch, and Packer does not send them.
func fixedSpeed(d *object, b builder.BlockDevice) builder.BlockDevice {
	if b.IOPS > 0 && slices.Contains([]string{"gp2", "st1", "sc1", "standard"}, b.VolumeType) {
		d.p.warn("iops has no effect: the speed of a %s volume is not to be chosen", b.VolumeType)
		b.IOPS = 0
	}
	return b
}
