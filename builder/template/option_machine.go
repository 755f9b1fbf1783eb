package template

// machineOptions say what the temporary machine is.
func machineOptions() []Option {
	const name = "Temporary machine"
	all := group(ebs, name,
		row{"instance_type", Implemented, "required, unless there are spot_instance_types", "TestRunInput"},
		row{"run_tags", Implemented, "of everything temporary, and of the image", "TestRunInput"},
		row{"run_tag", Implemented, "the same in HCL2, a block each", ""},
		row{"run_volume_tags", Implemented, "of the machine's volumes", "TestRunInput"},
		row{"run_volume_tag", Implemented, "the same in HCL2, a block each", ""},
		row{"user_data", Implemented, "the machine reads it beside imago's own", "TestOptions"},
		row{"user_data_file", Implemented, "the same from a file, as it is", ""},
		row{"iam_instance_profile", Implemented, "a profile's name", "TestRequests/iam_instance_profile"},
		row{"skip_profile_validation", Implemented, "no profile is looked up beforehand: AWS refuses one that is not there when the machine is launched", ""},
		row{"temporary_iam_instance_profile_policy_document", Implemented, "a role and a profile for this build alone, which go with it", "TestTemporaryProfile"},
		row{"shutdown_behavior", Implemented, "stop or terminate", "TestRequests/shutdown_behavior"},
		row{"disable_stop_instance", Implemented, "the template's last step stops the machine", ""},
		row{"ebs_optimized", Implemented, "", "TestRequests/ebs_optimized"},
		row{"enable_nitro_enclave", Implemented, "", "TestRequests/enable_nitro_enclave"},
		row{"enable_nested_virtualization", Implemented, "", "TestRequests/enable_nested_virtualization"},
		row{"enable_unlimited_credits", Implemented, "", "TestRequests/enable_unlimited_credits"},
		row{"enable_t2_unlimited", Implemented, "the older name of enable_unlimited_credits", ""},
		row{"metadata_options", Implemented, "of the instance metadata service", "TestRequests/metadata_options"},
	)
	all = append(all, group("metadata_options", name,
		row{"http_endpoint", Implemented, "enabled or disabled", "TestRequests/metadata_options"},
		row{"http_tokens", Implemented, "required or optional", "TestOptions"},
		row{"http_put_response_hop_limit", Implemented, "1 to 64", "TestRequests/metadata_options"},
		row{"instance_metadata_tags", Implemented, "enabled or disabled", "TestRequests/metadata_options"},
	)...)
	all = append(all, group("temporary_iam_instance_profile_policy_document", name,
		row{"Version", Implemented, "by default 2012-10-17", ""},
		row{"Statement", Implemented, "required", "TestTemporaryProfile"},
	)...)
	return append(all, group("Statement", name,
		row{"Effect", Implemented, "Allow or Deny", ""}, row{"Action", Implemented, "", ""}, row{"Resource", Implemented, "", ""},
	)...)
}

// capacityOptions say where the machine's capacity comes from.
func capacityOptions() []Option {
	const name = "Capacity"
	all := group(ebs, name,
		row{"placement", Implemented, "tenancy and host", "TestRequests/placement"},
		row{"tenancy", Implemented, "the older place of placement's", ""},
		row{"capacity_reservation_preference", Implemented, "open or none; by default none", "TestRequests/capacity_reservation_preference"},
		row{"capacity_reservation_id", Implemented, "", "TestRequests/capacity_reservation_id"},
		row{"capacity_reservation_group_arn", Implemented, "", "TestRequests/capacity_reservation_group_arn"},
		row{"license_specifications", Implemented, "", "TestRequests/license_specifications"},
		row{"spot_price", Implemented, "auto, or dollars an hour", "TestRunInput"},
		row{"spot_instance_types", Implemented, "tried in their order until AWS has capacity for one", ""},
		row{"spot_tags", Implemented, "of the spot request", "TestRunInput"},
		row{"spot_tag", Implemented, "the same in HCL2, a block each", ""},
		row{"fleet_tags", Implemented, "of the spot request, below spot_tags: no fleet is made", ""},
		row{"fleet_tag", Implemented, "the same in HCL2, a block each", ""},
		row{"spot_allocation_strategy", Refused, "it is for fleets; the first available of spot_instance_types is taken", ""},
		row{"block_duration_minutes", Noticed, "AWS has no spot instances for a fixed time any more", ""},
		row{"spot_price_auto_product", Noticed, "spot prices are the same for all products", ""},
	)
	all = append(all, group("placement", name,
		row{"tenancy", Implemented, "default, dedicated or host", "TestRequests/placement"},
		row{"host_id", Implemented, "", "TestRequests/placement"},
		row{"host_resource_group_arn", Implemented, "", "TestRequests/placement"},
	)...)
	return append(append(all, group("license_specifications", name,
		row{"license_configuration_request", Implemented, "required", ""},
	)...), group("license_configuration_request", name,
		row{"license_configuration_arn", Implemented, "required", "TestRequests/license_specifications"},
	)...)
}

