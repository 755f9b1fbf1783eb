package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// client returns the real SDK's EC2 client for the suite's cloud.
func client(t *testing.T) *ec2.Client {
	t.Helper()
	return ec2.New(ec2.Options{
		Region:       cloud.export(t, "AWS_REGION"),
		BaseEndpoint: aws.String(cloud.export(t, "AWS_ENDPOINT_URL")),
		Credentials:  credentials.NewStaticCredentialsProvider(cloud.export(t, "AWS_ACCESS_KEY_ID"), cloud.export(t, "AWS_SECRET_ACCESS_KEY"), ""),

		// On a busy computer the SDK loses a connection now and then, which is none of ours
		// (github.com/aws/aws-sdk-go-v2/issues/2737).
		RetryMaxAttempts: 10,
	})
}

// clientIn is client for another region.
func clientIn(t *testing.T, region string) *ec2.Client {
	t.Helper()
	o := client(t).Options().Copy()
	o.Region = region
	return ec2.New(o)
}

// inventory lists all there is in the cloud that could cost money or be in the
// way: one line each, sorted. Terminated instances and default groups are not counted.
func inventory(t *testing.T) []string {
	t.Helper()
	return inventoryOf(t, client(t))
}

// inventoryOf is the inventory of a client's region, or of what the filters say of it.
func inventoryOf(t *testing.T, api *ec2.Client, filters ...types.Filter) []string {
	t.Helper()
	ctx := after(t)
	var all []string
	add := func(kind string, id *string) { all = append(all, kind+" "+aws.ToString(id)) }
	for _, list := range []func() error{
		func() error {
			out, err := api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filters})
			for _, i := range instances(out) {
				if i.State.Name != types.InstanceStateNameTerminated {
					add("instance", i.InstanceId)
				}
			}
			return err
		},
		func() error {
			out, err := api.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{Filters: filters})
			for i := range out.KeyPairs {
				add("key pair", out.KeyPairs[i].KeyName)
			}
			return err
		},
		func() error {
			out, err := api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: filters})
			for _, g := range out.SecurityGroups {
				if aws.ToString(g.GroupName) != "default" {
					add("security group", g.GroupId)
				}
			}
			return err
		},
		func() error {
			out, err := api.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: filters})
			for i := range out.Volumes {
				add("volume", out.Volumes[i].VolumeId)
			}
			return err
		},
		func() error {
			out, err := api.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, Filters: filters})
			for i := range out.Snapshots {
				add("snapshot", out.Snapshots[i].SnapshotId)
			}
			return err
		},
		func() error {
			out, err := api.DescribeImages(ctx, &ec2.DescribeImagesInput{Owners: []string{"self", "amazon"}, Filters: filters})
			for i := range out.Images {
				add("image", out.Images[i].ImageId)
			}
			return err
		},
	} {
		if err := list(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// instances flattens the reservations of a description.
func instances(out *ec2.DescribeInstancesOutput) (all []types.Instance) {
	if out == nil {
		return nil
	}
	for _, r := range out.Reservations {
		all = append(all, r.Instances...)
	}
	return all
}

// leavesNothing checks, when the test ends, that nothing is there that was not
// there when it was called.
func leavesNothing(t *testing.T) {
	t.Helper()
	before := inventory(t)
	t.Cleanup(func() {
		after := inventory(t)
		if diff := added(before, after); len(diff) > 0 {
			t.Errorf("left behind:\n%s", strings.Join(diff, "\n"))
		}
	})
}

// added returns what after has and before has not.
func added(before, after []string) (diff []string) {
	for _, s := range after {
		if !slices.Contains(before, s) {
			diff = append(diff, s)
		}
	}
	return diff
}

// removeImage removes an image when the test ends.
func removeImage(t *testing.T, id string) {
	t.Helper()
	t.Cleanup(func() { remove(t, client(t), id) })
}

// remove deregisters an image and deletes its snapshots, as a user would.
func remove(t *testing.T, api *ec2.Client, id string) {
	t.Helper()
	ctx := after(t)
	out, err := api.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	if err != nil || len(out.Images) != 1 {
		t.Fatalf("describe %s: %v", id, err)
	}
	if _, err := api.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &id}); err != nil {
		t.Fatal(fmt.Errorf("deregister %s: %w", id, err))
	}
	for _, m := range out.Images[0].BlockDeviceMappings {
		if m.Ebs == nil || m.Ebs.SnapshotId == nil {
			continue
		}
		if _, err := api.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: m.Ebs.SnapshotId}); err != nil {
			t.Fatal(err)
		}
	}
}
