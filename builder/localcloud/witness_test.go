package localcloud_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder/localcloud"
)

// sdk is the configuration of AWS's own SDK for a cloud.
func sdk(env map[string]string) aws.Config {
	endpoint := env["AWS_ENDPOINT_URL"]
	return aws.Config{
		Region:       env["AWS_REGION"],
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	}
}

// AWS's own SDK takes an instance through its life.
func TestWitnessSDK(t *testing.T) {
	cloud, image := localcloud.OpenTest(t)
	config := sdk(cloud.Env())
	client := ec2.NewFromConfig(config)
	ctx := t.Context()

	who, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(who.Account) != "000000000000" {
		t.Errorf("identity: %+v, %v", who, err)
	}
	ran, err := client.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: &image, MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: types.InstanceTypeT3Micro,
		InstanceInitiatedShutdownBehavior: types.ShutdownBehaviorTerminate,
		MetadataOptions:                   &types.InstanceMetadataOptionsRequest{HttpTokens: types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(2)},
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"),
			Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(20), VolumeType: types.VolumeTypeGp3, DeleteOnTermination: aws.Bool(true)}}},
		NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), AssociatePublicIpAddress: aws.Bool(true)}},
		TagSpecifications: []types.TagSpecification{
			{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("it")}}},
			{ResourceType: types.ResourceTypeVolume, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("it")}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{*ran.Instances[0].InstanceId}
	describe := &ec2.DescribeInstancesInput{InstanceIds: ids}
	fast := func(d *time.Duration) { *d = time.Millisecond }
	waitRunning := ec2.NewInstanceRunningWaiter(client, func(o *ec2.InstanceRunningWaiterOptions) { fast(&o.MinDelay) })
	if err := waitRunning.Wait(ctx, describe, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	waitOK := ec2.NewInstanceStatusOkWaiter(client, func(o *ec2.InstanceStatusOkWaiterOptions) { fast(&o.MinDelay) })
	if err := waitOK.Wait(ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: ids}, 5*time.Second); err != nil {
		t.Error(err)
	}
	if _, err := client.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids}); err != nil {
		t.Fatal(err)
	}
	waitStopped := ec2.NewInstanceStoppedWaiter(client, func(o *ec2.InstanceStoppedWaiterOptions) { fast(&o.MinDelay) })
	if err := waitStopped.Wait(ctx, describe, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids}); err != nil {
		t.Fatal(err)
	}
	waitGone := ec2.NewInstanceTerminatedWaiter(client, func(o *ec2.InstanceTerminatedWaiterOptions) { fast(&o.MinDelay) })
	if err := waitGone.Wait(ctx, describe, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	expectCode(ctx, t, client, "InvalidInstanceID.NotFound")
}

func expectCode(ctx context.Context, t *testing.T, client *ec2.Client, want string) {
	t.Helper()
	_, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{"i-00000000000000000"}})
	if fault, ok := errors.AsType[smithy.APIError](err); !ok || fault.ErrorCode() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
