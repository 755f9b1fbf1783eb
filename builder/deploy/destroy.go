package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/imagobuild/imago/builder/internal/awserr"
	"github.com/imagobuild/imago/builder/internal/poll"
)

// dependLimit is how long something may still be used by what is being deleted.
const dependLimit = 5 * time.Minute

// Destroy takes an environment down, with all that setup and releases have made,
// and nothing else. Images stay. It may be run again.
func (i *Infrastructure) Destroy(ctx context.Context, e Environment) (err error) {
	held, letGo, err := i.take(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, letGo()) }()
	s := &setup{Infrastructure: i, step: "destroy", env: e}
	for { // once, and again for each VPC whose making was not heard of
		if s.found, err = s.find(held); err != nil {
			return err
		}
		for _, remove := range []func(context.Context) error{s.removeRecord, s.removeListeners, s.removeReleases, s.removeBalancer, s.removeGroups, s.removeNetwork} {
			if err := remove(held); err != nil {
				return err
			}
		}
		if !s.found.own || len(s.found.spare) == 0 {
			return nil
		}
	}
}

// removeRecord takes the domain out of DNS if it leads to this load balancer.
func (s *setup) removeRecord(ctx context.Context) error {
	if s.env.Domain == "" || s.found.balancer == nil {
		return nil
	}
	zone, there, err := s.findRecord(ctx)
	if errors.Is(err, errNoZone) {
		return nil
	}
	if err != nil || !s.isOurs(there) {
		return err
	}
	return s.changeRecord(ctx, zone, types.ChangeActionDelete, *there)
}

func (s *setup) removeListeners(ctx context.Context) error {
	if s.found.balancer == nil {
		return nil
	}
	out, err := s.Listeners.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: s.found.balancer.LoadBalancerArn})
	if err != nil {
		return fmt.Errorf("read the listeners: %w", err)
	}
	for _, l := range out.Listeners {
		if err := s.made(ctx, fmt.Sprintf("deleted the listener on port %d", aws.ToInt32(l.Port)), func() error {
			_, err := s.Balancers.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: l.ListenerArn})
			return unless(err, "ListenerNotFound")
		}); err != nil {
			return err
		}
	}
	return nil
}

// removeReleases ends all machines, whether they serve or not.
func (s *setup) removeReleases(ctx context.Context) error {
	now, err := s.look(ctx, s.env)
	if err != nil {
		return err
	}
	for _, u := range now.units {
		if u.group != nil {
			if err := s.dropGroup(ctx, aws.ToString(u.group.AutoScalingGroupName)); err != nil {
				return err
			}
		}
		if u.target != "" {
			if err := s.dropTarget(ctx, u.target); err != nil {
				return err
			}
		}
	}
	if now.template == "" {
		return nil
	}
	return s.made(ctx, "deleted launch template "+now.template, func() error {
		_, err := s.Templates.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &now.template})
		return err
	})
}

func (s *setup) removeBalancer(ctx context.Context) error {
	if s.found.balancer == nil {
		return nil
	}
	return s.made(ctx, "deleted load balancer "+s.env.name(), func() error {
		_, err := s.Balancers.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: s.found.balancer.LoadBalancerArn})
		return err
	})
}

// removeGroups deletes the security groups, the one that names the other first.
func (s *setup) removeGroups(ctx context.Context) error {
	for _, id := range []string{s.found.group(RoleMachines), s.found.group(RoleBalancer)} {
		if id == "" {
			continue
		}
		if err := s.remove(ctx, "security group "+id, "InvalidGroup.NotFound", func() error {
			_, err := s.Network.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id})
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes something as soon as nothing depends on it any more: a load
// balancer keeps its network for a while after it has gone.
func (s *setup) remove(ctx context.Context, what, gone string, do func() error) error {
	limited, cancel := context.WithTimeout(ctx, dependLimit)
	defer cancel()
	return s.made(limited, "deleted "+what, func() error {
		return poll.Until(limited, poll.Seconds(), func(context.Context) (bool, error) {
			err := unless(do(), gone)
			if awserr.Is(err, "DependencyViolation") {
				return false, nil
			}
			return err == nil, err
		})
	})
}

// removeNetwork deletes the network that setup has made. One that the
// environment names stays.
func (s *setup) removeNetwork(ctx context.Context) error {
	f := s.found
	if !f.own || f.vpc == "" {
		return nil
	}
	if f.attached != "" {
		if err := s.remove(ctx, "the attachment of "+f.attached, "Gateway.NotAttached", func() error {
			_, err := s.Network.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &f.attached, VpcId: &f.vpc})
			return err
		}); err != nil {
			return err
		}
	}
	for _, id := range f.gateways {
		if err := s.remove(ctx, "internet gateway "+id, "InvalidInternetGatewayID.NotFound", func() error {
			_, err := s.Network.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &id})
			return err
		}); err != nil {
			return err
		}
	}
	for _, id := range f.subnets {
		if err := s.remove(ctx, "subnet "+id, "InvalidSubnetID.NotFound", func() error {
			_, err := s.Network.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &id})
			return err
		}); err != nil {
			return err
		}
	}
	for _, id := range f.tables {
		if err := s.remove(ctx, "route table "+id, "InvalidRouteTableID.NotFound", func() error {
			_, err := s.Network.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: &id})
			return err
		}); err != nil {
			return err
		}
	}
	return s.remove(ctx, "VPC "+f.vpc, "InvalidVpcID.NotFound", func() error {
		_, err := s.Network.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &f.vpc})
		return err
	})
}
