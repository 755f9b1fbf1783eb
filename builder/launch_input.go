package builder

import (
	"cmp"
	"encoding/base64"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// runInput is what a build asks of RunInstances.
func runInput(p Plan, at berth, keyPair string, groups []string, data []byte) *ec2.RunInstancesInput {
	c := p.Config.Instance
	in := &ec2.RunInstancesInput{
		ClientToken: &at.token,
		ImageId:     &p.Source.ID, InstanceType: types.InstanceType(at.kind),
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		InstanceInitiatedShutdownBehavior: types.ShutdownBehavior(shutdownBehavior(c)),
		BlockDeviceMappings:               launchMappings(p),
		MetadataOptions:                   metadataOptions(c.Metadata),
		Placement:                         placement(p.Config),
		TagSpecifications: tagSpecs(map[types.ResourceType]map[string]string{
			types.ResourceTypeInstance: p.RunTags,
			types.ResourceTypeVolume:   volumeTags(p),
		}),
	}
	if keyPair != "" {
		in.KeyName = &keyPair
	}
	if len(data) > 0 {
		in.UserData = aws.String(base64.StdEncoding.EncodeToString(data))
	}
	if c.Profile != "" {
		in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Name: &c.Profile}
	}
	if c.EBSOptimized {
		in.EbsOptimized = aws.Bool(true)
	}
	if c.UnlimitedCredits {
		in.CreditSpecification = &types.CreditSpecificationRequest{CpuCredits: aws.String("unlimited")}
	}
	placeInNetwork(in, p, at, groups)
	askForSpot(in, c)
	askForHost(in, c)
	return in
}

// shutdownBehavior is what a shutdown from inside does. A machine whose builder
// is gone ends itself that way; one that its template shuts down is still needed.
func shutdownBehavior(c Instance) string {
	if c.ShutdownBehavior == "" && c.DisableStop {
		return "stop"
	}
	return cmp.Or(c.ShutdownBehavior, "terminate")
}

// volumeTags are the tags of all the machine's volumes, since AWS takes no
// others for one of them. Volumes end with the machine, unless the template
// keeps one: that one must not expire.
func volumeTags(p Plan) map[string]string {
	tags := merge(p.RunTags, p.Config.Instance.VolumeTags, map[string]string{TagBuild: p.ID, TagExpires: p.RunTags[TagExpires]})
	for _, d := range p.Config.Instance.BlockDevices {
		if d.DeleteOnTermination != nil && !*d.DeleteOnTermination {
			delete(tags, TagExpires)
		}
	}
	return tags
}

// placeInNetwork says which subnet and groups the machine is in. Whether it has
// a public address can only be said of an interface.
func placeInNetwork(in *ec2.RunInstancesInput, p Plan, at berth, groups []string) {
	subnet := optional(at.subnet)
	if public := p.Config.Network.AssociatePublicIP; public != nil {
		in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{
			DeviceIndex: aws.Int32(0), AssociatePublicIpAddress: public, SubnetId: subnet,
			Groups: groups, DeleteOnTermination: aws.Bool(true),
		}}
		return
	}
	in.SubnetId, in.SecurityGroupIds = subnet, groups
}

// askForSpot makes the request one for spare capacity.
func askForSpot(in *ec2.RunInstancesInput, c Instance) {
	if c.Spot == nil {
		return
	}
	o := &types.SpotMarketOptions{
		SpotInstanceType:             types.SpotInstanceTypeOneTime,
		InstanceInterruptionBehavior: types.InstanceInterruptionBehaviorTerminate,
	}
	if c.Spot.MaxPrice != "" && c.Spot.MaxPrice != "auto" {
		o.MaxPrice = &c.Spot.MaxPrice
	}
	in.InstanceMarketOptions = &types.InstanceMarketOptionsRequest{MarketType: types.MarketTypeSpot, SpotOptions: o}
	if len(c.Spot.Tags) > 0 {
		in.TagSpecifications = append(in.TagSpecifications, types.TagSpecification{
			ResourceType: types.ResourceTypeSpotInstancesRequest, Tags: toTags(c.Spot.Tags),
		})
	}
}

