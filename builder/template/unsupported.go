package template

// windows is why an option is refused that is for Windows.
const windows = "Windows images are not made yet"

// formerEBS are amazon-ebs options that Packer had once, and what became of them.
func formerEBS() map[string]string {
	return map[string]string{
		"enhanced_networking": "it became ena_support",
		"ssh_private_ip":      "it became ssh_interface: private_ip",
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
		"amazon-ami-management", "amazon-import", "ami-copy", "artifice", "atlas", "checksum", "compress", "docker-import", "docker-push",
		"docker-save", "docker-tag", "generator", "googlecompute-export", "json-updater", "provenance", "vagrant", "vagrant-cloud", "vsphere",
	}
}
