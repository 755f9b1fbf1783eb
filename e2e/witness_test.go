package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// awscli runs Debian's awscli on the suite's cloud and decodes what it prints into out.
func awscli(t *testing.T, out any, args ...string) {
	t.Helper()
	r := cloud.awscli(t, args...)
	if r.code != 0 {
		t.Fatalf("aws %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	if out == nil || r.stdout == "" {
		return
	}
	if err := json.Unmarshal([]byte(r.stdout), out); err != nil {
		t.Fatalf("aws %s: %v in %s", strings.Join(args, " "), err, r.stdout)
	}
}

// awscli runs Debian's awscli, which is too old to know AWS_ENDPOINT_URL.
func (c *localCloud) awscli(t *testing.T, args ...string) result {
	t.Helper()
	return c.command(after(t), "", "/usr/bin/aws", append([]string{"--endpoint-url", c.export(t, "AWS_ENDPOINT_URL"), "--output", "json"}, args...)...)
}

// reservation is what run-instances and describe-instances say of an instance.
type reservation struct {
	Instances []struct {
		InstanceId, ImageId, PrivateIpAddress string
		State                                 struct{ Name string }
	}
}

// launch starts an instance of an image with awscli, waits until it runs and
// returns its address. The instance is terminated when the test ends.
func launch(t *testing.T, image string) (id, addr string) {
	t.Helper()
	var run reservation
	awscli(t, &run, "ec2", "run-instances", "--image-id", image, "--instance-type", "t3.micro")
	id = run.Instances[0].InstanceId
	t.Cleanup(func() {
		awscli(t, nil, "ec2", "terminate-instances", "--instance-ids", id)
		awscli(t, nil, "ec2", "wait", "instance-terminated", "--instance-ids", id)
	})
	awscli(t, nil, "ec2", "wait", "instance-running", "--instance-ids", id)
	return id, run.Instances[0].PrivateIpAddress
}

// TestAWSCLI: a program that we did not write runs, describes, captures, boots
// from the capture and terminates.
func TestAWSCLI(t *testing.T) {
	leavesNothing(t)
	id, addr := launch(t, baseID)
	if addr == "" {
		t.Fatal("run-instances gave no address")
	}
	var made struct{ ImageId string }
	awscli(t, &made, "ec2", "create-image", "--instance-id", id, "--name", "from awscli")
	removeImage(t, made.ImageId)
	awscli(t, nil, "ec2", "wait", "image-available", "--image-ids", made.ImageId)

	second, _ := launch(t, made.ImageId)
	var all struct{ Reservations []reservation }
	awscli(t, &all, "ec2", "describe-instances", "--instance-ids", second)
	if got := all.Reservations[0].Instances[0]; got.ImageId != made.ImageId || got.State.Name != "running" {
		t.Errorf("the instance of the captured image is %+v", got)
	}
}

// TestPacker: Debian's packer bakes the same primal manifest that imago bakes,
// on the same cloud, through custom_endpoint_ec2.
func TestPacker(t *testing.T) {
	leavesNothing(t)
	dir := project(t)
	packerBuild(t, dir, "deploy/templates/primal.json", primalVars()...)
}
