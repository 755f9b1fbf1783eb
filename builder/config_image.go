package builder

import "time"

// Output is the image to make.
type Output struct {
	// Name of the image (ami_name), 3 to 128 characters. Required.
	Name string

	Description string

	// Tags of the image and, unless SnapshotTags says otherwise, its snapshots (tags, snapshot_tags).
	// Their values may hold {{ .SourceAMI }} and Packer's other image fields, filled in when they are known.
	Tags, SnapshotTags map[string]string

	// Regions to copy to (ami_regions), with a KMS key each if encrypted (region_kms_key_ids). Optional.
	Regions []RegionCopy

	// BlockDevices of the image (ami_block_device_mappings). Optional.
	BlockDevices []BlockDevice

	// Users, Groups, OrgARNs, OUARNs and ProductCodes may launch it (ami_users, ami_groups …);
	// SnapshotUsers and SnapshotGroups may use its snapshots.
	Users, Groups, OrgARNs, OUARNs, ProductCodes []string
	SnapshotUsers, SnapshotGroups                []string

	// Virtualization must be the source image's (ami_virtualization_type). Optional.
	Virtualization string

	// ENA and SRIOV are enhanced networking (ena_support, sriov_support).
	ENA   *bool
	SRIOV bool

	// Encrypt and KMSKeyID are encrypt_boot and kms_key_id; done at launch where possible.
	Encrypt  *bool
	KMSKeyID string

	// IMDS is imds_support: v2.0 or empty.
	IMDS string

	// DeprecateAt is when the image becomes deprecated. Zero: never.
	DeprecateAt time.Time

	// ReplaceExisting takes an older image of the same name away once the new
	// one is available (force_deregister); DeleteSnapshots also its snapshots (force_delete_snapshot).
	ReplaceExisting, DeleteSnapshots bool

	// Protect keeps the image from being deregistered, once all else is done (deregistration_protection).
	Protect Protection `json:",omitzero"`

	// CopyMinutes is how long AWS may take for the snapshots of a copy, at a price: 15 to 2880, in steps of 15
	// (snapshot_copy_duration_minutes). Optional; by default there is no promise.
	CopyMinutes int `json:",omitzero"`

	// SkipBuildRegion keeps the copies alone, and takes the image in Config.Region away (skip_save_build_region).
	SkipBuildRegion bool `json:",omitzero"`

	// SkipImage runs everything but makes no image (skip_create_ami).
	SkipImage bool

	// SkipRunTags keeps Instance.Tags off the image (skip_ami_run_tags).
	SkipRunTags bool
}

// Protection keeps an image from being deregistered. The zero value does not.
type Protection string

// The values of Protection.
const (
	Protected    Protection = "protected"     // until it is taken off
	ProtectedFor Protection = "with-cooldown" // and for a day after that
)

// RegionCopy is one region that gets a copy of the image.
type RegionCopy struct {
	Region, KMSKeyID string
}

// Waits bounds the waits for AWS. Zero values mean the defaults.
type Waits struct {
	// Running, Stopped and Available bound the three waits. Optional; default to
	// DefaultInstanceTimeout twice, and DefaultImageTimeout.
	Running, Stopped, Available time.Duration
}

// The default bounds of Waits.
const (
	DefaultInstanceTimeout = 10 * time.Minute
	DefaultImageTimeout    = 2 * time.Hour
)
