package template

// sshOptions say how to log in to the machine.
func sshOptions() []Option {
	const keyBytes = "write the key to a file, and name it with ssh_private_key_file"
	return group(ebs, "SSH communicator",
		row{"communicator", Implemented, "ssh; winrm and none are refused by a build", "TestCheck"},
		row{"pause_before_connecting", Implemented, "after SSH first answers", ""},
		row{"ssh_host", Implemented, "by default the address that ssh_interface names", ""},
		row{"ssh_port", Implemented, "the temporary security group opens it, too", "TestRequests/ssh_port"},
		row{"ssh_username", Implemented, "required", "TestOptions"},
		row{"ssh_password", Implemented, "never shown", ""},
		row{"ssh_keypair_name", Implemented, "a key pair of AWS's; needs the key itself or an agent", "TestKeysOfTheUser"},
		row{"ssh_private_key_file", Implemented, "", "TestKeysOfTheUser"},
		row{"ssh_certificate_file", Implemented, "", ""},
		row{"ssh_agent_auth", Implemented, "the agent of SSH_AUTH_SOCK", "TestKeysOfTheUser"},
		row{"ssh_disable_agent_forwarding", Implemented, "keeps the agent on this side", "TestExplicitSettings"},
		row{"temporary_key_pair_name", Implemented, "by default imago- and the build's id", ""},
		row{"temporary_key_pair_type", Implemented, "ed25519 or rsa; made here, imported, and deleted", "TestExplicitSettings"},
		row{"temporary_key_pair_bits", Implemented, "of an rsa key, by default 4096", ""},
		row{"ssh_ciphers", Implemented, "by default the good ones", ""},
		row{"ssh_key_exchange_algorithms", Implemented, "by default the good ones", ""},
		row{"ssh_clear_authorized_keys", Implemented, "every authorized key goes; imago's own goes in any case", ""},
		row{"ssh_pty", Implemented, "scripts run in a terminal", ""},
		row{"ssh_timeout", Implemented, "by default 5m", ""},
		row{"ssh_wait_timeout", Implemented, "the older name of ssh_timeout", ""},
		row{"ssh_handshake_attempts", Implemented, "bounds refused logins", "TestHandshakeAttempts"},
		row{"ssh_keep_alive_interval", Implemented, "by default 5s", "TestKeepAliveNoticesDeadPeer"},
		row{"ssh_read_write_timeout", Noticed, "keep-alives find a dead connection", ""},
		row{"ssh_file_transfer_method", Noticed, "files always travel by SFTP", ""},
		row{"ssh_public_key", Refused, keyBytes, ""},
		row{"ssh_private_key", Refused, keyBytes, ""},
	)
}

// routeOptions say how the machine is reached.
func routeOptions() []Option {
	const ssm = "there are no Session Manager tunnels; use ssh_interface private_ip from inside the network, or a bastion"
	return group(ebs, "Way to the machine",
		row{"ssh_interface", Implemented, "public_ip, private_ip, public_dns, private_dns or ipv6; session_manager is refused by a build", "TestOptions"},
		row{"ssh_bastion_host", Implemented, "a machine to go through", "TestBastion"},
		row{"ssh_bastion_port", Implemented, "by default 22", ""},
		row{"ssh_bastion_username", Implemented, "required with a host", "TestKeysOfTheUser"},
		row{"ssh_bastion_password", Implemented, "never shown", ""},
		row{"ssh_bastion_private_key_file", Implemented, "by default ssh_private_key_file", "TestKeysOfTheUser"},
		row{"ssh_bastion_certificate_file", Implemented, "", ""},
		row{"ssh_bastion_agent_auth", Implemented, "", ""},
		row{"ssh_bastion_interactive", Refused, "nobody is asked during a build; use ssh_bastion_password or ssh_bastion_private_key_file", ""},
		row{"ssh_proxy_host", Implemented, "a SOCKS5 proxy, before the bastion", "TestProxy"},
		row{"ssh_proxy_port", Implemented, "by default 1080", ""},
		row{"ssh_proxy_username", Implemented, "", ""},
		row{"ssh_proxy_password", Implemented, "never shown", ""},
		row{"ssh_local_tunnels", Implemented, "port:host:port, from this computer to what the machine reaches", "TestTunnels"},
		row{"ssh_remote_tunnels", Implemented, "port:host:port, from the machine to what this computer reaches", "TestTunnels"},
		row{"pause_before_ssm", Refused, ssm, ""},
		row{"session_manager_port", Refused, ssm, ""},
	)
}

// windowsOptions are the WinRM communicator's.
func windowsOptions() []Option {
	return group(ebs, "WinRM communicator",
		row{"winrm_username", Refused, windows, ""}, row{"winrm_password", Refused, windows, ""}, row{"winrm_host", Refused, windows, ""},
		row{"winrm_no_proxy", Refused, windows, ""}, row{"winrm_port", Refused, windows, ""}, row{"winrm_timeout", Refused, windows, ""},
		row{"winrm_use_ssl", Refused, windows, ""}, row{"winrm_insecure", Refused, windows, ""}, row{"winrm_use_ntlm", Refused, windows, ""},
		row{"windows_password_timeout", Refused, windows, ""},
	)
}
