package template

import "github.com/imagobuild/imago/builder"

func readNetwork(o *object) builder.Network {
	o.exclusive("security_group_id", "security_group_ids")
	n := builder.Network{
		VPC: o.text("vpc_id"), Subnet: o.text("subnet_id"), AvailabilityZone: o.text("availability_zone"),
		AssociatePublicIP:   o.tristate("associate_public_ip_address"),
		SecurityGroups:      append(o.list("security_group_ids"), o.single("security_group_id")...),
		SourceCIDRs:         o.list("temporary_security_group_source_cidrs"),
		SourcePublicIP:      o.boolean("temporary_security_group_source_public_ip"),
		VPCFilter:           readNested(o, "vpc_filter"),
		SecurityGroupFilter: readNested(o, "security_group_filter"),
	}
	if f := o.object("subnet_filter"); f != nil {
		n.SubnetFilter = &builder.SubnetFilter{Filters: readFilters(f), MostFree: f.boolean("most_free"), Random: f.boolean("random")}
		f.finish()
	}
	if len(n.SourceCIDRs) > 0 && n.SourcePublicIP {
		v, _ := o.get("temporary_security_group_source_public_ip")
		o.wrong(v, "temporary_security_group_source_public_ip", "and temporary_security_group_source_cidrs exclude each other; keep one")
	}
	return n
}

// readNested reads an option that holds nothing but filters.
func readNested(o *object, name string) map[string][]string {
	f := o.object(name)
	if f == nil {
		return nil
	}
	filters := readFilters(f)
	f.finish()
	return filters
}
