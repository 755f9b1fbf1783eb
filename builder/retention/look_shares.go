package retention

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
)

// shares lists who else may use an image or one of its snapshots. Of what is gone, nobody.
func (l *looking) shares(ctx context.Context, img Image) ([]string, error) {
	all := slices.Clone(img.SharedWith)
	out, err := l.cloud.EC2.DescribeImageAttribute(ctx, &ec2.DescribeImageAttributeInput{
		ImageId: &img.ID, Attribute: types.ImageAttributeNameLaunchPermission,
	})
	switch {
	case awserr.Is(err, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"):
		return nil, nil
	case err != nil:
		return nil, l.denied("ec2:DescribeImageAttribute", err)
	}
	for _, p := range out.LaunchPermissions {
		all = append(all, aws.ToString(p.UserId), everybody(string(p.Group)), aws.ToString(p.OrganizationArn), aws.ToString(p.OrganizationalUnitArn))
	}
	for _, id := range img.Snapshots {
		out, err := l.cloud.EC2.DescribeSnapshotAttribute(ctx, &ec2.DescribeSnapshotAttributeInput{
			SnapshotId: &id, Attribute: types.SnapshotAttributeNameCreateVolumePermission,
		})
		switch {
		case awserr.Is(err, "InvalidSnapshot.NotFound"):
			continue
		case err != nil:
			return nil, l.denied("ec2:DescribeSnapshotAttribute", err)
		}
		for _, p := range out.CreateVolumePermissions {
			all = append(all, aws.ToString(p.UserId), everybody(string(p.Group)))
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(who string) bool { return who == "" || who == img.Owner }), nil
}

// everybody is the group all in other words.
func everybody(group string) string {
	if group == "all" {
		return "everybody"
	}
	return group
}