func metadataOptions(m Metadata) *types.InstanceMetadataOptionsRequest {
	o := &types.InstanceMetadataOptionsRequest{
		HttpEndpoint:            types.InstanceMetadataEndpointState(cmp.Or(m.Endpoint, "enabled")),
		HttpTokens:              types.HttpTokensState(cmp.Or(m.Tokens, "required")),
		HttpPutResponseHopLimit: aws.Int32(int32(cmp.Or(m.HopLimit, 1))),
	}
	if m.Tags != "" {
		o.InstanceMetadataTags = types.InstanceMetadataTagsState(m.Tags)
	}
	return o
}

func placement(c Config) *types.Placement {
	p := &types.Placement{Tenancy: types.Tenancy(c.Instance.Tenancy)}
	if c.Instance.HostID != "" {
		p.HostId = &c.Instance.HostID
	}
	if c.Instance.HostResourceGroup != "" {
		p.HostResourceGroupArn = &c.Instance.HostResourceGroup
	}
	if c.Network.AvailabilityZone != "" && c.Network.Subnet == "" {
		p.AvailabilityZone = &c.Network.AvailabilityZone
	}
	if *p == (types.Placement{}) {
		return nil
	}
	return p
}

// launchMappings are the machine's volumes: what the user says, and the source
// image's own where encryption or deletion must be said of them. Encrypting
// here saves the second copy of the image that encrypting at the end costs.
func launchMappings(p Plan) []types.BlockDeviceMapping {
	all := toMappings(p.Config.Instance.BlockDevices)
	for _, m := range p.Mappings {
		name := aws.ToString(m.DeviceName)
		named := slices.ContainsFunc(all, func(x types.BlockDeviceMapping) bool { return aws.ToString(x.DeviceName) == name })
		if m.Ebs == nil || named {
			continue
		}
		all = append(all, types.BlockDeviceMapping{DeviceName: &name, Ebs: &types.EbsBlockDevice{DeleteOnTermination: aws.Bool(true)}})
	}
	if o := p.Config.Output; o.Encrypt != nil && *o.Encrypt {
		for _, m := range all {
			if m.Ebs != nil && m.Ebs.Encrypted == nil {
				m.Ebs.Encrypted = aws.Bool(true)
				if o.KMSKeyID != "" {
					m.Ebs.KmsKeyId = &o.KMSKeyID
				}
			}
		}
	}
	return all
}

// toMappings converts.
func toMappings(devices []BlockDevice) []types.BlockDeviceMapping {
	var all []types.BlockDeviceMapping
	for _, d := range devices {
		m := types.BlockDeviceMapping{DeviceName: aws.String(d.DeviceName)}
		switch {
		case d.NoDevice:
			m.NoDevice = aws.String("")
		case d.VirtualName != "":
			m.VirtualName = aws.String(d.VirtualName)
		default:
			m.Ebs = toVolume(d)
		}
		all = append(all, m)
	}
	return all
}

func toVolume(d BlockDevice) *types.EbsBlockDevice {
	v := &types.EbsBlockDevice{
		VolumeType:          types.VolumeType(cmp.Or(d.VolumeType, "gp3")),
		Encrypted:           d.Encrypted,
		DeleteOnTermination: cmp.Or(d.DeleteOnTermination, aws.Bool(true)),
		SnapshotId:          optional(d.SnapshotID),
		KmsKeyId:            optional(d.KMSKeyID),
	}
	v.VolumeSize, v.Throughput = positive(d.SizeGiB), positive(d.Throughput)
	if d.HasIOPS() {
		v.Iops = positive(d.IOPS)
	}
	return v
}

// optional is nil for what was not said.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// positive is nil for what was not said.
func positive(n int) *int32 {
	if n <= 0 {
		return nil
	}
	return aws.Int32(int32(n))
}
