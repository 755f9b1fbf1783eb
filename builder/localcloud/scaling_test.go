package localcloud

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeTargets are target groups without a load balancer: a test says how their
// targets do.
type fakeTargets struct {
	mu      sync.Mutex
	groups  map[string]map[string]string // health, by target group and instance
	drains  bool                         // until drained is called
	counted map[string]uint64
}

func newTargets(names ...string) (*fakeTargets, []string) {
	f := &fakeTargets{groups: map[string]map[string]string{}, counted: map[string]uint64{}}
	var arns []string
	for _, name := range names {
		id := "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/" + name + "/0123456789abcdef"
		f.groups[id] = map[string]string{}
		arns = append(arns, id)
	}
	return f, arns
}

func (f *fakeTargets) has(_, group string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.groups[group] != nil
}

func (f *fakeTargets) register(group, instance string) { f.set(group, instance, targetHealthy) }

func (f *fakeTargets) set(group, instance, health string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.groups[group][instance] = health
}

func (f *fakeTargets) deregister(group, instance string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.groups[group], instance)
	if f.drains {
		f.groups[group][instance] = targetDraining
	}
}

// drained lets go of all that drains.
func (f *fakeTargets) drained() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, group := range f.groups {
		for instance, health := range group {
			if health == targetDraining {
				delete(group, instance)
			}
		}
	}
}

func (f *fakeTargets) health(group, instance string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.groups[group][instance]
}

func (f *fakeTargets) requests(group string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counted[group]
}

func (f *fakeTargets) registered(group string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return sortedKeys(f.groups[group])
}

// openScaling is a cloud with target groups, a base and a launch template "web".
func openScaling(t *testing.T, rules ...FaultRule) (*testCloud, *fakeTargets, []string) {
	t.Helper()
	c := openFaulty(t, rules...)
	f, arns := newTargets("blue", "green")
	c.mu.Lock()
	c.targets = f
	c.mu.Unlock()
	c.template("web", c.base())
	return c, f, arns
}

// scaling makes a call of Auto Scaling.
func (c *testCloud) scaling(action string, pairs ...string) (int, node) {
	c.t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2011-01-01"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	status, body := c.post("autoscaling", form.Encode(), nil)
	return status, parseNode(c.t, body)
}

// scale makes a call of Auto Scaling that must succeed, and is its result.
func (c *testCloud) scale(action string, pairs ...string) node {
	c.t.Helper()
	status, n := c.scaling(action, pairs...)
	if status != http.StatusOK {
		c.t.Fatalf("%s %q: %d %v", action, pairs, status, n)
	}
	return n.all(action + "Result")[0]
}

// scaleFault makes one that must fail, and is "STATUS CODE: MESSAGE".
func (c *testCloud) scaleFault(action string, pairs ...string) string {
	c.t.Helper()
	status, n := c.scaling(action, pairs...)
	if status == http.StatusOK {
		c.t.Fatalf("%s %q succeeded", action, pairs)
	}
	return fmt.Sprintf("%d %s: %s", status, n.text("Error/Code"), n.text("Error/Message"))
}

// scalingGroup makes a group of template "web" in two subnets.
func (c *testCloud) scalingGroup(name string, min, desired, max int, pairs ...string) {
	c.t.Helper()
	subnets := c.ok("DescribeSubnets").texts("subnetSet/item/subnetId")
	c.scale("CreateAutoScalingGroup", append([]string{"AutoScalingGroupName", name, "LaunchTemplate.LaunchTemplateName", "web",
		"LaunchTemplate.Version", "$Latest", "MinSize", fmt.Sprint(min), "DesiredCapacity", fmt.Sprint(desired), "MaxSize", fmt.Sprint(max),
		"VPCZoneIdentifier", subnets[0] + "," + subnets[1]}, pairs...)...)
}

// inService waits until a group has n members in service, and none else, and is
// their ids.
func (c *testCloud) inService(name string, n int) []string {
	c.t.Helper()
	var ids []string
	eventually(c.t, fmt.Sprintf("%s has %d in service", name, n), func() bool {
		group := c.scale("DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1", name).all("AutoScalingGroups/member")[0]
		ids = group.texts("Instances/member/InstanceId")
		states := group.texts("Instances/member/LifecycleState")
		return len(ids) == n && !slices.ContainsFunc(states, func(s string) bool { return s != memberInService })
	})
	return ids
}

