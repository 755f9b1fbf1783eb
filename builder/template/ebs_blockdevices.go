package template

import "github.com/imagobuild/imago/builder"

// readBlockDevices reads one of the two lists of block device mappings.
func readBlockDevices(o *object, name string) []builder.BlockDevice {
	var all []builder.BlockDevice
	for _, d := range o.objects(name) {
		all = append(all, builder.BlockDevice{
			DeviceName: d.required("device_name"), VirtualName: d.text("virtual_name"), NoDevice: d.boolean("no_device"),
			SnapshotID: d.text("snapshot_id"),
			VolumeType: d.oneOf("volume_type", "gp3", "gp2", "io1", "io2", "st1", "sc1", "standard"),
			SizeGiB:    d.number("volume_size", 0), IOPS: d.number("iops", 0), Throughput: d.number("throughput", 0),
			Encrypted: d.tristate("encrypted"), KMSKeyID: d.text("kms_key_id"),
			DeleteOnTermination: d.tristate("delete_on_termination"),
		})
		if last := all[len(all)-1]; last.IOPS > 0 && !last.HasIOPS() {
			d.p.warn("%s: iops has no effect on %s volumes", name, last.VolumeType)
		}
		d.finish()
	}
	return all
}
