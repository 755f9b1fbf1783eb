package localcloud_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/localcloud"
)

// hasty is the SDK's own retryer, which decides as ever and waits less.
func hasty(attempts int) func() aws.Retryer {
	return func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = attempts, time.Millisecond
		})
	}
}

func client(cloud *localcloud.Cloud, attempts int) *ec2.Client {
	config := sdk(cloud.Env())
	config.Retryer = hasty(attempts)
	return ec2.NewFromConfig(config)
}

// struck is how many calls reached each rule, and how many it struck.
func struck(t *testing.T, stateDir string) (all [][2]int) {
	t.Helper()
	asker := must[*localcloud.Client](t)(localcloud.NewClient(stateDir))
	for _, one := range must[[]localcloud.FaultCount](t)(asker.Faults(t.Context())) {
		all = append(all, [2]int{one.Calls, one.Struck})
	}
	return all
}

func TestWitnessThrottling(t *testing.T) {
	cloud, _ := localcloud.OpenTest(t,
		localcloud.FaultRule{Action: "DescribeVpcs", Times: 3, Error: "RequestLimitExceeded"},
		localcloud.FaultRule{Action: "GetCallerIdentity", Error: "RequestLimitExceeded"})
	throttles := retry.IsErrorThrottles(retry.DefaultThrottles)

	_, err := client(cloud, 1).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
	if codeOf(err) != "RequestLimitExceeded" || throttles.IsErrorThrottle(err) != aws.TrueTernary {
		t.Errorf("a throttled call is %v, and throttling: %v", err, throttles.IsErrorThrottle(err))
	}
	if _, err = client(cloud, 3).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{}); err != nil {
		t.Errorf("after two more: %v", err)
	}
	config := sdk(cloud.Env())
	config.Retryer = hasty(2)
	_, err = sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if codeOf(err) != "Throttling" || throttles.IsErrorThrottle(err) != aws.TrueTernary {
		t.Errorf("a throttled call of STS is %v", err)
	}
	if diff := cmp.Diff([][2]int{{4, 3}, {2, 2}}, struck(t, localcloud.StateDir(cloud))); diff != "" {
		t.Errorf("calls, struck, -want +got:\n%s", diff)
	}
}

// A call whose answer was lost is made again by the SDK, with the same client
// token: for what has one, nothing is made twice.
func TestWitnessLostAnswers(t *testing.T) {
	cloud, image := localcloud.OpenTest(t, localcloud.FaultRule{Action: "*", Nth: []int{1, 3, 5}, Reset: "after"})
	client, ctx := client(cloud, 2), t.Context()

	ran, err := client.RunInstances(ctx, &ec2.RunInstancesInput{ImageId: &image, MinCount: aws.Int32(1), MaxCount: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	copied, err := client.CopyImage(ctx, &ec2.CopyImageInput{SourceRegion: aws.String("us-east-1"), SourceImageId: &image, Name: aws.String("copy")})
	if err != nil {
		t.Fatal(err)
	}
	volume, err := client.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(3)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][2]int{{6, 3}}, struck(t, localcloud.StateDir(cloud))); diff != "" {
		t.Errorf("calls, struck, -want +got:\n%s", diff)
	}

	var got [3][]string
	instances := must[*ec2.DescribeInstancesOutput](t)(client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{}))
	for _, r := range instances.Reservations {
		for _, i := range r.Instances {
			got[0] = append(got[0], *i.InstanceId)
		}
	}
	for _, i := range must[*ec2.DescribeImagesOutput](t)(client.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Filters: []types.Filter{{Name: aws.String("name"), Values: []string{"copy"}}}})).Images {
		got[1] = append(got[1], *i.ImageId)
	}
	for _, v := range must[*ec2.DescribeVolumesOutput](t)(client.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{
		Filters: []types.Filter{{Name: aws.String("size"), Values: []string{"3"}}}})).Volumes {
		got[2] = append(got[2], *v.VolumeId)
	}
	want := [3][]string{{*ran.Instances[0].InstanceId}, {*copied.ImageId}, {*volume.VolumeId}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("instances, copies, volumes, -want +got:\n%s", diff)
	}
}

// What AWS has no client token for is refused the second time, by its name.
func TestWitnessLostAnswersWithoutToken(t *testing.T) {
	cloud, image := localcloud.OpenTest(t)
	plain, ctx := client(cloud, 1), t.Context()
	id := launch(ctx, t, plain, image)
	asker := must[*localcloud.Client](t)(localcloud.NewClient(localcloud.StateDir(cloud)))
	if err := asker.SetFaults(ctx, []byte(`{"rules": [{"action": "*", "nth": [1, 3, 5, 7], "reset": "after"}]}`)); err != nil {
		t.Fatal(err)
	}
	client := client(cloud, 2)
	_, image2 := client.CreateImage(ctx, &ec2.CreateImageInput{InstanceId: &id, Name: aws.String("made")})
	_, group := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("web")})
	_, pair := client.CreateKeyPair(ctx, &ec2.CreateKeyPairInput{KeyName: aws.String("made"), KeyType: types.KeyTypeEd25519})
	_, imported := client.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{KeyName: aws.String("mine"),
		PublicKeyMaterial: []byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1fgkLMrHBjYCy6Vi8NJbTfMlHTdxbxDEBr2hY8MGmJ me")})
	got := []string{codeOf(image2), codeOf(group), codeOf(pair), codeOf(imported)}
	want := []string{"InvalidAMIName.Duplicate", "InvalidGroup.Duplicate", "InvalidKeyPair.Duplicate", "InvalidKeyPair.Duplicate"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWitnessResetBefore(t *testing.T) {
	cloud, _ := localcloud.OpenTest(t, localcloud.FaultRule{Action: "CreateVolume", Times: 2, Reset: "before"})
	input := &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(3)}
	if _, err := client(cloud, 1).CreateVolume(t.Context(), input); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	if _, err := client(cloud, 2).CreateVolume(t.Context(), input); err != nil {
		t.Error(err)
	}
	all := must[*ec2.DescribeVolumesOutput](t)(client(cloud, 1).DescribeVolumes(t.Context(), &ec2.DescribeVolumesInput{}))
	if len(all.Volumes) != 1 {
		t.Errorf("%d volumes were made, want 1", len(all.Volumes))
	}
}

func TestWitnessEventualConsistency(t *testing.T) {
	cloud, image := localcloud.OpenTest(t, localcloud.FaultRule{Action: "RunInstances", Consistency: localcloud.Span(10 * time.Second)})
	forward, client, ctx := localcloud.Clock(cloud), client(cloud, 2), t.Context()
	input := &ec2.RunInstancesInput{ImageId: &image, MinCount: aws.Int32(1), MaxCount: aws.Int32(1), ClientToken: aws.String("once")}
	id := *must[*ec2.RunInstancesOutput](t)(client.RunInstances(ctx, input)).Instances[0].InstanceId
	describe := func() string {
		_, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		return codeOf(err)
	}
	codes := []string{describe()}
	again := must[*ec2.RunInstancesOutput](t)(client.RunInstances(ctx, input)) // whoever asks again is told
	forward(9900 * time.Millisecond)
	codes = append(codes, describe())
	forward(100 * time.Millisecond)
	codes = append(codes, describe())
	if diff := cmp.Diff([]string{"InvalidInstanceID.NotFound", "InvalidInstanceID.NotFound", ""}, codes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := *again.Instances[0].InstanceId; got != id {
		t.Errorf("the same client token made %s, want %s", got, id)
	}
}
