package gc

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// remove takes one resource away and returns when it is gone. What is gone
// already, because somebody else collects too, is as well.
func remove(ctx context.Context, cloud EC2, r Resource) error {
	return poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		err := ask(ctx, cloud, r)
		switch c := code(err); {
		case err == nil:
			return gone(ctx, cloud, r)
		case strings.HasSuffix(c, ".NotFound"), c == "InvalidAMIID.Unavailable":
			return true, nil
		case slices.Contains([]string{"DependencyViolation", "InvalidGroup.InUse", "InvalidSnapshot.InUse", "VolumeInUse", "IncorrectState"}, c):
			return false, nil // what used it has gone, and AWS has not noticed yet
		}
		return true, err
	})
}

// ask is the call that takes a resource away.
func ask(ctx context.Context, cloud EC2, r Resource) (err error) {
	switch r.Kind {
	case Instance:
		_, err = cloud.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{r.ID}})
	case Image:
		_, err = cloud.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &r.ID})
	case KeyPair:
		_, err = cloud.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyPairId: &r.ID})
	case Volume:
		_, err = cloud.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &r.ID})
	case Snapshot:
		_, err = cloud.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &r.ID})
	case Group:
		_, err = cloud.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &r.ID})
	}
	return err
}

// gone says whether what was asked for has come true: an instance takes its time,
// and its volumes and groups go after it.
func gone(ctx context.Context, cloud EC2, r Resource) (bool, error) {
	if r.Kind != Instance {
		return true, nil
	}
	found, err := looking{cloud, r.Region}.instances(ctx, filter("instance-id", r.ID))
	return err == nil && (len(found) == 0 || found[0].State == "terminated"), err
}
