package localcloud

type stateItem struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

type memberGroup struct {
	ID   string `xml:"groupId"`
	Name string `xml:"groupName"`
}

type groupItems struct {
	Items []memberGroup `xml:"item"`
}

type reasonItem struct {
	Code    string `xml:"code"`
	Message string `xml:"message"`
}

type reservationItem struct {
	ReservationID string         `xml:"reservationId"`
	OwnerID       string         `xml:"ownerId"`
	Groups        struct{}       `xml:"groupSet"`
	Instances     []instanceItem `xml:"instancesSet>item"`
}

type instanceItem struct {
	InstanceID       string          `xml:"instanceId"`
	ImageID          string          `xml:"imageId"`
	State            stateItem       `xml:"instanceState"`
	PrivateDNS       string          `xml:"privateDnsName"`
	PublicDNS        string          `xml:"dnsName"`
	Transition       string          `xml:"reason"`
	KeyName          string          `xml:"keyName,omitempty"`
	LaunchIndex      int             `xml:"amiLaunchIndex"`
	ProductCodes     struct{}        `xml:"productCodes"`
	Type             string          `xml:"instanceType"`
	LaunchTime       string          `xml:"launchTime"`
	Placement        placementItem   `xml:"placement"`
	Monitoring       string          `xml:"monitoring>state"`
	SubnetID         string          `xml:"subnetId,omitempty"`
	VpcID            string          `xml:"vpcId,omitempty"`
	PrivateIP        string          `xml:"privateIpAddress,omitempty"`
	PublicIP         string          `xml:"ipAddress,omitempty"`
	SourceDestCheck  bool            `xml:"sourceDestCheck"`
	Groups           groupItems      `xml:"groupSet"`
	StateReason      *reasonItem     `xml:"stateReason"`
	Architecture     string          `xml:"architecture"`
	RootDeviceType   string          `xml:"rootDeviceType"`
	RootDevice       string          `xml:"rootDeviceName"`
	Devices          []deviceItem    `xml:"blockDeviceMapping>item"`
	Virtualization   string          `xml:"virtualizationType"`
	Lifecycle        string          `xml:"instanceLifecycle,omitempty"`
	SpotRequest      string          `xml:"spotInstanceRequestId,omitempty"`
	ClientToken      string          `xml:"clientToken"`
	Tags             tagSet          `xml:"tagSet"`
	Hypervisor       string          `xml:"hypervisor"`
	Interfaces       []interfaceItem `xml:"networkInterfaceSet>item"`
	Profile          *profileItem    `xml:"iamInstanceProfile"`
	EbsOptimized     bool            `xml:"ebsOptimized"`
	ENA              bool            `xml:"enaSupport"`
	CPU              cpuItem         `xml:"cpuOptions"`
	Metadata         metadataItem    `xml:"metadataOptions"`
	PlatformDetails  string          `xml:"platformDetails"`
	UsageOperation   string          `xml:"usageOperation"`
	PrivateDNSOption *dnsOptionsItem `xml:"privateDnsNameOptions"`
}

type placementItem struct {
	Zone    string `xml:"availabilityZone"`
	Group   string `xml:"groupName"`
	Tenancy string `xml:"tenancy"`
}

type cpuItem struct {
	Cores   int `xml:"coreCount"`
	Threads int `xml:"threadsPerCore"`
}

type profileItem struct {
	ARN string `xml:"arn"`
	ID  string `xml:"id"`
}

type dnsOptionsItem struct {
	HostnameType string `xml:"hostnameType"`
}

type deviceItem struct {
	Device string        `xml:"deviceName"`
	EBS    ebsDeviceItem `xml:"ebs"`
}

type ebsDeviceItem struct {
	VolumeID            string `xml:"volumeId"`
	Status              string `xml:"status"`
	AttachTime          string `xml:"attachTime"`
	DeleteOnTermination bool   `xml:"deleteOnTermination"`
}

type interfaceItem struct {
	ID              string                 `xml:"networkInterfaceId"`
	SubnetID        string                 `xml:"subnetId"`
	VpcID           string                 `xml:"vpcId"`
	OwnerID         string                 `xml:"ownerId"`
	Status          string                 `xml:"status"`
	MAC             string                 `xml:"macAddress"`
	PrivateIP       string                 `xml:"privateIpAddress"`
	PrivateDNS      string                 `xml:"privateDnsName"`
	SourceDestCheck bool                   `xml:"sourceDestCheck"`
	Groups          groupItems             `xml:"groupSet"`
	Attachment      interfaceAttachment    `xml:"attachment"`
	Association     interfaceAssociation   `xml:"association"`
	Addresses       []interfaceAddressItem `xml:"privateIpAddressesSet>item"`
}

type interfaceAttachment struct {
	ID                  string `xml:"attachmentId"`
	DeviceIndex         int    `xml:"deviceIndex"`
	Status              string `xml:"status"`
	AttachTime          string `xml:"attachTime"`
	DeleteOnTermination bool   `xml:"deleteOnTermination"`
}

type interfaceAssociation struct {
	PublicIP  string `xml:"publicIp"`
	PublicDNS string `xml:"publicDnsName"`
	OwnerID   string `xml:"ipOwnerId"`
}

type interfaceAddressItem struct {
	PrivateIP   string               `xml:"privateIpAddress"`
	Primary     bool                 `xml:"primary"`
	Association interfaceAssociation `xml:"association"`
}

type metadataItem struct {
	State    string `xml:"state"`
	Tokens   string `xml:"httpTokens"`
	HopLimit int    `xml:"httpPutResponseHopLimit"`
	Endpoint string `xml:"httpEndpoint"`
	IPv6     string `xml:"httpProtocolIpv6"`
	Tags     string `xml:"instanceMetadataTags"`
}

// changesOf is the answer of the actions that move instances: what each was,
// and is.
type changesOf struct {
	Items []changeItem `xml:"instancesSet>item"`
}

type changeItem struct {
	InstanceID string    `xml:"instanceId"`
	Current    stateItem `xml:"currentState"`
	Previous   stateItem `xml:"previousState"`
}
