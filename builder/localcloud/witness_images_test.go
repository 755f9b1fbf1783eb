package localcloud_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/imagobuild/imago/builder/localcloud"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func codeOf(err error) string {
	if fault, ok := errors.AsType[smithy.APIError](err); ok {
		return fault.ErrorCode()
	}
	return ""
}

func launch(ctx context.Context, t *testing.T, client *ec2.Client, image string) string {
	t.Helper()
	ran := must[*ec2.RunInstancesOutput](t)(client.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: &image, MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: types.InstanceTypeT3Micro}))
	id := *ran.Instances[0].InstanceId
	wait := ec2.NewInstanceRunningWaiter(client, func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Millisecond })
	if err := wait.Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	return id
}

// AWS's own SDK makes an image, shares it, copies it and takes it all away.
func TestWitnessImages(t *testing.T) {
	cloud, base := localcloud.OpenTest(t)
	config := sdk(cloud.Env())
	config.RetryMaxAttempts = losses
	client := ec2.NewFromConfig(config)
	west := ec2.NewFromConfig(config, func(o *ec2.Options) { o.Region = "us-west-2" })
	ctx := t.Context()
	waitFor := func(client *ec2.Client, id string) types.Image {
		t.Helper()
		wait := ec2.NewImageAvailableWaiter(client, func(o *ec2.ImageAvailableWaiterOptions) { o.MinDelay = time.Millisecond })
		found, err := wait.WaitForOutput(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}}, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return found.Images[0]
	}
	made := must[*ec2.CreateImageOutput](t)(client.CreateImage(ctx, &ec2.CreateImageInput{
		InstanceId: aws.String(launch(ctx, t, client, base)), Name: aws.String("witness"), Description: aws.String("seen"),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeImage, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}}}))
	img := waitFor(client, *made.ImageId)
	disk := img.BlockDeviceMappings[0].Ebs
	created, err := time.Parse(time.RFC3339, *img.CreationDate)
	if err != nil || time.Since(created) > time.Minute {
		t.Errorf("created at %s", *img.CreationDate)
	}
	want := types.Image{
		Architecture: types.ArchitectureValuesX8664, CreationDate: img.CreationDate, Description: aws.String("seen"), DeregistrationProtection: aws.String("disabled"), EnaSupport: aws.Bool(true),
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{
			DeleteOnTermination: aws.Bool(true), Encrypted: aws.Bool(false), SnapshotId: disk.SnapshotId, VolumeSize: aws.Int32(8), VolumeType: types.VolumeTypeGp2}}},
		Hypervisor: types.HypervisorTypeXen, ImageId: made.ImageId, ImageLocation: aws.String("000000000000/witness"), ImageType: types.ImageTypeValuesMachine,
		Name: aws.String("witness"), OwnerId: aws.String("000000000000"), PlatformDetails: aws.String("Linux/UNIX"), Public: aws.Bool(false),
		RootDeviceName: aws.String("/dev/xvda"), RootDeviceType: types.DeviceTypeEbs, SourceImageId: &base, SourceImageRegion: aws.String("us-east-1"),
		SourceInstanceId: img.SourceInstanceId, State: types.ImageStateAvailable, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		UsageOperation: aws.String("RunInstances"), VirtualizationType: types.VirtualizationTypeHvm,
	}
	if diff := cmp.Diff(want, img, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(types.Image{}, types.BlockDeviceMapping{}, types.EbsBlockDevice{}, types.Tag{}, types.ProductCode{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	must[*ec2.ModifyImageAttributeOutput](t)(client.ModifyImageAttribute(ctx, &ec2.ModifyImageAttributeInput{ImageId: made.ImageId,
		LaunchPermission: &types.LaunchPermissionModifications{Add: []types.LaunchPermission{{UserId: aws.String("123456789012")}}}}))
	shared := must[*ec2.DescribeImageAttributeOutput](t)(client.DescribeImageAttribute(ctx, &ec2.DescribeImageAttributeInput{ImageId: made.ImageId, Attribute: types.ImageAttributeNameLaunchPermission}))
	if len(shared.LaunchPermissions) != 1 || aws.ToString(shared.LaunchPermissions[0].UserId) != "123456789012" {
		t.Errorf("permissions: %+v", shared.LaunchPermissions)
	}
	copied := must[*ec2.CopyImageOutput](t)(west.CopyImage(ctx, &ec2.CopyImageInput{Name: aws.String("witness"), SourceImageId: made.ImageId, SourceRegion: aws.String("us-east-1"), Encrypted: aws.Bool(true)}))
	if encrypted := waitFor(west, *copied.ImageId).BlockDeviceMappings[0].Ebs.Encrypted; !aws.ToBool(encrypted) {
		t.Error("the copy is not encrypted")
	}
	gone := must[*ec2.DeregisterImageOutput](t)(client.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: made.ImageId, DeleteAssociatedSnapshots: aws.Bool(true)}))
	if len(gone.DeleteSnapshotResults) != 1 || gone.DeleteSnapshotResults[0].ReturnCode != types.SnapshotReturnCodesSuccess {
		t.Errorf("snapshots: %+v", gone.DeleteSnapshotResults)
	}
	_, err = client.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{*made.ImageId}})
	if code := codeOf(err); code != "InvalidAMIID.NotFound" {
		t.Errorf("got %v", err)
	}
	p := must[*ssm.GetParameterOutput](t)(ssm.NewFromConfig(config).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/aws/service/debian/release/12/latest/amd64")}))
	if *p.Parameter.Value != base || time.Since(*p.Parameter.LastModifiedDate) > time.Minute {
		t.Errorf("parameter: %+v", p.Parameter)
	}
}

