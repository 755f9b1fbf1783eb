package builder

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
)

// ignore drops an error with one of these codes.
func ignore(err error, codes ...string) error {
	if awserr.Is(err, codes...) {
		return nil
	}
	return err
}

// missing is the error for what AWS has not listed for longer than it may take.
func missing(since time.Time, what string) error {
	if time.Since(since) < visible {
		return nil
	}
	return unlisted{what}
}

// watch calls check with each look at the instance, until check is done.
func (b *Builder) watch(ctx context.Context, inst instance, check func(types.Instance) (bool, error)) error {
	last := time.Now()
	group := &b.watcher().in(inst.region, b.EC2).instances
	return group.Until(ctx, inst.id, func(i types.Instance, there bool) (bool, error) {
		if !there {
			return false, missing(last, "instance "+inst.id)
		}
		last = time.Now()
		return check(i)
	})
}

// awaitState waits for an instance to reach a state, and gives up when it
// cannot any more.
func (b *Builder) awaitState(ctx context.Context, inst instance, want types.InstanceStateName) error {
	defer b.span(SpanAWS, "%s %s", inst.id, want)()
	return b.watch(ctx, inst, func(i types.Instance) (bool, error) {
		return i.State.Name == want, gone(i, want)
	})
}

// awaitTerminated waits until an instance is no more. AWS lists a terminated
// one for about an hour; one that it does not list for a minute is no more either.
func (b *Builder) awaitTerminated(ctx context.Context, inst instance) error {
	defer b.span(SpanAWS, "%s terminated", inst.id)()
	start := time.Now()
	group := &b.watcher().in(inst.region, b.EC2).instances
	return group.Until(ctx, inst.id, func(i types.Instance, there bool) (bool, error) {
		if !there {
			return time.Since(start) >= visible, nil
		}
		return i.State.Name == types.InstanceStateNameTerminated, nil
	})
}

// gone says why an instance will never run, or stop.
func gone(i types.Instance, want types.InstanceStateName) error {
	switch i.State.Name {
	case types.InstanceStateNameTerminated, types.InstanceStateNameShuttingDown:
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

// awaitRunning waits for the machine to run and to have the address that the
// template asks for.
func (b *Builder) awaitRunning(ctx context.Context, p Plan, inst instance) (a address, err error) {
	defer b.span(SpanAWS, "%s running", inst.id)()
	limit := cmp.Or(p.Config.Waits.Running, DefaultInstanceTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not running after %v", limit))
	defer cancel()
	s, running := p.Config.SSH, false
	err = b.watch(ctx, inst, func(i types.Instance) (bool, error) {
		running = i.State.Name == types.InstanceStateNameRunning
		a = address{cmp.Or(s.Host, addressOf(i, s.Interface)), cmp.Or(s.Port, 22)}
		return running && a.host != "", gone(i, types.InstanceStateNameRunning)
	})
	if err != nil && ctx.Err() != nil && running && s.Interface != "" {
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

// awaitImage waits until an image is available. One that AWS gave up is an error.
func (b *Builder) awaitImage(ctx context.Context, m made) (img types.Image, err error) {
	defer b.span(SpanAWS, "%s available", m.id)()
	last := time.Now()
	group := &b.watcher().in(m.region, m.cloud).images
	err = group.Until(ctx, m.id, func(i types.Image, there bool) (bool, error) {
		if !there {
			return false, missing(last, "image "+m.id)
		}
		img, last = i, time.Now()
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
		return false, &failedImage{img.State, reason}
	})
	return img, err
}