// activities are the causes, descriptions and statuses of a group's activities,
// the oldest first, with the times and ids taken out.
func (c *testCloud) activities(name string, ids ...string) []string {
	c.t.Helper()
	var all []string
	for _, a := range c.scale("DescribeScalingActivities", "AutoScalingGroupName", name).all("Activities/member") {
		line := a.text("StatusCode") + " | " + a.text("Description") + " | " + a.text("Cause")
		if message := a.text("StatusMessage"); message != "" {
			line += " | " + message
		}
		words := strings.Fields(line)
		for i, word := range words {
			if _, err := time.Parse("2006-01-02T15:04:05Z", word); err == nil {
				words[i] = "T"
			}
		}
		line = strings.Join(words, " ")
		for i, id := range ids {
			line = strings.ReplaceAll(line, id, fmt.Sprintf("i%d", i+1))
		}
		all = append(all, line)
	}
	slices.Reverse(all)
	return all
}

func TestAGroupReachesItsDesiredCapacity(t *testing.T) {
	t.Parallel()
	c, _, _ := openScaling(t)
	c.scalingGroup("web", 1, 2, 4, "Tags.member.1.Key", "team", "Tags.member.1.Value", "a", "Tags.member.1.PropagateAtLaunch", "true",
		"Tags.member.2.Key", "secret", "Tags.member.2.Value", "b", "Tags.member.2.PropagateAtLaunch", "false")
	ids := c.inService("web", 2)
	group := c.scale("DescribeAutoScalingGroups").all("AutoScalingGroups/member")[0]
	got := textsAt(group, "AutoScalingGroupName", "LaunchTemplate/LaunchTemplateName", "LaunchTemplate/Version", "MinSize", "MaxSize", "DesiredCapacity",
		"AvailabilityZones/member", "HealthCheckType", "HealthCheckGracePeriod", "DefaultCooldown", "Instances/member/AvailabilityZone",
		"Instances/member/HealthStatus", "Instances/member/LaunchTemplate/Version", "Instances/member/ProtectedFromScaleIn", "Tags/member/Key")
	want := map[string]string{
		"AutoScalingGroupName": "web", "LaunchTemplate/LaunchTemplateName": "web", "LaunchTemplate/Version": "$Latest", "MinSize": "1", "MaxSize": "4",
		"DesiredCapacity": "2", "AvailabilityZones/member": "us-east-1a us-east-1b", "HealthCheckType": "EC2", "HealthCheckGracePeriod": "0",
		"DefaultCooldown": "300", "Instances/member/AvailabilityZone": "us-east-1a us-east-1b", "Instances/member/HealthStatus": "Healthy Healthy",
		"Instances/member/LaunchTemplate/Version": "1 1", "Instances/member/ProtectedFromScaleIn": "false false", "Tags/member/Key": "secret team",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	const at = "reservationSet/item/instancesSet/item/tagSet/item/key"
	tags := c.ok("DescribeInstances", "InstanceId.1", ids[0]).text(at)
	if want := "aws:autoscaling:groupName aws:ec2launchtemplate:id aws:ec2launchtemplate:version team"; tags != want {
		t.Errorf("the tags of an instance are %q, want %q", tags, want)
	}
	c.scale("SetDesiredCapacity", "AutoScalingGroupName", "web", "DesiredCapacity", "1")
	c.inService("web", 1)
	started := "an instance was started in response to a difference between desired and actual capacity, increasing the capacity from "
	created := "At T a user request created an AutoScalingGroup changing the desired capacity from 0 to 2. "
	wants := []string{
		"Successful | Launching a new EC2 instance: i1 | " + created + "At T " + started + "0 to 2.",
		"Successful | Launching a new EC2 instance: i2 | " + created + "At T " + started + "0 to 2.",
		"Successful | Terminating EC2 instance: i1 | At T a user request explicitly set group desired capacity changing the desired capacity from 2 to 1. " +
			"At T an instance was taken out of service in response to a difference between desired and actual capacity, " +
			"shrinking the capacity from 2 to 1. At T instance i1 was selected for termination.",
	}
	if diff := cmp.Diff(wants, c.activities("web", ids...)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := c.instanceState(ids[0]); got != terminated {
		t.Errorf("the instance that was too many is %s", got)
	}
}

func TestAGroupReplacesWhatIsNotWell(t *testing.T) {
	t.Parallel()
	c, targets, arns := openScaling(t)
	c.scalingGroup("web", 1, 1, 1, "HealthCheckType", "ELB", "TargetGroupARNs.member.1", arns[0])
	first := c.inService("web", 1)[0]
	eventually(t, "it is a target", func() bool { return slices.Equal(targets.registered(arns[0]), []string{first}) })

	targets.set(arns[0], first, targetUnhealthy)
	next := func(old string) (id string) {
		t.Helper()
		eventually(t, old+" is replaced", func() bool {
			ids := c.scale("DescribeAutoScalingGroups").texts("AutoScalingGroups/member/Instances/member/InstanceId")
			id = strings.Join(ids, " ")
			return len(ids) == 1 && id != old
		})
		return c.inService("web", 1)[0]
	}
	second := next(first)
	c.ok("TerminateInstances", "InstanceId.1", second)
	third := next(second)
	c.scale("SetInstanceHealth", "InstanceId", third, "HealthStatus", "Unhealthy")
	fourth := next(third)
	c.scale("TerminateInstanceInAutoScalingGroup", "InstanceId", fourth, "ShouldDecrementDesiredCapacity", "false")
	fifth := next(fourth)
	var causes []string
	for _, line := range c.activities("web", first, second, third, fourth, fifth) {
		causes = append(causes, line[strings.Index(line, " | ")+3:])
	}
	out := " an instance was taken out of service in response to "
	replaced := " | At T an instance was launched in response to an unhealthy instance needing to be replaced."
	want := []string{
		"Terminating EC2 instance: i1 | At T" + out + "an ELB system health check failure.",
		"Launching a new EC2 instance: i2" + replaced,
		"Terminating EC2 instance: i2 | At T" + out + "an EC2 health check indicating it has been terminated or stopped.",
		"Launching a new EC2 instance: i3" + replaced,
		"Terminating EC2 instance: i3 | At T" + out + "a user health-check.",
		"Launching a new EC2 instance: i4" + replaced,
		"Terminating EC2 instance: i4 | At T instance i4 was taken out of service in response to a user request.",
		"Launching a new EC2 instance: i5 | At T an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 0 to 1.",
	}
	if diff := cmp.Diff(want, causes[1:]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A grace period is for the health of targets; what does not run is replaced
// during it.
func TestAGracePeriod(t *testing.T) {
	t.Parallel()
	c, targets, arns := openScaling(t)
	forward := c.clock()
	c.scalingGroup("web", 1, 1, 1, "HealthCheckType", "ELB", "HealthCheckGracePeriod", "60", "TargetGroupARNs.member.1", arns[0])
	first := c.inService("web", 1)[0]
	targets.set(arns[0], first, targetUnhealthy)
	c.lookAtGroups()
	if got := c.inService("web", 1)[0]; got != first {
		t.Fatalf("%s was replaced during its grace period", first)
	}
	forward(61 * time.Second)
	eventually(t, "it is replaced", func() bool {
		return c.scale("DescribeAutoScalingGroups").text("AutoScalingGroups/member/Instances/member/InstanceId") != first
	})
}

func TestTargetsDrainBeforeTheirInstanceGoes(t *testing.T) {
	t.Parallel()
	c, targets, arns := openScaling(t)
	targets.drains = true
	c.scalingGroup("web", 0, 1, 1, "TrafficSources.member.1.Identifier", arns[0], "TrafficSources.member.1.Type", "elbv2")
	id := c.inService("web", 1)[0]
	states := func() []string {
		return c.scale("DescribeLoadBalancerTargetGroups", "AutoScalingGroupName", "web").texts("LoadBalancerTargetGroups/member/State")
	}
	eventually(t, "the target group is in service", func() bool { return slices.Equal(states(), []string{"InService"}) })
	c.scale("AttachLoadBalancerTargetGroups", "AutoScalingGroupName", "web", "TargetGroupARNs.member.1", arns[1])
	eventually(t, "both are", func() bool { return slices.Equal(states(), []string{"InService", "InService"}) })
	c.scale("DetachTrafficSources", "AutoScalingGroupName", "web", "TrafficSources.member.1.Identifier", arns[0])
	c.lookAtGroups()
	if got := states(); !slices.Equal(got, []string{"Removing", "InService"}) {
		t.Errorf("the target groups are %v", got)
	}
	targets.drained()
	eventually(t, "the other is left", func() bool { return slices.Equal(states(), []string{"InService"}) })

	c.scale("SetDesiredCapacity", "AutoScalingGroupName", "web", "DesiredCapacity", "0")
	eventually(t, "it drains", func() bool {
		all := c.activities("web")
		return strings.HasPrefix(all[len(all)-1], activityDraining+" | ")
	})
	c.lookAtGroups()
	if got := c.instanceState(id); got != running {
		t.Fatalf("the instance is %s while its target drains", got)
	}
	targets.drained()
	c.inService("web", 0)
	c.until(id, terminated)
}

func TestProtectionAndSuspension(t *testing.T) {
	t.Parallel()
	c, _, _ := openScaling(t)
	c.scalingGroup("web", 0, 2, 2)
	ids := c.inService("web", 2)
	c.scale("SetInstanceProtection", "AutoScalingGroupName", "web", "InstanceIds.member.1", ids[0], "ProtectedFromScaleIn", "true")
	c.scale("SuspendProcesses", "AutoScalingGroupName", "web", "ScalingProcesses.member.1", "Terminate")
	c.scale("UpdateAutoScalingGroup", "AutoScalingGroupName", "web", "DesiredCapacity", "0")
	c.lookAtGroups()
	if got := len(c.inService("web", 2)); got != 2 {
		t.Errorf("%d in service though Terminate is suspended", got)
	}
	c.scale("ResumeProcesses", "AutoScalingGroupName", "web")
	if got := c.inService("web", 1); got[0] != ids[0] {
		t.Errorf("%v is left, want the protected %s", got, ids[0])
	}
	eventually(t, "it says so", func() bool {
		all := c.activities("web")
		return strings.HasPrefix(all[len(all)-1], "Failed | Could not scale to desired capacity because all remaining instances are protected from scale-in.")
	})
	c.scale("SetInstanceProtection", "AutoScalingGroupName", "web", "InstanceIds.member.1", ids[0], "ProtectedFromScaleIn", "false")
	c.inService("web", 0)
	c.scale("SuspendProcesses", "AutoScalingGroupName", "web", "ScalingProcesses.member.1", "Launch")
	c.scale("SetDesiredCapacity", "AutoScalingGroupName", "web", "DesiredCapacity", "1")
	c.lookAtGroups()
	c.inService("web", 0)
	c.scale("ResumeProcesses", "AutoScalingGroupName", "web", "ScalingProcesses.member.1", "Launch")
	c.inService("web", 1)
}

func TestLaunchesThatFail(t *testing.T) {
	t.Parallel()
	c, _, _ := openScaling(t, FaultRule{Action: "RunInstances", Zone: "us-east-1a", Times: 1, Error: "InsufficientInstanceCapacity", Message: "none left"},
		FaultRule{Action: "RunInstances", Zone: "us-east-1b", Nth: []int{2}, Error: "VcpuLimitExceeded", Message: "too many"})
	c.scalingGroup("web", 0, 1, 4)
	c.inService("web", 1)
	c.scale("SetDesiredCapacity", "AutoScalingGroupName", "web", "DesiredCapacity", "4")
	c.inService("web", 4)
	var got []string
	for _, a := range c.scale("DescribeScalingActivities").all("Activities/member") {
		got = append(got, strings.TrimSpace(a.text("StatusCode")+" "+a.text("StatusMessage")))
	}
	slices.Reverse(got)
	want := []string{"Failed none left. Launching EC2 instance failed.", "Successful", "Successful", "Successful", "Failed too many. Launching EC2 instance failed.", "Successful"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
