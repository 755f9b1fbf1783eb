package localcloud

import "slices"

// interfaceSpec is what a RunInstances says of its network, in either of the
// two places where it can.
type interfaceSpec struct {
	subnet, address, zone string
	groupIDs, groupNames  []string
	public                *bool
}

// planNetwork finds the subnet and the groups of a launch.
func (c *Cloud) planNetwork(r *request, plan *launchPlan) error {
	spec, err := readInterface(r)
	if err != nil {
		return err
	}
	inst := &plan.template
	place, err := c.subnetFor(r.region, spec)
	if err != nil {
		return err
	}
	inst.SubnetID, inst.VpcID, inst.Zone = place.ID, place.VpcID, place.Zone
	plan.address = spec.address
	inst.Private = !isTrueOr(spec.public, place.PublicIP)
	if len(spec.groupIDs)+len(spec.groupNames) == 0 {
		inst.Groups = []string{c.defaultGroupOf(place.VpcID).ID}
		return nil
	}
	groups, err := c.findGroups(r.region, spec.groupIDs, spec.groupNames)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.VpcID != place.VpcID {
			return faultf("InvalidParameter", "Security group %s and subnet %s belong to different networks.", g.ID, place.ID)
		}
		if !slices.Contains(inst.Groups, g.ID) {
			inst.Groups = append(inst.Groups, g.ID)
		}
	}
	return nil
}

func (c *Cloud) subnetFor(region string, spec interfaceSpec) (*subnet, error) {
	if spec.subnet == "" {
		return c.defaultSubnet(region, spec.zone)
	}
	place, err := c.findSubnet(region, spec.subnet)
	if err == nil && spec.zone != "" && spec.zone != place.Zone {
		return nil, faultf("InvalidParameterValue", "The availability zone '%s' is not that of subnet %s, which is in '%s'",
			spec.zone, place.ID, place.Zone)
	}
	return place, err
}

// readInterface reads the network of a launch. A machine has one interface.
func readInterface(r *request) (interfaceSpec, error) {
	spec := interfaceSpec{
		zone:       r.at("Placement").text("AvailabilityZone"),
		subnet:     r.text("SubnetId"),
		address:    r.text("PrivateIpAddress"),
		groupIDs:   r.list("SecurityGroupId"),
		groupNames: r.list("SecurityGroup"),
	}
	interfaces := r.each("NetworkInterface")
	switch {
	case len(interfaces) == 0:
		return spec, nil
	case len(interfaces) > 1:
		return spec, faultf("AttachmentLimitExceeded", "Interface count %d exceeds the limit of the local cloud, which is 1.", len(interfaces))
	case spec.subnet != "":
		return spec, faultf("InvalidParameterCombination", "Network interfaces and an instance-level subnet ID may not be specified on the same request")
	case len(spec.groupIDs)+len(spec.groupNames) > 0:
		return spec, faultf("InvalidParameterCombination", "Network interfaces and an instance-level security groups may not be specified on the same request")
	case spec.address != "":
		return spec, faultf("InvalidParameterCombination", "Network interfaces and an instance-level private address may not be specified on the same request")
	}
	one := interfaces[0]
	if index := one.number("DeviceIndex"); index == nil || *index != 0 {
		return spec, faultf("InvalidParameterValue", "The first network interface must have device index 0.")
	}
	if !isTrueOr(one.boolean("DeleteOnTermination"), true) {
		return spec, faultf("UnsupportedOperation", "A network interface of the local cloud ends with its instance.")
	}
	spec.public = one.boolean("AssociatePublicIpAddress")
	one.text("Description")
	one.oneOf("InterfaceType", "interface", "interface")
	spec.subnet = one.text("SubnetId")
	spec.address = one.text("PrivateIpAddress")
	spec.groupIDs = one.list("SecurityGroupId")
	return spec, nil
}

func isTrueOr(b *bool, absent bool) bool {
	if b == nil {
		return absent
	}
	return *b
}
