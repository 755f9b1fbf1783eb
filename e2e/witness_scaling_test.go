package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// members is the instances of the only group that are in service, as awscli sees it.
func members(t *testing.T) []string {
	t.Helper()
	return strings.Fields(awsText(t, "AutoScalingGroups[0].Instances[?LifecycleState=='InService'].InstanceId",
		"autoscaling", "describe-auto-scaling-groups"))
}

// becomes waits until something is so.
func becomes(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after a minute: %s", what)
		}
	}
}

// TestAWSCLIAutoScaling: awscli makes a group, which launches a real machine,
// replaces it when it is terminated, and takes its own with it at the end.
func TestAWSCLIAutoScaling(t *testing.T) {
	leavesNothing(t)
	const name = "witness"
	awscli(t, nil, "ec2", "create-launch-template", "--launch-template-name", name, "--launch-template-data",
		launchData(t, map[string]any{"ImageId": baseID, "InstanceType": "t3.micro"}))
	t.Cleanup(func() { awscli(t, nil, "ec2", "delete-launch-template", "--launch-template-name", name) })
	group := []string{"--auto-scaling-group-name", name}
	call := func(action string, args ...string) {
		t.Helper()
		awscli(t, nil, slices.Concat([]string{"autoscaling", action}, group, args)...)
	}
	call("create-auto-scaling-group", "--launch-template", "LaunchTemplateName="+name+",Version=$Latest", "--min-size", "0", "--max-size", "2",
		"--desired-capacity", "1", "--availability-zones", "us-east-1a", "us-east-1b", "--tags", "Key=Name,Value=witness,PropagateAtLaunch=true")
	t.Cleanup(func() {
		call("delete-auto-scaling-group", "--force-delete")
		becomes(t, "the group is gone", func() bool {
			return awsText(t, "length(AutoScalingGroups)", "autoscaling", "describe-auto-scaling-groups") == "0"
		})
	})
	becomes(t, "one is in service", func() bool { return len(members(t)) == 1 })
	first := members(t)[0]
	if got := awsText(t, "Reservations[0].Instances[0].Tags[?Key=='Name'].Value", "ec2", "describe-instances", "--instance-ids", first); got != "witness" {
		t.Errorf("its Name is %q", got)
	}
	awscli(t, nil, "ec2", "terminate-instances", "--instance-ids", first)
	becomes(t, "it is replaced", func() bool {
		now := members(t)
		return len(now) == 1 && now[0] != first
	})
	call("put-scaling-policy", "--policy-name", "cpu", "--policy-type", "TargetTrackingScaling", "--target-tracking-configuration",
		launchData(t, map[string]any{"TargetValue": 50, "PredefinedMetricSpecification": map[string]any{"PredefinedMetricType": "ASGAverageCPUUtilization"}}))
	causes := awsText(t, "Activities[].Cause", append([]string{"autoscaling", "describe-scaling-activities"}, group...)...)
	if want := "needing to be replaced"; !strings.Contains(causes, want) {
		t.Errorf("the causes are %q, want %q in them", causes, want)
	}
	call("set-desired-capacity", "--desired-capacity", "0")
	becomes(t, "none is left", func() bool { return len(members(t)) == 0 })
}
