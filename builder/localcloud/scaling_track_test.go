package localcloud

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

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

// With a policy that keeps all of the group in service, the replacement comes
// first.
func TestAReplacementComesFirst(t *testing.T) {
	t.Parallel()
	c, targets, arns := openScaling(t)
	c.scalingGroup("web", 2, 2, 2, "HealthCheckType", "ELB", "TargetGroupARNs.member.1", arns[0],
		"InstanceMaintenancePolicy.MinHealthyPercentage", "100", "InstanceMaintenancePolicy.MaxHealthyPercentage", "150")
	ids := c.inService("web", 2)
	for _, id := range ids {
		targets.set(arns[0], id, targetUnhealthy)
	}
	least := 2
	eventually(t, "both are replaced", func() bool {
		group := c.scale("DescribeAutoScalingGroups").all("AutoScalingGroups/member")[0]
		in, old := 0, false
		for _, m := range group.all("Instances/member") {
			if m.text("LifecycleState") == memberInService {
				in++
			}
			old = old || m.text("InstanceId") == ids[0] || m.text("InstanceId") == ids[1]
		}
		least = min(least, in)
		return !old && in == 2
	})
	if least < 2 {
		t.Errorf("only %d were in service while they were replaced, want 2", least)
	}
	if got := len(c.activities("web")); got != 6 {
		t.Errorf("%d activities, want two launches, and two more for two terminations: %q", got, c.activities("web"))
	}
}
