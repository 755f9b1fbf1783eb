package builder

import (
	"slices"
	"time"

	"github.com/imagobuild/imago/provision"
)

// Config is what the user asked for: one image, and everything that decides how
// it is made. The comments name Packer's amazon-ebs options.
type Config struct {
	// Name is the build's name in events and messages. Required.
	Name string

	// Region is where the image is made (region). Required.
	Region string

	Source   Source
	Instance Instance
	Network  Network
	SSH      SSH

	// Steps run in this order on the connected machine (provisioners). Optional.
	Steps []Step

	// ErrorSteps run on the machine when one of Steps did not succeed, before
	// the clean-up (error-cleanup-provisioner). Optional.
	ErrorSteps []Step

	Output Output
	Waits  Waits

	// Sensitive values (sensitive-variables) are in no event, and in no file of the image that Scan looks at. Optional.
	Sensitive []string

	Scan Scan
}

// Scan looks for what should not be in an image, on the machine and before it
// is captured: private keys, cloud credentials, Sensitive values, shell
// histories and authorized keys that this build has put there.
type Scan struct {
	// Mode says what becomes of a build whose machine has any. Optional; defaults to ScanStop.
	Mode ScanMode

	// Allow lists the paths that may have them, as patterns of a shell's case: * is any text, also with slashes. Optional.
	Allow []string
}

// ScanMode is what a Scan does with what it finds.
type ScanMode string

// The modes of ScanMode.
const (
	ScanStop ScanMode = "stop" // make no image: the error is a *ScanError. The default.
	ScanWarn ScanMode = "warn"
	ScanOff  ScanMode = "off" // do not look
)

// Source says which image to start from. Exactly one field is set.
type Source struct {
	// ID is an image id, ami-…, or resolve:ssm: and the name of a parameter, as RunInstances takes it (source_ami).
	ID string

	// Filter selects an image by its attributes (source_ami_filter).
	Filter *ImageFilter

	// Parameter is the name of an SSM parameter that holds an image id.
	Parameter string
}

// ImageFilter selects one image.
type ImageFilter struct {
	// Filters are DescribeImages filters, such as name or architecture.
	Filters map[string][]string

	// Owners are account ids, or self, amazon, aws-marketplace. Required.
	Owners []string

	// MostRecent takes the newest when several match; without it several are an error.
	MostRecent bool

	// IncludeDeprecated counts deprecated images too.
	IncludeDeprecated bool
}

// Instance is the temporary machine.
type Instance struct {
	// Type is the instance type (instance_type). Required, unless Spot.Types is set.
	Type string

	// Types are further types, taken in this order when AWS has no capacity for
	// Type in any of the subnets. Optional.
	Types []string

	// Tags are put on the instance and the other temporary resources (run_tags);
	// VolumeTags on its volumes (run_volume_tags). Optional.
	Tags, VolumeTags map[string]string

	// UserData is handed to the machine beside what the build itself needs (user_data, user_data_file). Optional.
	UserData []byte

	// Profile is an IAM instance profile's name (iam_instance_profile). Optional.
	Profile string

	// ProfilePolicy is an IAM policy document in JSON, for a role and an instance profile of the build's own
	// (temporary_iam_instance_profile_policy_document). Optional; excludes Profile.
	ProfilePolicy string

	// SkipProfileValidation does not look the profile up first.
	SkipProfileValidation bool

	// BlockDevices are attached at launch (launch_block_device_mappings). Optional.
	BlockDevices []BlockDevice

	// EBSOptimized asks for ebs_optimized.
	EBSOptimized bool

	// ShutdownBehavior is what a shutdown from inside does: stop or terminate
	// (shutdown_behavior). Optional; defaults to terminate.
	ShutdownBehavior string

	// Metadata are the metadata service's options (metadata_options).
	Metadata Metadata

	// Spot asks for a spot instance (spot_price and its family). Optional; defaults to on-demand.
	Spot *Spot

	// DisableStop leaves stopping the machine to the template's own last step (disable_stop_instance).
	DisableStop bool

	// UnlimitedCredits is enable_unlimited_credits.
	UnlimitedCredits bool

	// Tenancy, HostID and HostResourceGroup are placement's.
	Tenancy, HostID, HostResourceGroup string

	// Capacity says which capacity reservation the machine may use (capacity_reservation_…).
	Capacity Capacity

	// Licenses are the ARNs of license configurations (license_specifications). Optional.
	Licenses []string

	// Enclave is enable_nitro_enclave, NestedVirtualization enable_nested_virtualization.
	Enclave, NestedVirtualization bool
}

// Capacity says which capacity reservation a machine may use. At most one field is set. Spot instances use none.
type Capacity struct {
	// Preference is open or none. Optional; defaults to none.
	Preference string

	ID, GroupARN string
}

// Metadata are the instance metadata service's options.
type Metadata struct {
	// Endpoint is enabled or disabled. Optional; defaults to enabled.
	Endpoint string

	// Tokens is required (IMDSv2 alone) or optional. Optional; defaults to required.
	Tokens string

	// HopLimit is how many hops an answer may travel. Optional; defaults to 1. Range 1 to 64.
	HopLimit int

	// Tags is enabled or disabled. Optional; defaults to disabled.
	Tags string
}

