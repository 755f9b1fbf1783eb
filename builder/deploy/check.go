package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
)

// tagConfig is the hash of what a release is launched with.
const tagConfig = "imago:config"

// image is what has to be known of an image before it is released.
type image struct {
	id      string
	subnets []string
	groups  []string // security groups of the machines
}

// config is a hash of what the machines of a release are launched with, beside the image.
func (e Environment) config() string {
	text, err := json.Marshal([]any{e.InstanceType, e.Profile, e.Key, e.Port, e.HealthPath, slices.Sorted(slices.Values(e.Subnets))})
	if err != nil { // strings and numbers
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// check looks for all that could not work, before anything is changed.
func (d *Deployer) check(ctx context.Context, e Environment, w Wanted, now *state) (image, error) {
	if now.balancer == nil || now.listener == nil {
		return image{}, fmt.Errorf("the environment %s has no load balancer that listens on port %d: %w", e.Name, e.listenerPort(), errNoSetup)
	}
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !strings.HasPrefix(e.HealthPath, "/") {
		add("health_path is %q; it must begin with a slash", e.HealthPath)
	}
	if err := d.checkImage(ctx, w.Image); err != nil {
		problems = append(problems, err)
	}
	img := image{id: w.Image}
	need := max(e.Desired, now.serving().desired())
	for _, z := range now.balancer.AvailabilityZones {
		img.subnets = append(img.subnets, aws.ToString(z.SubnetId))
	}
	if err := d.checkSubnets(ctx, img.subnets, need); err != nil {
		problems = append(problems, err)
	}
	var err error
	if img.groups, err = d.machineGroups(ctx, e, now); err != nil {
		problems = append(problems, err)
	}
	return img, errors.Join(problems...)
}

// checkImage holds that the image is there and can be launched.
func (d *Deployer) checkImage(ctx context.Context, id string) error {
	out, err := d.Machines.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	switch {
	case awserr.Is(err, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"), err == nil && len(out.Images) == 0:
		return fmt.Errorf("the image %s is not there any more: bake it again, or release another (imago releases says which there are)", id)
	case err != nil:
		return fmt.Errorf("read the image %s: %w", id, err)
	case out.Images[0].State != types.ImageStateAvailable:
		return fmt.Errorf("the image %s is %s: wait until it is available", id, out.Images[0].State)
	}
	return nil
}

// checkSubnets holds that the subnets have the addresses for as many machines as there are, once more.
func (d *Deployer) checkSubnets(ctx context.Context, ids []string, need int) error {
	out, err := d.Machines.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: ids})
	if err != nil {
		return fmt.Errorf("read the subnets: %w", err)
	}
	free := 0
	for _, s := range out.Subnets {
		free += int(aws.ToInt32(s.AvailableIpAddressCount))
	}
	if free < need {
		return fmt.Errorf("the subnets %s have %d free addresses, and the release needs %d: add a subnet, or end machines", strings.Join(ids, ", "), free, need)
	}
	return nil
}

// machineGroups is the security group that setup has made for the machines.
func (d *Deployer) machineGroups(ctx context.Context, e Environment, now *state) ([]string, error) {
	filters := append(e.filters(), types.Filter{Name: aws.String("tag:" + TagRole), Values: []string{RoleMachines}},
		types.Filter{Name: aws.String("vpc-id"), Values: []string{aws.ToString(now.balancer.VpcId)}})
	out, err := d.Machines.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("read the security group of the machines: %w", err)
	}
	if len(out.SecurityGroups) == 0 {
		return nil, fmt.Errorf("the environment %s has no security group for its machines (tag %s=%s): %w", e.Name, TagRole, RoleMachines, errNoSetup)
	}
	return []string{*out.SecurityGroups[0].GroupId}, nil
}
