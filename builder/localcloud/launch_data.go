package localcloud

import "slices"

// launchDataItem is the data of a version as DescribeLaunchTemplateVersions
// shows them: what was given, and nothing else.
type launchDataItem struct {
	ImageID         string             `xml:"imageId,omitempty"`
	Type            string             `xml:"instanceType,omitempty"`
	KeyName         string             `xml:"keyName,omitempty"`
	UserData        string             `xml:"userData,omitempty"`
	OnShutdown      string             `xml:"instanceInitiatedShutdownBehavior,omitempty"`
	EbsOptimized    *bool              `xml:"ebsOptimized"`
	KeepFromAPI     *bool              `xml:"disableApiTermination"`
	KeepFromAPIStop *bool              `xml:"disableApiStop"`
	Monitoring      *launchFlag        `xml:"monitoring"`
	Hibernation     *launchConfigured  `xml:"hibernationOptions"`
	Enclave         *launchFlag        `xml:"enclaveOptions"`
	Placement       *launchPlacement   `xml:"placement"`
	Profile         *launchProfile     `xml:"iamInstanceProfile"`
	Credits         *launchCredits     `xml:"creditSpecification"`
	Reservation     *launchReservation `xml:"capacityReservationSpecification"`
	Market          *launchMarket      `xml:"instanceMarketOptions"`
	Metadata        *launchMetadata    `xml:"metadataOptions"`
	GroupIDs        []string           `xml:"securityGroupIdSet>item"`
	Groups          []string           `xml:"securityGroupSet>item"`
	Mappings        []launchMapping    `xml:"blockDeviceMappingSet>item"`
	Interfaces      []launchInterface  `xml:"networkInterfaceSet>item"`
	Tags            []launchTags       `xml:"tagSpecificationSet>item"`
}

type launchFlag struct {
	Enabled *bool `xml:"enabled"`
}

type launchConfigured struct {
	Configured *bool `xml:"configured"`
}

type launchPlacement struct {
	Zone    string `xml:"availabilityZone,omitempty"`
	Tenancy string `xml:"tenancy,omitempty"`
}

type launchProfile struct {
	ARN  string `xml:"arn,omitempty"`
	Name string `xml:"name,omitempty"`
}

type launchCredits struct {
	CPU string `xml:"cpuCredits"`
}

type launchReservation struct {
	Preference string `xml:"capacityReservationPreference"`
}

type launchMarket struct {
	Type string      `xml:"marketType,omitempty"`
	Spot *launchSpot `xml:"spotOptions"`
}

type launchSpot struct {
	MaxPrice     string `xml:"maxPrice,omitempty"`
	Type         string `xml:"spotInstanceType,omitempty"`
	Interruption string `xml:"instanceInterruptionBehavior,omitempty"`
	Minutes      *int   `xml:"blockDurationMinutes"`
	ValidUntil   string `xml:"validUntil,omitempty"`
}

type launchMetadata struct {
	Tokens   string `xml:"httpTokens,omitempty"`
	Endpoint string `xml:"httpEndpoint,omitempty"`
	HopLimit *int   `xml:"httpPutResponseHopLimit"`
	IPv6     string `xml:"httpProtocolIpv6,omitempty"`
	Tags     string `xml:"instanceMetadataTags,omitempty"`
}

type launchMapping struct {
	Device   string      `xml:"deviceName"`
	Virtual  string      `xml:"virtualName,omitempty"`
	NoDevice *string     `xml:"noDevice"`
	EBS      *launchDisk `xml:"ebs"`
}

type launchDisk struct {
	Encrypted           *bool  `xml:"encrypted"`
	DeleteOnTermination *bool  `xml:"deleteOnTermination"`
	Iops                *int   `xml:"iops"`
	KmsKeyID            string `xml:"kmsKeyId,omitempty"`
	SnapshotID          string `xml:"snapshotId,omitempty"`
	Size                *int   `xml:"volumeSize"`
	Type                string `xml:"volumeType,omitempty"`
	Throughput          *int   `xml:"throughput"`
}

type launchInterface struct {
	PublicIP            *bool    `xml:"associatePublicIpAddress"`
	DeleteOnTermination *bool    `xml:"deleteOnTermination"`
	Description         string   `xml:"description,omitempty"`
	DeviceIndex         *int     `xml:"deviceIndex"`
	Groups              []string `xml:"groupSet>groupId"`
	Type                string   `xml:"interfaceType,omitempty"`
	Address             string   `xml:"privateIpAddress,omitempty"`
	SubnetID            string   `xml:"subnetId,omitempty"`
}

type launchTags struct {
	Type string `xml:"resourceType"`
	Tags tagSet `xml:"tagSet"`
}

