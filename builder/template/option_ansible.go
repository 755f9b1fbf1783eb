package template

// ansibleRows are the options of ansible, and ansibleLocalRows those of ansible-local.
func ansibleRows() []row {
	return []row{
		{"playbook_file", Implemented, "required", "TestAnsible"},
		{"command", Implemented, "by default ansible-playbook; no shell reads it", "TestAnsible"},
		{"extra_arguments", Implemented, "no shell reads them", "TestAnsible"},
		{"ansible_env_vars", Implemented, "KEY=value", "TestAnsible"},
		{"groups", Implemented, "that the machine is in", "TestAnsible"},
		{"empty_groups", Implemented, "that are in the inventory as well", "TestAnsible"},
		{"host_alias", Implemented, "by default default", "TestAnsible"},
		{"user", Implemented, "ansible_user, by default ssh_username; the login is the template's", "TestAnsible"},
		{"use_proxy", Implemented, "false connects to the machine's address; otherwise ansible goes through a port of this computer", "TestAnsibleFails"},
		{"local_port", Implemented, "the first of ten that are tried", "TestGateOptions"},
		{"ssh_host_key_file", Implemented, "of the port on this computer", "TestGateOptions"},
		{"ssh_authorized_key_file", Implemented, "the public key that opens that port", "TestGateOptions"},
		{"ansible_proxy_key_type", Implemented, "ECDSA or RSA; by default the port's keys are Ed25519", "TestAnsibleGate"},
		{"ansible_ssh_extra_args", Implemented, "by default -o IdentitiesOnly=yes", "TestAnsible"},
		{"sftp_command", Implemented, "on the machine, instead of its SFTP subsystem", "TestGateOptions"},
		{"use_sftp", Implemented, "false asks for scp", "TestRun/everything"},
		{"inventory_directory", Implemented, "that the inventory is written into", "TestAnsible"},
		{"inventory_file_template", Implemented, "of the machine's line", "TestAnsible"},
		{"inventory_file", Implemented, "instead of one that is written", "TestRun/own inventory"},
		{"keep_inventory_file", Implemented, "it stays", "TestKeep"},
		{"galaxy_file", Implemented, "roles and collections to be installed before", "TestRun/everything"},
		{"galaxy_command", Implemented, "by default ansible-galaxy", "TestAnsibleSame"},
		{"galaxy_force_install", Implemented, "", "TestRun/everything"},
		{"galaxy_force_with_deps", Implemented, "", "TestRun/everything"},
		{"roles_path", Implemented, "for ansible-galaxy", "TestRun/everything"},
		{"collections_path", Implemented, "for ansible-galaxy", "TestRun/everything"},
		{"skip_version_check", Implemented, "ansible is not looked for before the build", "TestAnsibleSame"},
		{"ansible_winrm_use_http", Noticed, "there is no WinRM", ""},
	}
}

func ansibleLocalRows() []row {
	const test = "TestAnsibleLocal"
	return []row{
		{"playbook_file", Implemented, "this or playbook_files is required", test},
		{"playbook_files", Implemented, "one after another", test},
		{"playbook_dir", Implemented, "what it holds goes into the staging directory", test},
		{"playbook_paths", Implemented, "what they hold goes into its playbooks", test},
		{"role_paths", Implemented, "into its roles", test},
		{"collection_paths", Implemented, "into its collections", test},
		{"group_vars", Implemented, "", test},
		{"host_vars", Implemented, "", test},
		{"inventory_file", Implemented, "instead of one that is written", test},
		{"inventory_groups", Implemented, "that 127.0.0.1 is in", test},
		{"staging_directory", Implemented, "by default a new one in /tmp/packer-provisioner-ansible-local", test},
		{"clean_staging_directory", Implemented, "removes it when all has succeeded", test},
		{"command", Implemented, "by default ansible-playbook; the user's shell reads it", test},
		{"extra_arguments", Implemented, "the user's shell reads them", test},
		{"galaxy_file", Implemented, "roles and collections to be installed before", test},
		{"galaxy_command", Implemented, "by default ansible-galaxy", test},
		{"galaxy_force_install", Implemented, "", test},
		{"galaxy_force_with_deps", Implemented, "", test},
		{"galaxy_roles_path", Implemented, "", test},
		{"galaxy_collections_path", Implemented, "", test},
	}
}
