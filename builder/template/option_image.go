package template

// sourceOptions say which image to start from.
func sourceOptions() []Option {
	const name = "Source image"
	return append(group(ebs, name,
		row{"source_ami", Implemented, "an id, or resolve:ssm: and the name of a parameter", "TestOptions"},
		row{"source_ami_filter", Implemented, "finds exactly one image", "TestOptions"},
	), group("source_ami_filter", name,
		row{"filters", Implemented, "of DescribeImages", "TestOptions"},
		row{"filter", Implemented, "the same in HCL2, a block each", ""},
		row{"owners", Implemented, "required, so that nobody else's image of the name is taken", "TestOptions"},
		row{"most_recent", Implemented, "the newest when several match; without it several are an error", "TestOptions"},
		row{"include_deprecated", Implemented, "counts deprecated images, too", ""},
	)...)
}

// imageOptions say what the image is to be.
func imageOptions() []Option {
	const name = "Image"
	all := group(ebs, name,
		row{"ami_name", Implemented, "required; the template's functions are filled in", "TestTakenBack"},
		row{"ami_description", Implemented, "{{ .SourceAMI }} and its kin are filled in", "TestResult"},
		row{"ami_virtualization_type", Implemented, "must be the source image's", ""},
		row{"tags", Implemented, "of the image and its snapshots", "TestResult"},
		row{"tag", Implemented, "the same in HCL2, a block each", ""},
		row{"snapshot_tags", Implemented, "of the snapshots, over tags", ""},
		row{"snapshot_tag", Implemented, "the same in HCL2, a block each", ""},
		row{"skip_ami_run_tags", Implemented, "keeps run_tags off the image", ""},
		row{"ena_support", Implemented, "set on the machine before the image is made", "TestRequests/ena_support"},
		row{"sriov_support", Implemented, "set on the machine before the image is made", "TestRequests/sriov_support"},
		row{"imds_support", Implemented, "v2.0: machines of the image have IMDSv2 alone", "TestRequests/imds_support"},
		row{"force_deregister", Implemented, "takes an older image of the name away; one that is protected is refused before the bake", "TestTakenBack"},
		row{"force_delete_snapshot", Implemented, "its snapshots, too", "TestResult"},
		row{"encrypt_boot", Implemented, "encrypts all volumes", "TestRunInput"},
		row{"kms_key_id", Implemented, "needs encrypt_boot", "TestRunInput"},
		row{"deprecate_at", Implemented, "in RFC 3339", "TestRequests/deprecate_at"},
		row{"deregistration_protection", Implemented, "comes last, when nothing can make imago take the image back", "TestRequests/deregistration_protection"},
		row{"skip_create_ami", Implemented, "runs everything, and makes no image", "TestTakenBack"},
		row{"ami_regions", Implemented, "a region that fails is tried again alone, and takes nothing from the others", "TestCopies"},
		row{"region_kms_key_ids", Implemented, "a key for each of ami_regions", "TestRequests/region_kms_key_ids"},
		row{"skip_save_build_region", Implemented, "keeps the copies alone; such a build is not reused", "TestCopies/copies alone"},
		row{"snapshot_copy_duration_minutes", Implemented, "how long AWS may take for the snapshots of a copy, at a price", "TestRequests/snapshot_copy_duration_minutes"},
		row{"skip_region_validation", Noticed, "regions are not validated beforehand", ""},
		row{"fast_launch", Refused, windows, ""},
	)
	all = append(all, group("deregistration_protection", name,
		row{"enabled", Implemented, "", "TestRequests/deregistration_protection"},
		row{"with_cooldown", Implemented, "for a day after it is taken off", "TestRequests/deregistration_protection.with_cooldown"},
	)...)
	for _, tag := range []string{"tag", "snapshot_tag", "run_tag", "run_volume_tag", "spot_tag", "fleet_tag"} {
		all = append(all, group(tag, name, row{"key", Implemented, "", ""}, row{"value", Implemented, "", ""})...)
		all = append(all, group(tag, name, row{"name", Implemented, "another word for key", ""})...)
	}
	all = append(all, group("fast_launch", name,
		row{"enable_fast_launch", Refused, windows, ""}, row{"template_id", Refused, windows, ""}, row{"template_name", Refused, windows, ""},
		row{"template_version", Refused, windows, ""}, row{"region_launch_templates", Refused, windows, ""},
		row{"max_parallel_launches", Refused, windows, ""}, row{"target_resource_count", Refused, windows, ""},
	)...)
	return append(all, group("region_launch_templates", name,
		row{"region", Refused, windows, ""}, row{"enable_fast_launch", Refused, windows, ""}, row{"template_id", Refused, windows, ""},
		row{"template_name", Refused, windows, ""}, row{"template_version", Refused, windows, ""},
	)...)
}

// shareOptions say who may use the image.
func shareOptions() []Option {
	return group(ebs, "Sharing",
		row{"ami_users", Implemented, "accounts that may launch it", "TestRequests/ami_users"},
		row{"ami_groups", Implemented, "all: everybody may", "TestRequests/ami_groups"},
		row{"ami_org_arns", Implemented, "organisations that may", "TestRequests/ami_org_arns"},
		row{"ami_ou_arns", Implemented, "organisational units that may", "TestRequests/ami_ou_arns"},
		row{"ami_product_codes", Implemented, "of the marketplace", "TestRequests/ami_product_codes"},
		row{"snapshot_users", Implemented, "accounts that may make volumes of its snapshots", "TestRequests/snapshot_users"},
		row{"snapshot_groups", Implemented, "all: everybody may", "TestRequests/snapshot_users"},
	)
}
