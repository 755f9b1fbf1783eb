package builder

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/imagobuild/imago/provision"
)

// Validate says everything that is wrong with c, by the name of Packer's option.
func (c Config) Validate() error {
	v := validator{}
	v.need("region", c.Region)
	v.source(c.Source)
	v.instance(c.Instance)
	v.network(c.Network)
	v.ssh(c.SSH)
	v.output(c)
	v.scan(c.Scan)
	return errors.Join(v.errs...)
}

// validator collects what is wrong.
type validator struct{ errs []error }

func (v *validator) check(ok bool, format string, args ...any) {
	if !ok {
		v.errs = append(v.errs, fmt.Errorf(format, args...))
	}
}

func (v *validator) need(option, value string) {
	v.check(value != "", "%s: required", option)
}

// oneOf checks an option that has few values.
func (v *validator) oneOf(option, value string, values ...string) {
	v.check(value == "" || slices.Contains(values, value), "%s: %q is not one of %s", option, value, strings.Join(values, ", "))
}

func (v *validator) source(s Source) {
	n := 0
	for _, set := range []bool{s.ID != "", s.Filter != nil, s.Parameter != ""} {
		if set {
			n++
		}
	}
	v.check(n == 1, "source_ami or source_ami_filter: exactly one is required")
	if s.Filter != nil {
		v.check(len(s.Filter.Owners) > 0, "source_ami_filter: owners: required, so that nobody else's image of that name is taken")
	}
}

func (v *validator) instance(i Instance) {
	v.check(i.Type != "" || i.Spot != nil && len(i.Spot.Types) > 0, "instance_type: required")
	v.oneOf("shutdown_behavior", i.ShutdownBehavior, "stop", "terminate")
	v.oneOf("metadata_options: http_endpoint", i.Metadata.Endpoint, "enabled", "disabled")
	v.oneOf("metadata_options: http_tokens", i.Metadata.Tokens, "optional", "required")
	v.oneOf("metadata_options: instance_metadata_tags", i.Metadata.Tags, "enabled", "disabled")
	v.check(i.Metadata.HopLimit >= 0 && i.Metadata.HopLimit <= 64, "metadata_options: http_put_response_hop_limit: %d is not from 1 to 64", i.Metadata.HopLimit)
	v.oneOf("tenancy", i.Tenancy, "default", "dedicated", "host")
	v.oneOf("capacity_reservation_preference", i.Capacity.Preference, "open", "none")
	v.check(i.Capacity.ID == "" || i.Capacity.GroupARN == "", "capacity_reservation_id and capacity_reservation_group_arn exclude each other")
	v.check(i.Capacity.Preference == "" || i.Capacity.ID == "" && i.Capacity.GroupARN == "",
		"capacity_reservation_preference: has no effect beside a reservation that is named")
	v.check(i.Capacity == (Capacity{}) || i.Spot == nil, "capacity_reservation: spot instances come from no reservation")
	v.check(i.Profile == "" || i.ProfilePolicy == "",
		"iam_instance_profile and temporary_iam_instance_profile_policy_document exclude each other")
	v.check(len(i.UserData) <= maxUserData, "user_data: %d bytes, and AWS takes no more than %d", len(i.UserData), maxUserData)
	v.devices("launch_block_device_mappings", i.BlockDevices)
}

func (v *validator) devices(option string, all []BlockDevice) {
	for i, d := range all {
		where := fmt.Sprintf("%s[%d]", option, i)
		v.check(d.DeviceName != "", "%s: device_name: required", where)
		v.oneOf(where+": volume_type", d.VolumeType, "gp2", "gp3", "io1", "io2", "st1", "sc1", "standard")
		v.check(d.Throughput == 0 || d.VolumeType == "" || d.VolumeType == "gp3", "%s: throughput: only gp3 volumes have one", where)
		v.check(d.Throughput == 0 || d.Throughput >= 125 && d.Throughput <= 1000, "%s: throughput: %d is not from 125 to 1000 MiB/s", where, d.Throughput)
		v.check(d.KMSKeyID == "" || d.Encrypted != nil && *d.Encrypted, "%s: kms_key_id: needs encrypted = true", where)
	}
}

func (v *validator) network(n Network) {
	for _, cidr := range n.SourceCIDRs {
		_, err := netip.ParsePrefix(cidr)
		v.check(err == nil, "temporary_security_group_source_cidrs: %q is not an address range such as 192.0.2.0/24", cidr)
	}
	v.check(len(n.SourceCIDRs) == 0 || len(n.SecurityGroups) == 0 && n.SecurityGroupFilter == nil,
		"temporary_security_group_source_cidrs: has no effect on the existing security groups that are named beside it")
}

