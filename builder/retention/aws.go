package retention

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/internal/awserr"
)

// Cloud is a region of an account.
type Cloud struct {
	EC2        EC2
	Scaling    AutoScaling
	Parameters builder.Parameters
}

// EC2 is the part of the EC2 API that retention needs. *ec2.Client satisfies it.
type EC2 interface {
	lookAPI
	shareAPI
	removeAPI
}

// lookAPI says what is there, and who needs it.
type lookAPI interface {
	ec2.DescribeImagesAPIClient
	ec2.DescribeInstancesAPIClient
	ec2.DescribeSnapshotsAPIClient
	ec2.DescribeLaunchTemplatesAPIClient
	ec2.DescribeLaunchTemplateVersionsAPIClient
}

// shareAPI says who else may use it.
type shareAPI interface {
	DescribeImageAttribute(context.Context, *ec2.DescribeImageAttributeInput, ...func(*ec2.Options)) (*ec2.DescribeImageAttributeOutput, error)
	DescribeSnapshotAttribute(context.Context, *ec2.DescribeSnapshotAttributeInput, ...func(*ec2.Options)) (*ec2.DescribeSnapshotAttributeOutput, error)
}

// removeAPI takes it away.
type removeAPI interface {
	CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
	DeleteTags(context.Context, *ec2.DeleteTagsInput, ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error)
	DeregisterImage(context.Context, *ec2.DeregisterImageInput, ...func(*ec2.Options)) (*ec2.DeregisterImageOutput, error)
	DeleteSnapshot(context.Context, *ec2.DeleteSnapshotInput, ...func(*ec2.Options)) (*ec2.DeleteSnapshotOutput, error)
}

var _ EC2 = (*ec2.Client)(nil)

// DeniedError says that AWS does not let us see something that may need an image.
type DeniedError struct {
	Permission string // such as "autoscaling:DescribeAutoScalingGroups"
	Region     string
	Err        error
}

// Error names the permission.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("%s is not allowed in %s: without it nobody knows which images are in use (see imago help iam): %v", e.Permission, e.Region, e.Err)
}

// Unwrap returns the cause.
func (e *DeniedError) Unwrap() error { return e.Err }

// denied says of an error which permission is missing, if that is what it means.
func (l *looking) denied(permission string, err error) error {
	switch {
	case err == nil:
		return nil
	case awserr.Is(err, "UnauthorizedOperation", "AccessDenied", "AccessDeniedException"):
		return &DeniedError{permission, l.region, err}
	}
	return fmt.Errorf("look in %s: %w", l.region, err)
}

// Denied takes the error of a look apart: what may not be seen, and everything else.
func Denied(err error) (denied []*DeniedError, other []error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range all.Unwrap() {
			d, o := Denied(one)
			denied, other = append(denied, d...), append(other, o...)
		}
		return denied, other
	}
	if d := new(DeniedError); errors.As(err, &d) {
		return []*DeniedError{d}, nil
	}
	if err == nil {
		return nil, nil
	}
	return nil, []error{err}
}
