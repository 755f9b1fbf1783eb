package template_test

import (
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/provision"
)

// reading is how one option is written in JSON, with what else it needs, and what
// comes of it.
type reading struct {
	text string
	want func(*template.Build)
}

// of makes readings of what is changed in one part of a build.
func of[T any](part func(*template.Build) *T) func(text string, change func(*T)) reading {
	return func(text string, change func(*T)) reading {
		return reading{text, func(b *template.Build) { change(part(b)) }}
	}
}

// hidden is a reading with something that is never shown.
func hidden(r reading, secret string) reading {
	return reading{r.text, func(b *template.Build) { r.want(b); b.Config.Sensitive = []string{secret} }}
}

// readings has one for each option of amazon-ebs that has an effect.
func readings() map[string]reading {
	yes, no := true, false
	access := of(func(b *template.Build) *template.Access { return &b.Access })
	in := of(func(b *template.Build) *builder.Instance { return &b.Config.Instance })
	out := of(func(b *template.Build) *builder.Output { return &b.Config.Output })
	network := of(func(b *template.Build) *builder.Network { return &b.Config.Network })
	cfg := of(func(b *template.Build) *builder.Config { return &b.Config })
	filter := map[string][]string{"tag:Class": {"build"}}
	return map[string]reading{
		"access_key": hidden(access(`"access_key": "AKID", "secret_key": "s"`, func(a *template.Access) { a.AccessKey, a.SecretKey = "AKID", "s" }), "s"),
		"secret_key": hidden(access(`"access_key": "AKID", "secret_key": "s"`, func(a *template.Access) { a.AccessKey, a.SecretKey = "AKID", "s" }), "s"),
		"token":      hidden(access(`"token": "t"`, func(a *template.Access) { a.Token = "t" }), "t"),
		"profile":    access(`"profile": "bakery"`, func(a *template.Access) { a.Profile = "bakery" }),
		"region": {`"region": "eu-west-1"`, func(b *template.Build) {
			b.Access.Region, b.Config.Region = "eu-west-1", "eu-west-1"
		}},
		"shared_credentials_file":  access(`"shared_credentials_file": "~/c"`, func(a *template.Access) { a.SharedCredentialsFile = "/home/baker/c" }),
		"custom_endpoint_ec2":      access(`"custom_endpoint_ec2": "http://127.0.0.1:4"`, func(a *template.Access) { a.Endpoint = "http://127.0.0.1:4" }),
		"insecure_skip_tls_verify": access(`"insecure_skip_tls_verify": true`, func(a *template.Access) { a.InsecureTLS = true }),
		"max_retries":              access(`"max_retries": 3`, func(a *template.Access) { a.MaxRetries = 3 }),
		"assume_role": access(`"assume_role": {"role_arn": "arn:r", "session_name": "s", "external_id": "e", "duration_seconds": 900, "policy": "{}",
			"policy_arns": ["arn:p"], "tags": {"A": "b"}, "transitive_tag_keys": ["A"]}`, func(a *template.Access) {
			a.AssumeRole = &template.AssumeRole{
				RoleARN: "arn:r", SessionName: "s", ExternalID: "e", Duration: 15 * time.Minute, Policy: "{}",
				PolicyARNs: []string{"arn:p"}, Tags: map[string]string{"A": "b"}, TransitiveTagKeys: []string{"A"},
			}
		}),
		"aws_polling": cfg(`"aws_polling": {"max_attempts": 50, "delay_seconds": 30}`, func(c *builder.Config) {
			c.Waits = builder.Waits{Running: 25 * time.Minute, Stopped: 25 * time.Minute, Available: 25 * time.Minute}
		}),

		"source_ami": cfg(`"source_ami": "ami-2"`, func(c *builder.Config) { c.Source.ID = "ami-2" }),
		"source_ami_filter": cfg(`"source_ami": null, "source_ami_filter": {"filters": {"name": "debian-*"}, "filter": [{"name": "architecture", "value": "x86_64"}],
			"owners": ["self"], "most_recent": true, "include_deprecated": true}`, func(c *builder.Config) {
			c.Source = builder.Source{Filter: &builder.ImageFilter{
				Filters: map[string][]string{"name": {"debian-*"}, "architecture": {"x86_64"}}, Owners: []string{"self"}, MostRecent: true, IncludeDeprecated: true,
			}}
		}),

		"ami_name":                  out(`"ami_name": "web {{timestamp}}"`, func(o *builder.Output) { o.Name = "web 1772600767" }),
		"ami_description":           out(`"ami_description": "from {{ .SourceAMI }}"`, func(o *builder.Output) { o.Description = "from {{.SourceAMI}}" }),
		"ami_virtualization_type":   out(`"ami_virtualization_type": "hvm"`, func(o *builder.Output) { o.Virtualization = "hvm" }),
		"tags":                      out(`"tags": {"A": "b"}`, func(o *builder.Output) { o.Tags = map[string]string{"A": "b"} }),
		"tag":                       out(`"tag": [{"key": "A", "value": "b"}, {"name": "C", "value": "d"}]`, func(o *builder.Output) { o.Tags = map[string]string{"A": "b", "C": "d"} }),
		"snapshot_tags":             out(`"snapshot_tags": {"A": "b"}`, func(o *builder.Output) { o.SnapshotTags = map[string]string{"A": "b"} }),
		"snapshot_tag":              out(`"snapshot_tag": [{"key": "A", "value": "b"}, {"name": "C", "value": "d"}]`, func(o *builder.Output) { o.SnapshotTags = map[string]string{"A": "b", "C": "d"} }),
		"skip_ami_run_tags":         out(`"skip_ami_run_tags": true`, func(o *builder.Output) { o.SkipRunTags = true }),
		"ena_support":               out(`"ena_support": false`, func(o *builder.Output) { o.ENA = &no }),
		"sriov_support":             out(`"sriov_support": true`, func(o *builder.Output) { o.SRIOV = true }),
		"imds_support":              out(`"imds_support": "v2.0"`, func(o *builder.Output) { o.IMDS = "v2.0" }),
		"force_deregister":          out(`"force_deregister": true`, func(o *builder.Output) { o.ReplaceExisting = true }),
		"force_delete_snapshot":     out(`"force_delete_snapshot": true`, func(o *builder.Output) { o.DeleteSnapshots = true }),
		"encrypt_boot":              out(`"encrypt_boot": true`, func(o *builder.Output) { o.Encrypt = &yes }),
		"kms_key_id":                out(`"encrypt_boot": true, "kms_key_id": "alias/k"`, func(o *builder.Output) { o.Encrypt, o.KMSKeyID = &yes, "alias/k" }),
		"deprecate_at":              out(`"deprecate_at": "2030-01-31T00:00:00Z"`, func(o *builder.Output) { o.DeprecateAt = time.Date(2030, 1, 31, 0, 0, 0, 0, time.UTC) }),
		"deregistration_protection": out(`"deregistration_protection": {"enabled": true, "with_cooldown": true}`, func(o *builder.Output) { o.Protect = builder.ProtectedFor }),
		"skip_create_ami":           out(`"skip_create_ami": true`, func(o *builder.Output) { o.SkipImage = true }),
		"ami_regions": out(`"ami_regions": "eu-west-1, us-west-2,eu-west-1"`, func(o *builder.Output) {
			o.Regions = []builder.RegionCopy{{Region: "eu-west-1"}, {Region: "us-west-2"}}
		}),
		"region_kms_key_ids": out(`"ami_regions": ["eu-west-1"], "encrypt_boot": true, "region_kms_key_ids": {"eu-west-1": "alias/eu", "us-east-1": "alias/us"}`, func(o *builder.Output) {
			o.Encrypt, o.KMSKeyID, o.Regions = &yes, "alias/us", []builder.RegionCopy{{Region: "eu-west-1", KMSKeyID: "alias/eu"}}
		}),
		"skip_save_build_region": out(`"ami_regions": ["eu-west-1"], "skip_save_build_region": true`, func(o *builder.Output) {
			o.SkipBuildRegion, o.Regions = true, []builder.RegionCopy{{Region: "eu-west-1"}}
		}),
		"snapshot_copy_duration_minutes": out(`"snapshot_copy_duration_minutes": 30`, func(o *builder.Output) { o.CopyMinutes = 30 }),
		"ami_users":                      out(`"ami_users": ["111122223333"]`, func(o *builder.Output) { o.Users = []string{"111122223333"} }),
		"ami_groups":                     out(`"ami_groups": "all"`, func(o *builder.Output) { o.Groups = []string{"all"} }),
		"ami_org_arns":                   out(`"ami_org_arns": ["arn:o"]`, func(o *builder.Output) { o.OrgARNs = []string{"arn:o"} }),
		"ami_ou_arns":                    out(`"ami_ou_arns": ["arn:u"]`, func(o *builder.Output) { o.OUARNs = []string{"arn:u"} }),
		"ami_product_codes":              out(`"ami_product_codes": ["c"]`, func(o *builder.Output) { o.ProductCodes = []string{"c"} }),
		"snapshot_users":                 out(`"snapshot_users": ["111122223333"]`, func(o *builder.Output) { o.SnapshotUsers = []string{"111122223333"} }),
		"snapshot_groups":                out(`"snapshot_groups": ["all"]`, func(o *builder.Output) { o.SnapshotGroups = []string{"all"} }),

		"instance_type":           in(`"instance_type": "t3.small"`, func(i *builder.Instance) { i.Type = "t3.small" }),
		"run_tags":                in(`"run_tags": {"A": "b"}`, func(i *builder.Instance) { i.Tags = map[string]string{"A": "b"} }),
		"run_tag":                 in(`"run_tag": [{"key": "A", "value": "b"}, {"name": "C", "value": "d"}]`, func(i *builder.Instance) { i.Tags = map[string]string{"A": "b", "C": "d"} }),
		"run_volume_tags":         in(`"run_volume_tags": {"A": "b"}`, func(i *builder.Instance) { i.VolumeTags = map[string]string{"A": "b"} }),
		"run_volume_tag":          in(`"run_volume_tag": [{"key": "A", "value": "b"}, {"name": "C", "value": "d"}]`, func(i *builder.Instance) { i.VolumeTags = map[string]string{"A": "b", "C": "d"} }),
		"user_data":               in(`"user_data": "#!{{build_name}}"`, func(i *builder.Instance) { i.UserData = []byte("#!amazon-ebs") }),
		"user_data_file":          in(`"user_data_file": "file"`, func(i *builder.Instance) { i.UserData = []byte("of {{a}} file\n") }),
		"iam_instance_profile":    in(`"iam_instance_profile": "p"`, func(i *builder.Instance) { i.Profile = "p" }),
		"skip_profile_validation": in(`"skip_profile_validation": true`, func(i *builder.Instance) { i.SkipProfileValidation = true }),
		"temporary_iam_instance_profile_policy_document": in(`"temporary_iam_instance_profile_policy_document": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*"], "Resource": "*"}]}`, func(i *builder.Instance) {
			i.ProfilePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*"],"Resource":["*"]}]}`
		}),
		"shutdown_behavior":            in(`"shutdown_behavior": "stop"`, func(i *builder.Instance) { i.ShutdownBehavior = "stop" }),
		"disable_stop_instance":        in(`"disable_stop_instance": true`, func(i *builder.Instance) { i.DisableStop = true }),
		"ebs_optimized":                in(`"ebs_optimized": true`, func(i *builder.Instance) { i.EBSOptimized = true }),
		"enable_nitro_enclave":         in(`"enable_nitro_enclave": true`, func(i *builder.Instance) { i.Enclave = true }),
		"enable_nested_virtualization": in(`"enable_nested_virtualization": true`, func(i *builder.Instance) { i.NestedVirtualization = true }),
		"enable_unlimited_credits":     in(`"enable_unlimited_credits": true`, func(i *builder.Instance) { i.UnlimitedCredits = true }),
		"enable_t2_unlimited":          in(`"enable_t2_unlimited": true`, func(i *builder.Instance) { i.UnlimitedCredits = true }),
		"metadata_options": in(`"metadata_options": {"http_endpoint": "disabled", "http_tokens": "optional", "http_put_response_hop_limit": 2, "instance_metadata_tags": "enabled"}`, func(i *builder.Instance) {
			i.Metadata = builder.Metadata{Endpoint: "disabled", Tokens: "optional", HopLimit: 2, Tags: "enabled"}
		}),
		"placement": in(`"placement": {"tenancy": "host", "host_id": "h-1", "host_resource_group_arn": "arn:r"}`, func(i *builder.Instance) {
			i.Tenancy, i.HostID, i.HostResourceGroup = "host", "h-1", "arn:r"
		}),
		"tenancy":                         in(`"tenancy": "dedicated"`, func(i *builder.Instance) { i.Tenancy = "dedicated" }),
		"capacity_reservation_preference": in(`"capacity_reservation_preference": "open"`, func(i *builder.Instance) { i.Capacity.Preference = "open" }),
		"capacity_reservation_id":         in(`"capacity_reservation_id": "cr-1"`, func(i *builder.Instance) { i.Capacity.ID = "cr-1" }),
		"capacity_reservation_group_arn":  in(`"capacity_reservation_group_arn": "arn:g"`, func(i *builder.Instance) { i.Capacity.GroupARN = "arn:g" }),
		"license_specifications": in(`"license_specifications": [{"license_configuration_request": {"license_configuration_arn": "arn:l"}}]`, func(i *builder.Instance) {
			i.Licenses = []string{"arn:l"}
		}),
		"spot_price": in(`"spot_price": "auto"`, func(i *builder.Instance) { i.Spot = &builder.Spot{MaxPrice: "auto"} }),
		"spot_instance_types": in(`"instance_type": null, "spot_price": "0.1", "spot_instance_types": ["t3.small", "t3.micro"]`, func(i *builder.Instance) {
			i.Type, i.Spot = "", &builder.Spot{MaxPrice: "0.1", Types: []string{"t3.small", "t3.micro"}}
		}),
		"spot_tags": in(`"spot_price": "auto", "spot_tags": {"A": "b"}`, func(i *builder.Instance) { i.Spot = &builder.Spot{MaxPrice: "auto", Tags: map[string]string{"A": "b"}} }),
		"spot_tag": in(`"spot_price": "auto", "spot_tag": [{"key": "A", "value": "b"}, {"name": "C", "value": "d"}]`, func(i *builder.Instance) {
			i.Spot = &builder.Spot{MaxPrice: "auto", Tags: map[string]string{"A": "b", "C": "d"}}
		}),
		"fleet_tags": in(`"spot_price": "auto", "fleet_tags": {"A": "b", "C": "d"}, "spot_tags": {"C": "e"}`, func(i *builder.Instance) {
			i.Spot = &builder.Spot{MaxPrice: "auto", Tags: map[string]string{"A": "b", "C": "e"}}
		}),
		"fleet_tag": in(`"spot_price": "auto", "fleet_tag": [{"key": "A", "value": "b"}, {"name": "C", "value": "d"}]`, func(i *builder.Instance) {
			i.Spot = &builder.Spot{MaxPrice: "auto", Tags: map[string]string{"A": "b", "C": "d"}}
		}),

		"launch_block_device_mappings": in(`"launch_block_device_mappings": [{"device_name": "/dev/xvda", "snapshot_id": "snap-1", "volume_type": "io2", "volume_size": 30, "iops": 4000,
			"encrypted": true, "kms_key_id": "alias/k", "delete_on_termination": false}, {"device_name": "/dev/sdb", "virtual_name": "ephemeral0"},
			{"device_name": "/dev/sdc", "no_device": true}, {"device_name": "/dev/sdd", "throughput": 200}]`, func(i *builder.Instance) {
			i.BlockDevices = []builder.BlockDevice{
				{DeviceName: "/dev/xvda", SnapshotID: "snap-1", VolumeType: "io2", SizeGiB: 30, IOPS: 4000, Encrypted: &yes, KMSKeyID: "alias/k", DeleteOnTermination: &no},
				{DeviceName: "/dev/sdb", VirtualName: "ephemeral0"}, {DeviceName: "/dev/sdc", NoDevice: true}, {DeviceName: "/dev/sdd", Throughput: 200},
			}
		}),
		"ami_block_device_mappings": out(`"ami_block_device_mappings": [{"device_name": "/dev/sdb", "snapshot_id": "snap-1", "volume_type": "gp3", "volume_size": "30", "iops": 4000,
			"encrypted": "true", "kms_key_id": "alias/k", "delete_on_termination": "false", "throughput": 125}, {"device_name": "/dev/sdc", "no_device": true, "virtual_name": "ephemeral0"}]`, func(o *builder.Output) {
			o.BlockDevices = []builder.BlockDevice{
				{DeviceName: "/dev/sdb", SnapshotID: "snap-1", VolumeType: "gp3", SizeGiB: 30, IOPS: 4000, Throughput: 125, Encrypted: &yes, KMSKeyID: "alias/k", DeleteOnTermination: &no},
				{DeviceName: "/dev/sdc", NoDevice: true, VirtualName: "ephemeral0"},
			}
		}),

		"vpc_id":                                    network(`"vpc_id": "vpc-1"`, func(n *builder.Network) { n.VPC = "vpc-1" }),
		"subnet_id":                                 network(`"subnet_id": "subnet-1"`, func(n *builder.Network) { n.Subnet = "subnet-1" }),
		"availability_zone":                         network(`"availability_zone": "us-east-1a"`, func(n *builder.Network) { n.AvailabilityZone = "us-east-1a" }),
		"associate_public_ip_address":               network(`"associate_public_ip_address": false`, func(n *builder.Network) { n.AssociatePublicIP = &no }),
		"security_group_id":                         network(`"security_group_id": "sg-1"`, func(n *builder.Network) { n.SecurityGroups = []string{"sg-1"} }),
		"security_group_ids":                        network(`"security_group_ids": ["sg-1", "sg-2"]`, func(n *builder.Network) { n.SecurityGroups = []string{"sg-1", "sg-2"} }),
		"temporary_security_group_source_cidrs":     network(`"temporary_security_group_source_cidrs": ["0.0.0.0/0"]`, func(n *builder.Network) { n.SourceCIDRs = []string{"0.0.0.0/0"} }),
		"temporary_security_group_source_public_ip": network(`"temporary_security_group_source_public_ip": true`, func(n *builder.Network) { n.SourcePublicIP = true }),
		"vpc_filter":                                network(`"vpc_filter": {"filters": {"tag:Class": "build"}, "filter": []}`, func(n *builder.Network) { n.VPCFilter = filter }),
		"security_group_filter":                     network(`"security_group_filter": {"filters": {}, "filter": {"key": "tag:Class", "value": "build"}}`, func(n *builder.Network) { n.SecurityGroupFilter = filter }),
		"subnet_filter": network(`"subnet_filter": {"filters": {}, "filter": [{"name": "tag:Class", "value": "build"}], "most_free": true, "random": true}`, func(n *builder.Network) {
			n.SubnetFilter = &builder.SubnetFilter{Filters: filter, MostFree: true, Random: true}
		}),
	}
}

