package builder

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/poll"
)

// visible is how long AWS may take until it knows what it has just made
// (docs.aws.amazon.com, "Eventual consistency in the Amazon EC2 API").
const visible = time.Minute

// ignore drops an error with one of these codes.
func ignore(err error, codes ...string) error {
	if hasCode(err, codes...) {
		return nil
	}
	return err
}

// describeInstance looks one instance up.
func (b *Builder) describeInstance(ctx context.Context, id string) (types.Instance, error) {
	out, err := b.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return types.Instance{}, err
	}
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			return i, nil
		}
	}
	return types.Instance{}, fmt.Errorf("AWS does not list instance %s", id)
}

// awaitState waits for an instance to reach a state, and gives up when it
// cannot any more.
func (b *Builder) awaitState(ctx context.Context, id string, want types.InstanceStateName) error {
	start := time.Now()
	return poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		i, err := b.describeInstance(ctx, id)
		if hasCode(err, "InvalidInstanceID.NotFound") && want != types.InstanceStateNameTerminated && time.Since(start) < visible {
			return false, nil
		}
		if hasCode(err, "InvalidInstanceID.NotFound") && want == types.InstanceStateNameTerminated {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if i.State.Name == want {
			return true, nil
		}
		return false, gone(i, want)
	})
}

// gone says why an instance will never reach a state.
func gone(i types.Instance, want types.InstanceStateName) error {
	switch i.State.Name {
	case types.InstanceStateNameTerminated, types.InstanceStateNameShuttingDown:
		if want == types.InstanceStateNameTerminated {
			return nil
		}
	case types.InstanceStateNameStopped, types.InstanceStateNameStopping:
		if want != types.InstanceStateNameRunning {
			return nil
		}
	default:
		return nil
	}
	reason := aws.ToString(i.StateTransitionReason)
	if i.StateReason != nil {
		reason = aws.ToString(i.StateReason.Message)
	}
	if reason == "" {
		reason = "AWS gives no reason"
	}
	return fmt.Errorf("the instance is %s: %s", i.State.Name, reason)
}

// address is where the machine is reached.
type address struct {
	host string
	port int
}

// awaitAddress waits for the address that the template asks for.
func (b *Builder) awaitAddress(ctx context.Context, id string, s SSH) (a address, err error) {
	a.port = s.Port
	if a.port == 0 {
		a.port = 22
	}
	if a.host = s.Host; a.host != "" {
		return a, nil
	}
	err = poll.Until(ctx, poll.Seconds(), func(ctx context.Context) (bool, error) {
		i, err := b.describeInstance(ctx, id)
		if err != nil {
			return false, err
		}
		a.host = addressOf(i, s.Interface)
		return a.host != "", gone(i, types.InstanceStateNameRunning)
	})
	if ctx.Err() != nil && err != nil && s.Interface != "" {
		return a, fmt.Errorf("it has no %s: check the subnet, associate_public_ip_address and ssh_interface (%w)", s.Interface, err)
	}
	return a, err
}

// addressOf is the address of an instance on one of its interfaces.
func addressOf(i types.Instance, kind string) string {
	switch kind {
	case "public_ip":
		return aws.ToString(i.PublicIpAddress)
	case "private_ip":
		return aws.ToString(i.PrivateIpAddress)
	case "public_dns":
		return aws.ToString(i.PublicDnsName)
	case "private_dns":
		return aws.ToString(i.PrivateDnsName)
	case "ipv6":
		return aws.ToString(i.Ipv6Address)
	}
	if ip := aws.ToString(i.PublicIpAddress); ip != "" {
		return ip
	}
	return aws.ToString(i.PrivateIpAddress)
}

// decodeConsole reads GetConsoleOutput's answer.
func decodeConsole(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(text)
}

// consoleTail is the last of what the machine wrote on its console, for
// whoever has to find out why it does not answer.
func (b *Builder) consoleTail(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	out, err := b.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &id})
	if err != nil {
		return ""
	}
	text, err := decodeConsole(aws.ToString(out.Output))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(text), "\r", "")), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

// awaitImage waits until an image is available. One that AWS gave up is an error.
func awaitImage(ctx context.Context, cloud EC2, id string) (img types.Image, err error) {
	start := time.Now()
	err = poll.Until(ctx, poll.Minutes(), func(ctx context.Context) (bool, error) {
		out, err := cloud.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
		unseen := hasCode(err, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable") || err == nil && len(out.Images) == 0
		if unseen && time.Since(start) < visible {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if unseen {
			return false, errors.New("the image has disappeared")
		}
		img = out.Images[0]
		switch img.State {
		case types.ImageStateAvailable:
			return true, nil
		case types.ImageStatePending, types.ImageStateTransient:
			return false, nil
		}
		reason := "AWS gives no reason"
		if img.StateReason != nil {
			reason = aws.ToString(img.StateReason.Message)
		}
		return false, fmt.Errorf("the image is %s: %s", img.State, reason)
	})
	return img, err
}