func (v *validator) ssh(s SSH) {
	v.need("ssh_username", s.User)
	v.oneOf("ssh_interface", s.Interface, "public_ip", "private_ip", "public_dns", "private_dns", "ipv6")
	v.oneOf("temporary_key_pair_type", s.KeyType, "ed25519", "rsa")
	v.oneOf("ssh_host_key", string(s.HostKey), string(HostKeyUserData), string(HostKeyConsole), string(HostKeyFingerprint), string(HostKeyOff))
	v.check(s.Port >= 0 && s.Port < 1<<16, "ssh_port: %d is no port", s.Port)
	v.tunnels("ssh_local_tunnels", s.LocalTunnels)
	v.tunnels("ssh_remote_tunnels", s.RemoteTunnels)
	v.check(s.KeyPair == "" || s.PrivateKey != nil || s.AgentSocket != "" || s.Password != "",
		"ssh_keypair_name: needs the key's other half: ssh_private_key_file, or ssh_agent_auth with an agent that runs")
	v.check(s.HostKey != HostKeyFingerprint || len(s.Fingerprints) > 0, "ssh_host_key: fingerprint: name at least one")
	for _, f := range s.Fingerprints {
		v.check(strings.HasPrefix(f, "SHA256:"), "ssh_host_key: %q is not a fingerprint such as SHA256:…", f)
	}
}

func (v *validator) output(c Config) {
	o := c.Output
	if !o.SkipImage {
		v.need("ami_name", o.Name)
		v.check(o.Name == "" || imageName(o.Name),
			"ami_name: %q: AWS takes 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _; {{clean_resource_name}} replaces the rest", o.Name)
	}
	v.oneOf("ami_virtualization_type", o.Virtualization, "hvm", "paravirtual")
	v.oneOf("imds_support", o.IMDS, "v2.0")
	v.check(len(o.Description) <= 255, "ami_description: %d characters, and AWS takes no more than 255", len(o.Description))
	v.keys(o)
	v.oneOf("deregistration_protection", string(o.Protect), string(Protected), string(ProtectedFor))
	v.check(o.CopyMinutes == 0 || o.CopyMinutes >= 15 && o.CopyMinutes <= 2880 && o.CopyMinutes%15 == 0,
		"snapshot_copy_duration_minutes: %d is not from 15 to 2880 in steps of 15", o.CopyMinutes)
	v.check(!o.SkipBuildRegion || len(otherRegions(c)) > 0, "skip_save_build_region: nothing is left of the image without ami_regions to copy it to")
	v.devices("ami_block_device_mappings", o.BlockDevices)
}

// keys checks the KMS keys. AWS lets nobody else use what is encrypted with an account's default key.
func (v *validator) keys(o Output) {
	encrypted := o.Encrypt != nil && *o.Encrypt
	named, lacking := o.KMSKeyID != "", o.KMSKeyID == ""
	for _, r := range o.Regions {
		named, lacking = named || r.KMSKeyID != "", lacking || r.KMSKeyID == ""
	}
	v.check(encrypted || !named, "kms_key_id and region_kms_key_ids: have no effect without encrypt_boot = true")
	shared := len(o.Users) + len(o.OrgARNs) + len(o.OUARNs)
	v.check(!encrypted || !lacking || shared == 0,
		"ami_users, ami_org_arns, ami_ou_arns: nobody else may use what is encrypted with the default key; name one with kms_key_id, and one for each of ami_regions with region_kms_key_ids")
	v.check(!encrypted || !lacking || len(o.SnapshotUsers) == 0,
		"snapshot_users: nobody else may use what is encrypted with the default key; name one with kms_key_id, and one for each of ami_regions with region_kms_key_ids")
}

func (v *validator) scan(s Scan) {
	v.oneOf("scan", string(s.Mode), string(ScanStop), string(ScanWarn), string(ScanOff))
	for _, pattern := range s.Allow {
		v.check(strings.HasPrefix(pattern, "/") || strings.HasPrefix(pattern, "*"), "scan: %q is no absolute path, and no pattern that begins with *", pattern)
		v.check(!strings.Contains(pattern, "\n"), "scan: %q: a pattern is one line", pattern)
	}
}

func (v *validator) tunnels(option string, all []provision.Tunnel) {
	for _, t := range all {
		v.check(hostPort(t.Listen) && hostPort(t.Target), "%s: %s to %s is not from host:port to host:port", option, t.Listen, t.Target)
	}
}

// hostPort says whether text is host:port.
func hostPort(text string) bool {
	_, port, err := net.SplitHostPort(text)
	n, numeric := strconv.ParseUint(port, 10, 16)
	return err == nil && numeric == nil && n > 0
}

// imageName says whether AWS takes name as that of an image. It is no regular
// expression, because that would be compiled whenever imago starts.
func imageName(name string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789()[] ./-'@_"
	return len(name) >= 3 && len(name) <= 128 && strings.Trim(name, allowed) == ""
}
