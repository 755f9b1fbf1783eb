package localcloud

import (
	"cmp"
	"net/netip"
	"strings"
	"time"
)

// The states of an instance, by AWS's names.
const (
	pending      = "pending"
	running      = "running"
	shuttingDown = "shutting-down"
	terminated   = "terminated"
	stopping     = "stopping"
	stopped      = "stopped"
)

// terminatedFor is how long a terminated instance is still listed.
const terminatedFor = time.Hour

// instance is what the local cloud remembers of a machine.
type instance struct {
	ID            string
	ReservationID string
	LaunchIndex   int
	ClientToken   string
	Region        string
	ImageID       string
	Type          string
	KeyName       string
	PublicKey     string // of KeyName at launch: the pair may be deleted later
	UserData      []byte
	Groups        []string // ids
	VpcID         string
	SubnetID      string
	Zone          string // us-east-1a
	InterfaceID   string // eni-…
	PrivateIP     string
	MAC           string
	Private       bool   // has no public address
	Profile       string // ARN or name of the instance profile, only shown
	Spot          string // id of the spot request, "" for an on-demand instance
	SpotPrice     string
	SpotType      string
	SpotTags      map[string]string
	SpotCanceled  bool

	State        string
	ReasonCode   string // Client.UserInitiatedShutdown, …
	Reason       string // what went with it
	ReasonTime   time.Time
	Started      bool // it has run once
	Launched     time.Time
	TerminatedAt time.Time

	OnShutdown      string // stop or terminate
	EbsOptimized    bool
	ENA             bool
	SRIOV           string
	SourceDestCheck bool
	KeepFromAPI     bool // disableApiTermination
	KeepFromAPIStop bool // disableApiStop
	Monitored       bool
	CreditUnlimited bool
	Tenancy         string
	Metadata        metadataOptions
	Architecture    string
	RootDevice      string // /dev/xvda
	Volumes         []attachment
	Layers          []string // top first, as those of an image
	Tags            map[string]string
	Trouble         trouble `json:",omitzero"`
}

// attachment is a volume as an instance sees it.
type attachment struct {
	Device              string
	VolumeID            string
	Attached            time.Time
	DeleteOnTermination bool
}

type metadataOptions struct {
	TokensRequired bool
	Disabled       bool
	Tags           bool // instance tags in the metadata
	IPv6           bool
	HopLimit       int
}

// stateCode is AWS's number for a state of an instance.
func stateCode(state string) int {
	switch state {
	case running:
		return 16
	case shuttingDown:
		return 32
	case terminated:
		return 48
	case stopping:
		return 64
	case stopped:
		return 80
	default:
		return 0
	}
}

// blockDevice is one BlockDeviceMapping of a request; nil means not said.
type blockDevice struct {
	Device, VirtualName, SnapshotID, VolumeType, KmsKeyID string
	Size, Iops, Throughput                                *int
	Encrypted, DeleteOnTermination                        *bool
	NoDevice                                              bool
}

// blockDevices reads BlockDeviceMapping.N of a request.
func (r *request) blockDevices() []blockDevice {
	var all []blockDevice
	for _, item := range r.each("BlockDeviceMapping") {
		ebs := item.at("Ebs")
		all = append(all, blockDevice{
			Device:              item.need("DeviceName"),
			VirtualName:         item.text("VirtualName"),
			NoDevice:            item.has("NoDevice"),
			SnapshotID:          ebs.text("SnapshotId"),
			VolumeType:          ebs.oneOf("VolumeType", "", "standard", "gp2", "gp3", "io1", "io2", "st1", "sc1"),
			KmsKeyID:            ebs.text("KmsKeyId"),
			Size:                ebs.number("VolumeSize"),
			Iops:                ebs.number("Iops"),
			Throughput:          ebs.number("Throughput"),
			Encrypted:           ebs.boolean("Encrypted"),
			DeleteOnTermination: ebs.boolean("DeleteOnTermination"),
		})
		item.text("NoDevice")
	}
	return all
}

// findInstance is the instance of a region by its id.
func (c *Cloud) findInstance(region, id string) (*instance, error) {
	if !wellFormed("i-", id) {
		return nil, malformed("InvalidInstanceID.Malformed", "i-", id)
	}
	inst := c.state.Instances[id]
	if inst == nil || inst.Region != region {
		return nil, faultf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
	}
	return inst, nil
}

// findInstances are those of InstanceId.N, all of which must exist; none named
// is a MissingParameter.
func (c *Cloud) findInstances(r *request) ([]*instance, error) {
	ids := r.list("InstanceId")
	if len(ids) == 0 {
		return nil, missing("InstanceId")
	}
	var all []*instance
	for _, id := range ids {
		inst, err := c.findInstance(r.region, id)
		if err != nil {
			return nil, err
		}
		all = append(all, inst)
	}
	return all, nil
}

// freeAddress is an address of a subnet that no instance has. It goes round the
// machines' network, so that an address rests before it is used again.
func (c *Cloud) freeAddress(subnet netip.Prefix) (netip.Addr, error) {
	taken := map[string]bool{c.machines.Gateway().String(): true}
	for _, inst := range c.state.Instances {
		taken[inst.PrivateIP] = true
	}
	prefix := c.machines.Prefix()
	first := prefix.Addr().Next().Next()
	addr := c.lastAddress
	for range 1 << (32 - prefix.Bits()) {
		addr = addr.Next()
		if !prefix.Contains(addr) || !prefix.Contains(addr.Next()) {
			addr = first
		}
		if subnet.Contains(addr) && !taken[addr.String()] {
			c.lastAddress = addr
			return addr, nil
		}
	}
	return netip.Addr{}, faultf("InsufficientFreeAddressesInSubnet",
		"The subnet %s of the local cloud has no free address left; terminate instances, or name another subnet", subnet)
}

// forgetTerminated drops what AWS would no longer list.
func (c *Cloud) forgetTerminated() {
	for id, inst := range c.state.Instances {
		if inst.State == terminated && c.now().Sub(inst.TerminatedAt) > terminatedFor {
			delete(c.state.Instances, id)
		}
	}
}

// hostname is the name that EC2 would give the machine.
func (inst *instance) hostname() string {
	return "ip-" + strings.ReplaceAll(inst.PrivateIP, ".", "-")
}

// privateDNS is the full name of the machine inside its VPC.
func (inst *instance) privateDNS() string {
	if inst.PrivateIP == "" {
		return ""
	}
	if inst.Region == defaultRegion {
		return inst.hostname() + ".ec2.internal"
	}
	return inst.hostname() + "." + inst.Region + ".compute.internal"
}

// byLaunch orders instances as they are listed: the oldest first.
func byLaunch(a, b *instance) int {
	return cmp.Or(a.Launched.Compare(b.Launched),
		cmp.Compare(a.ReservationID, b.ReservationID),
		cmp.Compare(a.LaunchIndex, b.LaunchIndex))
}