// AWS's own SDK makes what a bake needs, and hears of each mistake by its code.
func TestWitnessKeysAndGroups(t *testing.T) {
	cloud, _ := localcloud.OpenTest(t)
	client := ec2.NewFromConfig(sdk(cloud.Env()), func(o *ec2.Options) { o.RetryMaxAttempts = losses })
	ctx := t.Context()
	const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGH0r4nDLpBCcBxqHTCjlEyWgTPGzGzRUiLmMpzfhaSS me"
	imported := must[*ec2.ImportKeyPairOutput](t)(client.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{KeyName: aws.String("k"), PublicKeyMaterial: []byte(line)}))
	shown := must[*ec2.DescribeKeyPairsOutput](t)(client.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{IncludePublicKey: aws.Bool(true)})).KeyPairs[0]
	if *shown.KeyPairId != *imported.KeyPairId || shown.KeyType != types.KeyTypeEd25519 || *shown.PublicKey != line[:len(line)-3]+" k" || time.Since(*shown.CreateTime) > time.Minute {
		t.Errorf("key pair: %+v %s", shown, aws.ToString(shown.PublicKey))
	}
	must[*ec2.DeleteKeyPairOutput](t)(client.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyPairId: imported.KeyPairId}))

	made := must[*ec2.CreateSecurityGroupOutput](t)(client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("g"), Description: aws.String("d")}))
	allow := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: made.GroupId, IpPermissions: []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
		IpRanges:         []types.IpRange{{CidrIp: aws.String("192.0.2.7/32"), Description: aws.String("me")}},
		UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: made.GroupId}}}}}
	allowed := must[*ec2.AuthorizeSecurityGroupIngressOutput](t)(client.AuthorizeSecurityGroupIngress(ctx, allow))
	if len(allowed.SecurityGroupRules) != 2 || aws.ToString(allowed.SecurityGroupRules[1].ReferencedGroupInfo.GroupId) != *made.GroupId {
		t.Errorf("rules: %+v", allowed.SecurityGroupRules)
	}
	_, err := client.AuthorizeSecurityGroupIngress(ctx, allow)
	if code := codeOf(err); code != "InvalidPermission.Duplicate" {
		t.Errorf("got %v", err)
	}
	group := must[*ec2.DescribeSecurityGroupsOutput](t)(client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*made.GroupId}})).SecurityGroups[0]
	if p := group.IpPermissions[0]; *p.FromPort != 22 || *p.IpRanges[0].Description != "me" || *p.UserIdGroupPairs[0].GroupId != *made.GroupId {
		t.Errorf("permission: %+v", p)
	}
	must[*ec2.RevokeSecurityGroupIngressOutput](t)(client.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: made.GroupId, IpPermissions: group.IpPermissions}))
	must[*ec2.DeleteSecurityGroupOutput](t)(client.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: made.GroupId}))
	_, err = client.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: made.GroupId})
	if code := codeOf(err); code != "InvalidGroup.NotFound" {
		t.Errorf("got %v", err)
	}
	count := 0
	for pages := ec2.NewDescribeInstanceTypesPaginator(client, &ec2.DescribeInstanceTypesInput{MaxResults: aws.Int32(40)}); pages.HasMorePages(); {
		count += len(must[*ec2.DescribeInstanceTypesOutput](t)(pages.NextPage(ctx)).InstanceTypes)
	}
	if count < 100 {
		t.Errorf("%d instance types in all pages", count)
	}
	zones := must[*ec2.DescribeAvailabilityZonesOutput](t)(client.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{}))
	subnets := must[*ec2.DescribeSubnetsOutput](t)(client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{}))
	if len(zones.AvailabilityZones) != 3 || len(subnets.Subnets) != 3 || *subnets.Subnets[0].AvailabilityZoneId != *zones.AvailabilityZones[0].ZoneId {
		t.Errorf("zones %+v, subnets %+v", zones.AvailabilityZones, subnets.Subnets)
	}
}

// losses is how often a call is tried: on a busy computer the SDK loses a
// connection now and then (github.com/aws/aws-sdk-go-v2/issues/2737).
const losses = 10
