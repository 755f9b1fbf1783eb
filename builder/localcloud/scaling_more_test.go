package localcloud

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestScalingRefuses(t *testing.T) {
	t.Parallel()
	c, _, _ := openScaling(t)
	c.scalingGroup("web", 1, 1, 3)
	id := c.inService("web", 1)[0]
	subnet := c.ok("DescribeSubnets").texts("subnetSet/item/subnetId")[0]
	good := []string{"AutoScalingGroupName", "api", "LaunchTemplate.LaunchTemplateName", "web", "MinSize", "1", "MaxSize", "2", "VPCZoneIdentifier", subnet}
	with := func(more ...string) []string { return append(good[:len(good):len(good)], more...) }
	web := func(more ...string) []string { return append([]string{"AutoScalingGroupName", "web"}, more...) }
	for name, test := range map[string]struct {
		action string
		pairs  []string
		want   string
	}{
		"an unknown action": {"StartInstanceRefresh", web(),
			"400 InvalidAction: Could not find operation in the local cloud's autoscaling: The action StartInstanceRefresh is not valid for this web service."},
		"an unknown parameter": {"CreateAutoScalingGroup", with("PlacementGroup", "x"), "400 ValidationError: The parameter PlacementGroup is not recognized"},
		"twice": {"CreateAutoScalingGroup", with("AutoScalingGroupName", "web"),
			"400 AlreadyExists: AutoScalingGroup by this name already exists - A group with the name web already exists"},
		"bounds": {"CreateAutoScalingGroup", with("MaxSize", "0"), "400 ValidationError: Max bound, 0, must be greater than or equal to min bound, 1"},
		"desired": {"CreateAutoScalingGroup", with("DesiredCapacity", "3"),
			"400 ValidationError: Desired capacity:3 must be between the specified min size:1 and max size:2"},
		"nowhere": {"CreateAutoScalingGroup", with("VPCZoneIdentifier", ""), "400 ValidationError: At least one Availability Zone or VPC Subnet is required."},
		"no subnet": {"CreateAutoScalingGroup", with("VPCZoneIdentifier", "subnet-0123456789abcdef0"),
			"400 ValidationError: The subnet ID 'subnet-0123456789abcdef0' does not exist"},
		"no version": {"CreateAutoScalingGroup", with("LaunchTemplate.Version", "9"), "400 ValidationError: You must use a valid fully-formed launch template. " +
			"Could not find the specified version 9 for the launch template with ID " + c.ok("DescribeLaunchTemplates").text("launchTemplates/item/launchTemplateId") + "."},
		"no target group": {"CreateAutoScalingGroup", with("TargetGroupARNs.member.1", "arn:x"),
			"400 ValidationError: Provided Target Groups may not be valid. Please ensure they exist and try again."},
		"no group": {"SetDesiredCapacity", []string{"AutoScalingGroupName", "api", "DesiredCapacity", "1"},
			"400 ValidationError: AutoScalingGroup name not found - AutoScalingGroup 'api' not found"},
		"too many": {"SetDesiredCapacity", web("DesiredCapacity", "4"), "400 ValidationError: New SetDesiredCapacity value 4 is above max value 3 for the AutoScalingGroup."},
		"too few":  {"SetDesiredCapacity", web("DesiredCapacity", "0"), "400 ValidationError: New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup."},
		"in use": {"DeleteAutoScalingGroup", web(),
			"400 ResourceInUse: You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group."},
		"below the minimum": {"TerminateInstanceInAutoScalingGroup", []string{"InstanceId", id, "ShouldDecrementDesiredCapacity", "true"},
			"400 ValidationError: Currently, desiredSize equals minSize (1). Terminating instance without replacement will violate group's min size constraint. " +
				"Either set shouldDecrementDesiredCapacity flag to false or lower group's min size."},
		"a stranger": {"SetInstanceProtection", web("InstanceIds.member.1", "i-0", "ProtectedFromScaleIn", "true"),
			"400 ValidationError: The instance i-0 is not part of Auto Scaling group web."},
		"another policy": {"PutScalingPolicy", web("PolicyName", "p", "PolicyType", "StepScaling", "TargetTrackingConfiguration.TargetValue", "5",
			"TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType", metricCPU),
			"400 ValidationError: The local cloud has scaling policies of the type TargetTrackingScaling only, not 'StepScaling'"},
	} {
		if got := c.scaleFault(test.action, test.pairs...); got != test.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, test.want)
		}
	}
}