// deviceOptions are the volumes.
func deviceOptions() []Option {
	const name = "Volumes"
	all := group(ebs, name,
		row{"launch_block_device_mappings", Implemented, "of the temporary machine", "TestRequests/launch_block_device_mappings"},
		row{"ami_block_device_mappings", Implemented, "of the image", "TestRequests/ami_block_device_mappings"},
		row{"no_ephemeral", Refused, windows, ""},
	)
	for _, list := range []string{"launch_block_device_mappings", "ami_block_device_mappings"} {
		all = append(all, group(list, name,
			row{"device_name", Implemented, "required", "TestRequests/" + list},
			row{"delete_on_termination", Implemented, "", "TestRequests/" + list},
			row{"encrypted", Implemented, "", "TestRequests/launch_block_device_mappings"},
			row{"kms_key_id", Implemented, "needs encrypted", "TestRequests/launch_block_device_mappings"},
			row{"iops", Implemented, "of gp3, io1 and io2; with others a warning", "TestRequests/launch_block_device_mappings"},
			row{"throughput", Implemented, "of gp3, 125 to 1000 MiB/s", "TestRequests/ami_block_device_mappings"},
			row{"volume_type", Implemented, "", "TestRequests/" + list},
			row{"volume_size", Implemented, "in GiB", "TestRequests/" + list},
			row{"snapshot_id", Implemented, "", "TestRequests/launch_block_device_mappings"},
			row{"no_device", Implemented, "leaves a device of the source image out", "TestRequests/launch_block_device_mappings"},
			row{"virtual_name", Implemented, "ephemeral0 and so on", "TestRequests/launch_block_device_mappings"},
		)...)
	}
	return all
}

// networkOptions say where the machine is put.
func networkOptions() []Option {
	const name = "Network"
	all := group(ebs, name,
		row{"vpc_id", Implemented, "", ""},
		row{"vpc_filter", Implemented, "finds exactly one", ""},
		row{"subnet_id", Implemented, "", "TestOptions"},
		row{"subnet_filter", Implemented, "finds one; most_free or random when several match", ""},
		row{"availability_zone", Implemented, "", ""},
		row{"associate_public_ip_address", Implemented, "by default what the subnet says", "TestOptions"},
		row{"security_group_id", Implemented, "", "TestOptions"},
		row{"security_group_ids", Implemented, "", "TestTakenBack"},
		row{"security_group_filter", Implemented, "finds one or more", ""},
		row{"temporary_security_group_source_cidrs", Implemented, "who may reach the SSH port of the temporary group", "TestRequests/temporary_security_group_source_cidrs"},
		row{"temporary_security_group_source_public_ip", Implemented, "your own address, which is the default here", ""},
		row{"elastic_ip_allocation_id", Refused, "let the machine have an address of its own: associate_public_ip_address", ""},
	)
	for _, filter := range []string{"vpc_filter", "subnet_filter", "security_group_filter"} {
		all = append(all, group(filter, name, row{"filters", Implemented, "", ""}, row{"filter", Implemented, "the same in HCL2, a block each", ""})...)
	}
	all = append(all, group("subnet_filter", name,
		row{"most_free", Implemented, "the one with the most free addresses", ""}, row{"random", Implemented, "any one", ""},
	)...)
	return append(all, group("filter", name,
		row{"name", Implemented, "", ""}, row{"key", Implemented, "another word for name", ""}, row{"value", Implemented, "", ""},
	)...)
}
