package localcloud

import "maps"

// instanceAttributes are the filters of DescribeInstances.
func (c *Cloud) instanceAttributes() attributes[*instance] {
	all := ownAttributes()
	maps.Copy(all, deviceAttributes())
	maps.Copy(all, c.networkAttributes())
	return all
}

func ownAttributes() attributes[*instance] {
	type in = *instance
	return attributes[in]{
		"instance-id":                    func(i in) []string { return one(i.ID) },
		"image-id":                       func(i in) []string { return one(i.ImageID) },
		"instance-type":                  func(i in) []string { return one(i.Type) },
		"instance-state-name":            func(i in) []string { return one(i.State) },
		"instance-state-code":            func(i in) []string { return digits(stateCode(i.State)) },
		"key-name":                       func(i in) []string { return one(i.KeyName) },
		"reservation-id":                 func(i in) []string { return one(i.ReservationID) },
		"owner-id":                       fixed[in](accountID),
		"architecture":                   func(i in) []string { return one(i.Architecture) },
		"availability-zone":              func(i in) []string { return one(i.Zone) },
		"client-token":                   func(i in) []string { return one(i.ClientToken) },
		"launch-index":                   func(i in) []string { return digits(i.LaunchIndex) },
		"launch-time":                    func(i in) []string { return one(stamp(i.Launched)) },
		"root-device-name":               func(i in) []string { return one(i.RootDevice) },
		"root-device-type":               fixed[in]("ebs"),
		"virtualization-type":            fixed[in]("hvm"),
		"hypervisor":                     fixed[in]("xen"),
		"tenancy":                        func(i in) []string { return one(i.Tenancy) },
		"monitoring-state":               func(i in) []string { return one(i.monitoring()) },
		"reason":                         func(i in) []string { return one(i.transitionReason()) },
		"state-reason-code":              func(i in) []string { return one(i.ReasonCode) },
		"state-reason-message":           func(i in) []string { return one(i.Reason) },
		"instance-lifecycle":             func(i in) []string { return one(either(i.Spot != "", "spot", "")) },
		"spot-instance-request-id":       func(i in) []string { return one(i.Spot) },
		"iam-instance-profile.arn":       func(i in) []string { return one(i.Profile) },
		"metadata-options.http-tokens":   func(i in) []string { return one(i.Metadata.item("").Tokens) },
		"metadata-options.http-endpoint": func(i in) []string { return one(i.Metadata.item("").Endpoint) },
		"source-dest-check":              func(i in) []string { return yesNo(i.SourceDestCheck) },
	}
}

func deviceAttributes() attributes[*instance] {
	each := func(value func(attachment) []string) func(*instance) []string {
		return func(i *instance) []string {
			var values []string
			for _, v := range i.Volumes {
				values = append(values, value(v)...)
			}
			return values
		}
	}
	return attributes[*instance]{
		"block-device-mapping.device-name":           each(func(v attachment) []string { return one(v.Device) }),
		"block-device-mapping.volume-id":             each(func(v attachment) []string { return one(v.VolumeID) }),
		"block-device-mapping.status":                each(func(attachment) []string { return one("attached") }),
		"block-device-mapping.attach-time":           each(func(v attachment) []string { return one(stamp(v.Attached)) }),
		"block-device-mapping.delete-on-termination": each(func(v attachment) []string { return yesNo(v.DeleteOnTermination) }),
	}
}

// networkAttributes are those that a terminated instance has no more.
func (c *Cloud) networkAttributes() attributes[*instance] {
	while := func(value func(*instance) []string) func(*instance) []string {
		return func(i *instance) []string {
			if i.State == terminated {
				return nil
			}
			return value(i)
		}
	}
	vpc := while(func(i *instance) []string { return one(i.VpcID) })
	subnet := while(func(i *instance) []string { return one(i.SubnetID) })
	address := while(func(i *instance) []string { return one(i.PrivateIP) })
	groupIDs := while(func(i *instance) []string { return i.Groups })
	groupNames := while(func(i *instance) []string {
		var names []string
		for _, g := range c.groupItems(i.Groups).Items {
			names = append(names, g.Name)
		}
		return names
	})
	return attributes[*instance]{
		"vpc-id":                               vpc,
		"subnet-id":                            subnet,
		"private-ip-address":                   address,
		"ip-address":                           while(func(i *instance) []string { return one(i.publicIP()) }),
		"private-dns-name":                     while(func(i *instance) []string { return one(i.privateDNS()) }),
		"dns-name":                             func(*instance) []string { return nil },
		"group-id":                             groupIDs,
		"group-name":                           groupNames,
		"instance.group-id":                    groupIDs,
		"instance.group-name":                  groupNames,
		"network-interface.group-id":           groupIDs,
		"network-interface.group-name":         groupNames,
		"network-interface.subnet-id":          subnet,
		"network-interface.vpc-id":             vpc,
		"network-interface.private-ip-address": address,
		"network-interface.addresses.private-ip-address": address,
		"network-interface.network-interface-id":         while(func(i *instance) []string { return one(i.InterfaceID) }),
		"network-interface.mac-address":                  while(func(i *instance) []string { return one(i.MAC) }),
	}
}
