package localcloud

import (
	"slices"
	"strings"
)

func describeInstances(c *Cloud, r *request) (any, error) {
	c.forgetTerminated()
	named, err := c.instancesNamed(r)
	if err != nil {
		return nil, err
	}
	page, next, err := describe(r, named, tagsOfInstance, c.instanceAttributes())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Reservations []reservationItem `xml:"reservationSet>item"`
		NextToken    string            `xml:"nextToken,omitempty"`
	}
	for len(page) > 0 { // instances of one launch stand together
		n := slices.IndexFunc(page, func(i *instance) bool { return i.ReservationID != page[0].ReservationID })
		if n < 0 {
			n = len(page)
		}
		answer.Reservations = append(answer.Reservations, c.reservationOf(page[:n]))
		page = page[n:]
	}
	answer.NextToken = next
	return answer, nil
}

// instancesNamed are the instances of InstanceId.N, or all of the region; the
// oldest launch comes first.
func (c *Cloud) instancesNamed(r *request) ([]*instance, error) {
	all := inRegion(c.state.Instances, r.region, func(i *instance) string { return i.Region })
	if r.has("InstanceId") {
		var err error
		if all, err = c.findInstances(r); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, byLaunch)
	return slices.Compact(all), nil
}

func tagsOfInstance(inst *instance) map[string]string { return inst.Tags }

// reservationOf is one launch, in the form that RunInstances and
// DescribeInstances share.
func (c *Cloud) reservationOf(all []*instance) reservationItem {
	item := reservationItem{ReservationID: all[0].ReservationID, OwnerID: accountID}
	for _, inst := range all {
		item.Instances = append(item.Instances, c.instanceItem(inst))
	}
	return item
}

func (c *Cloud) instanceItem(inst *instance) instanceItem {
	item := instanceItem{
		InstanceID:      inst.ID,
		ImageID:         inst.ImageID,
		State:           stateOf(inst.State),
		PrivateDNS:      inst.privateDNS(),
		Transition:      inst.transitionReason(),
		KeyName:         inst.KeyName,
		LaunchIndex:     inst.LaunchIndex,
		Type:            inst.Type,
		LaunchTime:      stamp(inst.Launched),
		Placement:       placementItem{Zone: inst.Zone, Tenancy: inst.Tenancy},
		Monitoring:      inst.monitoring(),
		SourceDestCheck: inst.SourceDestCheck,
		Architecture:    inst.Architecture,
		RootDeviceType:  "ebs",
		RootDevice:      inst.RootDevice,
		Virtualization:  "hvm",
		SpotRequest:     inst.Spot,
		ClientToken:     inst.ClientToken,
		Tags:            tagsOf(inst.Tags),
		Hypervisor:      "xen",
		EbsOptimized:    inst.EbsOptimized,
		ENA:             inst.ENA,
		CPU:             cpuItem{Cores: 1, Threads: 1},
		Metadata:        inst.Metadata.item("applied"),
		PlatformDetails: "Linux/UNIX",
		UsageOperation:  "RunInstances",
	}
	if inst.Spot != "" {
		item.Lifecycle = "spot"
	}
	if inst.Reason != "" {
		item.StateReason = &reasonItem{inst.ReasonCode, inst.Reason}
	}
	if inst.Profile != "" {
		item.Profile = &profileItem{ARN: inst.Profile, ID: "AIPALOCALCLOUD000000"}
	}
	if inst.State != terminated {
		c.addNetwork(inst, &item)
	}
	for _, v := range inst.Volumes {
		item.Devices = append(item.Devices, deviceItem{v.Device, ebsDeviceItem{
			VolumeID: v.VolumeID, Status: "attached", AttachTime: stamp(v.Attached), DeleteOnTermination: v.DeleteOnTermination,
		}})
	}
	return item
}

// addNetwork is the part of an instance that ends with it. Its public address
// is its private one: the machine is reachable from this computer, and only so.
func (c *Cloud) addNetwork(inst *instance, item *instanceItem) {
	groups := c.groupItems(inst.Groups)
	item.SubnetID, item.VpcID = inst.SubnetID, inst.VpcID
	item.PrivateIP, item.Groups = inst.PrivateIP, groups
	item.PublicIP = inst.publicIP()
	item.PrivateDNSOption = &dnsOptionsItem{HostnameType: "ip-name"}
	association := interfaceAssociation{PublicIP: inst.publicIP(), OwnerID: "amazon"}
	item.Interfaces = []interfaceItem{{
		ID: inst.InterfaceID, SubnetID: inst.SubnetID, VpcID: inst.VpcID, OwnerID: accountID,
		Status: "in-use", MAC: inst.MAC, PrivateIP: inst.PrivateIP, PrivateDNS: inst.privateDNS(),
		SourceDestCheck: inst.SourceDestCheck, Groups: groups,
		Attachment: interfaceAttachment{
			ID: "eni-attach-" + strings.TrimPrefix(inst.InterfaceID, "eni-"), Status: "attached",
			AttachTime: stamp(inst.Launched), DeleteOnTermination: true,
		},
		Association: association,
		Addresses:   []interfaceAddressItem{{PrivateIP: inst.PrivateIP, Primary: true, Association: association}},
	}}
}

func (c *Cloud) groupItems(ids []string) groupItems {
	var set groupItems
	for _, id := range ids {
		item := memberGroup{ID: id}
		if g := c.state.Groups[id]; g != nil {
			item.Name = g.Name
		}
		set.Items = append(set.Items, item)
	}
	return set
}

func stateOf(state string) stateItem { return stateItem{stateCode(state), state} }

// publicIP is the private address, while the instance is up, of one that has a
// public address.
func (inst *instance) publicIP() string {
	if inst.Private || inst.State == stopped || inst.State == stopping {
		return ""
	}
	return inst.PrivateIP
}

// transitionReason is how the way down is told beside StateReason.
func (inst *instance) transitionReason() string {
	switch inst.ReasonCode {
	case "Client.UserInitiatedShutdown":
		return "User initiated (" + inst.ReasonTime.UTC().Format("2006-01-02 15:04:05 GMT") + ")"
	case "Server.InternalError":
		return inst.ReasonCode
	}
	return ""
}

func (inst *instance) monitoring() string {
	if inst.Monitored {
		return "enabled"
	}
	return "disabled"
}

func (m metadataOptions) item(state string) metadataItem {
	return metadataItem{
		State:    state,
		Tokens:   either(m.TokensRequired, "required", "optional"),
		HopLimit: m.HopLimit,
		Endpoint: either(m.Disabled, "disabled", "enabled"),
		IPv6:     either(m.IPv6, "enabled", "disabled"),
		Tags:     either(m.Tags, "enabled", "disabled"),
	}
}

func either(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}
