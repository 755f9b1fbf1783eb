package builder

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

// TestValidateSaysEverything: one run of Validate names every mistake.
func TestValidateSaysEverything(t *testing.T) {
	c := Config{
		Source:   Source{ID: "ami-1", Parameter: "/x"},
		Instance: Instance{ShutdownBehavior: "hibernate", Metadata: Metadata{Tokens: "yes", HopLimit: 65}, BlockDevices: []BlockDevice{{VolumeType: "gp9", Throughput: 5, KMSKeyID: "k"}}},
		Network:  Network{SourceCIDRs: []string{"10.0.0.1"}, SecurityGroups: []string{"sg-1"}},
		SSH:      SSH{Port: 70000, Interface: "carrier-pigeon", KeyPair: "mine", HostKey: HostKeyFingerprint},
		Output:   Output{Name: "no:colon", IMDS: "v3", KMSKeyID: "k", Encrypt: aws.Bool(false)},
	}
	want := []string{
		"region: required",
		"source_ami or source_ami_filter: exactly one is required",
		"instance_type: required",
		`shutdown_behavior: "hibernate" is not one of stop, terminate`,
		`metadata_options: http_tokens: "yes" is not one of optional, required`,
		"metadata_options: http_put_response_hop_limit: 65 is not from 1 to 64",
		"launch_block_device_mappings[0]: device_name: required",
		`launch_block_device_mappings[0]: volume_type: "gp9" is not one of gp2, gp3, io1, io2, st1, sc1, standard`,
		"launch_block_device_mappings[0]: throughput: only gp3 volumes have one",
		"launch_block_device_mappings[0]: throughput: 5 is not from 125 to 1000 MiB/s",
		"launch_block_device_mappings[0]: kms_key_id: needs encrypted = true",
		`temporary_security_group_source_cidrs: "10.0.0.1" is not an address range such as 192.0.2.0/24`,
		"temporary_security_group_source_cidrs: has no effect on the existing security groups that are named beside it",
		"ssh_username: required",
		`ssh_interface: "carrier-pigeon" is not one of public_ip, private_ip, public_dns, private_dns, ipv6`,
		"ssh_port: 70000 is no port",
		"ssh_keypair_name: needs the key's other half: ssh_private_key_file, or ssh_agent_auth with an agent that runs",
		"ssh_host_key: fingerprint: name at least one",
		`ami_name: "no:colon": AWS takes 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _; {{clean_resource_name}} replaces the rest`,
		`imds_support: "v3" is not one of v2.0`,
		"kms_key_id and region_kms_key_ids: have no effect without encrypt_boot = true",
	}
	err := c.Validate()
	if err == nil {
		t.Fatal("nothing wrong")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestValidateTakesTheTrivial(t *testing.T) {
	if err := trivial().Validate(); err != nil {
		t.Error(err)
	}
}

func TestImageName(t *testing.T) {
	for _, name := range []string{"", "ab", "a:b", "web\n", "wéb", "a\xffb", strings.Repeat("a", 129)} {
		if imageName(name) {
			t.Errorf("imageName(%q) = true", name)
		}
	}
	for _, name := range []string{"abc", "Web 1.4 (beta) [x] a/b-c'd@e_f", strings.Repeat("a", 128)} {
		if !imageName(name) {
			t.Errorf("imageName(%q) = false", name)
		}
	}
}
