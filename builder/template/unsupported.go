package template

// unsupportedEBS are amazon-ebs options that Packer has and imago has not, and
// what to do instead where there is something.
func unsupportedEBS() map[string]string {
	const windows = "Windows images are not made yet"
	return map[string]string{
		"block_duration_minutes":                         "AWS took it away; leave it out",
		"capacity_reservation_group_arn":                 "",
		"capacity_reservation_id":                        "",
		"capacity_reservation_preference":                "",
		"deregistration_protection":                      "",
		"enable_nested_virtualization":                   "",
		"enable_nitro_enclave":                           "",
		"enhanced_networking":                            "it became ena_support",
		"fast_launch":                                    windows,
		"fleet_tag":                                      "use run_tags",
		"fleet_tags":                                     "use run_tags",
		"license_specifications":                         "",
		"no_ephemeral":                                   windows,
		"pause_before_ssm":                               "",
		"session_manager_port":                           "",
		"skip_save_build_region":                         "",
		"snapshot_copy_duration_minutes":                 "set aws_polling instead",
		"spot_allocation_strategy":                       "the first available of spot_instance_types is taken",
		"ssh_bastion_interactive":                        "use ssh_bastion_password or ssh_bastion_private_key_file",
		"ssh_local_tunnels":                              "",
		"ssh_private_ip":                                 "it became ssh_interface: private_ip",
		"ssh_remote_tunnels":                             "",
		"temporary_iam_instance_profile_policy_document": "name an existing profile with iam_instance_profile",
		"windows_password_timeout":                       windows,
		"winrm_host":                                     windows,
		"winrm_insecure":                                 windows,
		"winrm_no_proxy":                                 windows,
		"winrm_password":                                 windows,
		"winrm_port":                                     windows,
		"winrm_timeout":                                  windows,
		"winrm_use_ntlm":                                 windows,
		"winrm_use_ssl":                                  windows,
		"winrm_username":                                 windows,
	}
}

// otherBuilders, otherProvisioners and otherPostProcessors are types that
// templates name and imago has not.
func otherBuilders() []string {
	return []string{
		"alicloud-ecs", "amazon-chroot", "amazon-ebssurrogate", "amazon-ebsvolume", "amazon-instance", "azure-arm", "azure-chroot",
		"digitalocean", "docker", "file", "googlecompute", "hcloud", "hyperv-iso", "linode", "lxc", "lxd", "null", "oneandone",
		"openstack", "oracle-oci", "parallels-iso", "proxmox", "qemu", "scaleway", "vagrant", "virtualbox-iso", "virtualbox-ovf",
		"vmware-iso", "vmware-vmx", "vsphere-clone", "vsphere-iso", "vultr",
	}
}

func otherProvisioners() []string {
	return []string{
		"ansible", "ansible-local", "chef-client", "chef-solo", "converge", "dsc", "goss", "hcp-sbom", "inspec", "powershell",
		"puppet-masterless", "puppet-server", "salt-masterless", "windows-restart", "windows-shell", "windows-update",
	}
}

func otherPostProcessors() []string {
	return []string{
		"amazon-import", "ami-copy", "atlas", "compress", "docker-import", "docker-push",
		"docker-save", "docker-tag", "generator", "googlecompute-export", "json-updater", "provenance", "vagrant", "vagrant-cloud", "vsphere",
	}
}