func TestAGroupIsDeletedWithItsInstances(t *testing.T) {
	t.Parallel()
	c, targets, arns := openScaling(t)
	c.scalingGroup("web", 0, 2, 2, "TargetGroupARNs.member.1", arns[0])
	ids := c.inService("web", 2)
	targets.drains = true // nobody waits for it
	c.scale("DeleteAutoScalingGroup", "AutoScalingGroupName", "web", "ForceDelete", "true")
	eventually(t, "the group is gone", func() bool { return len(c.scale("DescribeAutoScalingGroups").all("AutoScalingGroups/member")) == 0 })
	for _, id := range ids {
		c.until(id, terminated)
	}
	gone := c.scale("DescribeScalingActivities", "AutoScalingGroupName", "web", "IncludeDeletedGroups", "true").texts("Activities/member/AutoScalingGroupState")
	if want := []string{"Deleted", "Deleted", "Deleted", "Deleted"}; !slices.Equal(gone, want) {
		t.Errorf("the activities of the deleted group are %v, want %v", gone, want)
	}
}

// What a restart stopped is replaced after it; what `imago local down` took
// away does not come back.
func TestGroupsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := openTestIn(t, dir)
	c.template("web", c.base())
	c.scalingGroup("web", 2, 2, 2, "Tags.member.1.Key", "team", "Tags.member.1.Value", "a")
	before := c.inService("web", 2)
	c.stop()
	c = openTestIn(t, dir)
	eventually(t, "both are replaced", func() bool {
		group := c.scale("DescribeAutoScalingGroups").all("AutoScalingGroups/member")[0]
		ids := group.texts("Instances/member/InstanceId")
		return len(ids) == 2 && !slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(before, id) })
	})
	c.inService("web", 2)
	if got := c.scale("DescribeTags", "Filters.member.1.Name", "key", "Filters.member.1.Values.member.1", "team").text("Tags/member/Value"); got != "a" {
		t.Errorf("the tag is %q after a restart", got)
	}
	c.terminateAll()
	c.stop()
	c = openTestIn(t, dir)
	if left := c.scale("DescribeAutoScalingGroups").all("AutoScalingGroups/member"); len(left) != 0 {
		t.Errorf("a group survived imago local down: %v", left)
	}
}

