package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// launchData is the data of a launch template, as awscli takes it.
func launchData(t *testing.T, data map[string]any) string {
	t.Helper()
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// terminate ends an instance; awscli's own waiter looks but each 15 s.
func terminate(t *testing.T, id string) {
	t.Helper()
	awscli(t, nil, "ec2", "terminate-instances", "--instance-ids", id)
	quick := func(o *ec2.InstanceTerminatedWaiterOptions) { o.MinDelay = 100 * time.Millisecond }
	waiter := ec2.NewInstanceTerminatedWaiter(client(t), quick)
	if err := waiter.Wait(after(t), &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// TestAWSCLILaunchTemplates: awscli makes a launch template and a second
// version of it, boots a machine from that one, and deletes both.
func TestAWSCLILaunchTemplates(t *testing.T) {
	leavesNothing(t)
	var made struct {
		LaunchTemplate struct{ LaunchTemplateId string }
	}
	awscli(t, &made, "ec2", "create-launch-template", "--launch-template-name", "witness", "--launch-template-data",
		launchData(t, map[string]any{"ImageId": baseID, "InstanceType": "t3.micro", "SecurityGroups": []string{"default"},
			"MetadataOptions":   map[string]any{"HttpTokens": "required"},
			"TagSpecifications": []any{map[string]any{"ResourceType": "instance", "Tags": []any{map[string]any{"Key": "Name", "Value": "witness"}}}}}))
	id := made.LaunchTemplate.LaunchTemplateId
	t.Cleanup(func() { awscli(t, nil, "ec2", "delete-launch-template", "--launch-template-id", id) })
	awscli(t, nil, "ec2", "create-launch-template-version", "--launch-template-id", id, "--source-version", "1",
		"--version-description", "larger", "--launch-template-data", launchData(t, map[string]any{"InstanceType": "t3.small"}))
	awscli(t, nil, "ec2", "modify-launch-template", "--launch-template-id", id, "--default-version", "2")
	var described struct {
		LaunchTemplateVersions []struct {
			VersionNumber      int
			VersionDescription string
			LaunchTemplateData struct{ ImageId, InstanceType string }
		}
	}
	awscli(t, &described, "ec2", "describe-launch-template-versions", "--launch-template-id", id, "--versions", "$Default")
	if len(described.LaunchTemplateVersions) != 1 {
		t.Fatalf("described %+v", described)
	}
	if got := described.LaunchTemplateVersions[0]; got.VersionNumber != 2 || got.VersionDescription != "larger" ||
		got.LaunchTemplateData.ImageId != baseID || got.LaunchTemplateData.InstanceType != "t3.small" {
		t.Errorf("the default version is %+v", got)
	}
	var run struct {
		Instances []struct {
			InstanceId, InstanceType string
			Tags                     []struct{ Key, Value string }
		}
	}
	awscli(t, &run, "ec2", "run-instances", "--launch-template", "LaunchTemplateId="+id)
	inst := run.Instances[0]
	t.Cleanup(func() { terminate(t, inst.InstanceId) })
	tags := map[string]string{}
	for _, tag := range inst.Tags {
		tags[tag.Key] = tag.Value
	}
	if inst.InstanceType != "t3.small" || tags["Name"] != "witness" || tags["aws:ec2launchtemplate:version"] != "2" {
		t.Errorf("launched %+v", inst)
	}
}
