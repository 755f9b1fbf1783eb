package builder

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

func (f *fakeEC2) ModifyImageAttribute(_ context.Context, in *ec2.ModifyImageAttributeInput, _ ...options) (*ec2.ModifyImageAttributeOutput, error) {
	f.called(in)
	return nil, nil
}

func (f *fakeEC2) ModifySnapshotAttribute(_ context.Context, in *ec2.ModifySnapshotAttributeInput, _ ...options) (*ec2.ModifySnapshotAttributeOutput, error) {
	f.called(in)
	return nil, nil
}

func (f *fakeEC2) ModifyInstanceAttribute(_ context.Context, in *ec2.ModifyInstanceAttributeInput, _ ...options) (*ec2.ModifyInstanceAttributeOutput, error) {
	f.called(in)
	return nil, nil
}

func (f *fakeEC2) EnableImageDeprecation(_ context.Context, in *ec2.EnableImageDeprecationInput, _ ...options) (*ec2.EnableImageDeprecationOutput, error) {
	f.called(in)
	return nil, nil
}

func (f *fakeEC2) EnableImageDeregistrationProtection(_ context.Context, in *ec2.EnableImageDeregistrationProtectionInput, _ ...options) (*ec2.EnableImageDeregistrationProtectionOutput, error) {
	f.called(in)
	return nil, nil
}
