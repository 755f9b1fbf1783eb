package localcloud_test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/localcloud"
)

// well is the answer of a call that has to succeed.
func well[T any](answer T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

// refused checks the code of a call that has to fail.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	if codeOf(err) != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

// launchServer starts an instance, on whose port 8080 a server says its name.
func launchServer(t *testing.T, client *ec2.Client, image, name string) (id string) {
	t.Helper()
	one := aws.Int32(1)
	ran := well(client.RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: &image, MinCount: one, MaxCount: one}))(t)
	id = *ran.Instances[0].InstanceId
	waiter := ec2.NewInstanceRunningWaiter(client, func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Millisecond })
	if err := waiter.Wait(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, time.Minute); err != nil {
		t.Fatal(err)
	}
	socket := well(net.Listen("tcp", *ran.Instances[0].PrivateIpAddress+":8080"))(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })}
	go server.Serve(socket)
	t.Cleanup(func() { server.Close() })
	return id
}

// balanced is a load balancer with a listener that passes everything on to one group.
type balanced struct {
	client       *elb.Client
	balancer     types.LoadBalancer
	listener     string
	group, other string
	url          string
}

func newBalanced(t *testing.T, cloud *localcloud.Cloud) balanced {
	t.Helper()
	config := sdk(cloud.Env())
	config.RetryMaxAttempts = losses
	b := balanced{client: elb.NewFromConfig(config)}
	subnets := well(ec2.NewFromConfig(config).DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{}))(t).Subnets
	made := well(b.client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: []string{*subnets[0].SubnetId, *subnets[1].SubnetId},
		Tags: []types.Tag{{Key: aws.String("imago:environment"), Value: aws.String("staging")}},
	}))(t)
	b.balancer = made.LoadBalancers[0]
	b.group, b.other = b.newGroup(t, "blue"), b.newGroup(t, "green")
	listener := well(b.client.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: b.balancer.LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080),
		DefaultActions: b.forward(b.group, 1, b.other, 0),
	}))(t)
	b.listener = *listener.Listeners[0].ListenerArn
	b.url = "http://" + *b.balancer.DNSName + ":8080"
	return b
}

func (b balanced) newGroup(t *testing.T, name string) string {
	t.Helper()
	made := well(b.client.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
		Name: &name, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: b.balancer.VpcId,
		HealthCheckPath: aws.String("/health"), HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
	}))(t)
	arn := made.TargetGroups[0].TargetGroupArn
	well(b.client.ModifyTargetGroupAttributes(t.Context(), &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: arn, Attributes: []types.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("1")}},
	}))(t)
	return *arn
}

func (b balanced) forward(group string, weight int32, other string, rest int32) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
		TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: &group, Weight: &weight}, {TargetGroupArn: &other, Weight: &rest}},
	}}}
}

// await waits until the targets of a group are in these states.
func (b balanced) await(t *testing.T, group string, want ...types.TargetHealthStateEnum) {
	t.Helper()
	var got []types.TargetHealthStateEnum
	for range 600 {
		got = nil
		for _, h := range well(b.client.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &group}))(t).TargetHealthDescriptions {
			got = append(got, h.TargetHealth.State)
		}
		if slices.Equal(got, want) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the targets are %q, want %q", got, want)
}

// says is what a GET answers.
func says(t *testing.T, url string) string {
	t.Helper()
	resp := well(http.Get(url))(t)
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		return resp.Status
	}
	return string(well(io.ReadAll(resp.Body))(t))
}

// TestWitnessBalancer: AWS's own SDK puts two machines behind a load balancer,
// moves the traffic from one to the other, and takes all of it down.
func TestWitnessBalancer(t *testing.T) {
	cloud, image := localcloud.OpenTest(t)
	b := newBalanced(t, cloud)
	client, ctx := ec2.NewFromConfig(sdk(cloud.Env())), t.Context()
	blue, green := launchServer(t, client, image, "blue"), launchServer(t, client, image, "green")
	for group, id := range map[string]string{b.group: blue, b.other: green} {
		well(b.client.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: &id}}}))(t)
		b.await(t, group, types.TargetHealthStateEnumHealthy)
	}
	if got := says(t, b.url); got != "blue" {
		t.Errorf("%q answers, want blue", got)
	}
	rule := well(b.client.CreateRule(ctx, &elb.CreateRuleInput{
		ListenerArn: &b.listener, Priority: aws.Int32(7), Actions: b.forward(b.other, 1, b.group, 0),
		Conditions: []types.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{"/next*"}}}},
	}))(t)
	if got := says(t, b.url+"/next/one"); got != "green" {
		t.Errorf("by the rule %q answers, want green", got)
	}
	well(b.client.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: &b.listener, DefaultActions: b.forward(b.group, 0, b.other, 1)}))(t)
	if got := says(t, b.url); got != "green" {
		t.Errorf("%q answers, want green", got)
	}
	well(b.client.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &b.group, Targets: []types.TargetDescription{{Id: &blue}}}))(t)
	b.await(t, b.group, types.TargetHealthStateEnumDraining)
	b.await(t, b.group)
	well(client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{green}}))(t)
	b.await(t, b.other)
	if got := says(t, b.url); got != "503 Service Unavailable" {
		t.Errorf("%q answers, want nobody", got)
	}

	_, err := b.client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &b.other})
	refused(t, err, "ResourceInUse")
	well(b.client.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: rule.Rules[0].RuleArn}))(t)
	well(b.client.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: &b.listener}))(t)
	well(b.client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &b.other}))(t)
	well(b.client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: b.balancer.LoadBalancerArn}))(t)
	_, err = b.client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"web"}})
	refused(t, err, "LoadBalancerNotFound")
	if conn, err := net.Dial("tcp", *b.balancer.DNSName+":8080"); err == nil {
		conn.Close()
		t.Error("it still listens")
	}
}

