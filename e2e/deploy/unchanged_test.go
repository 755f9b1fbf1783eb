package deploy

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/deploy"
)

// unchanged holds that to release what serves already changes nothing.
func (p *place) unchanged(t *testing.T, image string) {
	t.Helper()
	tap := newTap(t)
	d := deployerAt(tap.server.URL)
	r, err := d.Run(t.Context(), p.Environment, deploy.Wanted{Image: image})
	if err != nil || !r.Unchanged || len(tap.changes()) > 0 {
		t.Errorf("again: %+v, %v; it changed %v", r, err, tap.changes())
	}
	within(t, "to release what serves", r.Took, 3*time.Second)
}

// alike is something that could be taken for an environment's own by less than
// its exact tags: its name, and its tags if it has any.
type alike struct{ name, application, environment string }

// lookalikes are those of an environment.
func (p *place) lookalikes() []alike {
	name := p.Application + "-" + p.Name
	return []alike{
		{name + "-77", "", ""}, {name + "-eu-1", p.Application, p.Name + "-eu"}, {name + "2-1", p.Application, p.Name + "2"},
		{name + "-78", "shop2", p.Name}, {name + "-79", p.Application, "Releases"},
	}
}

// besides makes four kinds of things of each lookalike, in the environment's own
// network, and returns what says which of them are there.
func (p *place) besides(t *testing.T, image string) (there func() []string) {
	t.Helper()
	cfg := cloud.config("")
	machines, groups, balancers := ec2.NewFromConfig(cfg), autoscaling.NewFromConfig(cfg), elb.NewFromConfig(cfg)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lbs, err := balancers.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{Names: []string{p.Application + "-" + p.Name}})
	must(err)
	for _, a := range p.lookalikes() {
		var tags []types.Tag
		var btags []elbtypes.Tag
		var gtags []astypes.Tag
		for key, value := range map[string]string{deploy.TagApplication: a.application, deploy.TagEnvironment: a.environment, deploy.TagRelease: "1", deploy.TagRole: deploy.RoleMachines} {
			if a.application != "" {
				tags = append(tags, types.Tag{Key: &key, Value: &value})
				btags = append(btags, elbtypes.Tag{Key: &key, Value: &value})
				gtags = append(gtags, astypes.Tag{Key: &key, Value: &value, PropagateAtLaunch: aws.Bool(true), ResourceId: &a.name, ResourceType: aws.String("auto-scaling-group")})
			}
		}
		specs := func(kind types.ResourceType) []types.TagSpecification {
			if len(tags) == 0 {
				return nil
			}
			return []types.TagSpecification{{ResourceType: kind, Tags: tags}}
		}
		_, err := machines.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: &a.name, LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: &image, InstanceType: "t3.micro"}, TagSpecifications: specs(types.ResourceTypeLaunchTemplate),
		})
		must(err)
		_, err = machines.CreateKeyPair(t.Context(), &ec2.CreateKeyPairInput{KeyName: aws.String("imago-lease-" + a.name), TagSpecifications: specs(types.ResourceTypeKeyPair)})
		must(err)
		_, err = balancers.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{Name: &a.name, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: lbs.LoadBalancers[0].VpcId, Tags: btags})
		must(err)
		_, err = groups.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: &a.name, MinSize: aws.Int32(0), MaxSize: aws.Int32(1), AvailabilityZones: []string{"us-east-1a"}, Tags: gtags,
			LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateName: &a.name, Version: aws.String("1")},
		})
		must(err)
	}
	return func() (all []string) {
		ctx := after(t)
		for _, a := range p.lookalikes() {
			names := []string{a.name}
			lts, err := machines.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: names})
			must(err)
			keys, err := machines.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{KeyNames: []string{"imago-lease-" + a.name}})
			must(err)
			tgs, err := balancers.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: names})
			must(err)
			asgs, err := groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: names})
			must(err)
			all = append(all, fmt.Sprint(*lts.LaunchTemplates[0].LaunchTemplateId, *keys.KeyPairs[0].KeyPairId, *tgs.TargetGroups[0].TargetGroupArn, *asgs.AutoScalingGroups[0].AutoScalingGroupARN))
		}
		return all
	}
}

// untouched holds that what looked like the environment's is as it was.
func untouched(t *testing.T, there func() []string, before []string) {
	t.Helper()
	if diff := cmp.Diff(before, there()); diff != "" || slices.Contains(before, "") {
		t.Errorf("what looks alike was touched: %s", diff)
	}
}