func TestGroupTags(t *testing.T) {
	t.Parallel()
	c, _, _ := openScaling(t)
	c.scalingGroup("web", 0, 0, 1)
	c.scalingGroup("api", 0, 0, 1)
	c.scale("CreateOrUpdateTags", "Tags.member.1.ResourceId", "web", "Tags.member.1.ResourceType", "auto-scaling-group",
		"Tags.member.1.Key", "release", "Tags.member.1.Value", "7", "Tags.member.1.PropagateAtLaunch", "true",
		"Tags.member.2.ResourceId", "api", "Tags.member.2.Key", "release", "Tags.member.2.Value", "8")
	names := func(pairs ...string) []string {
		return c.scale("DescribeAutoScalingGroups", pairs...).texts("AutoScalingGroups/member/AutoScalingGroupName")
	}
	got := [][]string{
		names("Filters.member.1.Name", "tag:release", "Filters.member.1.Values.member.1", "7"),
		names("Filters.member.1.Name", "tag-key", "Filters.member.1.Values.member.1", "release"),
		c.scale("DescribeTags", "Filters.member.1.Name", "propagate-at-launch", "Filters.member.1.Values.member.1", "true").texts("Tags/member/ResourceId"),
		names("MaxRecords", "1"),
	}
	if diff := cmp.Diff([][]string{{"web"}, {"api", "web"}, {"web"}, {"api"}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	c.scale("DeleteTags", "Tags.member.1.ResourceId", "web", "Tags.member.1.Key", "release")
	if got := c.scale("DescribeTags").texts("Tags/member/ResourceId"); !slices.Equal(got, []string{"api"}) {
		t.Errorf("tags are left on %v", got)
	}
}

func TestLifecycleHooks(t *testing.T) {
	t.Parallel()
	c, _, _ := openScaling(t)
	hook := func(name, transition string) {
		c.scale("PutLifecycleHook", "AutoScalingGroupName", "web", "LifecycleHookName", name, "LifecycleTransition", transition, "DefaultResult", "CONTINUE")
	}
	state := func(want string) (id string) {
		t.Helper()
		eventually(t, "a member is "+want, func() bool {
			all := c.scale("DescribeAutoScalingInstances").all("AutoScalingInstances/member")
			if len(all) != 1 {
				return false
			}
			id = all[0].text("InstanceId")
			return all[0].text("LifecycleState") == want
		})
		return id
	}
	complete := func(name, id, result string) {
		c.scale("CompleteLifecycleAction", "AutoScalingGroupName", "web", "LifecycleHookName", name, "InstanceId", id, "LifecycleActionResult", result)
	}
	c.scalingGroup("web", 0, 0, 1)
	hook("in", launching)
	hook("out", terminating)
	c.scale("SetDesiredCapacity", "AutoScalingGroupName", "web", "DesiredCapacity", "1")
	id := state(memberPendingWait)
	complete("in", id, "CONTINUE")
	state(memberInService)
	c.scale("SetDesiredCapacity", "AutoScalingGroupName", "web", "DesiredCapacity", "0")
	state(memberTerminatingWait)
	if got := c.instanceState(id); got != running {
		t.Errorf("the instance is %s while a hook holds it", got)
	}
	complete("out", id, "CONTINUE")
	c.inService("web", 0)
	c.scale("SetDesiredCapacity", "AutoScalingGroupName", "web", "DesiredCapacity", "1")
	id = state(memberPendingWait)
	c.scale("SetDesiredCapacity", "AutoScalingGroupName", "web", "DesiredCapacity", "0")
	complete("in", id, "ABANDON")
	state(memberTerminatingWait)
	c.scale("DeleteLifecycleHook", "AutoScalingGroupName", "web", "LifecycleHookName", "out")
	c.inService("web", 0)
}

func TestAMixedInstancesPolicy(t *testing.T) {
	t.Parallel()
	c, _, _ := openScaling(t, FaultRule{Action: "RunInstances", InstanceType: "t3.large", Error: "InsufficientInstanceCapacity"})
	subnet := c.ok("DescribeSubnets").texts("subnetSet/item/subnetId")[0]
	spec := "MixedInstancesPolicy.LaunchTemplate."
	c.scale("CreateAutoScalingGroup", "AutoScalingGroupName", "web", "MinSize", "3", "MaxSize", "3", "VPCZoneIdentifier", subnet,
		spec+"LaunchTemplateSpecification.LaunchTemplateName", "web",
		spec+"Overrides.member.1.InstanceType", "t3.large", spec+"Overrides.member.2.InstanceType", "t3.small",
		"MixedInstancesPolicy.InstancesDistribution.OnDemandBaseCapacity", "1",
		"MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity", "50")
	c.inService("web", 3)
	const at = "reservationSet/item/instancesSet/item/"
	all := c.ok("DescribeInstances")
	got := textsAt(all, at+"instanceType", at+"instanceLifecycle")
	if diff := cmp.Diff(map[string]string{at + "instanceType": "t3.small t3.small t3.small", at + "instanceLifecycle": "spot"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// clocked is a group with a policy that tracks requests, and what moves its
// clock by one datapoint in which each of n instances has had so many a minute.
func clocked(t *testing.T, desired int) (c *testCloud, datapoint func(perTarget uint64, n int)) {
	c, targets, arns := openScaling(t)
	forward := c.clock()
	c.mu.Lock()
	c.options.Delays = map[string]time.Duration{delayMetric: time.Minute / 2}
	c.mu.Unlock()
	c.scalingGroup("web", 1, desired, 6, "TargetGroupARNs.member.1", arns[0], "DefaultInstanceWarmup", "0")
	c.inService("web", desired)
	c.scale("PutScalingPolicy", "AutoScalingGroupName", "web", "PolicyName", "requests", "PolicyType", targetTracking,
		"TargetTrackingConfiguration.TargetValue", "100", "TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType", metricRequests,
		"TargetTrackingConfiguration.PredefinedMetricSpecification.ResourceLabel", "app/web/0123/"+arns[0][strings.Index(arns[0], "targetgroup/"):])
	c.lookAtGroups()
	return c, func(perTarget uint64, n int) {
		c.inService("web", n)
		targets.mu.Lock()
		targets.counted[arns[0]] += perTarget * uint64(n) / 2
		targets.mu.Unlock()
		forward(time.Minute / 2)
		c.lookAtGroups()
	}
}

func (c *testCloud) desired(name string) string {
	return c.scale("DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1", name).text("AutoScalingGroups/member/DesiredCapacity")
}

func TestTargetTrackingFollowsTheRequests(t *testing.T) {
	t.Parallel()
	c, datapoint := clocked(t, 2)
	for i := range 3 {
		if got := c.desired("web"); got != "2" {
			t.Fatalf("desired is %s after %d datapoints, want 2", got, i)
		}
		datapoint(190, 2)
	}
	if got := c.desired("web"); got != "4" {
		t.Errorf("desired is %s after three datapoints of 380 requests a minute, want 4", got)
	}
	for i := range 15 {
		if got := c.desired("web"); got != "4" {
			t.Fatalf("desired is %s after %d low datapoints, want 4", got, i)
		}
		datapoint(30, 4)
	}
	if got := c.desired("web"); got != "2" {
		t.Errorf("desired is %s after fifteen datapoints of 120 requests a minute, want 2", got)
	}
	all := c.activities("web")
	policy := c.scale("DescribePolicies", "AutoScalingGroupName", "web").all("ScalingPolicies/member")[0]
	want := fmt.Sprintf("a monitor alarm %s in state ALARM triggered policy requests changing the desired capacity from 2 to 4.", policy.texts("Alarms/member/AlarmName")[0])
	if !strings.Contains(all[2], want) {
		t.Errorf("the cause is %q, want %q in it", all[2], want)
	}
}

func TestASuspendedAlarmScalesNothing(t *testing.T) {
	t.Parallel()
	c, datapoint := clocked(t, 1)
	c.scale("SuspendProcesses", "AutoScalingGroupName", "web", "ScalingProcesses.member.1", "AlarmNotification")
	for range 4 {
		datapoint(500, 1)
	}
	if got := c.desired("web"); got != "1" {
		t.Errorf("desired is %s, want 1", got)
	}
}

// ProcessorTime makes a fake guest one whose processors always work.
func (g *fakeGuest) ProcessorTime() (time.Duration, error) {
	return time.Duration(g.worked.Load()), nil
}

func TestTargetTrackingFollowsTheProcessors(t *testing.T) {
	t.Parallel()
	c, _, _ := openScaling(t)
	forward := c.clock()
	c.mu.Lock()
	c.options.Delays = map[string]time.Duration{delayMetric: time.Minute}
	c.mu.Unlock()
	c.scalingGroup("web", 1, 1, 6, "DefaultInstanceWarmup", "0")
	id := c.inService("web", 1)[0]
	c.scale("PutScalingPolicy", "AutoScalingGroupName", "web", "PolicyName", "cpu", "PolicyType", targetTracking,
		"TargetTrackingConfiguration.TargetValue", "30", "TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType", metricCPU)
	c.lookAtGroups()
	for range 3 {
		c.machines.guest(id).worked.Add(int64(48 * time.Second))
		forward(time.Minute)
		c.lookAtGroups()
	}
	if got := c.desired("web"); got != "3" {
		t.Errorf("desired is %s at 80 %% of one processor and a target of 30 %%, want 3", got)
	}
}

func TestANewGroupIsNotKnownEverywhere(t *testing.T) {
	t.Parallel()
	c, _, _ := openScaling(t, FaultRule{Action: "CreateAutoScalingGroup", Consistency: Span(time.Hour)}, FaultRule{Action: "SuspendProcesses", Error: "Throttling"})
	c.scalingGroup("web", 0, 0, 1)
	if all := c.scale("DescribeAutoScalingGroups").all("AutoScalingGroups/member"); len(all) != 0 {
		t.Errorf("the new group is listed: %v", all)
	}
	got := []string{c.scaleFault("SetDesiredCapacity", "AutoScalingGroupName", "web", "DesiredCapacity", "1"), c.scaleFault("SuspendProcesses", "AutoScalingGroupName", "web")}
	want := []string{"400 ValidationError: AutoScalingGroup name not found - AutoScalingGroup 'web' not found", "400 Throttling: Rate exceeded"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