// TestBalancerAgain: the same name again is the same thing, or is refused.
func TestBalancerAgain(t *testing.T) {
	cloud, _ := localcloud.OpenTest(t)
	b := newBalanced(t, cloud)
	if again := newBalancedAgain(t, b); again != *b.balancer.LoadBalancerArn {
		t.Errorf("%s is made beside %s", again, *b.balancer.LoadBalancerArn)
	}
	if again := b.newGroup(t, "blue"); again != b.group {
		t.Errorf("%s is made beside %s", again, b.group)
	}
	_, err := b.client.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String("blue"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(81), VpcId: b.balancer.VpcId,
	})
	refused(t, err, "DuplicateTargetGroupName")
	_, err = b.client.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: b.balancer.LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080), DefaultActions: b.forward(b.group, 1, b.other, 0),
	})
	refused(t, err, "DuplicateListener")
	_, err = b.client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: aws.String("one"), Subnets: []string{*b.balancer.AvailabilityZones[0].SubnetId}})
	refused(t, err, "ValidationError")
}

func newBalancedAgain(t *testing.T, b balanced) string {
	t.Helper()
	var subnets []string
	for _, z := range b.balancer.AvailabilityZones {
		subnets = append(subnets, *z.SubnetId)
	}
	made := well(b.client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: subnets}))(t)
	return *made.LoadBalancers[0].LoadBalancerArn
}

// TestBalancerRead: what was made is read as it was made.
func TestBalancerRead(t *testing.T) {
	cloud, _ := localcloud.OpenTest(t)
	b := newBalanced(t, cloud)
	ctx := t.Context()
	groups := well(b.client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: b.balancer.LoadBalancerArn}))(t).TargetGroups
	want := types.TargetGroup{
		TargetGroupArn: &b.group, TargetGroupName: aws.String("blue"), Protocol: types.ProtocolEnumHttp, ProtocolVersion: aws.String("HTTP1"),
		Port: aws.Int32(8080), VpcId: b.balancer.VpcId, HealthCheckEnabled: aws.Bool(true), HealthCheckProtocol: types.ProtocolEnumHttp,
		HealthCheckPort: aws.String("traffic-port"), HealthCheckPath: aws.String("/health"), HealthCheckIntervalSeconds: aws.Int32(5),
		HealthCheckTimeoutSeconds: aws.Int32(2), HealthyThresholdCount: aws.Int32(5), UnhealthyThresholdCount: aws.Int32(2),
		Matcher: &types.Matcher{HttpCode: aws.String("200")}, LoadBalancerArns: []string{*b.balancer.LoadBalancerArn},
		TargetType: types.TargetTypeEnumInstance, IpAddressType: types.TargetGroupIpAddressTypeEnumIpv4,
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore())
	if diff := cmp.Diff(want, groups[0], ignore); diff != "" || len(groups) != 2 {
		t.Errorf("%d groups: %s", len(groups), diff)
	}
	listeners := well(b.client.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: b.balancer.LoadBalancerArn}))(t).Listeners
	config := listeners[0].DefaultActions[0].ForwardConfig
	if diff := cmp.Diff(b.forward(b.group, 1, b.other, 0)[0].ForwardConfig.TargetGroups, config.TargetGroups, ignore); diff != "" {
		t.Error(diff)
	}
	tags := well(b.client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{*b.balancer.LoadBalancerArn}}))(t).TagDescriptions[0].Tags
	if len(tags) != 1 || *tags[0].Key != "imago:environment" || *tags[0].Value != "staging" {
		t.Errorf("the tags are %v", tags)
	}
}
