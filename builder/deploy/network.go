package deploy

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const (
	// ownBlock is the network that setup makes; ownZones how many subnets it has, of 4,096 addresses each.
	ownBlock = "10.64.0.0/16"
	ownZones = 2
	anywhere = "0.0.0.0/0"
)

// network makes a VPC of the environment's own with what is missing in it.
func (s *setup) network(ctx context.Context) error {
	f := &s.found
	if !f.own {
		return nil
	}
	if f.vpc == "" {
		if err := s.made(ctx, "made VPC "+ownBlock, func() error {
			out, err := s.Network.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String(ownBlock), TagSpecifications: s.env.specs(types.ResourceTypeVpc, RoleNetwork)})
			if err == nil {
				f.vpc, f.block = *out.Vpc.VpcId, ownBlock
			}
			return err
		}); err != nil {
			return err
		}
	}
	if err := s.subnets(ctx); err != nil {
		return err
	}
	for _, id := range f.hidden {
		if err := s.uncover(ctx, id); err != nil {
			return err
		}
	}
	if f.routed {
		return nil
	}
	return s.routes(ctx)
}

// subnets makes one in each zone that has none, until there are two.
func (s *setup) subnets(ctx context.Context) error {
	if len(s.found.subnets) >= ownZones {
		return nil
	}
	zones, err := s.Network.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{Filters: []types.Filter{{Name: aws.String("state"), Values: []string{"available"}}}})
	if err != nil {
		return fmt.Errorf("read the availability zones: %w", err)
	}
	s.found.routed = false // the new one is in no route table
	for i, z := range zones.AvailabilityZones {
		zone := aws.ToString(z.ZoneName)
		if len(s.found.subnets) >= ownZones {
			return nil
		}
		if slices.Contains(s.found.zones, zone) {
			continue
		}
		if err := s.subnet(ctx, zone, subBlock(s.found.block, i)); err != nil {
			return err
		}
	}
	if len(s.found.subnets) < ownZones {
		return fmt.Errorf("%s has %d availability zones, and a load balancer needs %d", s.env.Region, len(zones.AvailabilityZones), ownZones)
	}
	return nil
}

func (s *setup) subnet(ctx context.Context, zone, block string) error {
	return s.made(ctx, "made subnet "+block+" in "+zone, func() error {
		out, err := s.Network.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId: &s.found.vpc, AvailabilityZone: &zone, CidrBlock: &block, TagSpecifications: s.env.specs(types.ResourceTypeSubnet, RoleNetwork),
		})
		if err == nil {
			id := *out.Subnet.SubnetId
			s.found.subnets, s.found.zones, s.found.hidden = append(s.found.subnets, id), append(s.found.zones, zone), append(s.found.hidden, id)
		}
		return err
	})
}

// uncover gives the machines in a subnet public addresses: by them they reach the
// internet. Nobody reaches them: their security group sees to it.
func (s *setup) uncover(ctx context.Context, id string) error {
	return s.made(ctx, "has machines in "+id+" get public addresses", func() error {
		_, err := s.Network.ModifySubnetAttribute(ctx, &ec2.ModifySubnetAttributeInput{SubnetId: &id, MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(true)}})
		return err
	})
}

// subBlock is the nth piece of 4,096 addresses.
func subBlock(block string, n int) string {
	whole, err := netip.ParsePrefix(block)
	if err != nil {
		whole = netip.MustParsePrefix(ownBlock)
	}
	bytes := whole.Addr().As4()
	bytes[2] = byte(16 * n)
	return netip.PrefixFrom(netip.AddrFrom4(bytes), 20).String()
}

// routes leads the subnets to the internet.
func (s *setup) routes(ctx context.Context) error {
	for _, ensure := range []func(context.Context) error{s.gateway, s.table} {
		if err := ensure(ctx); err != nil {
			return err
		}
	}
	f := &s.found
	if err := s.made(ctx, "made a route to the internet", func() error {
		_, err := s.Network.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &f.table, DestinationCidrBlock: aws.String(anywhere), GatewayId: &f.attached})
		return unless(err, "RouteAlreadyExists")
	}); err != nil {
		return err
	}
	for _, id := range f.subnets {
		if err := s.made(ctx, "leads "+id+" to the internet", func() error {
			_, err := s.Network.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: &f.table, SubnetId: &id})
			return unless(err, "Resource.AlreadyAssociated")
		}); err != nil {
			return err
		}
	}
	return nil
}

// gateway attaches an internet gateway to the VPC.
func (s *setup) gateway(ctx context.Context) error {
	f := &s.found
	if f.attached != "" {
		return nil
	}
	if len(f.gateways) == 0 {
		if err := s.made(ctx, "made an internet gateway", func() error {
			out, err := s.Network.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{TagSpecifications: s.env.specs(types.ResourceTypeInternetGateway, RoleNetwork)})
			if err == nil {
				f.gateways = append(f.gateways, *out.InternetGateway.InternetGatewayId)
			}
			return err
		}); err != nil {
			return err
		}
	}
	f.attached = f.gateways[0]
	return s.made(ctx, "attached "+f.attached, func() error {
		_, err := s.Network.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: &f.attached, VpcId: &f.vpc})
		return unless(err, "Resource.AlreadyAssociated")
	})
}

// table makes a route table in the VPC.
func (s *setup) table(ctx context.Context) error {
	if s.found.table != "" {
		return nil
	}
	return s.made(ctx, "made a route table", func() error {
		out, err := s.Network.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: &s.found.vpc, TagSpecifications: s.env.specs(types.ResourceTypeRouteTable, RoleNetwork)})
		if err == nil {
			s.found.table = *out.RouteTable.RouteTableId
		}
		return err
	})
}

// specs are the tags of what is being made.
func (e Environment) specs(kind types.ResourceType, role string) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: append(e.tags(role), tag("Name", e.name()))}}
}

// roleFilters select what has a role in the environment.
func (e Environment) roleFilters(role string) []types.Filter {
	return append(e.filters(), types.Filter{Name: aws.String("tag:" + TagRole), Values: []string{role}})
}

// compare is the order of two pairs.
func compare(a, b, then, other *string) int {
	return cmp.Or(cmp.Compare(aws.ToString(a), aws.ToString(b)), cmp.Compare(aws.ToString(then), aws.ToString(other)))
}