// Spot says how to ask for spare capacity.
type Spot struct {
	// MaxPrice in dollars an hour, or auto for the on-demand price.
	MaxPrice string

	// Types are the acceptable instance types (spot_instance_types), the first
	// available one taken. Optional; defaults to Instance.Type and Instance.Types.
	Types []string

	// Tags are put on the request (spot_tags, fleet_tags). Optional.
	Tags map[string]string
}

// BlockDevice maps a volume to a device name.
type BlockDevice struct {
	DeviceName  string // such as /dev/sda1. Required.
	VirtualName string // ephemeral0 …
	NoDevice    bool

	SnapshotID string
	VolumeType string // gp3, gp2, io1, io2, st1, sc1, standard. Optional; defaults to gp3.
	SizeGiB    int
	IOPS       int
	Throughput int // MiB/s, gp3 only, 125 to 1000
	Encrypted  *bool
	KMSKeyID   string

	// DeleteOnTermination. Optional; defaults to true (Packer's default is false and leaks).
	DeleteOnTermination *bool
}

// HasIOPS says whether IOPS can be asked for: AWS takes them for some types of volumes, and refuses them for others.
func (d BlockDevice) HasIOPS() bool {
	return slices.Contains([]string{"", "gp3", "io1", "io2"}, d.VolumeType)
}

// Network says where the temporary machine is put and how it is reached.
type Network struct {
	VPC, Subnet      string
	VPCFilter        map[string][]string
	SubnetFilter     *SubnetFilter
	AvailabilityZone string

	// AssociatePublicIP. Optional; defaults to the subnet's own setting.
	AssociatePublicIP *bool

	// SecurityGroups are existing groups' ids; SecurityGroupFilter selects them.
	// Optional; by default a temporary group is made.
	SecurityGroups      []string
	SecurityGroupFilter map[string][]string

	// SourceCIDRs may reach port 22 of a temporary group
	// (temporary_security_group_source_cidrs). Optional; defaults to the caller's own address.
	SourceCIDRs []string

	// SourcePublicIP opens the group to the caller's public address alone
	// (temporary_security_group_source_public_ip); it is the default here.
	SourcePublicIP bool
}

// SubnetFilter selects one subnet.
type SubnetFilter struct {
	Filters  map[string][]string
	MostFree bool // the one with most free addresses
	Random   bool // any one
}

// SSH says how to reach the machine.
type SSH struct {
	// User is the account (ssh_username). Required.
	User string

	// Host and Port override where to connect to. Optional; default to the address that Interface names, and 22.
	Host string
	Port int

	// Interface is public_ip, private_ip, public_dns, private_dns or ipv6
	// (ssh_interface). Optional; defaults to the public address, then the private one.
	Interface string

	// KeyPair is an existing EC2 key pair's name (ssh_keypair_name), to be used
	// with PrivateKey or the agent. Optional; by default a temporary key is made.
	KeyPair string

	// PrivateKey is ssh_private_key_file's contents; Certificate ssh_certificate_file's. Optional.
	PrivateKey, Certificate []byte

	// KeyType of a temporary key: ed25519 or rsa (temporary_key_pair_type). Optional; defaults to ed25519.
	KeyType string

	// KeyBits of a temporary rsa key. Optional; defaults to 4096.
	KeyBits int

	// KeyPairName of a temporary key (temporary_key_pair_name). Optional; defaults to imago-BUILD.
	KeyPairName string

	Password string

	// AgentSocket is the path of the SSH agent's socket, when ssh_agent_auth asks for it.
	AgentSocket string

	// ForwardAgent lends the agent to the machine (Packer does unless told otherwise).
	ForwardAgent bool

	// Timeout is how long to wait for SSH (ssh_timeout). Optional; defaults to DefaultSSHTimeout.
	Timeout time.Duration

	// HandshakeAttempts bounds refused logins (ssh_handshake_attempts). Optional; defaults to no bound but Timeout.
	HandshakeAttempts int

	// PauseBeforeConnecting waits after SSH first answers. Optional.
	PauseBeforeConnecting time.Duration

	// LocalTunnels listen on this side and end beyond the machine; RemoteTunnels listen there and end beyond us
	// (ssh_local_tunnels, ssh_remote_tunnels). They are there as long as the connection. Optional.
	LocalTunnels, RemoteTunnels []provision.Tunnel

	PTY                   bool
	KeepAlive             time.Duration
	Ciphers, KeyExchanges []string
	Bastion               *provision.Bastion
	Proxy                 *provision.Proxy

	// HostKey says how the machine is recognised. Optional; defaults to HostKeyUserData.
	HostKey HostKeyMode

	// Fingerprints are the accepted ones with HostKeyFingerprint.
	Fingerprints []string

	// ClearAuthorizedKeys removes every authorized key from the image
	// (ssh_clear_authorized_keys); the build's own key never stays.
	ClearAuthorizedKeys bool
}

// DefaultSSHTimeout is how long a build waits for SSH.
const DefaultSSHTimeout = 5 * time.Minute

// HostKeyMode says how a build recognises its machine.
type HostKeyMode string

// The modes of HostKeyMode.
const (
	// HostKeyUserData generates the key here, hands it over in user-data and accepts no other. The default.
	HostKeyUserData HostKeyMode = "user-data"

	// HostKeyConsole accepts what the machine's console says it made.
	HostKeyConsole HostKeyMode = "console"

	// HostKeyFingerprint accepts SSH.Fingerprints.
	HostKeyFingerprint HostKeyMode = "fingerprint"

	// HostKeyOff accepts any key, with a warning.
	HostKeyOff HostKeyMode = "off"
)