// readLaunchData reads the data of a launch template: what it does not read, the
// local cloud does not launch with.
func readLaunchData(r *request) launchDataItem {
	return launchDataItem{
		ImageID:         r.text("ImageId"),
		Type:            r.text("InstanceType"),
		KeyName:         r.text("KeyName"),
		UserData:        r.text("UserData"),
		OnShutdown:      r.oneOf("InstanceInitiatedShutdownBehavior", "", "stop", "terminate"),
		EbsOptimized:    r.boolean("EbsOptimized"),
		KeepFromAPI:     r.boolean("DisableApiTermination"),
		KeepFromAPIStop: r.boolean("DisableApiStop"),
		Monitoring:      parts(r, "Monitoring", func(r *request) launchFlag { return launchFlag{r.boolean("Enabled")} }),
		Hibernation: parts(r, "HibernationOptions", func(r *request) launchConfigured {
			return launchConfigured{r.boolean("Configured")}
		}),
		Enclave:   parts(r, "EnclaveOptions", func(r *request) launchFlag { return launchFlag{r.boolean("Enabled")} }),
		Placement: parts(r, "Placement", readLaunchPlacement),
		Profile:   parts(r, "IamInstanceProfile", func(r *request) launchProfile { return launchProfile{r.text("Arn"), r.text("Name")} }),
		Credits: parts(r, "CreditSpecification", func(r *request) launchCredits {
			return launchCredits{r.oneOf("CpuCredits", "", "standard", "unlimited")}
		}),
		Reservation: parts(r, "CapacityReservationSpecification", readLaunchReservation),
		Market:      parts(r, "InstanceMarketOptions", readLaunchMarket),
		Metadata:    parts(r, "MetadataOptions", readLaunchMetadata),
		GroupIDs:    r.list("SecurityGroupId"),
		Groups:      r.list("SecurityGroup"),
		Mappings:    readLaunchMappings(r),
		Interfaces:  readLaunchInterfaces(r),
		Tags:        readLaunchTags(r),
	}
}

// parts reads a parameter that has parts; it is nil when none of them was sent.
func parts[T any](r *request, name string, read func(*request) T) *T {
	if !r.has(name) {
		return nil
	}
	return new(read(r.at(name)))
}

func readLaunchPlacement(r *request) launchPlacement {
	return launchPlacement{r.text("AvailabilityZone"), r.oneOf("Tenancy", "", "default", "dedicated")}
}

func readLaunchReservation(r *request) launchReservation {
	return launchReservation{r.oneOf("CapacityReservationPreference", "", "open", "none")}
}

func readLaunchMarket(r *request) launchMarket {
	return launchMarket{
		Type: r.oneOf("MarketType", "", "spot"),
		Spot: parts(r, "SpotOptions", func(r *request) launchSpot {
			return launchSpot{
				MaxPrice:     r.text("MaxPrice"),
				Type:         r.oneOf("SpotInstanceType", "", "one-time", "persistent"),
				Interruption: r.oneOf("InstanceInterruptionBehavior", "", "terminate", "stop", "hibernate"),
				Minutes:      r.number("BlockDurationMinutes"),
				ValidUntil:   r.text("ValidUntil"),
			}
		}),
	}
}

func readLaunchMetadata(r *request) launchMetadata {
	readMetadataOptions(r, &metadataOptions{}) // its rules
	return launchMetadata{
		Tokens:   r.text("HttpTokens"),
		Endpoint: r.text("HttpEndpoint"),
		HopLimit: r.number("HttpPutResponseHopLimit"),
		IPv6:     r.text("HttpProtocolIpv6"),
		Tags:     r.text("InstanceMetadataTags"),
	}
}

func readLaunchMappings(r *request) []launchMapping {
	var all []launchMapping
	for _, d := range r.blockDevices() {
		item := launchMapping{Device: d.Device, Virtual: d.VirtualName}
		if d.NoDevice {
			item.NoDevice = new("")
		}
		ebs := launchDisk{d.Encrypted, d.DeleteOnTermination, d.Iops, d.KmsKeyID, d.SnapshotID, d.Size, d.VolumeType, d.Throughput}
		if ebs != (launchDisk{}) {
			item.EBS = &ebs
		}
		all = append(all, item)
	}
	return all
}

func readLaunchInterfaces(r *request) []launchInterface {
	var all []launchInterface
	for _, item := range r.each("NetworkInterface") {
		all = append(all, launchInterface{
			PublicIP:            item.boolean("AssociatePublicIpAddress"),
			DeleteOnTermination: item.boolean("DeleteOnTermination"),
			Description:         item.text("Description"),
			DeviceIndex:         item.number("DeviceIndex"),
			Groups:              item.list("SecurityGroupId"),
			Type:                item.oneOf("InterfaceType", "", "interface"),
			Address:             item.text("PrivateIpAddress"),
			SubnetID:            item.text("SubnetId"),
		})
	}
	return all
}

// readLaunchTags reads the tags of what a launch makes.
func readLaunchTags(r *request) []launchTags {
	var all []launchTags
	for _, spec := range r.each("TagSpecification") {
		kind := spec.need("ResourceType")
		if kind != "" && !slices.Contains(launchedTypes(), kind) {
			r.problem(faultf("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", kind))
		}
		all = append(all, launchTags{kind, tagsOf(spec.tagList("Tag"))})
	}
	return all
}

// launchedTypes are the types of resource that a launch gives tags to.
func launchedTypes() []string {
	return []string{"instance", "volume", "network-interface", "spot-instances-request"}
}