// sshReadings are those of the communicator.
func sshReadings() map[string]reading {
	ssh := of(func(b *template.Build) *builder.SSH { return &b.Config.SSH })
	bastion := func(more string, change func(*provision.Bastion)) reading {
		return ssh(`"ssh_bastion_host": "b", "ssh_bastion_username": "u"`+more, func(s *builder.SSH) {
			s.Bastion = &provision.Bastion{Addr: "b:22", Identity: provision.Identity{
				User: "u", HostKey: provision.HostKey{KnownHosts: []string{"/home/baker/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"}},
			}}
			change(s.Bastion)
		})
	}
	file := []byte("of {{a}} file\n")
	return map[string]reading{
		"communicator":                 ssh(`"communicator": "ssh"`, func(*builder.SSH) {}),
		"pause_before_connecting":      ssh(`"pause_before_connecting": "10s"`, func(s *builder.SSH) { s.PauseBeforeConnecting = 10 * time.Second }),
		"ssh_host":                     ssh(`"ssh_host": "192.0.2.1"`, func(s *builder.SSH) { s.Host = "192.0.2.1" }),
		"ssh_port":                     ssh(`"ssh_port": "2222"`, func(s *builder.SSH) { s.Port = 2222 }),
		"ssh_username":                 ssh(`"ssh_username": "ubuntu"`, func(s *builder.SSH) { s.User = "ubuntu" }),
		"ssh_password":                 hidden(ssh(`"ssh_password": "p"`, func(s *builder.SSH) { s.Password = "p" }), "p"),
		"ssh_keypair_name":             ssh(`"ssh_keypair_name": "k"`, func(s *builder.SSH) { s.KeyPair = "k" }),
		"ssh_private_key_file":         ssh(`"ssh_private_key_file": "file"`, func(s *builder.SSH) { s.PrivateKey = file }),
		"ssh_certificate_file":         ssh(`"ssh_certificate_file": "file"`, func(s *builder.SSH) { s.Certificate = file }),
		"ssh_agent_auth":               ssh(`"ssh_agent_auth": true`, func(s *builder.SSH) { s.AgentSocket, s.ForwardAgent = "/run/agent", true }),
		"ssh_disable_agent_forwarding": ssh(`"ssh_agent_auth": true, "ssh_disable_agent_forwarding": true`, func(s *builder.SSH) { s.AgentSocket = "/run/agent" }),
		"temporary_key_pair_name":      ssh(`"temporary_key_pair_name": "n"`, func(s *builder.SSH) { s.KeyPairName = "n" }),
		"temporary_key_pair_type":      ssh(`"temporary_key_pair_type": "rsa"`, func(s *builder.SSH) { s.KeyType = "rsa" }),
		"temporary_key_pair_bits":      ssh(`"temporary_key_pair_bits": 2048`, func(s *builder.SSH) { s.KeyBits = 2048 }),
		"ssh_ciphers":                  ssh(`"ssh_ciphers": ["aes128-ctr"]`, func(s *builder.SSH) { s.Ciphers = []string{"aes128-ctr"} }),
		"ssh_key_exchange_algorithms":  ssh(`"ssh_key_exchange_algorithms": ["curve25519-sha256"]`, func(s *builder.SSH) { s.KeyExchanges = []string{"curve25519-sha256"} }),
		"ssh_clear_authorized_keys":    ssh(`"ssh_clear_authorized_keys": true`, func(s *builder.SSH) { s.ClearAuthorizedKeys = true }),
		"ssh_pty":                      ssh(`"ssh_pty": true`, func(s *builder.SSH) { s.PTY = true }),
		"ssh_timeout":                  ssh(`"ssh_timeout": "7m"`, func(s *builder.SSH) { s.Timeout = 7 * time.Minute }),
		"ssh_wait_timeout":             ssh(`"ssh_wait_timeout": "7m"`, func(s *builder.SSH) { s.Timeout = 7 * time.Minute }),
		"ssh_handshake_attempts":       ssh(`"ssh_handshake_attempts": 20`, func(s *builder.SSH) { s.HandshakeAttempts = 20 }),
		"ssh_keep_alive_interval":      ssh(`"ssh_keep_alive_interval": "9s"`, func(s *builder.SSH) { s.KeepAlive = 9 * time.Second }),
		"ssh_interface":                ssh(`"ssh_interface": "private_ip"`, func(s *builder.SSH) { s.Interface = "private_ip" }),
		"ssh_bastion_host":             bastion(``, func(*provision.Bastion) {}),
		"ssh_bastion_username":         bastion(``, func(*provision.Bastion) {}),
		"ssh_bastion_port":             bastion(`, "ssh_bastion_port": 2200`, func(b *provision.Bastion) { b.Addr = "b:2200" }),
		"ssh_bastion_password":         hidden(bastion(`, "ssh_bastion_password": "p"`, func(b *provision.Bastion) { b.Identity.Password = "p" }), "p"),
		"ssh_bastion_private_key_file": bastion(`, "ssh_bastion_private_key_file": "file"`, func(b *provision.Bastion) { b.Identity.Keys = [][]byte{file} }),
		"ssh_bastion_certificate_file": bastion(`, "ssh_bastion_certificate_file": "file"`, func(b *provision.Bastion) { b.Identity.Certificate = file }),
		"ssh_bastion_agent_auth":       bastion(`, "ssh_bastion_agent_auth": true`, func(b *provision.Bastion) { b.Identity.AgentSocket = "/run/agent" }),
		"ssh_proxy_host":               ssh(`"ssh_proxy_host": "p"`, func(s *builder.SSH) { s.Proxy = &provision.Proxy{Addr: "p:1080"} }),
		"ssh_proxy_port":               ssh(`"ssh_proxy_host": "p", "ssh_proxy_port": 99`, func(s *builder.SSH) { s.Proxy = &provision.Proxy{Addr: "p:99"} }),
		"ssh_proxy_username":           ssh(`"ssh_proxy_host": "p", "ssh_proxy_username": "u"`, func(s *builder.SSH) { s.Proxy = &provision.Proxy{Addr: "p:1080", User: "u"} }),
		"ssh_proxy_password":           hidden(ssh(`"ssh_proxy_host": "p", "ssh_proxy_password": "w"`, func(s *builder.SSH) { s.Proxy = &provision.Proxy{Addr: "p:1080", Password: "w"} }), "w"),
		"ssh_local_tunnels": ssh(`"ssh_local_tunnels": ["8080:localhost:80", "127.0.0.2:81:[2001:db8::1]:82"]`, func(s *builder.SSH) {
			s.LocalTunnels = []provision.Tunnel{{Listen: "localhost:8080", Target: "localhost:80"}, {Listen: "127.0.0.2:81", Target: "[2001:db8::1]:82"}}
		}),
		"ssh_remote_tunnels": ssh(`"ssh_remote_tunnels": ["8443:git.example.com:443"]`, func(s *builder.SSH) {
			s.RemoteTunnels = []provision.Tunnel{{Listen: "localhost:8443", Target: "git.example.com:443"}}
		}),
	}
}
