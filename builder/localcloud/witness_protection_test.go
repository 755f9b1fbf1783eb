package localcloud_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	"github.com/imagobuild/imago/builder"
)

// TestProtection: a bake leaves its image protected, and AWS's own client cannot deregister it before that is taken
// off; a bake that would replace it says so before it makes anything.
func TestProtection(t *testing.T) {
	b := newBaker(t)
	b.cfg.Output.Protect = builder.Protected
	img, err := b.bake(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := ec2.NewFromConfig(b.sdk)
	deregister := func() string {
		_, err := client.DeregisterImage(t.Context(), &ec2.DeregisterImageInput{ImageId: &img.ID})
		if api := smithy.APIError(nil); errors.As(err, &api) {
			return api.ErrorCode()
		}
		return ""
	}
	if got := deregister(); got != "OperationNotPermitted" {
		t.Errorf("deregistering it is answered with %q", got)
	}
	again := b.cfg
	again.Output.ReplaceExisting = true
	b.cfg = again
	if _, err := b.bake(t.Context()); err == nil || len(b.instances()) != 1 {
		t.Errorf("replacing it: error %v, %d instances were launched in all", err, len(b.instances()))
	}
	for _, step := range []struct {
		cooldown bool
		want     string
	}{{true, "disabled-with-cooldown"}, {false, "disabled"}} {
		if _, err := client.EnableImageDeregistrationProtection(t.Context(), &ec2.EnableImageDeregistrationProtectionInput{ImageId: &img.ID, WithCooldown: &step.cooldown}); err != nil {
			t.Fatal(err)
		}
		out, err := client.DisableImageDeregistrationProtection(t.Context(), &ec2.DisableImageDeregistrationProtectionInput{ImageId: &img.ID})
		if err != nil {
			t.Fatal(err)
		}
		if got := aws.ToString(out.Return); len(got) < len(step.want) || got[:len(step.want)] != step.want {
			t.Errorf("taken off, cooldown %v: %q", step.cooldown, got)
		}
		if got := deregister(); step.cooldown == (got == "") {
			t.Errorf("cooldown %v: deregistering it is answered with %q", step.cooldown, got)
		}
	}
}
