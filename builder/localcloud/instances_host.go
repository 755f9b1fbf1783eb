package localcloud

// readCapacity finds nothing of what the computer under a machine may be asked to have.
func readCapacity(r *request) {
	wish := r.at("CapacityReservationSpecification")
	wish.oneOf("CapacityReservationPreference", "open", "open", "none")
	target := wish.at("CapacityReservationTarget")
	if id := target.text("CapacityReservationId"); id != "" {
		r.problem(faultf("InvalidCapacityReservationId.NotFound", "The capacity reservation '%s' was not found", id))
	}
	if group := target.text("CapacityReservationResourceGroupArn"); group != "" {
		r.problem(faultf("InvalidParameterValue", "The local cloud has no resource group '%s'.", group))
	}
	for _, license := range r.each("LicenseSpecification") {
		r.problem(faultf("InvalidParameterValue", "The local cloud has no license configuration '%s'.", license.text("LicenseConfigurationArn")))
	}
	if r.at("CpuOptions").oneOf("NestedVirtualization", "disabled", "enabled", "disabled") == "enabled" {
		r.problem(faultf("UnsupportedOperation", "The local cloud has no nested virtualization."))
	}
}
