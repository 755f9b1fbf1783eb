package builder

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// askForHost says what the computer under the machine must have. Spot instances
// come from no reservation, and AWS wants nothing said of one.
func askForHost(in *ec2.RunInstancesInput, c Instance) {
	if c.Spot == nil {
		in.CapacityReservationSpecification = reservation(c.Capacity)
	}
	for _, arn := range c.Licenses {
		in.LicenseSpecifications = append(in.LicenseSpecifications, types.LicenseConfigurationRequest{LicenseConfigurationArn: &arn})
	}
	if c.Enclave {
		in.EnclaveOptions = &types.EnclaveOptionsRequest{Enabled: aws.Bool(true)}
	}
	if c.NestedVirtualization {
		in.CpuOptions = &types.CpuOptionsRequest{NestedVirtualization: types.NestedVirtualizationSpecificationEnabled}
	}
}

// reservation is the capacity reservation that the machine may use: as in Packer
// none, unless one is asked for.
func reservation(c Capacity) *types.CapacityReservationSpecification {
	if c.ID != "" || c.GroupARN != "" {
		return &types.CapacityReservationSpecification{CapacityReservationTarget: &types.CapacityReservationTarget{
			CapacityReservationId: optional(c.ID), CapacityReservationResourceGroupArn: optional(c.GroupARN),
		}}
	}
	return &types.CapacityReservationSpecification{
		CapacityReservationPreference: types.CapacityReservationPreference(cmp.Or(c.Preference, "none")),
	}
}
